"""What both stores promise: values come back as they went, in their order, from where their ids say."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rollout.model.azure.evidence import LOG_LENGTH, VmEvidence
from rollout.model.azure.scale_set import ImageReference
from rollout.model.choices import HealthCheckType
from rollout.model.group import Defaults, Group, SignalRule, SignalType
from rollout.model.names import deployment_id
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import (
    Batch,
    Deployment,
    Event,
    Image,
    Intent,
    IntentKind,
    Problem,
    Reading,
    VmRecord,
)
from rollout.model.rows.group_state import GroupState, HealthCount, ImageCount
from rollout.model.rows.health_part import HealthPart, VmHealthWord
from rollout.model.rows.holds import Hold, HoldKind, ProcessHold
from rollout.model.rows.lock import Lock
from rollout.model.rows.signals import Signal
from rollout.model.status import Color, Phase, Status, VmStatus
from rollout.ports.store import Store

START = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
ID = deployment_id("web", START, "1a2b3c")
SCALE_SET = "/subscriptions/0/resourceGroups/demo/providers/Microsoft.Compute/virtualMachineScaleSets/web"


def deployment(at: datetime = START, token: str = "1a2b3c", group_id: str = "web") -> Deployment:
    image = Image("1.1.0", ImageReference(id="/galleries/apps/images/web/versions/1.1.0"), ImageReference(id="old"))
    return Deployment(
        deployment_id(group_id, at, token), group_id, SCALE_SET, Parameters("1.1.0", comment="release 42"), image, at
    )


def vm(number: int, batch: int = 1, color: Color = Color.BLUE) -> VmRecord:
    return VmRecord(f"{number:08x}-0000-4000-8000-000000000000", f"web_{number}", color, batch, VmStatus.RUNNING)


class TestGroups:
    async def test_a_group_comes_back_as_it_went(self, store: Store) -> None:
        group = Group(
            "web",
            SCALE_SET,
            "/galleries/apps/images/web",
            (HealthCheckType.VM_STATE, HealthCheckType.APPLICATION_HEALTH),
            timedelta(seconds=90),
            Defaults(batch_size_percentage=10, grace_period=timedelta(minutes=5)),
            START,
            START + timedelta(milliseconds=1500),
        )
        await store.groups.put(group)
        assert await store.groups.get("web") == group

    async def test_put_replaces_the_whole_row(self, store: Store) -> None:
        await store.groups.put(Group("web", SCALE_SET, image_id="/images/web"))
        await store.groups.put(Group("web", SCALE_SET))
        assert await store.groups.get("web") == Group("web", SCALE_SET)

    async def test_groups_are_listed_by_id(self, store: Store) -> None:
        for group_id in ("web", "api", "web-2"):
            await store.groups.put(Group(group_id, SCALE_SET))
        assert [group.id for group in await store.groups.list()] == ["api", "web", "web-2"]

    async def test_a_deleted_group_is_gone_and_deleting_it_again_does_nothing(self, store: Store) -> None:
        await store.groups.put(Group("web", SCALE_SET))
        await store.groups.delete("web")
        await store.groups.delete("web")
        assert await store.groups.get("web") is None
        assert await store.groups.list() == ()

    @pytest.mark.parametrize("group_id", ["web/../api", "o'neil", "50%", "größe", "#?\\", "a b"])
    async def test_what_is_no_group_id_finds_nothing(self, store: Store, group_id: str) -> None:
        await store.groups.put(Group("web", SCALE_SET))
        assert await store.groups.get(group_id) is None


class TestDeployments:
    async def test_a_deployment_comes_back_as_it_went(self, store: Store) -> None:
        row = replace(
            deployment(),
            status=Status.FAILED,
            settled=False,
            sequence=2**40,
            started_at=START,
            ended_at=START + timedelta(hours=1),
            error=Problem("batchUnhealthy", "Batch 1 of 5: 0 of 2 VMs healthy after 300 s"),
        )
        assert await store.deployments.add(row)
        assert await store.deployments.get(row.id) == row

    async def test_a_second_row_of_an_id_is_not_added(self, store: Store) -> None:
        assert await store.deployments.add(deployment())
        assert not await store.deployments.add(replace(deployment(), reason="another"))
        assert await store.deployments.get(ID) == deployment()

    @pytest.mark.parametrize("text", ["", "web", "web-20261123T081500Z-1A2B3C", "web-20269923T081500Z-1a2b3c", "a/b"])
    async def test_an_id_that_is_no_id_finds_nothing_and_is_never_added(self, store: Store, text: str) -> None:
        assert await store.deployments.get(text) is None
        with pytest.raises(KeyError):
            await store.deployments.change(text, lambda row: row)
        with pytest.raises(ValueError, match="no deployment's id"):
            await store.deployments.add(replace(deployment(), id=text))

    async def test_changing_a_row_that_is_not_there_is_a_key_error(self, store: Store) -> None:
        with pytest.raises(KeyError):
            await store.deployments.change(ID, lambda row: row)

    async def test_a_change_is_answered_and_kept(self, store: Store) -> None:
        await store.deployments.add(deployment())
        changed = await store.deployments.change(ID, lambda row: replace(row, progress=row.progress + 40))
        assert changed.progress == 40
        assert await store.deployments.get(ID) == changed

    async def test_a_change_can_empty_a_field(self, store: Store) -> None:
        await store.deployments.add(replace(deployment(), error=Problem("code", "words"), reason="long" * 10_000))
        await store.deployments.change(ID, lambda row: replace(row, error=None, reason=""))
        assert await store.deployments.get(ID) == deployment()

    async def test_the_newest_come_first_and_only_of_the_group(self, store: Store) -> None:
        for minutes in (2, 0, 3, 1):
            await store.deployments.add(deployment(START + timedelta(minutes=minutes)))
        await store.deployments.add(deployment(START + timedelta(days=1), group_id="web-2"))
        newest = await store.deployments.newest("web", 3)
        assert [row.created_at - START for row in newest] == [timedelta(minutes=m) for m in (3, 2, 1)]
        everything = await store.deployments.newest("web", 100)
        assert len(everything) == 4
        assert await store.deployments.newest("web", 2, everything[0].id) == everything[1:3]
        assert await store.deployments.newest("web", 2, everything[3].id) == ()
        assert await store.deployments.newest("api", 100) == ()
        assert await store.deployments.newest("web", 0) == ()

    async def test_those_of_some_statuses_are_found_however_many_others_came_after_them(self, store: Store) -> None:
        statuses = [Status.FAILED, *[Status.FINISHED] * 30, Status.PAUSED, Status.FAILED, Status.FINISHED]
        rows = [
            replace(deployment(START + timedelta(minutes=minute)), status=status)
            for minute, status in enumerate(statuses)
        ]
        for row in rows:
            await store.deployments.add(row)
        asked = {"paused", "failed"}
        assert await store.deployments.listed("web", 2, statuses=asked) == (rows[32], rows[31])
        assert await store.deployments.listed("web", 9, rows[31].id, asked) == (rows[0],)
        assert await store.deployments.listed("web", 9, statuses={"queued"}) == ()

    async def test_the_newest_come_first_across_centuries(self, store: Store) -> None:
        times = [datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC) for year in (1969, 1999, 2026, 2286, 9999)]
        for at in times:
            await store.deployments.add(deployment(at))
        assert [row.created_at for row in await store.deployments.newest("web", 10)] == times[::-1]


class TestBatches:
    async def test_batches_are_listed_by_number(self, store: Store) -> None:
        batches = [Batch(number, 2, 2, Phase.LAUNCHED, launched_at=START) for number in range(1, 121)]
        await store.batches.put(ID, batches[::-1])
        await store.batches.put("other", [Batch(7, 1, 1)])
        assert await store.batches.list(ID) == tuple(batches)
        assert await store.batches.get(ID, 7) == batches[6]

    async def test_a_batch_that_is_not_there_is_none_and_cannot_be_changed(self, store: Store) -> None:
        assert await store.batches.get(ID, 1) is None
        with pytest.raises(KeyError):
            await store.batches.change(ID, 1, lambda batch: batch)

    async def test_a_change_is_answered_and_kept(self, store: Store) -> None:
        await store.batches.put(ID, [Batch(1, 2, 2), Batch(2, 2, 2)])
        changed = await store.batches.change(ID, 2, lambda batch: replace(batch, phase=Phase.HEALTHY))
        assert changed == Batch(2, 2, 2, Phase.HEALTHY)
        assert await store.batches.list(ID) == (Batch(1, 2, 2), changed)


class TestGroupStates:
    async def test_a_state_is_made_at_its_first_change_and_comes_back_as_it_went(self, store: Store) -> None:
        assert await store.group_states.get("web") is None
        image = ImageCount(ImageReference(id="/images/web/versions/1.0.0"), 3)
        made = GroupState("web", "/scale/Set", START, vms=3, images=(image,), health=HealthCount(2, 1, 0))
        seen: list[GroupState | None] = []

        def change(row: GroupState | None) -> GroupState:
            seen.append(row)
            return made if row is None else replace(row, vms=4)

        assert await store.group_states.change("web", change) == made
        assert await store.group_states.get("web") == made
        assert await store.group_states.change("web", change) == replace(made, vms=4)
        assert seen == [None, made]

    async def test_they_are_listed_and_forgotten(self, store: Store) -> None:
        for name in ("web", "api"):
            await store.group_states.change(name, lambda row, name=name: GroupState(name, "/set"))  # type: ignore[misc]
        assert [row.group_id for row in await store.group_states.list()] == ["api", "web"]
        await store.group_states.delete("web")
        await store.group_states.delete("web")
        assert [row.group_id for row in await store.group_states.list()] == ["api"]


class TestVms:
    async def test_a_vm_comes_back_as_it_went(self, store: Store) -> None:
        reading = Reading(HealthCheckType.APPLICATION_HEALTH, "unhealthy", "the probe answers 503", START)
        row = replace(vm(1), zone="2", readings=(reading, reading), updated_at=START)
        await store.vms.put(ID, [row])
        assert await store.vms.list(ID) == (row,)

    async def test_vms_are_listed_by_batch_and_blue_before_green(self, store: Store) -> None:
        rows = [vm(n, batch, color) for batch in (0, 1, 2, 10) for color in Color for n in (1, 2)]
        await store.vms.put(ID, rows[::-1])
        assert await store.vms.list(ID) == tuple(rows)

    async def test_the_vms_of_one_batch_are_those_of_no_other(self, store: Store) -> None:
        await store.vms.put(ID, [vm(n, batch=n) for n in range(25)])
        await store.vms.put("other", [vm(1)])
        assert await store.vms.list(ID, 1) == (vm(1, batch=1),)
        assert await store.vms.list(ID, 2) == (vm(2, batch=2),)
        assert await store.vms.list(ID, 99) == ()

    async def test_vms_of_others_are_shown_and_have_no_part(self, store: Store) -> None:
        own = tuple(vm(n, batch) for batch in (0, 1, 99_999) for n in (1, 2))
        other = replace(vm(3, 0), color=None)
        await store.vms.put(ID, [other, *own])
        assert await store.vms.list(ID) == own
        assert await store.vms.list(ID, 0) == own[:2]
        assert await store.vms.all(ID) == (*own, other)
        everything, mark = await store.vms.since(ID, "")
        assert other in everything
        gone = await store.vms.change(ID, other, lambda row: replace(row, trouble="gone"))
        assert (await store.vms.since(ID, mark))[0] == (gone,)

    async def test_only_those_come_that_were_written_since(self, store: Store) -> None:
        await store.vms.put(ID, [vm(n) for n in range(250)])
        everything, mark = await store.vms.since(ID, "")
        assert len(everything) == 250
        assert await store.vms.since(ID, mark) == ((), mark)
        await store.vms.put(ID, [replace(vm(n), reason="new") for n in range(3)])
        found, later = await store.vms.since(ID, mark)
        assert sorted(one.vm_id for one in found) == sorted(vm(n).vm_id for n in range(3))
        assert later > mark
        assert await store.vms.since(ID, later) == ((), later)
        assert await store.vms.since("web-20261123T081500Z-ffffff", "") == ((), "")

    async def test_900_vms_are_put_and_listed(self, store: Store) -> None:
        rows = tuple(vm(n, 1 + n // 90) for n in range(900))
        await store.vms.put(ID, rows)
        assert await store.vms.list(ID) == rows
        assert await store.vms.list(ID, 10) == rows[810:]

    async def test_more_vms_than_fit_one_page_are_all_listed(self, store: Store) -> None:
        rows = tuple(vm(n) for n in range(2100))
        await store.vms.put(ID, rows)
        assert await store.vms.list(ID) == rows

    async def test_put_adds_and_replaces_and_the_last_of_two_wins(self, store: Store) -> None:
        healthy = replace(vm(1), status=VmStatus.HEALTHY)
        await store.vms.put(ID, [vm(1)])
        await store.vms.put(ID, [vm(1), vm(2), healthy])
        await store.vms.put(ID, [])
        assert await store.vms.list(ID) == (healthy, vm(2))

    async def test_a_change_of_a_vm_that_lost_a_race_is_made_to_what_the_other_wrote(self, store: Store) -> None:
        await store.vms.put(ID, [vm(1), vm(2)])

        async def mark() -> None:
            await store.vms.change(ID, vm(1), lambda row: replace(row, evidence=True))

        async def rename(number: int) -> None:
            await store.vms.change(ID, vm(1), lambda row: replace(row, reason=f"{row.reason}{number}"))

        await asyncio.gather(mark(), rename(1), rename(1), rename(1))
        assert await store.vms.list(ID) == (replace(vm(1), evidence=True, reason="111"), vm(2))

    async def test_a_vm_without_a_row_cannot_be_changed(self, store: Store) -> None:
        with pytest.raises(KeyError):
            await store.vms.change(ID, vm(1), lambda row: row)

    async def test_a_vm_id_in_another_case_is_the_same_vm(self, store: Store) -> None:
        await store.vms.put(ID, [vm(0xABC)])
        upper = replace(vm(0xABC), vm_id=vm(0xABC).vm_id.upper())
        await store.vms.put(ID, [upper])
        assert await store.vms.list(ID) == (upper,)


class TestEvents:
    async def test_events_come_in_sequence_after_any_number(self, store: Store) -> None:
        events = [
            Event(n, START, "BatchHealthy", f"Batch {n}", n, {"vms": [n], "née": {"ok": True}}) for n in (1, 2, 3)
        ]
        for event in (events[2], events[0], events[1]):
            await store.events.put(ID, event)
        assert await store.events.list(ID) == tuple(events)
        assert await store.events.list(ID, after=1) == tuple(events[1:])
        assert await store.events.list(ID, after=1, limit=1) == (events[1],)
        assert await store.events.list(ID, after=-5, limit=1) == (events[0],)
        assert await store.events.list(ID, after=10**30) == ()
        assert await store.events.list("other") == ()

    async def test_an_event_that_is_put_again_is_replaced(self, store: Store) -> None:
        await store.events.put(ID, Event(1, START, "Started", "first", data={"a": 1}))
        await store.events.put(ID, Event(1, START, "Started", "second"))
        assert await store.events.list(ID) == (Event(1, START, "Started", "second"),)
        assert not await store.events.add(ID, Event(1, START, "Started", "third"))
        assert await store.events.list(ID) == (Event(1, START, "Started", "second"),)
        assert await store.events.add(ID, Event(2, START, "Went", "on"))
        assert len(await store.events.list(ID)) == 2

    async def test_more_events_than_fit_one_page_come_up_to_the_limit(self, store: Store) -> None:
        await asyncio.gather(*(store.events.put(ID, Event(n, START, "Polled", "")) for n in range(1, 1102)))
        assert [event.sequence for event in await store.events.list(ID)] == list(range(1, 1001))
        assert [event.sequence for event in await store.events.list(ID, after=1000)] == [*range(1001, 1102)]
        assert [event.sequence for event in await store.events.list(ID, limit=1050)] == list(range(1, 1051))


class TestIntents:
    async def test_intents_come_by_batch_kind_and_number(self, store: Store) -> None:
        keys = [(b, kind, n) for b in (0, 1, 2, 10) for kind in sorted(IntentKind) for n in (1, 2, 10)]
        intents = [Intent(kind, batch, number, START) for batch, kind, number in keys]
        for intent in intents[::-1]:
            await store.intents.put(ID, intent)
        assert await store.intents.list(ID) == tuple(intents)
        assert await store.intents.list(ID, 1) == tuple(intent for intent in intents if intent.batch == 1)
        assert await store.intents.list(ID, 5) == ()

    async def test_an_intent_to_delete_900_vms_comes_back_whole(self, store: Store) -> None:
        intent = Intent(IntentKind.DELETE, 1, 1, START, vm_ids=tuple(vm(n).vm_id for n in range(900)))
        await store.intents.put(ID, intent)
        assert await store.intents.list(ID) == (intent,)

    async def test_an_intent_that_is_put_again_is_replaced(self, store: Store) -> None:
        await store.intents.put(ID, Intent(IntentKind.IMAGE, 0, 1, START, image=ImageReference(id="a")))
        await store.intents.put(ID, Intent(IntentKind.IMAGE, 0, 1, START, etag='"7"'))
        assert await store.intents.list(ID) == (Intent(IntentKind.IMAGE, 0, 1, START, etag='"7"'),)


class TestLocks:
    async def test_the_case_of_a_scale_sets_id_does_not_matter(self, store: Store) -> None:
        lock = Lock(SCALE_SET, ID, 1, START)
        assert await store.locks.get(SCALE_SET) is None
        assert await store.locks.swap(None, lock)
        assert await store.locks.get(SCALE_SET.upper()) == lock
        freed = Lock(SCALE_SET.lower(), "", 1, START)
        assert await store.locks.swap(replace(lock, scale_set_id=SCALE_SET.upper()), freed)
        assert await store.locks.get(SCALE_SET) == freed

    async def test_a_lock_that_is_not_as_expected_stays(self, store: Store) -> None:
        lock = Lock(SCALE_SET, ID, 2, START)
        assert not await store.locks.swap(lock, replace(lock, epoch=3))
        assert await store.locks.swap(None, lock)
        assert not await store.locks.swap(None, replace(lock, owner="other"))
        assert not await store.locks.swap(replace(lock, epoch=1), replace(lock, owner="other"))
        assert not await store.locks.swap(replace(lock, owner="other"), replace(lock, epoch=3))
        assert await store.locks.get(SCALE_SET) == lock

    async def test_a_lock_is_expected_as_it_was_written_though_times_are_kept_to_the_millisecond(
        self, store: Store
    ) -> None:
        lock = Lock(SCALE_SET, ID, 1, START + timedelta(microseconds=1_234_567))
        assert await store.locks.swap(None, lock)
        assert await store.locks.swap(lock, replace(lock, owner=""))

    @pytest.mark.parametrize("name", ["größe", "東京" * 45, "o'neil", "a(b)_c.d-e", "100%=#"])
    async def test_each_scale_set_has_its_own_lock_whatever_its_name(self, store: Store, name: str) -> None:
        first, second = (Lock(f"/resourceGroups/{name}/{set_name}", ID, 1, START) for set_name in ("a", "b"))
        assert await store.locks.swap(None, first)
        assert await store.locks.swap(None, second)
        assert await store.locks.get(first.scale_set_id) == first
        assert await store.locks.get(second.scale_set_id) == second


class TestText:
    @pytest.mark.parametrize(
        "text",
        [
            "x" * 100_000,
            "🚀é\x00\n\t\"'\\ " * 9_000,
            " leading and trailing ",
            "{not json",
            "2026-11-23T08:15:00.000Z",
        ],
        ids=["long", "long unicode", "spaces", "json", "time"],
    )
    async def test_any_text_comes_back_as_it_went(self, store: Store, text: str) -> None:
        await store.deployments.add(replace(deployment(), reason=text, error=Problem("code", text)))
        found = await store.deployments.get(ID)
        assert found is not None
        assert found.reason == text
        assert found.error == Problem("code", text)

    async def test_nothing_is_shared_with_those_who_read_and_write(self, store: Store) -> None:
        event = Event(1, START, "Started", "", data={"vms": ["a"]})
        await store.events.put(ID, event)
        event.data["vms"].append("b")
        (read,) = await store.events.list(ID)
        read.data["vms"].append("c")
        assert (await store.events.list(ID))[0].data == {"vms": ["a"]}


class TestEvidence:
    READING = Reading(HealthCheckType.APPLICATION_HEALTH, "unhealthy", "the probe answers 503", START)
    VIEW = {"extensions": [{"name": "install", "statuses": [{"code": "ProvisioningState/failed/1"}]}]}  # noqa: RUF012
    FULL = VmEvidence(
        "0000000a-AAAA-4000-8000-000000000000",
        "web_3",
        1,
        START,
        VmStatus.UNHEALTHY,
        "applicationHealth: unhealthy",
        (READING,),
        VIEW,
        "login: \n",
        ("a note",),
    )

    async def test_evidence_comes_back_as_it_went(self, store: Store) -> None:
        bare = VmEvidence("0000000b-0000-4000-8000-000000000000", "web_4", 1, START, VmStatus.PENDING, "Launched")
        for evidence in (self.FULL, bare):
            assert await store.evidence.put(ID, evidence)
            assert await store.evidence.get(ID, evidence.vm_id) == evidence

    async def test_the_largest_evidence_comes_back_as_it_went(self, store: Store) -> None:
        view = {"extensions": [{"message": "\N{GRINNING FACE}" * 8000}]}
        evidence = replace(self.FULL, instance_view=view, serial_log="\N{GRINNING FACE}" * LOG_LENGTH)
        assert await store.evidence.put(ID, evidence)
        assert await store.evidence.get(ID, evidence.vm_id) == evidence

    async def test_the_first_evidence_of_a_vm_is_kept(self, store: Store) -> None:
        assert await store.evidence.put(ID, self.FULL)
        assert not await store.evidence.put(ID, replace(self.FULL, serial_log=None))
        assert await store.evidence.get(ID, self.FULL.vm_id) == self.FULL

    async def test_a_vm_of_two_deployments_has_evidence_of_each_and_its_id_no_case(self, store: Store) -> None:
        other = replace(self.FULL, serial_log="another")
        assert await store.evidence.put(ID, self.FULL)
        assert await store.evidence.put("other", other)
        assert await store.evidence.get(ID, self.FULL.vm_id.lower()) == self.FULL
        assert await store.evidence.get("other", self.FULL.vm_id.upper()) == other

    @pytest.mark.parametrize("vm_id", ["absent", "../web_3", "#?\\ %"])
    async def test_what_there_is_no_evidence_of_is_none(self, store: Store, vm_id: str) -> None:
        assert await store.evidence.get(ID, vm_id) is None


class TestHealthParts:
    PART = HealthPart(2, 1, START, (VmHealthWord("a", "healthy"), VmHealthWord("b")))

    async def test_parts_come_back_by_batch_and_number(self, store: Store) -> None:
        first, other = replace(self.PART, number=0), replace(self.PART, batch=3)
        for part in (self.PART, first, other):
            assert await store.health_parts.keep(ID, part)
        assert await store.health_parts.list(ID, 2) == (first, self.PART)
        assert await store.health_parts.list("other", 2) == ()

    async def test_a_part_replaces_what_was_asked_for_before_it_and_nothing_that_was_later(self, store: Store) -> None:
        later = replace(self.PART, at=START + timedelta(seconds=15), words=())
        assert await store.health_parts.keep(ID, self.PART)
        assert await store.health_parts.keep(ID, later)
        assert not await store.health_parts.keep(ID, self.PART)
        assert await store.health_parts.list(ID, 2) == (later,)
        assert await store.health_parts.keep(ID, replace(later, words=self.PART.words))

    async def test_the_largest_part_comes_back_as_it_went(self, store: Store) -> None:
        words = tuple(VmHealthWord(f"{number:08x}-0000-4000-8000-000000000000", "unhealthy") for number in range(1000))
        assert await store.health_parts.keep(ID, replace(self.PART, words=words))
        assert (await store.health_parts.list(ID, 2))[0].words == words

    async def test_of_two_that_are_kept_at_once_the_later_stays(self, store: Store) -> None:
        parts = [replace(self.PART, at=START + timedelta(seconds=seconds)) for seconds in (3, 1, 2)]
        await asyncio.gather(*(store.health_parts.keep(ID, part) for part in parts))
        assert await store.health_parts.list(ID, 2) == (parts[0],)


class TestSignals:
    READY = Signal("0000000a-AAAA-4000-8000-000000000000", "web_3", SignalType.VM_READY, START)

    async def test_the_first_signal_of_a_vm_and_type_is_kept(self, store: Store) -> None:
        assert await store.signals.put(SCALE_SET, self.READY)
        again = replace(self.READY, received_at=START + timedelta(minutes=1))
        assert not await store.signals.put(SCALE_SET, again)
        assert await store.signals.get(SCALE_SET, self.READY.vm_id, SignalType.VM_READY) == self.READY
        assert await store.signals.list(SCALE_SET) == (self.READY,)

    async def test_the_case_of_ids_makes_no_difference(self, store: Store) -> None:
        await store.signals.put(SCALE_SET, self.READY)
        assert not await store.signals.put(SCALE_SET.upper(), replace(self.READY, vm_id=self.READY.vm_id.lower()))
        assert await store.signals.get(SCALE_SET.lower(), self.READY.vm_id.upper(), SignalType.VM_READY) == self.READY

    async def test_types_vms_and_scale_sets_are_apart(self, store: Store) -> None:
        signals = (
            self.READY,
            replace(self.READY, type=SignalType.VM_READY_TO_SHUTDOWN),
            replace(self.READY, vm_id="0000000b-0000-4000-8000-000000000000", vm_name="web_4"),
        )
        assert all([await store.signals.put(SCALE_SET, signal) for signal in signals])
        assert await store.signals.put(f"{SCALE_SET}-2", self.READY)
        assert await store.signals.list(SCALE_SET) == signals

    async def test_deleting_forgets_all_that_these_vms_said_and_nothing_else(self, store: Store) -> None:
        other = replace(self.READY, vm_id="0000000b-0000-4000-8000-000000000000")
        for signal in (self.READY, replace(self.READY, type=SignalType.VM_READY_TO_SHUTDOWN), other):
            await store.signals.put(SCALE_SET, signal)
        for _ in range(2):
            await store.signals.delete(SCALE_SET, [self.READY.vm_id.lower(), "never-said-anything"])
            assert await store.signals.list(SCALE_SET) == (other,)
        assert await store.signals.put(SCALE_SET, self.READY)

    async def test_the_groups_declaration_comes_back_as_it_went(self, store: Store) -> None:
        rules = (SignalRule(SignalType.VM_READY, timedelta(seconds=90)), SignalRule(SignalType.VM_READY_TO_SHUTDOWN))
        await store.groups.put(Group("web", SCALE_SET, signals=rules))
        assert await store.groups.get("web") == Group("web", SCALE_SET, signals=rules)


class TestHolds:
    def hold(self, scale_set_id: str = SCALE_SET) -> Hold:
        old, new = {"day/night #1": {"minimum": 1}}, {"day/night #1": {"minimum": 2}}
        items = (
            ProcessHold(HoldKind.AUTOSCALE, "/settings/web-as", old, new, old, kept=True),
            ProcessHold(
                HoldKind.SCALE_IN_POLICY, SCALE_SET, {"rules": ["Default"]}, {"rules": ["OldestVM"]}, conflict="theirs"
            ),
        )
        return Hold(scale_set_id, ID, items, START, START + timedelta(hours=24), discard_batch=2)

    async def test_a_journal_comes_back_as_it_went_whatever_the_case_of_its_id(self, store: Store) -> None:
        await store.holds.put(self.hold())
        assert await store.holds.get(SCALE_SET.upper()) == self.hold()
        assert await store.holds.get(f"{SCALE_SET}-2") is None

    async def test_put_replaces_the_one_journal_of_a_set(self, store: Store) -> None:
        await store.holds.put(self.hold())
        await store.holds.put(Hold(SCALE_SET.upper(), ID, (), START))
        assert await store.holds.list() == (Hold(SCALE_SET.upper(), ID, (), START),)

    async def test_journals_are_listed_and_deleted_by_set(self, store: Store) -> None:
        for name in ("b", "a"):
            await store.holds.put(self.hold(f"{SCALE_SET}-{name}"))
        assert [one.scale_set_id for one in await store.holds.list()] == [f"{SCALE_SET}-a", f"{SCALE_SET}-b"]
        await store.holds.delete(f"{SCALE_SET}-A")
        await store.holds.delete(f"{SCALE_SET}-a")
        assert [one.scale_set_id for one in await store.holds.list()] == [f"{SCALE_SET}-b"]
