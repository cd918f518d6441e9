"""Refuse to roll a set to an image in its model that was judged bad."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rollout.model.azure.images import names_version
from rollout.model.azure.scale_set import ImageReference
from rollout.model.findings import Finding, Severity, error, in_order, warning
from rollout.model.rows.danger import DangerRecord


def check_bad_image(
    danger: DangerRecord | None, requested: str | None, pinned: ImageReference | None
) -> Iterator[Finding]:
    """``danger``: of the image in the model. Whoever names the very version means it; any other image may be started.

    ``requested``: the request's own words; ``pinned``: the version that they mean, ``None``: there is none.
    """
    if danger is None or danger.image is None:
        return
    meant = pinned is not None and pinned.matches(danger.image)
    if requested is not None and not meant:
        return
    label = danger.image.label
    if requested is not None and names_version(requested):
        yield warning(
            "modelNamesBadImage",
            f"{label} is what {danger.deployment_id} could not finish with, and what the set's model names since",
            "Go on only if what was wrong is mended; or deploy another version",
            "image",
        )
    else:
        wanted = "No image is named, and the set's model" if requested is None else f"{requested} is {label}, and that"
        verb = f"names {label}, which" if requested is None else "is what"
        yield error(
            "modelNamesBadImage",
            f"{wanted} {verb} {danger.deployment_id} could not finish with",
            "Deploy another version, or name a good image in the set's model first; to try this one again, name it",
            "image",
        )


def for_nobody(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings of a start that a clock asks for: it means no version in spite of a warning, as a person may."""
    return in_order(
        replace(found, severity=Severity.ERROR) if found.code == "modelNamesBadImage" else found for found in findings
    )
