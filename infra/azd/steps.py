"""What each hook does, in order. Each may be run twice, and after it was interrupted."""

from __future__ import annotations

import re
import sys
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

from infra.azd import events, rights
from infra.azd.arm import ArmError
from infra.azd.hook import Place
from infra.azd.running import refuse_while_running, troubles
from infra.azd.values import check_settings
from infra.azd.web import Stopped
from settings import Settings

ROOT = Path(__file__).resolve().parents[2]
ROLE_KEYS = ROOT / "infra" / "role_keys.py"

PROVIDERS = "2021-04-01"

#: What the hooks call, and Event Grid: with these Azure knows of all.
NEEDED = frozenset(
    {
        "get_health",
        "get_group",
        "list_groups",
        "list_deployments",
        "list_group_deployments",
        "put_group",
        "imagePublished",
    }
)

#: How long a deployed app may take until it answers, and how long between two looks.
STARTS_WITHIN = timedelta(minutes=10)
LOOK = timedelta(seconds=10)


async def before_provision(place: Place) -> None:
    """Check what was asked for, refuse to cut deployments off, and take away what the list of groups names no more."""
    check_settings(place.values.setting_names, [field.metadata["variable"] for field in fields(Settings)])
    if not place.values.subscription:
        _without_subscription(place)
        return
    await _register_providers(place)
    await refuse_while_running(place.teal, "provision", place.say)
    if await place.teal.exists():
        await events.remove_unwanted(place.arm, place.values, await place.teal.functions(), place.say)
    await rights.remove_stale(place.arm, place.values, place.say)


async def before_deploy(place: Place) -> None:
    """Refuse to cut deployments off, and wait until the rights on the storage account are known everywhere."""
    await refuse_while_running(place.teal, "deploy", place.say)
    await rights.until_known(place.arm, place.values, place.say)


async def after_deploy(place: Place) -> None:
    """Wait for the new code, register the groups, have Event Grid tell the app, and make the roles' keys."""
    functions = await _until_up(place)
    for group in place.values.groups:
        body = {"scaleSetId": group.scale_set_id, **group.body}
        answer = await place.teal.call("put_group", "PUT", f"groups/{group.id}", body)
        if answer.status not in (200, 201):
            said = answer.json().get("error") or {}
            raise Stopped(f"Teal refused the group {group.id}: {said.get('message') or answer.status}")
        place.say(f"Registered the group {group.id}")
    await _until_registered(place, "Microsoft.EventGrid")
    await events.subscribe(place.arm, place.values, functions, place.say)
    # The last, for the app starts anew by it.
    await make_role_keys(place)
    place.say(f"Teal is at {place.values.url}/api")


async def before_down(place: Place) -> None:
    """Refuse to leave in the middle; then take away all that is outside of the resource group."""
    if not place.values.principal_id:
        place.say("Teal was never deployed here")
        return
    await refuse_while_running(place.teal, "take Teal down", place.say)
    await _tell_troubles(place)
    place.say("With the resource group go Teal's tables: the groups, and the history of all deployments")
    await events.unsubscribe(place.arm, place.values, place.say)
    await rights.remove_all(place.arm, place.values, place.say)


async def after_down(place: Place) -> None:
    """Delete the custom roles: as long as they were assigned, they had to stay."""
    await rights.remove_definitions(place.arm, place.values, place.say)


async def make_role_keys(place: Place, script: Path = ROLE_KEYS) -> None:
    """Have the script that also rotates them make the roles' keys, and azd remember their hashes.

    In Entra mode only VMs have keys. The template sets the app settings anew, so it has to know the hashes as well.
    """
    if not _is_there(script):
        return
    roles = ["--roles", "vm"] if place.values.entra_client_id else []
    code, output = await place.program(
        [sys.executable, str(script), "make", "--app", place.values.app_id, "--arm", place.values.endpoint, *roles]
    )
    if code:
        raise Stopped(f"{script.name} failed, as it says above")
    for line in output.splitlines():
        name, separator, hashes = line.partition("=")
        if name == "TEAL_ROLE_KEYS" and separator:
            await place.program(["azd", "env", "set", name, hashes])


def _is_there(script: Path) -> bool:
    return script.is_file()


async def _until_up(place: Place) -> frozenset[str]:
    """The functions of the app, when Azure knows them and the packed version answers."""
    version = packed_version()
    deadline = place.clock.now() + STARTS_WITHIN
    while True:
        functions = await place.teal.functions()
        health = await place.teal.health()
        running = health.headers.get("x-teal-version", "")
        if functions >= NEEDED and health.status == 200 and running == version:
            place.say(f"Teal {version} is up")
            return functions
        if place.clock.now() >= deadline:
            missing = ", ".join(sorted(NEEDED - functions))
            raise Stopped(
                f"Teal {version} is not up after {STARTS_WITHIN}: /api/health answered {health.status}"
                f"{f' of version {running}' if running else ''}"
                f"{f', and Azure does not know of {missing}' if missing else ''}: docs/azure.md#what-first-runs-fail-on"
            )
        await place.clock.sleep(LOOK)


def packed_version() -> str:
    """The version of the code that is deployed."""
    found = re.search(r'^VERSION = "(.+)"$', (ROOT / "api" / "transport" / "http.py").read_text(), re.MULTILINE)
    if found is None:
        raise Stopped("api/transport/http.py names no VERSION")
    return found[1]


async def _tell_troubles(place: Place) -> None:
    try:
        lines = await troubles(place.teal)
    except (Stopped, ArmError) as unknown:
        if not place.values.forced:
            raise
        place.say(f"{unknown}. TEAL_FORCE is set: going on without knowing")
        return
    for line in lines:
        place.say(line)
    if lines and not place.values.forced:
        raise Stopped(
            "Teal still holds scale sets or has to put them in order, as listed, and nobody does that once it is gone. "
            "Wait for it, or put them in order by hand and: azd env set TEAL_FORCE true"
        )


def _without_subscription(place: Place) -> None:
    """A first run: azd asks for the subscription after this hook."""
    if place.values.has_network:
        raise Stopped(
            "Microsoft.App must be registered before a network is made, and the subscription is not known yet: "
            "azd env set AZURE_SUBSCRIPTION_ID …"
        )
    place.say("No subscription is chosen yet, so nothing of Teal is there")


async def _register_providers(place: Place) -> None:
    """Have Azure offer what a subscription may never have used. It takes a minute, which nobody waits for here."""
    for subscription in sorted(place.values.subscriptions):
        await _register(place, subscription, "Microsoft.EventGrid")
    if place.values.has_network:
        await _register(place, place.values.subscription, "Microsoft.App")


async def _register(place: Place, subscription: str, provider: str) -> None:
    path = f"/subscriptions/{subscription}/providers/{provider}"
    found = await place.arm.find(path, PROVIDERS)
    if found is not None and found.get("registrationState") in ("Registered", "Registering"):
        return
    await place.arm.post(f"{path}/register", PROVIDERS)
    place.say(f"Registering {provider} in the subscription {subscription}")


async def _until_registered(place: Place, provider: str) -> None:
    if not place.values.groups:
        return
    deadline = place.clock.now() + STARTS_WITHIN
    for subscription in sorted(place.values.subscriptions):
        path = f"/subscriptions/{subscription}/providers/{provider}"
        await _register(place, subscription, provider)
        while (await place.arm.get(path, PROVIDERS)).get("registrationState") != "Registered":
            if place.clock.now() >= deadline:
                raise Stopped(f"{provider} is not registered in {subscription} after {STARTS_WITHIN}")
            await place.clock.sleep(LOOK)
