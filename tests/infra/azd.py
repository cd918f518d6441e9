"""What azd does around the hooks, against the simulated Azure and the whole of Teal in virtual time."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from infra.azd.hook import Place, place
from infra.azd.web import Answer, Request
from local.azure.messages import ConnectionLost
from local.azure.messages import Request as AzureRequest
from local.azure.world import World, demo_world, parse_world
from local.virtual import VirtualPlatform

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000000"
OWN_GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-teal"
APP = f"{OWN_GROUP}/providers/Microsoft.Web/sites/func-teal"
STORAGE = f"{OWN_GROUP}/providers/Microsoft.Storage/storageAccounts/stteal"
GROUP = f"{SUBSCRIPTION}/resourceGroups/demo"
GALLERY = f"{GROUP}/providers/Microsoft.Compute/galleries/apps"
SCALE_SET = f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/web"
TOPICS = "/providers/Microsoft.EventGrid/systemTopics"
PRINCIPAL = "99999999-9999-9999-9999-999999999999"
OLD_GROUP = f"{SUBSCRIPTION}/resourceGroups/old"

BODY = {"imageId": f"{GALLERY}/images/web", "healthCheckTypes": ["vmState", "applicationHealth"]}
GROUPS = [{"id": "web", "scaleSetId": SCALE_SET, "galleryId": GALLERY.replace("apps", "Apps"), "body": BODY}]
ROLES = {kind: f"aaaaaaaa-0000-0000-0000-00000000000{n}" for n, kind in enumerate(("group", "network", "gallery"))}
STORAGE_ROLES = (
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
)

Step = Callable[[Place], Coroutine[Any, Any, None]]


def world() -> World:
    """The demo's world, with Teal's own resource group, and one that a group was in before."""
    document = demo_world().model_dump(mode="json", by_alias=True)
    document["resourceGroups"] = [*document["resourceGroups"], "rg-teal", "old"]
    document["eventSubscriptions"] = []
    document["groups"] = []
    return parse_world(document)


@dataclass
class Azd:
    """An azd environment in which the template was deployed, unless ``fresh``."""

    platform: VirtualPlatform
    values: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    sent: list[Request] = field(default_factory=list)
    #: Requests after this many are lost, as where somebody pressed Ctrl-C.
    budget: int | None = None
    #: The programs that were run, and what the next says and ends with.
    programs: list[list[str]] = field(default_factory=list)
    output: str = ""
    code: int = 0

    def __post_init__(self) -> None:
        self.values = {
            "AZURE_ENV_NAME": "dev",
            "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION.rpartition("/")[2],
            "TEAL_GROUPS": json.dumps(GROUPS),
            **self.values,
        }

    async def provision(self, *scopes: str) -> None:
        """Do what the template does, with rights on these scopes."""
        self.values |= {
            "AZURE_RESOURCE_GROUP": "rg-teal",
            "TEAL_APP_ID": APP,
            "TEAL_URL": "https://func-teal.azurewebsites.net",
            "TEAL_PRINCIPAL_ID": PRINCIPAL,
            "TEAL_STORAGE_ID": STORAGE,
            "TEAL_ROLE_IDS": json.dumps(list(ROLES.values())),
        }
        self.platform.cloud.place({"id": APP, "functions": []})
        for kind, role in ROLES.items():
            properties = {
                "roleName": f"Teal {kind} abc",
                "description": f"What Teal needs on each {kind} that it is told of (azd environment dev)",
                "assignableScopes": [SUBSCRIPTION],
            }
            await self.put(f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role}", properties)
        for role in STORAGE_ROLES:
            await self.assign(STORAGE, role)
        for scope in scopes or (GROUP,):
            await self.assign(scope, ROLES["group"])
        await self.assign(GALLERY, ROLES["gallery"])

    def deploy(self, after: int = 60) -> None:
        """Do what a deployment of the code does: in so many seconds Azure knows the functions."""
        names = [function.name for function in self.platform.host.functions]
        ready = self.platform.clock.now().timestamp() + after
        at = self.platform.clock.now().fromtimestamp(ready, tz=self.platform.clock.now().tzinfo)
        self.platform.cloud.place({"id": APP, "functions": names, "readyAt": at.isoformat()})

    async def assign(self, scope: str, role: str, principal: str = PRINCIPAL) -> None:
        """Give a right."""
        path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{abs(hash((scope, role, principal)))}"
        definition = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role}"
        await self.put(path, {"principalId": principal, "roleDefinitionId": definition})

    async def put(self, path: str, properties: dict[str, Any], **fields: Any) -> None:
        """Write a resource, as somebody else would."""
        body = json.dumps({"properties": properties, **fields}).encode()
        answer = await self.platform.cloud.handle(AzureRequest("PUT", f"{path}?api-version=x", {}, body))
        assert answer.status < 300, answer.body

    async def delete(self, path: str) -> None:
        """Delete a resource, as somebody else would."""
        await self.platform.cloud.handle(AzureRequest("DELETE", f"{path}?api-version=x"))

    async def run(self, step: Step) -> list[str]:
        """Run a hook; what it said."""
        begun = len(self.said)
        here = place(
            self.values,
            sender=self.send,
            tokens=self.token,
            clock=self.platform.clock,
            say=self.said.append,
            program=self.program,
        )
        await step(here)
        return self.said[begun:]

    async def program(self, command: Sequence[str]) -> tuple[int, str]:
        """Run a program."""
        self.programs.append(list(command))
        return self.code, self.output

    async def token(self, scope: str) -> str:
        """A token for a scope."""
        return f"token-for-{scope}"

    async def send(self, request: Request) -> Answer:
        """A request to Azure or to the app, whichever is at the address."""
        if self.budget is not None and len(self.sent) >= self.budget:
            raise KeyboardInterrupt
        self.sent.append(request)
        if request.url.startswith(self.values.get("TEAL_URL", "-")):
            path = request.url.removeprefix(self.values["TEAL_URL"])
            answer = await self.platform.host.request(request.method, path, headers=request.headers, body=request.body)
            return Answer(answer.status, {name.lower(): text for name, text in answer.headers.items()}, answer.body)
        try:
            asked = AzureRequest(request.method, request.url, request.headers, request.body)
            response = await self.platform.cloud.handle(asked)
        except ConnectionLost as error:
            return Answer(0, {}, str(error).encode())
        return Answer(response.status, response.headers, response.body)

    def kept(self, part: str) -> list[dict[str, Any]]:
        """The resources whose id has this part, in any letters."""
        return [one for key, one in sorted(self.platform.cloud.managed.items()) if part.lower() in key]

    def rights(self) -> set[str]:
        """Where Teal's identity has rights, in lower case."""
        return {
            one["properties"]["scope"].lower()
            for one in self.kept("/roleassignments/")
            if one["properties"]["principalId"] == PRINCIPAL
        }

    def writes(self) -> list[str]:
        """The writes that the hooks sent to Azure."""
        return [
            f"{one.method} {one.url.partition('?')[0]}"
            for one in self.sent
            if one.method != "GET" and "azurewebsites" not in one.url and "listkeys" not in one.url
        ]
