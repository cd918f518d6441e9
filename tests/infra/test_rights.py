"""Who gets which right where, by the kept snapshots."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatch
from typing import Any

import pytest

from infra.check import INFRA
from tests.infra.conftest import NAMES, Snapshot, snapshot

ROLES = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "9980e02c-c2be-4d73-94e8-173b1dc7cf3c": "Virtual Machine Contributor",
    "749f88d5-cbae-40b8-bcfc-e573ddc772fa": "Monitoring Contributor",
    "4d97b98b-1d4f-4787-a291-c67834d212e7": "Network Contributor",
    "f1a07417-d97a-45cb-824c-7a7467783830": "Managed Identity Operator",
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": "Reader",
}

ACTIONS: list[dict[str, Any]] = json.loads((INFRA / "actions.json").read_text())["actions"]
SUBSCRIPTION = "/subscriptions/22222222-2222-2222-2222-222222222222"

every = pytest.mark.parametrize("given", [snapshot(name) for name in NAMES], ids=NAMES)


def rights(given: Snapshot) -> set[tuple[str, str]]:
    """The scope and the role of each assignment; the scope is what the id's ``guid`` begins with."""
    definitions = {one["name"]: one["properties"]["roleName"] for one in given.of(DEFINITIONS)}
    names = {**ROLES, **{key: name.split()[1] for key, name in definitions.items()}}
    found = set()
    for one in given.of("Microsoft.Authorization/roleAssignments"):
        scope = re.search(r"guid\('([^']+)'", one["name"])
        assert scope, one["name"]
        found.add((scope[1], names[one["properties"]["roleDefinitionId"].rpartition("/")[2]]))
    return found


DEFINITIONS = "Microsoft.Authorization/roleDefinitions"


@every
def test_each_assignment_is_named_after_scope_principal_and_role(given: Snapshot) -> None:
    assignments = given.of("Microsoft.Authorization/roleAssignments")
    assert len({one["name"] for one in assignments}) == len(assignments) >= 4
    for one in assignments:
        role = one["properties"]["roleDefinitionId"].rpartition("/")[2]
        principal = one["properties"]["principalId"].strip("[]")
        assert "principalId" in principal
        assert one["name"].startswith("[guid('/subscriptions/")
        assert one["name"].endswith(f", {principal}, '{role}')]")
        assert one["properties"]["principalType"] == "ServicePrincipal"


@every
def test_on_its_own_storage_the_app_has_three_data_roles_and_no_other(given: Snapshot) -> None:
    account = given.outputs["TEAL_STORAGE_ID"]
    assert {role for scope, role in rights(given) if scope.lower() == account.lower()} == {
        "Storage Blob Data Owner",
        "Storage Queue Data Contributor",
        "Storage Table Data Contributor",
    }


def elsewhere(given: Snapshot) -> set[tuple[str, str]]:
    """The rights on what is not Teal's."""
    return {(scope, role) for scope, role in rights(given) if not scope.startswith("/subscriptions/00000000-")}


def test_without_groups_the_app_may_do_nothing() -> None:
    assert elsewhere(snapshot("given")) == set()
    assert snapshot("given").settings()["TEAL_ALLOWED_SCOPES"] == ","


def test_a_group_gives_rights_on_its_resource_group_and_its_gallery() -> None:
    given = snapshot("one-group")
    gallery = f"{SUBSCRIPTION}/resourceGroups/images/providers/Microsoft.Compute/galleries/apps"
    assert elsewhere(given) == {
        (f"{SUBSCRIPTION}/resourceGroups/web", "group"),
        (gallery, "gallery"),
        (SUBSCRIPTION, "subscription"),
    }
    scale_set = f"{SUBSCRIPTION}/resourceGroups/web/providers/Microsoft.Compute/virtualMachineScaleSets/web"
    assert given.settings()["TEAL_ALLOWED_SCOPES"] == f"{scale_set},{gallery}".lower()


def test_what_groups_share_gets_each_right_once() -> None:
    images = "/subscriptions/33333333-3333-3333-3333-333333333333/resourceGroups/images"
    jobs = "/subscriptions/44444444-4444-4444-4444-444444444444"
    assert elsewhere(snapshot("three-groups")) == {
        (f"{SUBSCRIPTION}/resourceGroups/prod", "group"),
        (f"{SUBSCRIPTION}/resourceGroups/network", "network"),
        (f"{images}/providers/Microsoft.Compute/galleries/apps", "gallery"),
        (SUBSCRIPTION, "subscription"),
        (f"{jobs}/resourceGroups/jobs", "group"),
        (jobs, "subscription"),
    }
    assert snapshot("three-groups").settings()["TEAL_ALLOWED_SCOPES"].count(",") == 3


def test_where_custom_roles_are_forbidden_azure_s_own_are_given() -> None:
    given = snapshot("existing-topic")
    group, network = (f"{SUBSCRIPTION}/resourceGroups/{name}" for name in ("web", "network"))
    assert given.of(DEFINITIONS) == []
    assert elsewhere(given) == {
        (group, "Virtual Machine Contributor"),
        (group, "Monitoring Contributor"),
        (group, "Network Contributor"),
        (group, "Managed Identity Operator"),
        (group, "Reader"),
        (network, "Network Contributor"),
        (f"{SUBSCRIPTION}/resourceGroups/images/providers/Microsoft.Compute/galleries/apps", "Reader"),
    }


#: The actions of Azure's own roles, as far as they matter here
#: (https://learn.microsoft.com/azure/role-based-access-control/built-in-roles).
BUILT_IN = {
    "Virtual Machine Contributor": (
        "Microsoft.Authorization/*/read",
        "Microsoft.Compute/locations/*",
        "Microsoft.Compute/virtualMachines/*",
        "Microsoft.Compute/virtualMachineScaleSets/*",
        "Microsoft.Network/loadBalancers/read",
        "Microsoft.Network/networkInterfaces/*",
    ),
    "Monitoring Contributor": ("Microsoft.Insights/AutoscaleSettings/*",),
    "Network Contributor": ("Microsoft.Network/*",),
    "Managed Identity Operator": ("Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action",),
    "Reader": ("*/read",),
}


def test_azure_s_own_roles_allow_every_action_of_the_table() -> None:
    given = elsewhere(snapshot("existing-topic"))
    held = {
        "group": {role for scope, role in given if scope.endswith("/web")},
        "network": {role for scope, role in given if scope.endswith("/network")},
        "gallery": {role for scope, role in given if scope.endswith("/apps")},
        "subscription": {"Reader"},
    }
    for row in ACTIONS:
        for kind in row["scopes"]:
            patterns = [pattern.lower() for role in held[kind] for pattern in BUILT_IN[role]]
            action = row["action"].lower().replace("/assign/", "/any/assign/")
            assert any(fnmatch(action, pattern) for pattern in patterns), (row["action"], kind)


def test_a_topic_that_is_there_may_write_dead_letters_and_nothing_else() -> None:
    (found,) = [scope for scope, role in rights(snapshot("existing-topic")) if role == "Storage Blob Data Contributor"]
    assert found.endswith("/blobServices/default/containers/dead-letters")


@every
def test_a_whole_subscription_may_be_read_for_sizes_quotas_and_public_images_alone(given: Snapshot) -> None:
    wide = {role for scope, role in rights(given) if scope.count("/") == 2}
    assert wide <= {"subscription"}
    for one in given.of(DEFINITIONS):
        if one["properties"]["roleName"].startswith("Teal subscription"):
            (permission,) = one["properties"]["permissions"]
            assert all(action.startswith("Microsoft.Compute/") for action in permission["actions"])
            assert all(action.endswith("/read") for action in permission["actions"])


def test_the_custom_roles_are_the_table_of_actions() -> None:
    definitions = {one["properties"]["roleName"].split()[1]: one for one in snapshot("three-groups").of(DEFINITIONS)}
    assert set(definitions) == {"group", "network", "gallery", "subscription"}
    for kind, definition in definitions.items():
        (permission,) = definition["properties"]["permissions"]
        assert permission == {
            "actions": [row["action"] for row in ACTIONS if kind in row["scopes"]],
            "notActions": [],
            "dataActions": [],
            "notDataActions": [],
        }
        assert definition["properties"]["assignableScopes"] == [
            f"/subscriptions/{digit * 8}-{digit * 4}-{digit * 4}-{digit * 4}-{digit * 12}" for digit in "0243"
        ]
        assert definition["properties"]["roleName"].endswith(definition_token())


def definition_token() -> str:
    """What makes names of resources unique."""
    name: str = snapshot("given").one("Microsoft.Web/sites")["name"]
    return name.partition("-")[2]


def test_no_action_is_a_pattern_and_each_is_there_once() -> None:
    names = [row["action"] for row in ACTIONS]
    assert names == sorted(set(names), key=str.lower)
    assert [name for name in names if "*" in name] == []
    for row in ACTIONS:
        assert set(row) - {"target"} == {"action", "requests", "feature", "scopes", "source"}
        assert row["source"].startswith("https://learn.microsoft.com/")
        assert row["requests"]
