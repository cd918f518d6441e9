"""Whether a set needs a roll, and what its VMs differ in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.dangers import Danger
from rollout.deployment import Deployment, Image, Parameters
from rollout.roll_needed import REASONS_MAX, RollNeeded, roll_needed, while_under_way
from rollout.scale_set import ImageReference, ImageVersion, OrchestrationMode, ScaleSet, Vm

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
WEB = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/apps/images/web"
OTHER = WEB.replace("/web", "/other")
SIZE, DISK = "sku.name", "virtualMachineProfile.storageProfile.osDisk.managedDisk.storageAccountType"


def gallery(version: str = "", image: str = WEB) -> ImageReference:
    return ImageReference(id=f"{image}/versions/{version}" if version else image)


def marketplace(version: str, sku: str = "server") -> ImageReference:
    return ImageReference(publisher="Canonical", offer="ubuntu", sku=sku, version=version)


def scale_set(image: ImageReference | None = None, **model: str) -> ScaleSet:
    image = gallery("1.1.0") if image is None else image
    named = {SIZE: model.get("size"), DISK: model.get("disk")}
    told = {path: value for path, value in named.items() if value is not None}
    return ScaleSet("/sets/web", "web", "eastus2", '"1"', 3, "Succeeded", image, model=told)


def vm(number: int = 0, image: ImageReference | None = None, **fields: Any) -> Vm:
    image = gallery("1.1.0") if image is None else image
    named = {SIZE: fields.pop("size", None), DISK: fields.pop("disk", None)}
    told = {path: value for path, value in named.items() if value is not None}
    state = fields.pop("provisioning_state", "Succeeded")
    name = fields.pop("name", f"web_{number:08x}")
    return Vm(f"id-{number}", name, name, image, state, "running", model=told, **fields)


def version(name: str, image: str = WEB) -> ImageVersion:
    return ImageVersion(f"{image}/versions/{name}", name, "Succeeded")


def look(of: ScaleSet, *vms: Vm, newest: ImageVersion | None = None) -> RollNeeded:
    return roll_needed(NOW, of, vms, newest)


def fields(needed: RollNeeded) -> list[str]:
    return [reason.field for reason in needed.reasons]


def test_a_set_whose_vms_are_what_it_would_make_needs_none() -> None:
    told: dict[str, Any] = {"size": "Standard_D2s_v5", "disk": "Premium_LRS"}
    vms = [vm(n, latest_model=True, **told) for n in range(3)]
    assert look(scale_set(**told), *vms) == RollNeeded(NOW, 0, 3, ())
    assert look(scale_set()) == RollNeeded(NOW, 0, 0, ())


#: image of the model, image of the VM, whether it is another
IMAGES = [
    (gallery("1.1.0"), gallery("1.1.0"), False),
    (gallery("1.1.0"), gallery("1.1.0", WEB.upper()), False),
    (gallery("1.1.0"), gallery("1.0.0"), True),
    (gallery("1.1.0"), gallery("1.2.0"), True),
    (gallery("1.1.0"), gallery("1.1.0", OTHER), True),
    # The version is left open.
    (gallery(), gallery("1.0.0"), False),
    (gallery("latest"), gallery("1.0.0"), False),
    (gallery(), gallery("1.0.0", OTHER), True),
    (marketplace("latest"), marketplace("24.04.1"), False),
    (marketplace("latest"), marketplace("24.04.1", "minimal"), True),
    (marketplace("24.04.2"), marketplace("24.04.1"), True),
    (marketplace("24.04.1"), marketplace("24.04.1"), False),
    (ImageReference(id="/images/one"), ImageReference(id="/images/one"), False),
    (ImageReference(id="/images/one"), ImageReference(id="/images/two"), True),
    # Azure does not tell.
    (gallery("1.1.0"), ImageReference(), False),
]


@pytest.mark.parametrize(("model", "image", "differs"), IMAGES)
def test_the_image_of_the_model(model: ImageReference, image: ImageReference, differs: bool) -> None:
    needed = look(scale_set(model), vm(image=image))
    assert (needed.outdated, fields(needed)) == ((1, ["image"]) if differs else (0, []))
    if differs:
        assert (needed.reasons[0].wanted, needed.reasons[0].found) == (model.full_name, image.full_name)


def test_a_set_without_a_profile_has_no_image_to_compare() -> None:
    assert look(replace(scale_set(), image=None), vm()).outdated == 0


#: image of the VM, newest version of the rule, whether the rule would replace it
RULES = [
    (gallery("1.1.0"), version("1.2.0"), True),
    (gallery("1.9.0"), version("1.10.0"), True),
    (gallery("1.2.0"), version("1.2.0"), False),
    (gallery("2.0.0"), version("1.2.0"), False),
    (gallery("2.0.0", OTHER), version("1.2.0"), True),
    (gallery(), version("1.2.0"), False),
    (ImageReference(), version("1.2.0"), False),
]


@pytest.mark.parametrize(("image", "newest", "older"), RULES)
def test_the_newest_version_of_the_rule(image: ImageReference, newest: ImageVersion, older: bool) -> None:
    model = image if image != ImageReference() else gallery("1.1.0")
    needed = look(scale_set(model), vm(image=image), newest=newest)
    assert (needed.outdated, fields(needed)) == ((1, ["imageRule"]) if older else (0, []))


def test_a_model_that_leaves_the_version_open_is_held_against_the_rule() -> None:
    vms = [vm(0, gallery("1.0.0")), vm(1, gallery("1.1.0"))]
    needed = look(scale_set(gallery()), *vms, newest=version("1.1.0"))
    assert (needed.outdated, needed.total) == (1, 2)
    [reason] = needed.reasons
    assert (reason.field, reason.wanted, reason.found, reason.vms) == (
        "imageRule",
        f"{WEB}/versions/1.1.0",
        f"{WEB}/versions/1.0.0",
        1,
    )
    assert reason.message == "1 of 2 VMs: the image is 1.0.0, and the group's rule wants 1.1.0"


def test_fields_are_compared_where_both_sides_state_them() -> None:
    wanted = scale_set(size="Standard_D4s_v5", disk="Premium_LRS")
    same = vm(0, size="standard_d4s_v5", disk="Premium_LRS")
    smaller = vm(1, size="Standard_D2s_v5", disk="StandardSSD_LRS")
    silent = vm(2)
    needed = look(wanted, same, smaller, silent)
    assert (needed.outdated, needed.total) == (1, 3)
    assert fields(needed) == [SIZE, DISK]
    size = needed.reasons[0]
    assert (size.wanted, size.found, size.vms) == ("Standard_D4s_v5", "Standard_D2s_v5", 1)
    assert size.message == "1 of 3 VMs: sku.name is Standard_D2s_v5, and Standard_D4s_v5 in the set's model"
    assert look(scale_set(), smaller).outdated == 0


def test_another_model_counts_where_no_field_shows_it() -> None:
    hidden = look(scale_set(), vm(0, latest_model=False), vm(1, latest_model=True), vm(2, latest_model=None))
    assert (hidden.outdated, fields(hidden)) == (1, ["virtualMachineProfile"])
    assert (hidden.reasons[0].wanted, hidden.reasons[0].found) == (None, None)
    assert "a field that Azure does not show" in hidden.reasons[0].message
    shown = look(scale_set(size="b"), vm(0, size="a", latest_model=False))
    assert fields(shown) == [SIZE]
    # A newer image by the rule is no field of the model.
    both = look(scale_set(), vm(0, latest_model=False), newest=version("1.2.0"))
    assert (both.outdated, sorted(fields(both))) == (1, ["imageRule", "virtualMachineProfile"])


def test_vms_that_leave_and_vms_that_were_attached_do_not_count() -> None:
    old = gallery("1.0.0")
    flexible = replace(scale_set(), mode=OrchestrationMode.FLEXIBLE)
    needed = look(flexible, vm(0, old, provisioning_state="Deleting"), vm(1, old, name="db01"), vm(2))
    assert needed == RollNeeded(NOW, 0, 1, ())


def test_reasons_of_most_vms_come_first_and_are_bounded() -> None:
    vms = [vm(n, disk=f"disk {n}") for n in range(2 * REASONS_MAX)] + [
        vm(99, gallery("1.0.0")),
        vm(98, gallery("1.0.0")),
    ]
    needed = look(scale_set(disk="one"), *vms)
    assert needed.outdated == len(vms)
    assert len(needed.reasons) == REASONS_MAX
    assert (needed.reasons[0].field, needed.reasons[0].vms) == ("image", 2)


IMAGE = st.sampled_from([gallery("1.0.0"), gallery("1.1.0"), gallery("1.2.0"), gallery("1.0.0", OTHER), gallery()])
TOLD = st.sampled_from([None, "a", "b", "B"])
VMS = st.lists(
    st.builds(
        lambda image, state, model, size, disk, name: vm(
            0, image, provisioning_state=state, latest_model=model, size=size, disk=disk, name=name
        ),
        IMAGE,
        st.sampled_from(["Succeeded", "Creating", "Failed", "Deleting"]),
        st.sampled_from([True, False, None]),
        TOLD,
        TOLD,
        st.sampled_from(["web_0a1b2c3d", "db01"]),
    ),
    max_size=12,
)
SETS = st.builds(
    lambda image, mode, told: replace(
        scale_set(image, **{name: value for name, value in told.items() if value}), mode=mode
    ),
    IMAGE,
    st.sampled_from(OrchestrationMode),
    st.fixed_dictionaries({"size": TOLD, "disk": TOLD}),
)


@given(SETS, VMS, st.none() | st.sampled_from([version("1.0.0"), version("1.2.0")]))
def test_each_vm_is_counted_once(of: ScaleSet, vms: list[Vm], newest: ImageVersion | None) -> None:
    needed = roll_needed(NOW, of, vms, newest)
    counts = [reason.vms for reason in needed.reasons]
    assert 0 <= needed.outdated <= needed.total <= len(vms)
    assert (needed.outdated == 0) == (counts == [])
    assert counts == sorted(counts, reverse=True)
    assert max(counts, default=0) <= needed.outdated <= sum(counts)
    assert len({(reason.field, reason.wanted, reason.found) for reason in needed.reasons}) == len(counts)
    alone = [roll_needed(NOW, of, [one], newest).outdated for one in vms]
    assert needed.outdated == sum(alone)


def deployment(**fields: Any) -> Deployment:
    image = Image("1.1.0", gallery("1.1.0"), gallery("1.0.0"))
    return Deployment("web-1", "web", "/sets/web", Parameters("1.1.0"), image, NOW, **fields)


def test_a_deployment_under_way_says_how_many_vms_are_still_to_be_replaced() -> None:
    assert while_under_way(deployment(), NOW) is None
    needed = while_under_way(deployment(target_size=10, blue_vms=4, green_vms=8), NOW)
    assert needed is not None
    assert (needed.as_of, needed.outdated, needed.total) == (NOW, 4, 10)
    [reason] = needed.reasons
    assert (reason.field, reason.wanted, reason.vms) == ("deployment", f"{WEB}/versions/1.1.0", 4)
    assert reason.message == "Deployment web-1 is under way: 4 VMs still to be replaced"
    back = while_under_way(deployment(target_size=10, blue_vms=6, rollback_batches=3), NOW)
    assert back is not None
    assert back.reasons[0].wanted == f"{WEB}/versions/1.0.0"
    assert while_under_way(deployment(target_size=10), NOW) == RollNeeded(NOW, 0, 10, ())
    # A set that an unfinished deployment left with more VMs than it is to have.
    more = while_under_way(deployment(target_size=10, blue_vms=12), NOW)
    assert more is not None
    assert (more.outdated, more.total) == (12, 12)


def test_no_roll_is_asked_for_to_an_image_that_was_judged_bad() -> None:
    bad = Danger("/sets/web", "modelNamesBadImage", NOW, "web-1", "The model names 1.1.0", image=gallery("1.1.0"))
    old, gone, left = vm(1, gallery("1.0.0"), latest_model=False), vm(2, gallery("1.0.0"), size="S1"), vm(3)
    needed = roll_needed(NOW, scale_set(size="S2"), [old, gone, left], version("1.1.0"), bad)
    assert (needed.outdated, needed.total, fields(needed)) == (1, 3, ["modelNamesBadImage", SIZE])
    told = needed.reasons[0]
    assert (told.wanted, told.found, told.vms) == (None, gallery("1.1.0").full_name, 1)
    assert told.message == "The model names 1.1.0. No roll to it is asked for; 1 of 3 VMs run it"
    # Another version, that the group's rule wants, is asked for as ever.
    newer = roll_needed(NOW, scale_set(), [old, left], version("1.2.0"), bad)
    assert (newer.outdated, fields(newer)) == (2, ["modelNamesBadImage", "imageRule", "imageRule"])
