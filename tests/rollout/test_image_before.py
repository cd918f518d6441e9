"""Which image a failure puts back: the one that serves, where that can be known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.deployment import Image, Left
from rollout.image_before import Before, image_before, image_that_serves, may_name, not_good
from rollout.roll_back import cannot_roll_back
from rollout.scale_set import ImageReference, Vm

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WEB = "/subscriptions/s/resourceGroups/r/providers/Microsoft.Compute/galleries/g/images/web"
OLD, NEW, THIRD = (ImageReference(id=f"{WEB}/versions/{version}") for version in ("1.0.0", "1.1.0", "1.2.0"))
OPEN, DATABASE = ImageReference(id=WEB), ImageReference(id=f"{WEB}db/versions/1.0.0")
UBUNTU, LATEST = (
    ImageReference(publisher="Canonical", offer="ubuntu-24_04-lts", sku="server", version=version)
    for version in ("24.4.1", "latest")
)
DEBIAN = ImageReference(publisher="Debian", offer="debian-12", sku="12", version="0.20240101.1")


def vms(images: Sequence[ImageReference]) -> list[Vm]:
    return [Vm(f"id-{n}", f"web_{n}", str(n), image, "Succeeded", "running") for n, image in enumerate(images)]


@pytest.mark.parametrize(
    ("model", "running", "pinned", "image", "known"),
    [
        (OLD, [OLD, OLD], NEW, OLD, True),
        (NEW, [OLD, OLD], NEW, OLD, True),  # Terraform has changed the model before the deployment starts.
        (NEW, [OLD, NEW], NEW, OLD, True),  # Autoscale has made a VM of it already.
        (THIRD, [OLD, OLD], NEW, OLD, True),  # The model's was never tried.
        (OPEN, [OLD, OLD], NEW, OLD, True),
        (LATEST, [UBUNTU], UBUNTU, UBUNTU, True),
        (NEW, [NEW, NEW], NEW, NEW, True),  # The same image once more.
        (OLD, [NEW, NEW], NEW, NEW, True),
        (OLD, [OLD, THIRD], NEW, OLD, True),  # Two, but the model names one of them.
        (NEW, [OLD, THIRD], NEW, NEW, False),
        (THIRD, [OLD, DATABASE], NEW, THIRD, False),
        (OPEN, [OLD, THIRD], NEW, OPEN, False),
        (NEW, [OPEN], NEW, NEW, False),  # Azure does not tell the version.
        (UBUNTU, [DEBIAN], LATEST, UBUNTU, False),  # Azure does not let the model take it.
        (OLD, [UBUNTU], NEW, OLD, False),
        (OLD, [], NEW, OLD, True),
        (OLD, [OLD, THIRD], None, OLD, True),  # The image that is asked for is not there.
        (None, [OLD], NEW, None, True),
    ],
)
def test_the_image_before_is_what_all_blue_vms_run_or_the_models_that_some_run(
    model: ImageReference | None,
    running: Sequence[ImageReference],
    pinned: ImageReference | None,
    image: ImageReference | None,
    known: bool,
) -> None:
    found = image_that_serves(model, vms(running), vms(running), pinned)
    assert (found.image, not found.unknown) == (image, known), found


def test_vms_that_unfinished_deployments_launched_do_not_say_which_image_is_good() -> None:
    standing = vms([NEW, NEW, OLD])
    assert image_that_serves(OLD, standing, standing[2:], THIRD) == Before(OLD)
    assert image_that_serves(OLD, standing[:2], [], THIRD) == Before(OLD)
    assert image_that_serves(THIRD, standing[:2], [], THIRD).unknown


@pytest.mark.parametrize(
    ("handed", "left", "model", "running", "previous"),
    [
        (OLD, OLD, OLD, [NEW], NEW),
        (OLD, NEW, NEW, [OLD, NEW], OLD),  # It was not put back; a VM still runs it.
        (OLD, NEW, NEW, [NEW], NEW),  # No VM runs it any more.
        (OLD, OLD, THIRD, [OLD], OLD),  # Somebody has named another since; what serves counts.
        (OLD, NEW, THIRD, [OLD, THIRD], OLD),
        (OPEN, NEW, NEW, [OLD], OPEN),
        (None, OLD, OLD, [OLD], OLD),
        (OLD, None, NEW, [OLD], OLD),
        (OLD, NEW, None, [OLD], None),
    ],
)
def test_the_image_counts_as_long_as_the_model_is_as_it_was_left_and_a_vm_runs_it(
    handed: ImageReference | None,
    left: ImageReference | None,
    model: ImageReference | None,
    running: Sequence[ImageReference],
    previous: ImageReference | None,
) -> None:
    known = Left(4, 0, left, "one", NOW) if left else None
    assert image_before(handed, known, model, vms(running), vms(running), THIRD).image == previous


EXACT = st.sampled_from([OLD, NEW, THIRD, DATABASE, UBUNTU, DEBIAN])
ANY = st.one_of(EXACT, st.sampled_from([OPEN, LATEST]))


@given(ANY, st.lists(st.tuples(ANY, st.booleans()), min_size=1, max_size=5), EXACT)
def test_an_image_that_is_called_known_serves_or_was_there_and_can_be_put_into_the_model(
    model: ImageReference, running: list[tuple[ImageReference, bool]], pinned: ImageReference
) -> None:
    standing = vms([image for image, _ in running])
    blue = [vm for vm, (_, is_blue) in zip(standing, running, strict=True) if is_blue]
    found = image_that_serves(model, standing, blue, pinned)
    assert found.image is not None
    if found.unknown:
        assert found.image == model
        assert cannot_roll_back(Image("1", pinned, found.image, found.unknown))
    else:
        assert found.image.exact
        assert found.image.kind == model.kind or found.image == pinned
        assert not blue or any(vm.image.matches(found.image) for vm in standing)
        assert not found.image.matches(pinned) or all(vm.image.matches(pinned) for vm in blue)


@given(ANY, st.lists(ANY, min_size=1, max_size=5), EXACT)
def test_what_may_be_the_image_that_failed_is_not_good_unless_it_serves(
    model: ImageReference, running: list[ImageReference], pinned: ImageReference
) -> None:
    found = image_that_serves(model, vms(running), vms(running), pinned)
    assert found.image is not None
    bad = not_good(Image("1", pinned, found.image, found.unknown))
    assert bool(bad) == (bool(found.unknown) and may_name(found.image, pinned))


def test_what_a_deployment_before_failed_with_is_not_gone_back_to_though_it_serves() -> None:
    failed = THIRD
    ran = vms([failed, failed])
    assert image_that_serves(OLD, ran, ran, NEW).image == failed
    told = image_that_serves(OLD, ran, ran, NEW, [failed])
    assert (told.image, "failed with 1.2.0" in told.unknown) == (OLD, True)
    told = image_that_serves(failed, ran, ran, NEW, [failed])
    assert (told.image, "failed with 1.2.0" in told.unknown) == (failed, True)
    # Tried once more, on VMs that all run it already.
    assert image_that_serves(OLD, ran, ran, failed, [failed]).image == OLD
    assert image_that_serves(failed, [], [], NEW, [failed]).unknown
    assert not image_that_serves(OLD, [], [], NEW, [failed]).unknown
    handed = image_before(failed, None, OLD, ran, ran, NEW, [failed])
    assert (handed.image, bool(handed.unknown)) == (OLD, True)


def test_a_bad_image_before_is_never_called_restored() -> None:
    assert not_good(Image("1.1.0", NEW, THIRD, "it was judged bad", bad=True))
    assert not not_good(Image("1.2.0", NEW, OLD, "the VMs run several"))
