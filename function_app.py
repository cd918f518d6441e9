"""The composition root: recipes, activities and HTTP triggers put together, and the one lazy holder of clients.

Nothing imports this module but the Functions host and the local platform. It loads no ``azure.mgmt``,
``azure.identity`` or ``azure.data``: those cost seconds of a cold start, and most invocations need none of them.
"""

from __future__ import annotations

import logging
import typing
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import azure.durable_functions as df
import azure.functions as func

from activities.attempt import Activity, Attempt, attempt, attempt_part
from activities.batch.bake import bake
from activities.batch.detach import detach_blue
from activities.batch.evidence import inspect_sick, save_evidence
from activities.batch.gate import check_group
from activities.batch.health import read_baking_health, read_batch_health
from activities.batch.judge import judge_batch
from activities.batch.launch import launch_green
from activities.batch.retire import discard_green, discard_sick, terminate_blue
from activities.ends.finish import raise_epoch, release_group, tell_changes, verify_end
from activities.ends.reclaim import reclaim
from activities.ends.roll_back import check_way_back, plan_roll_back
from activities.ends.settle import keep_green, settle_vms, take_stock
from activities.following.follow import FollowActivity, attempt_to_follow, decide_wanted, start_wanted
from activities.hold import hold_processes, restore_processes
from activities.image import apply_image, restore_image
from activities.prepare import prepare_deployment
from activities.record import Entry, attempt_to_record
from activities.steering.steer import await_approval, await_resume, heed_commands
from activities.steering.turn import take_turn
from adapters.instances import DurableInstances
from api.http_triggers import http_triggers, pages
from orchestrators.deploy_group import deploy_group
from orchestrators.follow_images import follow_images
from orchestrators.pause_step import pause_step
from orchestrators.recording import write_event
from orchestrators.replace_batch import replace_batch
from orchestrators.restore_group import restore_group
from orchestrators.wait import wait_until_done
from rollout.model.codec import decode, encode
from rollout.ports.azure import Constraints, Identity, Images, Processes, ScaleSets, Traffic
from rollout.ports.ports import Clock, Ports
from rollout.ports.store import Store
from services.log import plainly
from services.operator_rules import operator_rules
from settings import Settings
from triggers.functions import event_triggers, timer_triggers

if TYPE_CHECKING:
    from azure.data.tables.aio import TableServiceClient

    from adapters.arm.client import ComputeClients

log = plainly(logging.getLogger("teal"))

RECIPES = (deploy_group, replace_batch, pause_step, restore_group, wait_until_done, write_event, follow_images)

ACTIVITIES: tuple[Activity, ...] = (
    take_turn,
    prepare_deployment,
    hold_processes,
    apply_image,
    check_group,
    launch_green,
    judge_batch,
    save_evidence,
    discard_sick,
    detach_blue,
    terminate_blue,
    await_resume,
    heed_commands,
    await_approval,
    bake,
    raise_epoch,
    tell_changes,
    discard_green,
    keep_green,
    settle_vms,
    take_stock,
    restore_image,
    check_way_back,
    plan_roll_back,
    verify_end,
    restore_processes,
    release_group,
    reclaim,
)

#: What a look fans out to, where it is at more VMs than one activity reads.
PARTS: tuple[Activity, ...] = (read_batch_health, read_baking_health, inspect_sick)

#: What the recipe that follows published images calls.
FOLLOWING: tuple[FollowActivity, ...] = (decide_wanted, start_wanted)

#: Makes the ports of one invocation from the Durable client that the host bound to it.
PortsOf = Callable[[df.DurableOrchestrationClient], Ports]


#: The worker loads no function with a parameter of type ``dict[str, Any]``: it takes classes and typing's generics.
Payload = typing.Dict[str, Any]  # noqa: UP006


class SystemClock:
    """The machine's time."""

    def now(self) -> datetime:
        """Aware, in UTC."""
        return datetime.now(UTC)


class Clients:
    """The clients of this process, each made when it is first needed and kept.

    ``clock`` is replaced by the local platform, whose time may run faster.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock: Clock = SystemClock()

    def ports(self, client: df.DurableOrchestrationClient) -> Ports:
        """The neighbours, for one invocation."""
        return Ports(
            scale_sets=self.scale_sets,
            images=self.images,
            store=self.store,
            instances=DurableInstances(client),
            clock=self.clock,
            traffic=self.traffic,
            constraints=self.constraints,
            processes=self.processes,
            identity=self.identity,
            rules=operator_rules(self.settings),
            part_size=self.settings.part_size,
        )

    @cached_property
    def scale_sets(self) -> ScaleSets:
        """Scale sets over ARM."""
        from adapters.arm.scale_sets import ArmScaleSets

        return ArmScaleSets(self._compute)

    @cached_property
    def images(self) -> Images:
        """Gallery images over ARM."""
        from adapters.arm.images import ArmImages

        return ArmImages(self._compute)

    @cached_property
    def traffic(self) -> Traffic:
        """Load balancers and application gateways over ARM."""
        from adapters.arm.traffic import ArmTraffic

        return ArmTraffic(self._compute)

    @cached_property
    def constraints(self) -> Constraints:
        """Sizes, quotas, locks and rolling upgrades over ARM."""
        from adapters.arm.constraints import ArmConstraints

        return ArmConstraints(self._compute)

    @cached_property
    def processes(self) -> Processes:
        """What changes scale sets by itself, over ARM."""
        from adapters.arm.processes import ArmProcesses

        return ArmProcesses(self._compute)

    @cached_property
    def identity(self) -> Identity:
        """The app's own, to ARM."""
        from adapters.arm.identity import ArmIdentity

        return ArmIdentity(self._compute)

    @cached_property
    def store(self) -> Store:
        """Table Storage."""
        from adapters.tables import table_store

        return table_store(self._tables)

    async def close(self) -> None:
        """Close what was opened. The Functions host never does: a process ends with its connections."""
        made = [self.__dict__.get(name) for name in ("_compute", "_tables", "_credential")]
        for client in filter(None, made):
            await client.close()

    @cached_property
    def _tables(self) -> TableServiceClient:
        from adapters.tables import connect

        return connect(self.settings, None if self.settings.tables_connection else self._credential)

    @cached_property
    def _compute(self) -> ComputeClients:
        from adapters.arm.client import ComputeClients

        return ComputeClients(self.settings, self._credential)

    @cached_property
    def _credential(self) -> Any:
        from azure.identity.aio import DefaultAzureCredential

        return DefaultAzureCredential(managed_identity_client_id=self.settings.client_id or None)


def build(ports_of: PortsOf, settings: Settings) -> df.DFApp:
    """The function app on these ports."""
    app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)
    app.register_functions(_recipes())
    app.register_functions(_activities(ports_of))
    app.register_functions(http_triggers(ports_of, settings))
    app.register_functions(pages())
    app.register_functions(timer_triggers(ports_of, settings))
    app.register_functions(event_triggers(ports_of))
    return app


def _recipes() -> df.Blueprint:
    blueprint = df.Blueprint()
    for recipe in RECIPES:
        blueprint.orchestration_trigger(context_name="context")(recipe)
    return blueprint


def _activities(ports_of: PortsOf) -> df.Blueprint:
    blueprint = df.Blueprint()
    for activity in ACTIVITIES:
        _register(blueprint, ports_of, activity, attempt)
    for part in PARTS:
        _register(blueprint, ports_of, part, attempt_part)
    for follow in FOLLOWING:
        _register_following(blueprint, ports_of, follow)

    @blueprint.activity_trigger(input_name="entry", activity="record_event")
    @blueprint.durable_client_input(client_name="client")
    @blueprint.function_name("record_event")
    async def record(entry: Payload, client: df.DurableOrchestrationClient) -> Payload:
        fact = decode(Entry, entry)
        recorded = await attempt_to_record(ports_of(client), fact)
        log.info("%s %s: %s", fact.deployment_id, fact.event.type, fact.event.message)
        if recorded.illegal:
            log.error("%s: %s does not follow: %s", fact.deployment_id, fact.event.type, recorded.illegal)
        answer: Payload = encode(recorded)
        return answer

    return blueprint


def _register(blueprint: df.Blueprint, ports_of: PortsOf, activity: Activity, how: Attempt) -> None:
    name = getattr(activity, "__name__")  # noqa: B009  a Callable has no name to the type checker

    @blueprint.activity_trigger(input_name="order", activity=name)
    @blueprint.durable_client_input(client_name="client")
    @blueprint.function_name(name)
    async def carry_out(order: Payload, client: df.DurableOrchestrationClient) -> Payload:
        return await how(activity, ports_of(client), order)


def _register_following(blueprint: df.Blueprint, ports_of: PortsOf, activity: FollowActivity) -> None:
    name = getattr(activity, "__name__")  # noqa: B009

    @blueprint.activity_trigger(input_name="order", activity=name)
    @blueprint.durable_client_input(client_name="client")
    @blueprint.function_name(name)
    async def carry_out(order: Payload, client: df.DurableOrchestrationClient) -> Payload:
        return await attempt_to_follow(activity, ports_of(client), order)


clients = Clients(Settings.from_environment())
app = build(clients.ports, clients.settings)
