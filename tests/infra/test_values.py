"""What azd's environment may say, and what of it cannot be meant."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.azd.values import Values, check_settings
from infra.azd.web import Stopped

AZD = {"AZURE_ENV_NAME": "dev", "AZURE_SUBSCRIPTION_ID": "11111111-1111-1111-1111-111111111111"}
GROUP = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/Prod"
SCALE_SET = f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/web"
GALLERY = f"{GROUP.replace('Prod', 'images')}/providers/Microsoft.Compute/galleries/apps"


def read(*groups: Any, **values: str) -> Values:
    return Values.read({**AZD, "TEAL_GROUPS": json.dumps(list(groups)), **values})


def test_scopes_are_in_lower_case_and_once_each() -> None:
    web = {"id": "web", "scaleSetId": SCALE_SET, "galleryId": GALLERY, "networkScopes": [GROUP.upper()]}
    api = {"id": "api", "scaleSetId": SCALE_SET.replace("Prod", "prod"), "galleryId": GALLERY.replace("apps", "Apps")}
    subscription = GROUP.partition("/resourceGroups/")[0]
    values = Values.read({**AZD, "TEAL_GROUPS": json.dumps([web | {"networkScopes": [GROUP]}, api])})
    assert values.scopes == {GROUP.lower(), GALLERY.lower(), subscription}
    assert values.galleries == (GALLERY.lower(),)
    assert values.subscriptions == {subscription.rpartition("/")[2], AZD["AZURE_SUBSCRIPTION_ID"]}


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ("web", "must be an object"),
        ({"id": "web"}, "scaleSetId None"),
        ({"id": "a b", "scaleSetId": SCALE_SET}, "id 'a b'"),
        ({"id": "web", "scaleSetId": GROUP}, "scaleSetId"),
        ({"id": "web", "scaleSetId": SCALE_SET, "galleryId": GROUP}, "galleryId"),
        ({"id": "web", "scaleSetId": SCALE_SET, "networkScopes": [SCALE_SET]}, "networkScopes"),
        ({"id": "web", "scaleSetId": SCALE_SET, "networkScopes": GROUP}, "must be an array"),
        ({"id": "web", "scaleSetId": SCALE_SET, "imageId": GALLERY}, "imageId: what a group is in Teal goes into body"),
    ],
)
def test_a_group_that_cannot_be_meant_is_refused_by_its_number_and_field(entry: Any, complaint: str) -> None:
    with pytest.raises(Stopped, match=r"TEAL_GROUPS, group 1") as refused:
        read(entry)
    assert complaint in str(refused.value)


def test_a_name_that_two_groups_have_is_refused() -> None:
    with pytest.raises(Stopped, match="web twice"):
        read({"id": "web", "scaleSetId": SCALE_SET}, {"id": "Web", "scaleSetId": SCALE_SET})


@pytest.mark.parametrize(("text", "complaint"), [("{", "is not JSON"), ("{}", "must be a JSON array")])
def test_what_is_no_list_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(Stopped, match=f"TEAL_GROUPS {complaint}"):
        Values.read({**AZD, "TEAL_GROUPS": text})


def test_it_is_azd_that_runs_the_hooks() -> None:
    with pytest.raises(Stopped, match="this is run by azd"):
        Values.read({})


def test_a_setting_that_nobody_reads_is_refused() -> None:
    check_settings(["TEAL_ROWS_DAYS"], ["TEAL_ROWS_DAYS", "TEAL_POLL_INTERVAL"])
    with pytest.raises(Stopped, match="TEAL_ROW_DAYS"):
        check_settings(read(TEAL_SETTINGS='{"TEAL_ROW_DAYS": "9"}').setting_names, ["TEAL_ROWS_DAYS"])
