"""Which image a failure puts back and a roll back brings back: the one that serves, where that can be known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rollout.deployment import Image, Left
from rollout.images import image_of
from rollout.scale_set import ImageReference, Vm


@dataclass(frozen=True)
class Before:
    """The image before a deployment, and what became of what was handed on, in ``words``.

    ``unknown``: why no image is known to be good; empty where ``image`` is. Otherwise ``image`` is only what the model
    named.
    """

    image: ImageReference | None
    unknown: str = ""
    words: tuple[str, ...] = ()


def image_before(
    handed: ImageReference | None,
    left: Left | None,
    model: ImageReference | None,
    standing: Sequence[Vm],
    blue: Sequence[Vm],
    pinned: ImageReference | None,
    given_up: Sequence[ImageReference] = (),
) -> Before:
    """The image before a deployment of ``pinned``, where an unfinished one may have ``handed`` one on.

    That is believed while the model names what it named when it was ``left``, and while a VM of the set runs it.
    ``blue``: the VMs ``standing`` that may have to go and were there before all unfinished deployments. ``given_up``:
    what those failed with.
    """
    if handed is None or model is None or handed.matches(model) or is_among(handed, given_up):
        return image_that_serves(model, standing, blue, pinned, given_up)
    if left is not None and left.image is not None and not left.image.matches(model):
        now = image_that_serves(model, standing, blue, pinned, given_up)
        why = f"the model named {left.image.label} and names {model.label} now: others changed that"
    elif not any(_runs(vm.image, handed) for vm in standing):
        now = image_that_serves(model, standing, blue, pinned, given_up)
        counts = f"{now.image.label} counts" if now.image is not None and not now.unknown else "none is known now"
        why = f"no VM runs {handed.label}, the image before it, any more: {counts}"
    else:
        return Before(handed, words=(f"the image before it was {handed.label}",))
    return Before(now.image, now.unknown, (why,))


def image_that_serves(
    model: ImageReference | None,
    standing: Sequence[Vm],
    blue: Sequence[Vm],
    pinned: ImageReference | None,
    given_up: Sequence[ImageReference] = (),
) -> Before:
    """What all blue VMs run that are not on ``pinned`` yet; else the model's, where a VM runs it and it is another one.

    Whoever changes the model first and starts the deployment then has the new image in the model: that is not the one
    to go back to. Only an exact version is, and of the model's own offer, which a set may not leave; and none that was
    ``given_up``, though VMs run it.
    """
    if model is None:
        return Before(model)
    if not standing:
        return Before(model, _why_unknown(model, (), False, given_up) if is_among(model, given_up) else "")
    others = {vm.image.full_name.lower(): vm.image for vm in blue if pinned is None or not vm.image.matches(pinned)}
    if blue and not others and not is_among(pinned, given_up):
        return Before(pinned)
    if len(others) == 1:
        (serving,) = others.values()
        if serving.exact and _may_take(model, serving) and not is_among(serving, given_up):
            return Before(serving)
    taken = pinned is not None and model.matches(pinned)
    good = model.exact and not taken and not is_among(model, given_up)
    if good and (not blue or any(vm.image.matches(model) for vm in standing)):
        return Before(model)
    return Before(model, _why_unknown(model, list(others.values()), taken, given_up))


def is_among(image: ImageReference | None, images: Sequence[ImageReference]) -> bool:
    """Whether it is one of these."""
    return image is not None and any(image.matches(one) for one in images)


def may_name(reference: ImageReference, pinned: ImageReference) -> bool:
    """Whether VMs that are made from ``reference`` may be of the exact image ``pinned``."""
    return _runs(pinned, reference)


def not_good(image: Image) -> str:
    """Why the image that a failure puts back may be the one that failed; empty where it is not."""
    if image.previous is None or not image.unknown:
        return ""
    if not (image.bad or may_name(image.previous, image.pinned)):
        return ""
    return f"The model names {image.previous.label} as before, and no other image is known to be good: {image.unknown}"


def _why_unknown(
    model: ImageReference, others: Sequence[ImageReference], taken: bool, given_up: Sequence[ImageReference]
) -> str:
    if failed := sorted({one.label for one in (model, *others) if is_among(one, given_up)}):
        return f"a deployment before failed with {' and '.join(failed)}, which the VMs run or the model names"
    labels = " and ".join(sorted(image.label for image in others))
    run = f"the VMs to be replaced run {labels}" if others else "no VM is left that was there before"
    if taken:
        return f"the set's model names {model.label} already, and {run}"
    if not model.exact:
        return f"the set's model names {model.label}, which may be another version now, and {run}"
    return f"no VM runs {model.label}, which the set's model names, and {run}"


def _may_take(model: ImageReference, image: ImageReference) -> bool:
    """Whether Azure lets a model take the image (``rollout.preflight_image``)."""
    one, other = ((it.kind, (it.publisher or "").lower(), (it.offer or "").lower()) for it in (model, image))
    return one == other


def _runs(image: ImageReference, reference: ImageReference) -> bool:
    """A reference that leaves the version open is content with any version of its image."""
    return image.matches(reference) if reference.exact else image_of(image).matches(image_of(reference))
