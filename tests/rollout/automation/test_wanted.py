"""Which wanted version is deployed, and what becomes of the others."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.automation.tries import TriedVersion
from rollout.automation.wanted import VersionDecision, VersionFate, VersionSurvey, decide, started
from rollout.model.azure.images import version_key
from rollout.model.azure.scale_set import ImageReference, PublishedVersion
from rollout.model.rows.danger import DangerRecord
from rollout.model.rows.wanted import WantedVersion
from rollout.model.timeline import Standstill

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=6)
STATES = ("Succeeded", "Creating", "Updating", "Failed", "Deleting")


def version(
    name: str, region: str | None = "Completed", *, state: str = "Succeeded", excluded: bool = False
) -> PublishedVersion:
    regions = {} if region is None else {"westeurope": region}
    return PublishedVersion(f"/v/{name}", name, provisioning_state=state, exclude_from_latest=excluded, regions=regions)


def want(name: str, since: datetime = NOW, deadline: datetime = LATER, key: str = "") -> WantedVersion:
    return WantedVersion("web", "/images/web", name, key or f"key-{name}", since, deadline)


def seen(
    *versions: PublishedVersion,
    running: str | None = "1.0.0",
    deployed: tuple[TriedVersion, ...] = (),
    under_way: str = "",
) -> VersionSurvey:
    return VersionSurvey(deployed, under_way, versions, "West Europe", running)


def decisions(
    *versions: PublishedVersion, running: str | None = "1.0.0", under_way: str = "", now: datetime = NOW
) -> dict[str, VersionDecision]:
    known = seen(*versions, running=running, under_way=under_way)
    return {one.version: one for one in decide([want(one.name) for one in versions], known, now)}


def lots(
    *versions: PublishedVersion, running: str | None = "1.0.0", under_way: str = "", now: datetime = NOW
) -> list[VersionFate]:
    decided = decisions(*versions, running=running, under_way=under_way, now=now)
    return [decided[one.name].lot for one in versions]


@pytest.mark.parametrize(
    ("published", "lot"),
    [
        (version("1.1.0"), VersionFate.START),
        (version("1.10.0"), VersionFate.START),
        (version("1.0.0"), VersionFate.IGNORED),
        (version("0.9.9"), VersionFate.IGNORED),
        (version("1.1.0", excluded=True), VersionFate.IGNORED),
        (replace(version("1.1.0"), excluded_regions=frozenset({"westeurope"})), VersionFate.IGNORED),
        (version("1.1.0", state="Creating"), VersionFate.WAITING),
        (version("1.1.0", state="Updating"), VersionFate.WAITING),
        (version("1.1.0", state="Failed"), VersionFate.FAILED),
        (version("1.1.0", "Replicating"), VersionFate.WAITING),
        (version("1.1.0", "Unknown"), VersionFate.WAITING),
        (version("1.1.0", None), VersionFate.WAITING),
        (version("1.1.0", "Failed"), VersionFate.FAILED),
    ],
)
def test_one_version(published: PublishedVersion, lot: VersionFate) -> None:
    assert lots(published) == [lot]


def test_a_group_of_another_image_gets_any_version() -> None:
    assert lots(version("0.1.0"), running=None) == [VersionFate.START]


def test_what_waits_at_its_deadline_fails_and_says_what_it_waited_for() -> None:
    assert lots(version("1.1.0", "Replicating"), now=LATER - timedelta(seconds=1)) == [VersionFate.WAITING]
    decided = decisions(version("1.1.0", "Replicating"), now=LATER)["1.1.0"]
    reason = "Its replication to West Europe is Replicating at its deadline, 2026-01-01T06:00:00.000Z"
    assert decided == VersionDecision("1.1.0", VersionFate.FAILED, reason)


def test_a_version_that_is_ready_starts_past_its_deadline_and_waits_for_a_deployment_past_it() -> None:
    assert lots(version("1.1.0"), now=LATER + timedelta(hours=1)) == [VersionFate.START]
    assert lots(version("1.1.0"), version("1.0.1"), under_way="web-1", now=LATER) == [
        VersionFate.WAITING,
        VersionFate.WAITING,
    ]
    assert lots(version("1.1.0", "Replicating"), under_way="web-1", now=LATER) == [VersionFate.WAITING]


def test_each_notification_of_a_version_gives_it_more_time() -> None:
    rows = [want("1.1.0", deadline=NOW, key="a"), want("1.1.0", deadline=LATER, key="b")]
    known = seen(version("1.1.0", "Replicating"))
    assert [one.lot for one in decide(rows, known, NOW)] == [VersionFate.WAITING]
    assert [one.lot for one in decide(rows, known, LATER)] == [VersionFate.FAILED]


def test_a_version_that_the_gallery_does_not_have_is_asked_for_again_until_its_deadline() -> None:
    assert decide([want("9.0.0")], seen(), NOW) == (
        VersionDecision("9.0.0", VersionFate.WAITING, "The gallery has no version 9.0.0 yet"),
    )
    assert [one.lot for one in decide([want("9.0.0")], seen(), LATER)] == [VersionFate.FAILED]


def test_time_in_which_nobody_looked_is_given_back_to_a_version() -> None:
    rows, known = [want("1.1.0")], seen(version("1.1.0", "Replicating"))
    standstills = (Standstill(NOW + timedelta(hours=1), LATER + timedelta(days=10)),)
    later = LATER + timedelta(days=10)
    assert [one.lot for one in decide(rows, known, later, standstills)] == [VersionFate.WAITING]
    (failed,) = decide(rows, known, later + (LATER - NOW), standstills)
    assert (failed.lot, "nobody looked for a while" in failed.reason) == (VersionFate.FAILED, True)


def test_the_newest_starts_and_older_ones_wait_behind_it() -> None:
    decided = decisions(version("1.2.0"), version("1.10.0"), version("1.9.0", "Replicating"))
    assert decided["1.10.0"].lot is VersionFate.START
    for older in ("1.9.0", "1.2.0"):
        assert decided[older] == VersionDecision(older, VersionFate.WAITING, "Version 1.10.0 is newer, and goes first")


def test_a_version_that_is_ready_does_not_wait_for_a_newer_one_s_replication() -> None:
    assert lots(version("1.2.0"), version("1.3.0", "Replicating")) == [VersionFate.START, VersionFate.WAITING]


def test_a_newer_version_that_comes_to_nothing_is_not_waited_for() -> None:
    found = lots(version("1.2.0"), version("1.3.0", excluded=True), version("1.4.0", state="Failed"))
    assert found == [VersionFate.START, VersionFate.IGNORED, VersionFate.FAILED]


def test_while_a_deployment_is_under_way_nothing_starts() -> None:
    decided = decide([want("1.2.0"), want("0.1.0")], VersionSurvey(under_way="Deployment web-1 is deploying"), NOW)
    reason = "Deployment web-1 is deploying"
    assert decided == (
        VersionDecision("1.2.0", VersionFate.WAITING, reason, unwatched=True),
        VersionDecision("0.1.0", VersionFate.WAITING, reason, unwatched=True),
    )


@pytest.mark.parametrize(
    ("at", "decided"),
    [
        (NOW, VersionDecision("1.1.0", VersionFate.STARTED, "Deployment web-2 deploys it", "web-2")),
        (LATER, VersionDecision("1.1.0", VersionFate.STARTED, "Deployment web-2 deploys it", "web-2")),
        (
            NOW - timedelta(hours=1),
            VersionDecision("1.1.0", VersionFate.IGNORED, "It was deployed before: web-2 is rolledBack"),
        ),
    ],
)
def test_a_version_gets_one_try(at: datetime, decided: VersionDecision) -> None:
    before = TriedVersion("web-1", "1.1.0", NOW - timedelta(days=1), "failed")
    other = TriedVersion("web-3", "1.2.0", LATER, "finished")
    known = seen(version("1.1.0"), deployed=(other, TriedVersion("web-2", "1.1.0", at, "rolledBack"), before))
    assert decide([want("1.1.0")], known, NOW) == (decided,)


@pytest.mark.parametrize(
    ("published_at", "lot"),
    [
        (None, VersionFate.IGNORED),
        (NOW - timedelta(days=2), VersionFate.IGNORED),
        (NOW - timedelta(hours=1), VersionFate.START),
    ],
)
def test_a_version_that_was_published_anew_under_its_name_is_a_new_one(
    published_at: datetime | None, lot: VersionFate
) -> None:
    before = TriedVersion("web-1", "1.1.0", NOW - timedelta(days=1), "rolledBack")
    again = replace(version("1.1.0"), published_at=published_at)
    assert [one.lot for one in decide([want("1.1.0")], seen(again, deployed=(before,)), NOW)] == [lot]


def test_what_was_tried_is_told_once_the_gallery_can_be_asked() -> None:
    before = TriedVersion("web-1", "1.1.0", NOW - timedelta(days=1), "rolledBack")
    (busy,) = decide([want("1.1.0")], VersionSurvey((before,), "Deployment web-2 is deploying"), NOW)
    assert busy == VersionDecision("1.1.0", VersionFate.WAITING, "Deployment web-2 is deploying", unwatched=True)


def test_a_start_settles_its_version_and_older_ones() -> None:
    rows = [want("1.9.0"), want("1.10.0", key="a"), want("1.10.0", key="b"), want("1.11.0")]
    assert started(rows, "1.10.0", "web-1") == (
        VersionDecision("1.10.0", VersionFate.STARTED, "Deployment web-1 deploys it", "web-1"),
        VersionDecision("1.9.0", VersionFate.SUPERSEDED, "Version 1.10.0 is newer, and was deployed instead"),
    )


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
    st.sampled_from(["", "web-1"]),
)
def test_each_version_has_one_lot_and_only_what_can_be_deployed_starts(
    published: list[PublishedVersion], running: str | None, under_way: str
) -> None:
    decided = decisions(*published, running=running, under_way=under_way)
    assert set(decided) == {one.name for one in published}
    fit = {
        one.name
        for one in published
        if one.provisioning_state == "Succeeded"
        and not one.exclude_from_latest
        and one.regions == {"westeurope": "Completed"}
        and (running is None or version_key(one.name) > version_key(running))
    }
    if under_way:
        assert {one.lot for one in decided.values()} <= {VersionFate.WAITING}
        return
    newest = {max(fit, key=version_key)} if fit else set()
    assert {name for name, one in decided.items() if one.lot is VersionFate.START} == newest
    assert all(decided[name].lot is VersionFate.WAITING for name in fit - newest)


def test_a_version_that_the_model_names_because_it_failed_is_not_tried_again_and_holds_back_no_other() -> None:
    image = "/subscriptions/s/galleries/g/images/web"
    bad = DangerRecord(
        "/sets/web", "modelNamesBadImage", NOW, "web-1", "bad", image=ImageReference(id=f"{image}/versions/1.1.0")
    )

    def lot(name: str, published: datetime | None = None) -> VersionFate:
        there = ImageReference(id=f"{image}/versions/{name}")
        found = replace(version(name), reference=there, published_at=published)
        known = replace(seen(found, running="1.0.0"), danger=bad)
        (decided,) = decide([want(name)], known, NOW)
        return decided.lot

    assert [lot("1.1.0"), lot("1.1.0", NOW), lot("1.0.5"), lot("1.2.0")] == [
        VersionFate.IGNORED,
        VersionFate.IGNORED,
        VersionFate.START,
        VersionFate.START,
    ]
    assert lot("1.1.0", LATER) is VersionFate.START
