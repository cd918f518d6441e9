"""Writing down what is about to be done to the scale set."""

from __future__ import annotations

from rollout.model.azure.pools import PoolMembership
from rollout.model.azure.scale_set import ImageReference, ScaleSet
from rollout.model.order import Order
from rollout.model.rows.deployment import Intent, IntentKind
from rollout.ports.ports import Ports


async def write_down(
    ports: Ports,
    order: Order,
    kind: IntentKind,
    scale_set: ScaleSet,
    vm_ids: tuple[str, ...] = (),
    image: ImageReference | None = None,
    pool: str = "",
    taken: tuple[PoolMembership, ...] | None = None,
) -> None:
    """Add an intent of this kind behind those of the batch that are there: each write to Azure has its own."""
    earlier = await ports.store.intents.list(order.deployment_id, order.batch)
    number = 1 + max((intent.number for intent in earlier if intent.kind is kind), default=0)
    intent = Intent(
        kind, order.batch, number, order.at, scale_set.etag, vm_ids=vm_ids, image=image, pool=pool, taken=taken
    )
    await ports.store.intents.put(order.deployment_id, intent)
