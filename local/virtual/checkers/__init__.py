"""What must hold after every story, whatever went wrong in it: one function a promise, each answers in words.

They look at what the simulated Azure did (its audit and its log of VMs), at Teal's rows, and at the Durable host, and
know nothing of how Teal works. No answer: the promise was kept.
"""

from __future__ import annotations

from local.virtual.checkers.absences import only_watched_time_counts
from local.virtual.checkers.azure import (
    capacity_never_lowered,
    never_fewer_serving,
    no_profile_written_as_it_was,
    no_vm_cut_off,
    no_vm_deleted_twice,
    only_meant_images_applied,
    only_meant_vms_created,
    only_meant_vms_deleted,
    vms_in_their_pools,
    writes_never_overlap,
)
from local.virtual.checkers.claims import (
    bad_image_is_told,
    failures_are_told,
    lost_vms_are_told,
    nothing_restored_that_failed,
)
from local.virtual.checkers.commands import commands_heeded
from local.virtual.checkers.ends import (
    as_many_vms_as_before,
    everything_ended,
    good_image,
    group_free,
    journal_restored,
    settled_is_in_order,
    settled_was_put_in_order,
)
from local.virtual.checkers.host import histories_short, host_without_errors, no_activity_raises, no_step_fails
from local.virtual.checkers.leftovers import deletions_are_told, told_after_the_end
from local.virtual.checkers.queue import queue_has_an_end, queue_in_order
from local.virtual.checkers.rows import (
    events_numbered,
    finished_is_on_the_image,
    rolled_back_is_explained,
    rows_agree,
    rows_as_the_set,
    skipped_vms_stand,
)
from local.virtual.checkers.shown import vms_shown_as_in_azure, vms_shown_at_the_end
from local.virtual.checkers.watched import Checker, WatchedSet

#: Every promise. A story names those that it breaks on purpose.
CHECKERS: tuple[Checker, ...] = (
    never_fewer_serving,
    no_vm_cut_off,
    only_meant_vms_created,
    only_meant_vms_deleted,
    no_vm_deleted_twice,
    only_meant_images_applied,
    no_profile_written_as_it_was,
    capacity_never_lowered,
    writes_never_overlap,
    vms_in_their_pools,
    host_without_errors,
    histories_short,
    no_activity_raises,
    no_step_fails,
    everything_ended,
    group_free,
    events_numbered,
    good_image,
    settled_is_in_order,
    settled_was_put_in_order,
    as_many_vms_as_before,
    rows_as_the_set,
    rows_agree,
    vms_shown_as_in_azure,
    vms_shown_at_the_end,
    skipped_vms_stand,
    rolled_back_is_explained,
    finished_is_on_the_image,
    journal_restored,
    nothing_restored_that_failed,
    bad_image_is_told,
    lost_vms_are_told,
    failures_are_told,
    commands_heeded,
    queue_in_order,
    queue_has_an_end,
    told_after_the_end,
    deletions_are_told,
    only_watched_time_counts,
)


async def violations(watched: WatchedSet, exempt: frozenset[str] = frozenset()) -> list[str]:
    """What every checker finds but those named in ``exempt``."""
    unknown = exempt - {checker_name(checker) for checker in CHECKERS}
    if unknown:
        raise ValueError(f"there is no checker {', '.join(sorted(unknown))}")
    found = []
    for checker in CHECKERS:
        if (name := checker_name(checker)) not in exempt:
            found += [f"{name}: {words}" for words in await checker(watched)]
    return found


def checker_name(checker: Checker) -> str:
    """The promise's name."""
    return str(getattr(checker, "__name__"))  # noqa: B009  a Callable has no name to the type checker
