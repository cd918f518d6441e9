"""The rights of Teal's identity outside of its group: those that are too many go; how old the newest is."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

from infra.azd.arm import Arm, ArmError
from infra.azd.values import Values
from infra.azd.web import Stopped

VERSION = "2022-04-01"
_TYPE = "/providers/Microsoft.Authorization/roleAssignments"
_DEFINITIONS = "/providers/Microsoft.Authorization/roleDefinitions"

#: After that a new right is known everywhere: the upload of a package with a younger one fails with 403.
KNOWN_AFTER = timedelta(minutes=2)

#: What infra/modules/rights.bicep gives where custom roles are forbidden. Rights that it did not give are somebody
#: else's doing: the roles that it gave last are among the outputs of the template.
BUILT_IN = frozenset(
    {
        "9980e02c-c2be-4d73-94e8-173b1dc7cf3c",
        "749f88d5-cbae-40b8-bcfc-e573ddc772fa",
        "4d97b98b-1d4f-4787-a291-c67834d212e7",
        "f1a07417-d97a-45cb-824c-7a7467783830",
        "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    }
)
STORAGE = frozenset(
    {
        "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
        "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
        "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
        "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    }
)


async def assignments(arm: Arm, principal: str, subscriptions: Collection[str]) -> list[Any]:
    """The role assignments of a principal in these subscriptions."""
    found: dict[str, Any] = {}
    for subscription in sorted(subscriptions):
        listed = await arm.list(f"/subscriptions/{subscription}{_TYPE}", VERSION, **_of(principal))
        found |= {one["id"].lower(): one for one in listed}
    return list(found.values())


async def role_definitions(arm: Arm, values: Values) -> list[Any]:
    """The custom roles that the template made for this environment."""
    listed = await arm.list(f"/subscriptions/{values.subscription}{_DEFINITIONS}", VERSION, **_CUSTOM)
    mark = f"(azd environment {values.environment})"
    return [
        one
        for one in listed
        if one["properties"]["roleName"].startswith("Teal ") and one["properties"]["description"].endswith(mark)
    ]


async def known_subscriptions(arm: Arm, values: Values) -> frozenset[str]:
    """Where Teal may have rights: also the subscriptions of groups that the list named before."""
    scopes = {
        scope.split("/")[2].lower()
        for one in await role_definitions(arm, values)
        for scope in one["properties"]["assignableScopes"]
    }
    return values.subscriptions | scopes


async def remove_stale(arm: Arm, values: Values, say: Callable[[str], None]) -> None:
    """Take away the rights on what the list of groups does not name any more.

    It is done before the template is deployed: a role cannot leave a subscription in which it still has assignments.
    """
    if not values.principal_id:
        return
    for one in await assignments(arm, values.principal_id, await known_subscriptions(arm, values)):
        scope, role = one["properties"]["scope"].lower(), _role(one)
        # Where TEAL_ROLES is another than before, the roles of before go.
        stays = scope in values.scopes and (role in BUILT_IN) == values.built_in_roles
        if role in values.role_ids and not stays and not _within(scope, values.own_group_id):
            await _remove(arm, one, say)


async def remove_all(arm: Arm, values: Values, say: Callable[[str], None]) -> None:
    """Take away every right outside of the resource group, which goes by itself."""
    ours = set(values.role_ids) | STORAGE
    for one in await assignments(arm, values.principal_id, await known_subscriptions(arm, values)):
        if _role(one) in ours and not _within(one["properties"]["scope"].lower(), values.own_group_id):
            await _remove(arm, one, say)


async def remove_definitions(arm: Arm, values: Values, say: Callable[[str], None]) -> None:
    """Delete the custom roles."""
    for one in await role_definitions(arm, values):
        name = one["properties"]["roleName"]
        try:
            await arm.delete(one["id"], VERSION)
        except ArmError as error:
            if error.code == "RoleDefinitionHasAssignments":
                raise Stopped(f"The role {name} is still assigned: take that away, then `azd down` again") from error
            raise
        say(f"Deleted the role {name}")


async def until_known(arm: Arm, values: Values, say: Callable[[str], None]) -> None:
    """Wait until the rights on the storage account are old enough to be known everywhere."""
    listed = await arm.list(f"{values.storage_id}{_TYPE}", VERSION, **_of(values.principal_id))
    rights = [one for one in listed if _role(one) in STORAGE]
    if not rights:
        raise Stopped("Teal's identity has no rights on its storage account: `azd provision --no-state` gives them")
    newest = max(datetime.fromisoformat(one["properties"]["createdOn"]) for one in rights)
    left = newest + KNOWN_AFTER - arm.clock.now()
    if left > timedelta():
        say(f"Waiting {round(left.total_seconds())} s: the rights on the storage account are new")
        await arm.clock.sleep(left)


async def _remove(arm: Arm, assignment: Any, say: Callable[[str], None]) -> None:
    scope = assignment["properties"]["scope"]
    try:
        await arm.delete(assignment["id"], VERSION)
    except ArmError as error:
        if error.code == "ScopeLocked":
            raise Stopped(f"A lock keeps the right of Teal on {scope}: {error.message} Then do this again.") from error
        raise
    say(f"Took the right on {scope} away")


def _role(assignment: Any) -> str:
    return str(assignment["properties"]["roleDefinitionId"]).rpartition("/")[2].lower()


def _within(scope: str, group: str) -> bool:
    return bool(group) and f"{scope}/".startswith(f"{group}/")


def _of(principal: str) -> dict[str, str]:
    return {"$filter": f"principalId eq '{principal}'"}


_CUSTOM = {"$filter": "type eq 'CustomRole'"}
