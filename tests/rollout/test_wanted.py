"""Which wanted version is deployed, and what becomes of the others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.images import version_key
from rollout.scale_set import ImageVersion
from rollout.wanted import Decided, Lot, Wanted, decide

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=6)
STATES = ("Succeeded", "Creating", "Updating", "Failed", "Deleting")


def version(
    name: str, region: str | None = "Completed", *, state: str = "Succeeded", excluded: bool = False
) -> ImageVersion:
    regions = {} if region is None else {"westeurope": region}
    return ImageVersion(f"/v/{name}", name, provisioning_state=state, exclude_from_latest=excluded, regions=regions)


def want(name: str) -> Wanted:
    return Wanted("web", "/images/web", name, f"key-{name}", NOW, LATER)


def lots(
    *versions: ImageVersion, running: str | None = "1.0.0", deployment: str | None = None, now: datetime = NOW
) -> dict[str, Lot]:
    wanted = [want(one.name) for one in versions]
    decided = decide(wanted, versions, region="West Europe", running=running, deployment=deployment, now=now)
    return {one.version: one.lot for one in decided}


@pytest.mark.parametrize(
    ("published", "lot"),
    [
        (version("1.1.0"), Lot.START),
        (version("1.10.0"), Lot.START),
        (version("1.0.0"), Lot.IGNORED),
        (version("0.9.9"), Lot.IGNORED),
        (version("1.1.0", excluded=True), Lot.IGNORED),
        (version("1.1.0", state="Creating"), Lot.WAITING),
        (version("1.1.0", state="Updating"), Lot.WAITING),
        (version("1.1.0", state="Failed"), Lot.FAILED),
        (version("1.1.0", "Replicating"), Lot.WAITING),
        (version("1.1.0", "Unknown"), Lot.WAITING),
        (version("1.1.0", None), Lot.WAITING),
        (version("1.1.0", "Failed"), Lot.FAILED),
    ],
)
def test_one_version(published: ImageVersion, lot: Lot) -> None:
    assert lots(published) == {published.name: lot}


def test_what_waits_at_its_deadline_fails_and_says_what_it_waited_for() -> None:
    assert lots(version("1.1.0", "Replicating"), now=LATER - timedelta(seconds=1)) == {"1.1.0": Lot.WAITING}
    (decided,) = decide(
        [want("1.1.0")],
        [version("1.1.0", "Replicating")],
        region="westeurope",
        running=None,
        deployment=None,
        now=LATER,
    )
    reason = "Its replication to westeurope is Replicating at its deadline, 2026-01-01T06:00:00+00:00"
    assert decided == Decided("1.1.0", Lot.FAILED, reason)


def test_a_version_that_is_ready_starts_past_its_deadline_too() -> None:
    assert lots(version("1.1.0"), now=LATER + timedelta(hours=1)) == {"1.1.0": Lot.START}


def test_a_version_that_the_gallery_does_not_have_is_ignored() -> None:
    (decided,) = decide([want("9.0.0")], [], region="r", running=None, deployment=None, now=NOW)
    assert decided.lot is Lot.IGNORED


def test_the_newest_starts_and_older_ones_are_superseded() -> None:
    found = lots(version("1.2.0"), version("1.10.0"), version("1.9.0", "Replicating"))
    assert found == {"1.10.0": Lot.START, "1.9.0": Lot.SUPERSEDED, "1.2.0": Lot.SUPERSEDED}


def test_a_version_that_is_ready_does_not_wait_for_a_newer_one_s_replication() -> None:
    assert lots(version("1.2.0"), version("1.3.0", "Replicating")) == {"1.3.0": Lot.WAITING, "1.2.0": Lot.START}


def test_a_newer_version_that_comes_to_nothing_supersedes_nothing() -> None:
    found = lots(version("1.2.0"), version("1.3.0", excluded=True), version("1.4.0", state="Failed"))
    assert found == {"1.4.0": Lot.FAILED, "1.3.0": Lot.IGNORED, "1.2.0": Lot.START}


def test_while_a_deployment_is_under_way_only_the_newest_waits() -> None:
    found = lots(version("1.2.0"), version("1.3.0"), deployment="web-1")
    assert found == {"1.3.0": Lot.WAITING, "1.2.0": Lot.SUPERSEDED}


versions = st.builds(
    version,
    st.integers(0, 12).map(lambda number: f"1.{number}.0"),
    st.sampled_from([None, "Completed", "Replicating", "Failed"]),
    state=st.sampled_from(STATES),
    excluded=st.booleans(),
)


@given(
    st.lists(versions, unique_by=lambda one: one.name),
    st.sampled_from([None, "1.0.0", "1.5.0"]),
    st.sampled_from([None, "web-1"]),
)
def test_each_version_has_one_lot_and_only_what_can_be_deployed_starts(
    published: list[ImageVersion], running: str | None, deployment: str | None
) -> None:
    found = lots(*published, running=running, deployment=deployment)
    assert set(found) == {one.name for one in published}
    fit = {
        one.name
        for one in published
        if one.provisioning_state == "Succeeded"
        and not one.exclude_from_latest
        and one.regions == {"westeurope": "Completed"}
        and (running is None or version_key(one.name) > version_key(running))
    }
    newest = {max(fit, key=version_key)} if fit and deployment is None else set()
    assert {name for name, lot in found.items() if lot is Lot.START} == newest
