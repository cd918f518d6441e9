"""One table of settings: what the code reads, what the template sets, and what Flex Consumption refuses."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest

from infra.check import INFRA
from infra.package import ROOT
from settings import Settings
from tests.infra.conftest import NAMES, Snapshot, snapshot

CODE = {field.metadata["variable"] for field in dataclasses.fields(Settings)}

#: What the host reads, not Teal.
HOST = {
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "AzureWebJobsStorage__blobServiceUri",
    "AzureWebJobsStorage__clientId",
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__queueServiceUri",
    "AzureWebJobsStorage__tableServiceUri",
}

#: Refused, deprecated, or in the way of the identity: docs/azure.md says which.
REFUSED = re.compile(
    r"FUNCTIONS_|SCM_DO_BUILD|ENABLE_ORYX|WEBSITE_|AzureWebJobsStorage$|AzureWebJobsDashboard|TZ$|.*__authMode|.*:"
)

every = pytest.mark.parametrize("given", [snapshot(name) for name in NAMES], ids=NAMES)


@every
def test_the_template_sets_what_the_host_and_the_code_read_and_nothing_else(given: Snapshot) -> None:
    names = set(given.settings())
    assert names - CODE - HOST == set()
    assert HOST | {"AZURE_CLIENT_ID", "TEAL_TABLES_ENDPOINT", "TEAL_ALLOWED_SCOPES", "TEAL_ARM_ENDPOINT"} <= names
    assert [name for name in names if REFUSED.match(name)] == []


def test_what_flex_consumption_refuses_is_known_by_name() -> None:
    refused = ("FUNCTIONS_WORKER_RUNTIME", "WEBSITE_RUN_FROM_PACKAGE", "AzureWebJobsStorage", "Some:Name", "TZ")
    assert all(REFUSED.match(name) for name in refused)


@every
def test_no_setting_is_a_secret(given: Snapshot) -> None:
    telling = {name: text for name, text in given.settings().items() if re.search(r"key|secret|password", text, re.I)}
    assert telling == {}
    assert "TEAL_TABLES_CONNECTION" not in given.settings()


def test_settings_of_one_s_own_are_set_as_they_were_given() -> None:
    settings = snapshot("entra").settings()
    assert (settings["TEAL_POLL_INTERVAL"], settings["TEAL_ROWS_DAYS"]) == ("30", "90")
    # What the template itself knows wins.
    assert list(settings["TEAL_ALLOWED_SCOPES"]) == [","]


def test_the_code_takes_the_values_that_the_template_gives() -> None:
    given = snapshot("three-groups").settings()
    settings = Settings.from_environment({name: text for name, text in given.items() if not text.startswith("[")})
    assert len(settings.scopes) == 4
    assert Settings.from_environment({"TEAL_ALLOWED_SCOPES": ","}).scopes == ("",)


def test_every_parameter_of_the_template_is_a_value_of_azd_s_environment() -> None:
    declared = set(re.findall(r"^param (\w+) ", (INFRA / "main.bicep").read_text(), re.MULTILINE))
    given = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
    assert set(given) == declared
    for name, value in given.items():
        # Without a value azd leaves the parameter out, and the template's own default holds: there is one.
        assert re.fullmatch(r"\$\{[A-Z_]+\}", value["value"]), name


def test_the_document_lists_every_value_of_azd_s_environment() -> None:
    text = (ROOT / "docs" / "azure.md").read_text()
    given = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
    for value in given.values():
        variable = value["value"].strip("${}")
        assert f"| `{variable}` |" in text or variable in ("AZURE_ENV_NAME", "AZURE_LOCATION")
    for name in HOST:
        assert f"`{name}`" in text
