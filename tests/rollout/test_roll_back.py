"""What goes back, what stays, and where there is nothing to go back to."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rollout.deployment import Deployment, Image, Parameters
from rollout.roll_back import cannot_roll_back, going_back
from rollout.scale_set import ImageReference, Vm

IMAGE = "/subscriptions/s/resourceGroups/r/providers/Microsoft.Compute/galleries/g/images/web"
OLD, NEW = ImageReference(id=f"{IMAGE}/versions/1.0.0"), ImageReference(id=f"{IMAGE}/versions/1.1.0")
ROW = Deployment(
    "web-1",
    "web",
    "/set",
    Parameters("1.1.0"),
    Image("1.1.0", NEW, OLD),
    datetime(2026, 1, 1, tzinfo=UTC),
    target_size=4,
)


def vm(name: str, image: ImageReference, state: str = "Succeeded") -> Vm:
    return Vm(name, name, name, image, state, "running" if state == "Succeeded" else None)


def test_vms_on_the_deployment_s_image_go_and_all_others_stay() -> None:
    other = ImageReference(id=f"{IMAGE}/versions/0.9.0")
    vms = [vm("a", OLD), vm("b", NEW), vm("c", other), vm("d", NEW, "Failed"), vm("e", NEW, "Deleting"), vm("f", NEW)]
    parts = going_back(vms, {"f"}, ROW)
    assert [one.name for one in parts.going] == ["b", "d", "f"]
    assert [one.name for one in parts.kept] == ["a", "c"]
    assert [one.name for one in parts.idle] == ["d", "f"]
    assert parts.target == 4


@pytest.mark.parametrize(
    ("previous", "why"),
    [
        (OLD, ""),
        (None, "has not noted"),
        (NEW, "does not change the set's image"),
        (ImageReference(id=IMAGE), "may name another version"),
        (ImageReference(publisher="p", offer="o", sku="s", version="latest"), "may name another version"),
    ],
)
def test_only_an_exact_image_that_differs_can_be_gone_back_to(previous: ImageReference | None, why: str) -> None:
    found = cannot_roll_back(Image("1.1.0", NEW, previous))
    assert why in found
    assert bool(found) == bool(why)
