"""Tries: an image version once deployed to a set never starts by itself again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from rollout.model.azure.scale_set import ImageReference, PublishedVersion
from rollout.model.rows.deployment import Deployment
from rollout.model.rows.tries import Try

_GALLERY_VERSION = re.compile(r"(/.+/galleries/[^/]+/images/[^/]+)/versions/([0-9.]+)")


@dataclass(frozen=True)
class TriedVersion:
    """A deployment that has moved the group to a version, or tried to; ``standing`` says how far it is, in words."""

    deployment_id: str
    version: str
    at: datetime
    standing: str


def version_id(reference: ImageReference) -> str:
    """The id of the gallery version that is named, in lower case; empty: something else is, or no version.

    >>> version_id(ImageReference(id="/subscriptions/s/providers/x/galleries/G/images/Web/versions/1.1.0"))
    '/subscriptions/s/providers/x/galleries/g/images/web/versions/1.1.0'
    """
    named = (reference.id or "").lower()
    return named if _GALLERY_VERSION.fullmatch(named) else ""


def try_of(row: Deployment) -> Try | None:
    """The version that a deployment tries; ``None``: none of a gallery."""
    named = version_id(row.image.pinned)
    return Try(row.scale_set_id.lower(), named, row.id, row.created_at) if named else None


def counts(row: Deployment) -> bool:
    """True if the deployment was a try: one that could not be started was none."""
    return not (row.status.ended and row.sequence == 0)


def outcome(one: Try, row: Deployment | None) -> TriedVersion | None:
    """The outcome of a try; ``row`` is its deployment's. ``None``: it was none.

    The try is written between the row and the start. A deployment that had to wait may have moved on to the image that
    the set's model had by then.
    """
    standing = one.standing
    if row is not None:
        standing = str(row.status) if counts(row) and version_id(row.image.pinned) == one.version_id else ""
    name = one.version_id.rpartition("/")[2]
    return TriedVersion(one.deployment_id, name, one.at, standing) if standing else None


def is_newer(version: PublishedVersion, tried: TriedVersion) -> bool:
    """True if the version was deleted, and published again under its name, after it was tried.

    A write to a version, of its tags or regions, leaves the date on which it was published.
    """
    return version.published_at is not None and version.published_at > tried.at


def images_of(tries: Iterable[Try]) -> tuple[str, ...]:
    """The images of which versions were tried."""
    return tuple(sorted({one.image_id for one in tries}))


def without_version(tries: Iterable[Try], image_id: str, names: Iterable[str]) -> tuple[Try, ...]:
    """Those of the image's tries whose version its gallery does not have any more; ``names`` are those that it has."""
    there = {f"{image_id}/versions/{name}".lower() for name in names}
    return tuple(one for one in tries if one.image_id == image_id and one.version_id not in there)
