"""The front of the simulated Azure: one request in, one answer out, at the time of the clock.

Nothing runs in the background: every request, and every look at the logs, first lets happen what was due up to now, in
order and each at its exact time. Real, scaled and virtual time therefore give the same story.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta

from pydantic import TypeAdapter

from local.azure.arm import management_locks
from local.azure.arm.accounts import Accounts
from local.azure.arm.agenda import Agenda
from local.azure.arm.buckets import RequestCount
from local.azure.arm.calls import ArmCall
from local.azure.arm.errors import NOT_SIMULATED, ArmError, method_not_allowed, missing_api_version, not_simulated
from local.azure.arm.faults import AzureFaults, refusal
from local.azure.arm.managed_routes import managed_routes
from local.azure.arm.messages import ArmRequest, ArmResponse, ConnectionLost, Json, readable
from local.azure.arm.operations import Operations
from local.azure.arm.rendering import Rendering
from local.azure.arm.resources import AuditEntry, CloudState, ScaleSetResource, VmChange, VmInstance
from local.azure.arm.rights import Rights
from local.azure.arm.routes import (
    ArmRoute,
    account_routes,
    autoscale_routes,
    boot_diagnostics_routes,
    image_routes,
    instance_routes,
    network_routes,
    publishing_routes,
    scale_set_routes,
    virtual_machine_routes,
)
from local.azure.arm.throttling import CREATE_SCALE_SET, Throttling
from local.azure.compute.beginning import populate
from local.azure.compute.fabric import Fabric
from local.azure.events.event_grid import Topic, write_of
from local.azure.images.images import SimulatedImages
from local.azure.images.publishing import Publisher
from local.azure.interference import Interference
from local.azure.monitor import autoscale
from local.azure.network.network import Network
from local.azure.world import Fault, World
from local.clock import PlatformClock

#: How long the end of an operation can be asked for after its log was forgotten.
KEPT_OPERATIONS = timedelta(days=1)

_STATE: TypeAdapter[CloudState] = TypeAdapter(CloudState)


class Cloud:
    """A simulated Azure: ``world`` says what is there at the start, ``clock`` what time it is.

    URLs in answers begin as that of the request did, or with ``base_url`` where it had only a path.
    ``on_change`` is called after every write, before its answer goes out: whoever keeps snapshots keeps one then, and
    then ``on_event``, for whoever delivers what ``topic`` has to tell.
    With ``rights`` whoever asks may do only that much; else everything.
    ``unknown`` lists the requests that are not simulated; they are answered with 4xx, never with a made-up success.
    """

    def __init__(
        self,
        world: World,
        clock: PlatformClock,
        *,
        seed: int = 0,
        base_url: str = "https://management.azure.com",
        state: CloudState | None = None,
    ) -> None:
        self.world = world
        self.clock = clock
        self.base_url = base_url
        self.on_change: Callable[[], None] | None = None
        self.on_event: Callable[[], None] | None = None
        self.rights: Rights | None = None
        self.unknown: list[str] = []
        self._state = state or CloudState(clock.now(), clock.now(), seed, faults=[], fault_matches=[])
        self._agenda = Agenda(self._state)
        self._images = SimulatedImages(world, self._state)
        self._fabric = Fabric(world, self._state, self._images, Network(world, self._state), self._agenda)
        autoscale.run_engine(self._fabric)
        self._operations = Operations(self._state, self._fabric, self._agenda)
        self.topic = Topic(world, self._state, self._operations)
        self._publisher = Publisher(self._state, world.platform, self._images.galleries, self._operations)
        self._throttling = Throttling(self._state, world.platform.throttling_factor)
        self._rendering = Rendering()
        self._accounts = Accounts(world, self._images.galleries)
        self._matches: dict[str, list[tuple[ArmRoute, re.Match[str]]]] = {}
        self._routes = [
            *scale_set_routes(),
            *instance_routes(),
            *virtual_machine_routes(),
            *network_routes(),
            *boot_diagnostics_routes(),
            *autoscale_routes(),
            *image_routes(self._images),
            *publishing_routes(self._publisher),
            *account_routes(self._accounts),
            *managed_routes(),
        ]
        self.faults = AzureFaults(self._state)
        self.interfere = Interference(
            self._fabric, self._operations, self._publisher, self.topic, self.advance, self.changed
        )
        if state is None:
            self._images.galleries.populate()
            populate(self._fabric)
            autoscale.populate(self._fabric)
            self._state.locks += [management_locks.lock_body(lock, world) for lock in world.locks]
            for fault in world.faults:
                self.faults.add(fault)

    @property
    def audit(self) -> list[AuditEntry]:
        """Every write that a client sent, oldest first, refused ones too."""
        return self._state.audit

    @property
    def requests(self) -> Mapping[str, RequestCount]:
        """Requests by kind and the throttling policy that they were charged to."""
        return self._state.requests

    @property
    def changes(self) -> list[VmChange]:
        """What has become of every VM, up to now."""
        self.advance()
        return self._state.changes

    def scale_set(self, scale_set_id: str) -> ScaleSetResource:
        """A scale set as it is now, to look at.

        :raises KeyError: there is none with that id.
        """
        self.advance()
        return self._state.scale_sets[scale_set_id.lower()]

    @property
    def scale_set_ids(self) -> frozenset[str]:
        """The ids of all sets that there are, in lower case."""
        self.advance()
        return frozenset(self._state.scale_sets)

    def is_out_of_pools(self, scale_set_id: str, vm: VmInstance) -> bool:
        """Whether a VM is in none of the pools from which its set gets traffic."""
        scale_set = self.scale_set(scale_set_id)
        return self._fabric.network.is_behind_pools(scale_set) and not vm.in_pool

    def places(self, scale_set_id: str) -> dict[str, dict[str, frozenset[str]]]:
        """By VM name, then by the id of an IP configuration, the ids of the pools that may send it connections."""
        scale_set = self.scale_set(scale_set_id)
        return {vm.name: self._fabric.network.places(scale_set, vm) for vm in scale_set.active()}

    def autoscale_settings(self, scale_set_id: str) -> list[Json]:
        """The bodies of the autoscale settings of a set as they are now, to look at."""
        return list(autoscale.settings_of(self._state, self.scale_set(scale_set_id)))

    def place(self, body: Json) -> None:
        """Place a resource that is kept as it was written, as if a template had made it; its ``id`` says where."""
        self._state.managed[str(body["id"]).lower()] = body

    @property
    def managed(self) -> Mapping[str, Json]:
        """Those resources as they are now, by id in lower case."""
        self.advance()
        return self._state.managed

    def advance(self) -> None:
        """Let everything happen that is due by now."""
        self._agenda.advance(self.clock.now())

    def forget_log(self) -> None:
        """Forget the writes and events up to now, VMs that are gone, and operations that ended long ago."""
        self.advance()
        state = self._state
        there = {vm.vm_id for one in state.scale_sets.values() for vm in one.active()}
        state.audit.clear()
        state.events.clear()
        state.changes[:] = [change for change in state.changes if change.vm_id in there]
        ended = [key for key, one in state.operations.items() if one.ends_at < state.now - KEPT_OPERATIONS]
        for key in ended:
            del state.operations[key]

    def snapshot(self) -> Json:
        """The whole world as JSON, from which ``restore`` goes on."""
        self.advance()
        return {
            "world": self.world.model_dump(mode="json", by_alias=True),
            "state": _STATE.dump_python(self._state, mode="json"),
        }

    @classmethod
    def restore(cls, snapshot: Json, clock: PlatformClock, *, base_url: str = "https://management.azure.com") -> Cloud:
        """Go on from a snapshot; the clock should begin at or after the time at which it was taken."""
        state = _STATE.validate_python(snapshot["state"])
        return cls(World.model_validate(snapshot["world"]), clock, base_url=base_url, state=state)

    async def handle(self, request: ArmRequest) -> ArmResponse:
        """Answer one ARM request.

        :raises ConnectionLost: the fault script says that there is no answer.
        """
        self.advance()
        fault = self.faults.match(request)
        if fault and fault.delay:
            await self.clock.sleep(fault.delay)
            self.advance()
        if fault and fault.lose_request:
            raise ConnectionLost(f"{request.method} {request.path}: lost before it took effect, by the fault script")
        response = self._answer(request, fault)
        if request.method != "GET":
            self.changed()
        if fault and fault.lose_response:
            raise ConnectionLost(f"{request.method} {request.path}: answer lost, by the fault script")
        return response

    def _answer(self, request: ArmRequest, fault: Fault | None) -> ArmResponse:
        route, call, code = None, None, None
        try:
            route, names = self._find(request)
            self._accounts.check(names.get("subscription"), names.get("group"))
            call = ArmCall(
                request,
                names,
                fault,
                request.origin or self.base_url,
                self.world,
                self._state,
                self._fabric,
                self._operations,
                self._rendering,
            )
            response = self._serve(route, call)
        except ArmError as error:
            response, code = error.response(), error.code
            if code == NOT_SIMULATED:
                self.unknown.append(f"{request.method} {request.path}")
        self._identify(request, response)
        if route.is_write if route else request.method != "GET":
            self._write_down(request, response, call, code)
        if route and call and route.operation and code != NOT_SIMULATED:
            write = write_of(route.operation, route.resource_id(call.names), request, response)
            self.topic.answered(write, response, call.effect.operation)
        return response

    def _serve(self, route: ArmRoute, call: ArmCall) -> ArmResponse:
        if self.rights is not None:
            self.rights.check(call)
        policy = route.policy
        if route.kind == "put scale set" and call.scale_set_id().lower() not in self._state.scale_sets:
            policy = CREATE_SCALE_SET
        subscription = call.names.get("subscription", "")
        headers = self._throttling.charge(route.kind, policy, subscription, route.resource(call.names))
        if call.fault and call.fault.status:
            return refusal(call.fault, call.fault.status)
        management_locks.check(self._state, call.request, is_write=route.is_write)
        response = route.handler(call)
        response.headers |= headers
        return response

    def _find(self, request: ArmRequest) -> tuple[ArmRoute, dict[str, str]]:
        matches = self._matches.get(request.path)
        if matches is None:
            found = ((route, route.pattern.fullmatch(request.path)) for route in self._routes)
            matches = self._matches[request.path] = [(route, match) for route, match in found if match]
        if "api-version" not in request.query and all(route.needs_version for route, _ in matches):
            raise missing_api_version()
        for route, match in matches:
            if route.method == request.method:
                return route, match.groupdict()
        if matches:
            self.unknown.append(f"{request.method} {request.path}")
            raise method_not_allowed(request.method, request.path)
        raise not_simulated(f"{request.method} {request.path}")

    def _identify(self, request: ArmRequest, response: ArmResponse) -> None:
        """The headers that every answer of ARM carries."""
        self._state.answers += 1
        identifier = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self._state.seed}/{self._state.answers}"))
        now = self._state.now.strftime("%Y%m%dT%H%M%SZ")
        response.headers |= {
            "x-ms-request-id": identifier,
            "x-ms-correlation-request-id": request.header("x-ms-correlation-request-id") or identifier,
            "x-ms-routing-request-id": f"{self.world.location.upper()}:{now}:{identifier}",
        }

    def _write_down(self, request: ArmRequest, response: ArmResponse, call: ArmCall | None, code: str | None) -> None:
        effect = call.effect if call else None
        entry = AuditEntry(
            time=self._state.now,
            method=request.method,
            path=request.path,
            body=readable(request.body),
            status=int(response.status),
            code=code,
            created=tuple(effect.created) if effect else (),
            deleted=tuple(effect.deleted) if effect else (),
            capacity_before=effect.capacity_before if effect else None,
            capacity_after=effect.capacity_after if effect else None,
            outdated=effect.outdated if effect else False,
        )
        self._state.audit.append(entry)

    def changed(self) -> None:
        """Something has changed: who keeps snapshots and who delivers events hears of it."""
        if self.on_change:
            self.on_change()
        if self.on_event:
            self.on_event()
