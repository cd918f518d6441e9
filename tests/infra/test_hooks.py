"""The hooks against the simulated Azure: twice, interrupted, with rights missing, and in the middle of a deployment."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.azd.arm import ArmError
from infra.azd.running import UNDER_WAY
from infra.azd.steps import after_deploy, after_down, before_deploy, before_down, before_provision, make_role_keys
from infra.azd.web import Stopped
from infra.role_keys import _parser as role_keys_parser
from local.azure.world import Fault
from local.clock import run_virtual
from local.virtual import VirtualPlatform
from rollout.model.rows.danger import DangerRecord
from rollout.model.status import Status
from tests.infra.azd import (
    APP,
    GALLERY,
    GROUP,
    OLD_GROUP,
    OWN_GROUP,
    PRINCIPAL,
    ROLES,
    SCALE_SET,
    STORAGE,
    SUBSCRIPTION,
    TOPICS,
    Azd,
    world,
)

FORBIDDEN = {"error": {"code": "AuthorizationFailed", "message": "The client does not have authorization"}}

Story = Callable[[Azd], Awaitable[Any]]


def play(story: Story, **values: str) -> Any:
    """Play a story of azd in virtual time."""

    async def main() -> Any:
        async with VirtualPlatform(world()) as platform:
            return await story(Azd(platform, values))

    return run_virtual(main())


async def up(azd: Azd) -> None:
    """`azd up`, from the first to the last hook."""
    await azd.run(before_provision)
    await azd.provision()
    await azd.run(before_deploy)
    azd.deploy()
    await azd.run(after_deploy)


def subscriptions(azd: Azd, *, of_sets: bool = False) -> list[dict[str, Any]]:
    """Those that tell of scale sets, or the others."""
    return [one for one in azd.kept("/eventSubscriptions/") if one["name"].endswith("-scaleSets") is of_sets]


def test_up_registers_the_groups_and_has_event_grid_tell_the_app() -> None:
    async def story(azd: Azd) -> None:
        await up(azd)
        group = await azd.platform.get("/api/groups/web")
        assert (group.status, group.body["scaleSetId"]) == (200, SCALE_SET)
        (topic,) = azd.kept(TOPICS.lower() + "/teal-")[:1]
        assert topic["properties"]["source"].lower() == GROUP.lower()
        assert (topic["location"], topic["tags"]) == ("global", {"teal-azd-env": "dev"})
        (subscription,) = subscriptions(azd)
        properties = subscription["properties"]
        assert properties["destination"]["endpointType"] == "AzureFunction"
        assert properties["destination"]["properties"]["resourceId"] == f"{APP}/functions/imagePublished"
        assert properties["filter"]["includedEventTypes"] == ["Microsoft.Resources.ResourceWriteSuccess"]
        assert properties["filter"]["advancedFilters"][0]["values"] == [
            "Microsoft.Compute/galleries/images/versions/write"
        ]
        letters = properties["deadLetterWithResourceIdentity"]
        assert letters["identity"] == {"type": "SystemAssigned"}
        assert letters["deadLetterDestination"]["properties"] == {
            "resourceId": STORAGE,
            "blobContainerName": "dead-letters",
        }

    play(story)


def test_everything_again_changes_nothing() -> None:
    async def story(azd: Azd) -> None:
        await up(azd)
        before = {key: dict(one) for key, one in azd.platform.cloud.managed.items()}
        azd.sent.clear()
        await azd.run(before_provision)
        await azd.run(before_deploy)
        await azd.run(after_deploy)
        assert azd.writes() == []
        assert before == azd.platform.cloud.managed

    play(story)


@pytest.mark.parametrize("budget", range(2, 24, 3))
def test_what_was_interrupted_is_finished_by_the_next_run(budget: int) -> None:
    async def story(azd: Azd) -> None:
        await azd.run(before_provision)
        await azd.provision()
        azd.deploy(after=0)
        azd.sent.clear()
        azd.budget = budget
        try:
            await azd.run(after_deploy)
        except KeyboardInterrupt:
            assert len(azd.sent) == budget
        azd.budget = None
        await azd.run(after_deploy)
        assert [one["properties"]["provisioningState"] for one in subscriptions(azd)] == ["Succeeded"]
        assert (await azd.platform.get("/api/groups/web")).status == 200
        assert len(azd.kept(TOPICS.lower() + "/")) == 3  # the topic and its two subscriptions

    play(story)


def test_a_topic_that_is_there_is_found_by_its_source_whatever_its_name_and_letters() -> None:
    async def story(azd: Azd) -> None:
        theirs = f"{GROUP}{TOPICS}/writes"
        await azd.put(theirs, {"source": GROUP.upper().replace("/SUBSCRIPTIONS", "/subscriptions")}, location="global")
        await up(azd)
        (subscription,) = subscriptions(azd)
        assert subscription["id"].lower().startswith(f"{theirs.lower()}/")
        assert "deadLetterWithResourceIdentity" not in subscription["properties"]
        assert any("no identity of its own" in line for line in azd.said)
        await azd.run(before_down)
        assert subscriptions(azd) == []
        assert [one["id"].lower() for one in azd.kept(TOPICS.lower())] == [theirs.lower()]

    play(story)


def test_a_subscription_that_has_failed_is_made_again() -> None:
    async def story(azd: Azd) -> None:
        await up(azd)
        (failed,) = subscriptions(azd)
        azd.platform.cloud.place({**failed, "properties": {**failed["properties"], "provisioningState": "Failed"}})
        said = await azd.run(after_deploy)
        assert any("had failed, and is made again" in line for line in said)
        (made,) = subscriptions(azd)
        assert made["properties"]["provisioningState"] == "Succeeded"

    play(story)


def test_a_group_that_is_off_the_list_loses_its_rights_and_nobody_tells_of_its_gallery() -> None:
    async def story(azd: Azd) -> None:
        await azd.provision(GROUP, OLD_GROUP)
        await azd.assign(OLD_GROUP, "cccccccc-0000-0000-0000-000000000000")  # given by hand
        await azd.assign(OLD_GROUP, ROLES["group"], principal="somebody-else")
        azd.deploy(after=0)
        await azd.run(after_deploy)
        azd.values["TEAL_GROUPS"] = "[]"
        said = await azd.run(before_provision)
        assert sum("Took the right on" in line for line in said) == 3
        assert azd.rights() == {STORAGE.lower(), OLD_GROUP.lower()}
        assert [one["properties"]["roleDefinitionId"][-12:] for one in azd.kept(f"{OLD_GROUP}/")] == ["0" * 12] * 2
        assert azd.kept(TOPICS.lower()) == []

    play(story)


def test_the_rights_on_what_is_still_named_stay() -> None:
    async def story(azd: Azd) -> None:
        await azd.provision(GROUP, OLD_GROUP)
        azd.deploy(after=0)
        await azd.run(before_provision)
        assert azd.rights() == {STORAGE.lower(), GROUP.lower(), GALLERY.lower()}

    play(story)


def test_where_azure_s_own_roles_are_to_be_used_those_of_before_go() -> None:
    async def story(azd: Azd) -> None:
        reader = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
        await azd.provision(GROUP)
        await azd.assign(GROUP, reader)  # given by hand, as the template gave custom roles alone
        azd.values["TEAL_ROLES"] = "builtIn"
        await azd.run(before_provision)
        assert azd.rights() == {STORAGE.lower(), GROUP.lower()}
        azd.values |= {"TEAL_ROLES": "custom", "TEAL_ROLE_IDS": json.dumps([reader])}
        await azd.run(before_provision)
        assert azd.rights() == {STORAGE.lower()}

    play(story)


def test_a_subscription_that_is_not_to_be_read_any_more_loses_its_right() -> None:
    async def story(azd: Azd) -> None:
        await azd.provision(GROUP, SUBSCRIPTION)
        await azd.run(before_provision)
        assert SUBSCRIPTION in azd.rights()
        azd.values["TEAL_SUBSCRIPTION_READS"] = "false"
        await azd.run(before_provision)
        assert azd.rights() == {STORAGE.lower(), GROUP.lower(), GALLERY.lower()}

    play(story)


@pytest.mark.parametrize("step", [before_provision, before_deploy, before_down])
def test_a_deployment_that_runs_is_not_cut_off_unless_that_is_forced(step: Any) -> None:
    async def story(azd: Azd) -> None:
        await up(azd)
        deployment = await azd.platform.start("web", image="1.1.0")
        azd.sent.clear()
        with pytest.raises(Stopped, match="1 deployments run or wait"):
            await azd.run(step)
        assert any(deployment in line for line in azd.said)
        assert azd.writes() == []
        azd.values["TEAL_FORCE"] = "true"
        assert any("TEAL_FORCE is set" in line for line in await azd.run(step))

    play(story)


def test_every_status_that_is_no_end_counts_as_running() -> None:
    assert set(UNDER_WAY) == {status.value for status in Status if not status.ended}


def test_nobody_goes_on_without_knowing_what_runs() -> None:
    async def story(azd: Azd) -> None:
        await up(azd)
        azd.platform.cloud.faults.add(Fault(method="POST", path=".*listkeys", status=403))
        with pytest.raises(Stopped, match="Nobody can tell whether deployments run"):
            await azd.run(before_deploy)
        azd.values["TEAL_FORCE"] = "true"
        assert any("without knowing" in line for line in await azd.run(before_deploy))

    play(story)


def test_a_first_run_has_nothing_to_ask() -> None:
    async def story(azd: Azd) -> None:
        said = await azd.run(before_provision)
        assert said[-1] == "Teal does not run yet, so no deployment does"
        provider = "Microsoft.EventGrid"
        assert f"Registering {provider} in the subscription {SUBSCRIPTION.rpartition('/')[2]}" in said
        assert await azd.run(before_down) == ["Teal was never deployed here"]

    play(story)


def test_a_first_run_may_come_before_azd_has_asked_for_the_subscription() -> None:
    async def story(azd: Azd) -> None:
        azd.values["AZURE_SUBSCRIPTION_ID"] = ""
        assert await azd.run(before_provision) == ["No subscription is chosen yet, so nothing of Teal is there"]
        assert azd.sent == []
        azd.values["VNET_ENABLED"] = "true"
        with pytest.raises(Stopped, match="azd env set AZURE_SUBSCRIPTION_ID"):
            await azd.run(before_provision)

    play(story)


def test_with_a_network_its_provider_is_registered() -> None:
    async def story(azd: Azd) -> None:
        said = await azd.run(before_provision)
        assert [line.split()[1] for line in said if "Registering" in line] == ["Microsoft.EventGrid", "Microsoft.App"]

    play(story, VNET_ENABLED="true")


def test_the_code_is_not_deployed_before_the_rights_are_two_minutes_old() -> None:
    async def story(azd: Azd) -> None:
        await azd.provision()
        begun = azd.platform.clock.now()
        await azd.platform.clock.sleep(timedelta(seconds=30))
        await azd.run(before_deploy)
        assert azd.platform.clock.now() - begun == timedelta(minutes=2)
        await azd.run(before_deploy)
        assert azd.platform.clock.now() - begun == timedelta(minutes=2)

    play(story)


def test_without_rights_on_storage_it_is_said_how_to_get_them() -> None:
    async def story(azd: Azd) -> None:
        await azd.provision()
        for one in azd.kept(f"{STORAGE}/"):
            await azd.delete(one["id"])
        with pytest.raises(Stopped, match="azd provision --no-state"):
            await azd.run(before_deploy)

    play(story)


def test_an_app_that_does_not_come_up_is_told_with_what_is_missing() -> None:
    async def story(azd: Azd) -> None:
        await azd.provision()
        azd.deploy(after=3600)
        begun = azd.platform.clock.now()
        with pytest.raises(Stopped, match=r"not up after 0:10:00.*Azure does not know of .*put_group"):
            await azd.run(after_deploy)
        assert azd.platform.clock.now() - begun == timedelta(minutes=10)

    play(story)


@pytest.mark.parametrize(
    "path",
    ["systemTopics/[^/]+$", "roleAssignments/[^/]+$", "eventSubscriptions/[^/]+$"],
)
def test_a_right_that_is_missing_is_named_and_the_next_run_goes_on(path: str) -> None:
    async def story(azd: Azd) -> None:
        await azd.provision()
        azd.deploy(after=0)
        azd.platform.cloud.faults.add(Fault(method="PUT", path=path, status=403, calls=(1,), body=FORBIDDEN))
        with pytest.raises(ArmError, match="AuthorizationFailed"):
            await azd.run(after_deploy)
        await azd.run(after_deploy)
        assert len(subscriptions(azd)) == 1

    play(story)


def test_azure_that_is_busy_is_asked_again() -> None:
    async def story(azd: Azd) -> None:
        await azd.provision()
        azd.deploy(after=0)
        azd.platform.cloud.faults.add(Fault(method="PUT", path=".*eventSubscriptions/.*", status=429, calls=(1, 2)))
        azd.platform.cloud.faults.add(Fault(method="GET", path=".*systemTopics", lose_response=True, calls=(1,)))
        await azd.run(after_deploy)
        assert len(subscriptions(azd)) == 1

    play(story)


def test_a_group_that_teal_refuses_is_told_in_its_words() -> None:
    async def story(azd: Azd) -> None:
        await azd.provision()
        azd.deploy(after=0)
        with pytest.raises(Stopped, match=r"Teal refused the group web: .*nonsense"):
            await azd.run(after_deploy)

    play(story, TEAL_GROUPS=json.dumps([{"id": "web", "scaleSetId": SCALE_SET, "body": {"nonsense": 1}}]))


def test_down_takes_away_what_is_outside_and_then_the_roles() -> None:
    async def story(azd: Azd) -> None:
        await up(azd)
        await azd.run(before_down)
        assert azd.kept(TOPICS.lower()) == []
        assert azd.rights() == {STORAGE.lower()}
        assert any("Teal's tables" in line for line in azd.said)
        # azd forgets the outputs with the resource group.
        azd.values = {name: azd.values[name] for name in ("AZURE_ENV_NAME", "AZURE_SUBSCRIPTION_ID")}
        assert len(azd.kept("/roledefinitions/")) == 3
        await azd.run(after_down)
        assert azd.kept("/roledefinitions/") == []
        assert await azd.run(after_down) == []

    play(story)


def test_what_is_still_to_be_put_in_order_is_told_before_anything_goes() -> None:
    async def story(azd: Azd) -> None:
        await up(azd)
        now = azd.platform.clock.now()
        left = DangerRecord(
            SCALE_SET.lower(), "notPutInOrder", now, reason="2 VMs were kept", remedy="delete them by hand"
        )
        await azd.platform.store.dangers.put(left)
        azd.sent.clear()
        with pytest.raises(Stopped, match="Teal still holds scale sets or has to put them in order"):
            await azd.run(before_down)
        assert any(line.startswith("group web: ") and "2 VMs were kept" in line for line in azd.said)
        assert azd.writes() == []
        azd.values["TEAL_FORCE"] = "true"
        await azd.run(before_down)
        assert azd.rights() == {STORAGE.lower()}

    play(story)


def test_what_a_stopped_deployment_keeps_is_told_until_that_is_over() -> None:
    async def story(azd: Azd) -> None:
        await up(azd)
        deployment = await azd.platform.start("web", image="1.1.0", keepFor=7200)
        await azd.platform.clock.sleep(timedelta(minutes=2))
        await azd.platform.post(f"/api/deployments/{deployment}/stop", {})
        await azd.platform.ended(deployment)
        with pytest.raises(Stopped, match="Teal still holds scale sets"):
            await azd.run(before_down)
        assert any(line.startswith(f"{deployment} keeps VMs and autoscale's bounds") for line in azd.said)
        await azd.platform.clock.sleep(timedelta(hours=3))
        await azd.run(before_down)
        assert azd.rights() == {STORAGE.lower()}

    play(story)


def test_up_after_down_works() -> None:
    async def story(azd: Azd) -> None:
        await up(azd)
        await azd.run(before_down)
        await up(azd)
        assert len(subscriptions(azd)) == 1
        assert azd.rights() == {STORAGE.lower(), GROUP.lower(), GALLERY.lower()}

    play(story)


def test_a_topic_that_others_use_stays() -> None:
    async def story(azd: Azd) -> None:
        await up(azd)
        (topic,) = [one for one in azd.kept(TOPICS.lower()) if "eventsubscriptions" not in one["id"].lower()]
        other = f"{OWN_GROUP}/providers/Microsoft.Web/sites/other"
        azd.platform.cloud.place({"id": other, "functions": ["f"]})
        destination = {"endpointType": "AzureFunction", "properties": {"resourceId": f"{other}/functions/f"}}
        await azd.put(f"{topic['id']}/eventSubscriptions/other", {"destination": destination})
        await azd.run(before_down)
        assert [one["name"] for one in subscriptions(azd)] == ["other"]
        assert len(azd.kept(TOPICS.lower())) == 2

    play(story)


def test_a_lock_that_keeps_a_right_is_named() -> None:
    async def story(azd: Azd) -> None:
        await up(azd)
        azd.platform.cloud.interfere.lock(GROUP, "keep", "CanNotDelete")
        with pytest.raises((Stopped, ArmError), match="locked"):
            await azd.run(before_down)

    play(story)


def test_event_grid_tells_the_app_of_writes_of_scale_sets_too() -> None:
    async def story(azd: Azd) -> None:
        await azd.provision()
        azd.deploy(after=0)
        await azd.run(after_deploy)
        (told,) = subscriptions(azd, of_sets=True)
        assert told["properties"]["destination"]["properties"]["resourceId"] == f"{APP}/functions/imagePublished"
        assert told["properties"]["filter"]["advancedFilters"][0]["values"] == [
            "Microsoft.Compute/virtualMachineScaleSets/write"
        ]
        assert len(azd.kept(TOPICS.lower())) == 3  # one topic for both: the gallery is in the set's group

    play(story)


def test_in_entra_mode_the_app_is_asked_with_a_token_and_no_key_is_read() -> None:
    async def story(azd: Azd) -> None:
        await azd.provision()
        azd.deploy(after=0)
        await azd.run(after_deploy)
        asked = [one for one in azd.sent if "/api/groups/" in one.url]
        assert [one.headers["Authorization"] for one in asked] == ["Bearer token-for-api://client/.default"]
        assert not [one for one in azd.sent if "listkeys" in one.url]

    play(story, TEAL_ENTRA_CLIENT_ID="client")


def test_no_key_and_no_token_is_ever_said() -> None:
    async def story(azd: Azd) -> None:
        await up(azd)
        await azd.run(before_down)
        assert [line for line in azd.said if "key-of" in line or "token-for" in line or PRINCIPAL in line] == []

    play(story)


def test_azd_remembers_the_hashes_of_role_keys_for_the_template(tmp_path: Path) -> None:
    script = tmp_path / "role_keys.py"

    async def story(azd: Azd) -> None:
        await azd.provision()
        await azd.run(lambda place: make_role_keys(place, script))
        assert azd.programs == []
        script.write_text("")
        azd.output = "TEAL_ROLE_KEYS=reader=ab,vm=cd\nsomething else\n"
        await azd.run(lambda place: make_role_keys(place, script))
        make, remember = azd.programs
        assert make[1:5] == [str(script), "make", "--app", APP]
        asked = role_keys_parser().parse_args(make[2:])
        assert (asked.command, asked.app, asked.arm) == ("make", APP, "https://management.azure.com")
        assert remember == ["azd", "env", "set", "TEAL_ROLE_KEYS", "reader=ab,vm=cd"]
        azd.code = 1
        with pytest.raises(Stopped, match=r"role_keys\.py failed"):
            await azd.run(lambda place: make_role_keys(place, script))
        azd.code, azd.values["TEAL_ENTRA_CLIENT_ID"] = 0, "client"
        await azd.run(lambda place: make_role_keys(place, script))
        assert azd.programs[-2][-2:] == ["--roles", "vm"]
        assert role_keys_parser().parse_args(azd.programs[-2][2:]).roles

    play(story)
