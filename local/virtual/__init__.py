"""The whole of Teal in one process and in virtual time: the app, the Functions host, and Azure.

Nothing of Teal is replaced: its recipes run on the Durable SDK, its adapters are the Azure SDK's clients. What is
missing is sockets and waiting, so that a deployment of hours takes milliseconds and goes the same way every time::

    async with VirtualPlatform() as platform:
        started = await platform.post("/api/groups/web/deployments", {"image": "1.1.0"})
        await platform.ended(started.body["id"])
        print("\n".join(await platform.story(started.body["id"])))
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from azure.core.credentials import AccessToken

from adapters.arm.client import ComputeClients
from adapters.arm.constraints import ArmConstraints
from adapters.arm.identity import ArmIdentity
from adapters.arm.images import ArmImages
from adapters.arm.processes import ArmProcesses
from adapters.arm.scale_sets import ArmScaleSets
from adapters.arm.traffic import ArmTraffic
from adapters.instances import DurableInstances
from function_app import build
from local.access import Access
from local.azure.arm.transport import InProcessTransport
from local.azure.cloud import Cloud
from local.azure.compute.serving import ServingChecker
from local.azure.world import World, demo_world
from local.clock import VIRTUAL_START, PlatformClock
from local.durable.answers import HttpAnswer
from local.durable.errors import HostError
from local.durable.faults import DurableFaults
from local.durable.instances import RuntimeStatus
from local.durable.options import HostOptions
from local.durable.turn import Execution
from local.event_delivery import EventDelivery
from local.functions.host import FunctionsHost
from local.state import MemoryState
from local.virtual.memory import memory_store
from rollout.model.rows.deployment import Deployment, Event
from rollout.ports.ports import Ports
from rollout.ports.store import Store
from services.operator_rules import operator_rules
from settings import Settings

#: No deployment of a demo takes longer.
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Reply:
    """What an HTTP trigger answered: the status code, the JSON body, the headers."""

    status: int
    body: Any
    headers: dict[str, str]


@dataclass(frozen=True, order=True)
class Absence:
    """A span of the app's own time in which it did not run."""

    begin: datetime
    end: datetime

    @property
    def lasted(self) -> timedelta:
        """How long it was."""
        return self.end - self.begin


class StaticCredential:
    """A credential for an Azure that looks at none."""

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """A token that never runs out."""
        return AccessToken("local", 2**31)

    async def close(self) -> None:
        """There is nothing to close."""

    async def __aenter__(self) -> StaticCredential:
        return self

    async def __aexit__(self, *error: object) -> None:
        return None


class VirtualPlatform:
    """The platform, whose clock begins at ``start``; an async context manager, to be used on a ``VirtualLoop``."""

    def __init__(
        self,
        world: World | None = None,
        *,
        faults: DurableFaults | None = None,
        settings: Settings | None = None,
        options: HostOptions | None = None,
        start: datetime = VIRTUAL_START,
        access: Access | None = None,
    ) -> None:
        self.world = world or demo_world()
        self.access = access or Access()
        self.settings = settings or self.access.settings()
        self.clock = PlatformClock(start)
        #: The app's own clock, which may be wrong while Azure's is right.
        self.host_clock = PlatformClock(start)
        self.cloud = Cloud(self.world, self.clock)
        self.store: Store = memory_store()
        self.faults = faults or DurableFaults()
        self.state = MemoryState()
        self.hosts: list[FunctionsHost] = []
        self.options = options
        self.absences: list[Absence] = []
        self._compute = ComputeClients(self.settings, StaticCredential(), lambda: InProcessTransport(self.cloud))
        self.host = self._new_host()
        self._delivery = EventDelivery(self.cloud, self._deliver)

    async def __aenter__(self) -> VirtualPlatform:
        await self.host.start()
        for group in self.world.groups:
            definition = dict(group)
            reply = await self.put(f"/api/groups/{definition.pop('id')}", definition)
            if reply.status >= 400:
                raise ValueError(f"the world's group was refused: {reply.body}")
        await self._delivery.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._delivery.stop()
        await self.host.stop()
        await self._compute.close()

    async def restart_host(self) -> None:
        """As after ``kill -9``: everything volatile is gone, a new host goes on from what was saved."""
        self.host.kill()
        self.host = self._new_host()
        await self.host.start()

    async def sleep(self, duration: timedelta) -> None:
        """The host is stopped for a while, as an app that nobody needs may be, and then goes on."""
        await self.host.stop()
        begin = self.host_clock.now()
        await self.clock.sleep(duration)
        self.absences.append(Absence(begin, self.host_clock.now()))
        self.host = self._new_host()
        await self.host.start()

    @property
    def errors(self) -> list[HostError]:
        """What no host should have met, those that were killed included."""
        return [error for host in self.hosts for error in host.errors]

    @property
    def failures(self) -> list[str]:
        """What activities raised, in words."""
        return [failure for host in self.hosts for failure in host.durable.failures]

    @property
    def broke(self) -> bool:
        """Whether anything went wrong of what can: with Azure, with a delivery, with a host or an orchestration."""
        throttled = any(count.throttled for count in self.cloud.requests.values())
        ended = any(one.status is RuntimeStatus.TERMINATED for one in self.host.durable.instances())
        return bool(self.cloud.faults.struck or throttled or self.faults.struck or len(self.hosts) > 1 or ended)

    @property
    def executions(self) -> list[Execution]:
        """The calls of orchestrators, in order, by every host there was."""
        return [execution for host in self.hosts for execution in host.durable.executions]

    def forget_log(self) -> None:
        """Forget what was logged up to now, of Azure and of hosts; what there is stays."""
        self.cloud.forget_log()
        self.hosts[:] = [self.host]
        self.host.durable.forget_log()

    async def get(self, path: str) -> Reply:
        """``GET`` of one of the app's routes."""
        return await self.request("GET", path, None)

    async def post(self, path: str, body: Any) -> Reply:
        """``POST`` of a JSON body."""
        return await self.request("POST", path, body)

    async def put(self, path: str, body: Any) -> Reply:
        """``PUT`` of a JSON body."""
        return await self.request("PUT", path, body)

    async def start(self, group: str = "web", **parameters: Any) -> str:
        """Start a deployment that nothing speaks against; its id."""
        reply = await self.post(f"/api/groups/{group}/deployments", parameters)
        if reply.status != 202:
            raise ValueError(f"the deployment was refused: {reply.status} {reply.body}")
        deployment_id: str = reply.body["id"]
        return deployment_id

    async def ended(self, deployment_id: str, within: timedelta = DAY) -> Deployment:
        """Wait for the end of a deployment's orchestration; its row."""
        await self.host.durable.wait(deployment_id, within)
        return await self.row(deployment_id)

    async def row(self, deployment_id: str) -> Deployment:
        """The deployment's row as it is now."""
        row = await self.store.deployments.get(deployment_id)
        if row is None:
            raise LookupError(deployment_id)
        return row

    async def events(self, deployment_id: str, after: int = 0) -> tuple[Event, ...]:
        """The deployment's history, after an event's number."""
        return await self.store.events.list(deployment_id, after)

    async def story(self, deployment_id: str) -> list[str]:
        """The deployment's trace: minutes and seconds since it was asked for, type and message of each event."""
        begun = (await self.row(deployment_id)).created_at
        return [
            f"{_minutes(event.at - begun)} {event.type}: {event.message}" for event in await self.events(deployment_id)
        ]

    def serving(self, scale_set_id: str) -> ServingChecker:
        """A checker that holds the set to the VMs that serve now."""
        return ServingChecker(self.cloud, scale_set_id)

    def ports(self, client: Any) -> Ports:
        """The neighbours of one invocation."""
        return Ports(
            self._scale_sets,
            self._images,
            self.store,
            DurableInstances(client),
            self.host_clock,
            ArmTraffic(self._compute),
            constraints=self._constraints,
            processes=ArmProcesses(self._compute),
            identity=ArmIdentity(self._compute),
            rules=operator_rules(self.settings),
            part_size=self.settings.part_size,
        )

    def _new_host(self) -> FunctionsHost:
        # With the process goes what it remembers of the sets and the images.
        self._images = ArmImages(self._compute)
        self._scale_sets = ArmScaleSets(self._compute)
        self._constraints = ArmConstraints(self._compute)
        app = build(self.ports, self.settings)
        self.hosts.append(
            FunctionsHost(
                app,
                self.host_clock,
                storage=self.state,
                faults=self.faults,
                options=self.options,
                keys=self.access.keys,
                people=self.access.people,
            )
        )
        return self.hosts[-1]

    async def _deliver(self, path: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """A request of Event Grid, to whichever host there is now."""
        return await self.host.request("POST", self.access.event_grid_path(path), headers=headers, body=body)

    async def request(self, method: str, path: str, body: Any, headers: Mapping[str, str] | None = None) -> Reply:
        """Any request of one of the app's routes; without ``headers`` it is the platform's own, and may everything."""
        content = b"" if body is None else json.dumps(body).encode()
        kind = {"Content-Type": "application/json"} if content else {}
        who = self.access.own_headers if headers is None else headers
        answer = await self.host.request(method, path, headers={**kind, **who}, body=content)
        return Reply(answer.status, json.loads(answer.body) if answer.body else None, dict(answer.headers))


def _minutes(duration: timedelta) -> str:
    minutes, seconds = divmod(int(duration.total_seconds()), 60)
    return f"{minutes:02}:{seconds:02}"
