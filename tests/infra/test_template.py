"""What would be deployed, by the kept snapshots: types, places, counts, rights, and what each parameter switches."""

from __future__ import annotations

import re

import pytest

from tests.infra.conftest import NAMES, Snapshot, snapshot

#: The API version of each type: what Azure answers is known for these.
VERSIONS = {
    "Microsoft.Authorization/roleAssignments": "2022-04-01",
    "Microsoft.Authorization/roleDefinitions": "2022-04-01",
    "Microsoft.Insights/components": "2020-02-02",
    "Microsoft.ManagedIdentity/userAssignedIdentities": "2024-11-30",
    "Microsoft.Network/privateDnsZones": "2024-06-01",
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": "2024-06-01",
    "Microsoft.Network/privateEndpoints": "2025-01-01",
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": "2025-01-01",
    "Microsoft.Network/virtualNetworks": "2025-01-01",
    "Microsoft.OperationalInsights/workspaces": "2025-07-01",
    "Microsoft.Resources/resourceGroups": "2025-04-01",
    "Microsoft.Storage/storageAccounts": "2025-06-01",
    "Microsoft.Storage/storageAccounts/blobServices": "2025-06-01",
    "Microsoft.Storage/storageAccounts/blobServices/containers": "2025-06-01",
    "Microsoft.Web/serverfarms": "2025-03-01",
    "Microsoft.Web/sites": "2025-03-01",
    "Microsoft.Web/sites/config": "2025-03-01",
}

every = pytest.mark.parametrize("given", [snapshot(name) for name in NAMES], ids=NAMES)


def test_there_is_an_example_of_each_kind_of_use() -> None:
    assert NAMES == [
        "entra",
        "existing-topic",
        "given",
        "one-group",
        "own-storage",
        "private-network",
        "three-groups",
    ]


@every
def test_types_and_versions_are_those_that_are_known(given: Snapshot) -> None:
    assert {one["type"]: one["apiVersion"] for one in given.resources}.items() <= VERSIONS.items()


@every
def test_there_is_one_resource_group_one_service_and_one_environment(given: Snapshot) -> None:
    group = given.one("Microsoft.Resources/resourceGroups")
    assert group["tags"]["azd-env-name"] == "teal"
    assert given.text.count('"azd-env-name"') == 1
    assert given.text.count('"azd-service-name"') == 1
    assert given.one("Microsoft.Web/sites")["tags"]["azd-service-name"] == "api"


@every
def test_outside_of_the_group_there_are_rights_and_roles_only(given: Snapshot) -> None:
    # Where an id is not known before, it is an expression with the names that it is made of.
    own = re.compile(r"/resourceGroups/rg-teal(/|$)|^\[resourceId\('[0-9-]+', 'rg-teal', ")
    strangers = {one["type"] for one in given.resources if not own.search(one["id"])}
    assert strangers <= {"Microsoft.Authorization/roleAssignments", "Microsoft.Authorization/roleDefinitions"}


@every
def test_no_key_and_no_secret_is_in_any_property_or_output(given: Snapshot) -> None:
    assert not re.search(r"listKeys|listAccountSas|AccountKey|SharedAccess|clientSecret", given.text)
    assert {name for name in given.outputs if not name.startswith(("AZURE_", "TEAL_"))} == set()


@every
def test_the_app_is_as_flex_consumption_wants_it(given: Snapshot) -> None:
    site = given.one("Microsoft.Web/sites")
    config = site["properties"]["functionAppConfig"]
    assert given.one("Microsoft.Web/serverfarms")["sku"] == {"tier": "FlexConsumption", "name": "FC1"}
    assert (site["kind"], site["identity"]["type"]) == ("functionapp,linux", "UserAssigned")
    assert config["runtime"] == {"name": "python", "version": "3.12"}
    assert config["siteUpdateStrategy"] == {"type": "Recreate"}
    (identity,) = site["identity"]["userAssignedIdentities"]
    # References to a key vault are read with it: the app has no identity of its own besides.
    assert site["properties"]["keyVaultReferenceIdentity"] == identity
    deployed_from = config["deployment"]["storage"]
    assert deployed_from["type"] == "blobContainer"
    assert deployed_from["authentication"] == {
        "type": "UserAssignedIdentity",
        "userAssignedIdentityResourceId": identity,
    }
    # Some regions refuse anything else of it (error 51021).
    assert set(site["properties"]["siteConfig"]) == {"minTlsVersion"}


@every
def test_what_is_always_ready_has_a_name_that_azure_knows_and_a_count(given: Snapshot) -> None:
    scale = given.one("Microsoft.Web/sites")["properties"]["functionAppConfig"]["scaleAndConcurrency"]
    ready = {one["name"]: one["instanceCount"] for one in scale["alwaysReady"]}
    assert set(ready) <= {"durable", "http", "function:imagePublished"}
    assert all(count > 0 for count in ready.values())
    assert scale["instanceMemoryMB"] in (512, 2048, 4096)
    assert scale["maximumInstanceCount"] >= 40


def test_how_much_is_always_ready_is_a_parameter() -> None:
    def scale(name: str) -> tuple[dict[str, int], int, int]:
        found = snapshot(name).one("Microsoft.Web/sites")["properties"]["functionAppConfig"]["scaleAndConcurrency"]
        ready = {one["name"]: one["instanceCount"] for one in found["alwaysReady"]}
        return ready, found["maximumInstanceCount"], found["instanceMemoryMB"]

    assert scale("given") == ({"durable": 1}, 40, 2048)
    assert scale("entra") == ({"durable": 2, "http": 1, "function:imagePublished": 1}, 100, 4096)


@every
def test_storage_and_logs_take_identities_only(given: Snapshot) -> None:
    for account in given.of("Microsoft.Storage/storageAccounts"):
        assert account["properties"]["allowSharedKeyAccess"] is False
        assert account["properties"]["allowBlobPublicAccess"] is False
    assert given.one("Microsoft.Insights/components")["properties"]["DisableLocalAuth"] is True
    assert given.one("Microsoft.OperationalInsights/workspaces")["properties"]["features"] == {"disableLocalAuth": True}


def test_authentication_of_app_service_is_on_in_entra_mode_alone_and_refuses_nobody() -> None:
    def authentication(given: Snapshot) -> list[dict[str, object]]:
        configs = given.of("Microsoft.Web/sites/config")
        return [one["properties"] for one in configs if one["name"].endswith("/authsettingsV2")]

    (found,) = authentication(snapshot("entra"))
    client = "55555555-5555-5555-5555-555555555555"
    assert found["platform"] == {"enabled": True}
    assert found["globalValidation"] == {
        "requireAuthentication": False,
        "unauthenticatedClientAction": "AllowAnonymous",
    }
    directory = found["identityProviders"]["azureActiveDirectory"]  # type: ignore[index]
    assert directory["registration"]["openIdIssuer"] == (
        "[format('{0}{1}/v2.0', environment().authentication.loginEndpoint, '11111111-1111-1111-1111-111111111111')]"
    )
    assert directory["validation"]["allowedAudiences"] == [client, f"api://{client}"]
    assert snapshot("entra").settings()["TEAL_AUTH_MODE"] == "entra"
    assert [authentication(snapshot(name)) for name in NAMES if name != "entra"] == [[]] * (len(NAMES) - 1)


def test_the_private_network_holds_storage_and_the_app_s_way_out() -> None:
    given = snapshot("private-network")
    account = given.one("Microsoft.Storage/storageAccounts")["properties"]
    assert (account["publicNetworkAccess"], account["networkAcls"]["defaultAction"]) == ("Disabled", "Deny")
    assert account["networkAcls"]["bypass"] == "AzureServices"  # Event Grid's dead letters
    app, endpoints = given.one("Microsoft.Network/virtualNetworks")["properties"]["subnets"]
    assert app["properties"]["delegations"][0]["properties"]["serviceName"] == "Microsoft.App/environments"
    assert "_" not in app["name"]
    assert (app["properties"]["addressPrefix"], endpoints["properties"]["addressPrefix"]) == (
        "10.20.0.0/27",
        "10.20.0.32/27",
    )
    assert given.one("Microsoft.Web/sites")["properties"]["virtualNetworkSubnetId"].endswith("/subnets/app")
    services = [
        one["properties"]["privateLinkServiceConnections"][0]["properties"]["groupIds"]
        for one in given.of("Microsoft.Network/privateEndpoints")
    ]
    assert services == [["blob"], ["queue"], ["table"]]
    zones = [one["name"] for one in given.of("Microsoft.Network/privateDnsZones")]
    assert zones == [
        f"[format('privatelink.{{0}}.{{1}}', '{name}', environment().suffixes.storage)]"
        for name in ("blob", "queue", "table")
    ]
    without = [name for name in NAMES if name != "private-network"]
    assert [one for name in without for one in snapshot(name).of("Microsoft.Network/virtualNetworks")] == []


def test_storage_of_one_s_own_is_used_and_not_made() -> None:
    given = snapshot("own-storage")
    assert given.of("Microsoft.Storage/storageAccounts") == []
    assert given.outputs["TEAL_STORAGE_ID"].endswith("/storageAccounts/tealdata")
    assert "/resourceGroups/data/" in given.settings()["TEAL_TABLES_ENDPOINT"]


def test_tags_are_on_everything_that_takes_them() -> None:
    taggable = [one for one in snapshot("entra").resources if "tags" in one]
    assert len(taggable) == 7
    assert [one["type"] for one in taggable if one["tags"].get("costCenter") != "42"] == []
