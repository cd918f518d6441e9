"""What Azure refuses of rights, topics and event subscriptions."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from local.azure.cloud import Cloud
from local.azure.messages import Request
from local.azure.world import demo_world
from local.clock import Clock, run_virtual

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000000"
GROUP = f"{SUBSCRIPTION}/resourceGroups/demo"
RIGHTS = f"{GROUP}/providers/Microsoft.Authorization/roleAssignments"
ROLES = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions"
TOPICS = f"{GROUP}/providers/Microsoft.EventGrid/systemTopics"
SITE = f"{GROUP}/providers/Microsoft.Web/sites/app"

Ask = Callable[..., Awaitable[tuple[int, Any]]]


def play(story: Callable[[Ask, Cloud], Awaitable[None]]) -> None:
    async def main() -> None:
        cloud = Cloud(demo_world(), Clock())

        async def ask(method: str, path: str, body: Any = None, query: str = "") -> tuple[int, Any]:
            content = b"" if body is None else json.dumps(body).encode()
            answer = await cloud.handle(Request(method, f"{path}?api-version=1{query}", {}, content))
            return answer.status, answer.json()

        await story(ask, cloud)

    run_virtual(main())


def right(principal: str = "p", role: str = "r") -> dict[str, Any]:
    return {"properties": {"principalId": principal, "roleDefinitionId": f"{ROLES}/{role}"}}


def role(*scopes: str) -> dict[str, Any]:
    return {"properties": {"roleName": "R", "assignableScopes": list(scopes)}}


def topic(source: str = GROUP, **fields: Any) -> dict[str, Any]:
    return {"location": "global", "properties": {"source": source}, **fields}


def code(answer: tuple[int, Any]) -> tuple[int, str]:
    return answer[0], answer[1]["error"]["code"]


def test_a_right_is_there_once_and_its_name_cannot_be_given_to_another() -> None:
    async def story(ask: Ask, cloud: Cloud) -> None:
        assert (await ask("PUT", f"{RIGHTS}/a", right()))[0] == 201
        assert (await ask("PUT", f"{RIGHTS}/a", right()))[0] == 200
        assert code(await ask("PUT", f"{RIGHTS}/b", right())) == (409, "RoleAssignmentExists")
        assert code(await ask("PUT", f"{RIGHTS}/a", right("q"))) == (400, "RoleAssignmentUpdateNotPermitted")
        assert (await ask("PUT", f"{RIGHTS}/b", right("q")))[0] == 201
        _, found = await ask("GET", RIGHTS, query="&$filter=principalId eq 'q'")
        assert [one["name"] for one in found["value"]] == ["b"]
        assert (await ask("DELETE", f"{RIGHTS}/b"))[0] == 200
        assert (await ask("DELETE", f"{RIGHTS}/b"))[0] == 204

    play(story)


def test_a_role_that_is_assigned_neither_goes_nor_leaves_the_subscription() -> None:
    async def story(ask: Ask, cloud: Cloud) -> None:
        await ask("PUT", f"{ROLES}/r", role(SUBSCRIPTION))
        await ask("PUT", f"{RIGHTS}/a", right())
        assert code(await ask("DELETE", f"{ROLES}/r")) == (400, "RoleDefinitionHasAssignments")
        other = "/subscriptions/11111111-1111-1111-1111-111111111111"
        refused = await ask("PUT", f"{ROLES}/r", role(other))
        assert code(refused) == (400, "RoleScopeBeingRemovedContainsAssignments")
        await ask("DELETE", f"{RIGHTS}/a")
        assert (await ask("DELETE", f"{ROLES}/r"))[0] == 200

    play(story)


def test_a_source_has_one_topic_in_its_own_subscription() -> None:
    async def story(ask: Ask, cloud: Cloud) -> None:
        assert (await ask("PUT", f"{TOPICS}/a", topic()))[0] == 201
        assert code(await ask("PUT", f"{TOPICS}/b", topic(GROUP.upper()))) == (400, "InvalidRequest")
        elsewhere = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/x"
        assert code(await ask("PUT", f"{TOPICS}/c", topic(elsewhere))) == (400, "InvalidRequest")
        for path in (TOPICS, f"{SUBSCRIPTION}/providers/Microsoft.EventGrid/systemTopics"):
            assert [one["name"] for one in (await ask("GET", path))[1]["value"]] == ["a"]

    play(story)


def test_a_subscription_needs_its_function_and_the_right_to_write_dead_letters() -> None:
    async def story(ask: Ask, cloud: Cloud) -> None:
        soon = (cloud.clock.now() + timedelta(minutes=1)).isoformat()
        cloud.place({"id": SITE, "functions": ["f"], "readyAt": soon})
        _, made = await ask("PUT", f"{TOPICS}/a", topic(identity={"type": "SystemAssigned"}))
        account = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/st"
        letters = {"resourceId": account, "blobContainerName": "dead"}
        body = {
            "properties": {
                "destination": {"endpointType": "AzureFunction", "properties": {"resourceId": f"{SITE}/functions/f"}},
                "deadLetterWithResourceIdentity": {"deadLetterDestination": {"properties": letters}},
            }
        }
        path = f"{TOPICS}/a/eventSubscriptions/s"
        status, refused = await ask("PUT", path, body)
        assert (status, "Destination endpoint not found" in refused["error"]["message"]) == (400, True)
        await cloud.clock.sleep(timedelta(minutes=1))
        status, refused = await ask("PUT", path, body)
        assert (status, "dead letter" in refused["error"]["message"]) == (400, True)
        scope = f"{account}/blobServices/default/containers/dead/providers/Microsoft.Authorization/roleAssignments/w"
        await ask("PUT", scope, right(made["identity"]["principalId"], "ba92f5b4-2d11-453d-a403-e96b0029c9fe"))
        status, answer = await ask("PUT", path, body)
        assert (status, answer["properties"]["provisioningState"]) == (201, "Creating")
        await cloud.clock.sleep(timedelta(minutes=1))
        assert (await ask("GET", path))[1]["properties"]["provisioningState"] == "Succeeded"
        await ask("DELETE", f"{TOPICS}/a")
        assert (await ask("GET", path))[0] == 404

    play(story)


def test_what_is_kept_survives_a_snapshot() -> None:
    async def story(ask: Ask, cloud: Cloud) -> None:
        await ask("PUT", f"{RIGHTS}/a", right())
        restored = Cloud.restore(json.loads(json.dumps(cloud.snapshot())), Clock(cloud.clock.now()))
        assert restored.managed == cloud.managed != {}

    play(story)


@pytest.mark.parametrize("path", [f"{RIGHTS}/a", f"{ROLES}/r", f"{TOPICS}/a", SITE, f"{SITE}/functions"])
def test_what_is_not_there_is_not_found(path: str) -> None:
    async def story(ask: Ask, cloud: Cloud) -> None:
        assert (await ask("GET", path))[0] == 404

    play(story)
