"""Refusals of a start beside the deployment that has the scale set."""

from __future__ import annotations

from rollout.model.choices import OnConflict
from rollout.model.findings import Finding
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Image
from rollout.model.status import Color
from rollout.ports.ports import Ports
from rollout.preflight.beside import SetUnderWay, refusing_beside
from services.survey import Survey


async def findings_beside(ports: Ports, seen: Survey, parameters: Parameters, holder: str) -> tuple[Finding, ...]:
    """What was seen, without the refusals that ``holder``, the deployment under way, may itself cause.

    A deployment that is superseded deletes no more blue VMs: what is wrong with those stays so.
    """
    if seen.plan is None or seen.scale_set is None or seen.reference is None or seen.listed is None:
        return refusing_beside(seen.findings, None)
    records = [record for record in await ports.store.vms.list(holder) if record.batch] if holder else []
    blue = [record.vm_id for record in records if record.color is Color.BLUE]
    scene = SetUnderWay(
        seen.scale_set,
        seen.listed.vms,
        seen.plan,
        parameters,
        Image(parameters.image, seen.reference, seen.previous, seen.unknown),
        seen.surroundings,
        going=frozenset() if parameters.on_conflict is OnConflict.SUPERSEDE else frozenset(blue),
        surge=frozenset(record.vm_id for record in records if record.color is Color.GREEN),
    )
    return refusing_beside(seen.findings, scene)
