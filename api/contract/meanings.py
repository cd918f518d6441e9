"""What the fields of deployments and of all that belongs to them mean (``descriptions`` has the others)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Words(NamedTuple):
    """What a field holds, in what unit, and what holds where a body leaves it out."""

    about: str
    unit: str = ""
    default: str = ""


SECONDS, VMS, PERCENT = "seconds", "VMs", "percent"
REQUIRED = "required"


_DEPLOYMENT: Mapping[str, Words] = {
    "Deployment.id": Words("Names its group, and when it was asked for."),
    "groupId": Words("The group that it is of."),
    "parameters": Words("What was asked for, in the form in which it is asked, defaults filled in."),
    "Deployment.image": Words("The image that it moves to, and the one before."),
    "Deployment.createdAt": Words("When it was asked for."),
    "startedBy": Words(
        "Who asked: the signed-in caller, else `function key`; `imagePublished` and `schedule {name}` where the group "
        "deploys by itself."
    ),
    "Deployment.status": Words("Where it stands. `finished`, `failed`, `stopped` and `rolledBack` are ends."),
    "Deployment.reason": Words("What it waits for, or why it ended, in words."),
    "numberOfBatches": Words("How many batches there are, those that bring the previous image back among them."),
    "currentBatch": Words("The number of the batch that is under way; 0 before the first."),
    "progress": Words("How much of the batches is done, a batch's phases counting a quarter each.", PERCENT),
    "blueVms": Words("How many VMs are still to go.", VMS),
    "greenVms": Words("How many VMs have come, and how many ran the image already and were kept.", VMS),
    "remainingBlue": Words("How many VMs that were to go stay, each for a green one that was sick.", VMS),
    "Deployment.startedAt": Words("When its plan was made; `null` before that."),
    "Deployment.endedAt": Words("When it ended; `null` before that."),
    "expectedEndAt": Words(
        "When it will be over, as far as one can tell from what its batches, or the group's before it, took; `null` "
        "before the plan, while it is queued, and after the end."
    ),
    "expectedEndWithoutWaits": Words("`true`: in `expectedEndAt` waiting for people counts as no time."),
    "Deployment.error": Words("Why it did not finish; `null` where nothing went wrong."),
    "decision": Words("What a person is asked; `null` while nobody is."),
    "rollbackBatches": Words("How many of `numberOfBatches` bring the previous image back."),
    "Deployment.retryOf": Words("The deployment that it goes on with; `null`: none."),
    "queuedAt": Words("Since when it waits, or had waited, for its turn; `null` where it did not."),
    "canBe": Words("Of each command whether it makes sense now."),
    "Possible.command": Words("The command."),
    "possible": Words("Whether it would be accepted now."),
    "Possible.reason": Words("Why not; empty where it would."),
    "serving": Words("How many VMs serve now, by the events; `null` before the plan."),
    "previousImage": Words("VMs of any other image than the deployment's own.", VMS),
    "newImage": Words("VMs of the deployment's own image.", VMS),
    "rollBack": Words("When it began to go back, and why; `null` where it did not."),
    "RollBack.at": Words("When that was."),
    "percent": Words("The `progress` at which it was.", PERCENT),
    "RollBack.reason": Words("Why, in words."),
    "RollBack.by": Words("Who said so; empty where it went back by itself, after a failure."),
    "queuePosition": Words("Of a queued deployment, which turn it has: 1 is the next; else `null`."),
    "Deployment.batches": Words("Batches that are new or have news; only where they are asked for."),
    "Deployment.vms": Words("VMs whose rows were written since; only where they are asked for."),
    "Deployment.events": Words("Events that are new; only where they are asked for."),
    "Deployment.commands": Words("All that was said to it; only where that is asked for."),
    "Deployment.next": Words("The `after` to go on with."),
    "vmsSince": Words("The `vmsSince` to go on with."),
    "Deployment.healthCheckTypes": Words("As in `parameters`."),
    "Deployment.gracePeriod": Words("As in `parameters`.", SECONDS),
    "Deployment.comment": Words("As in `parameters`."),
    "findings": Words("What the preflight found, errors first; of a queued deployment, when it last looked."),
    "Deployment.command": Words("The command that was just accepted; only in the answer to it."),
    "requested": Words("What was asked for; `null`: no image was named, and the set's present one is rolled."),
    "pinned": Words("The exact image that it is."),
    "previous": Words("The image before it, which a roll back brings back; `null` where none is known."),
    "PendingDecision.asked": Words("`approve` at a gate, `resume` in a pause."),
    "PendingDecision.since": Words("Since when somebody is asked."),
    "deadline": Words("Until when an answer is waited for."),
    "action": Words("What is done at the deadline."),
    "Parameters.signals": Words(
        "What the group's VMs say of themselves, as it was declared when the deployment began."
    ),
    "Problem.code": Words("What went wrong, by a code of the documentation."),
    "Problem.message": Words("The same in words."),
    "Finding.code": Words("What was found, by a code of the documentation."),
    "severity": Words("`error` refuses; `warning` and `info` are told."),
    "Finding.message": Words("The same in words."),
    "target": Words("The field, query parameter, VM or deployment that it is about."),
    "OperationStatus.id": Words("The path of this record."),
    "OperationStatus.name": Words("The deployment's id."),
    "OperationStatus.status": Words("`InProgress`, then `Succeeded`, `Failed` or `Canceled`."),
    "percentComplete": Words("The deployment's `progress`.", PERCENT),
    "startTime": Words("When the deployment was asked for."),
    "endTime": Words("When it ended; missing before that."),
    "OperationStatus.error": Words("Why it did not finish; missing where it did, or is not over."),
    "properties": Words("The deployment."),
}

_PLAN: Mapping[str, Words] = {
    "canStart": Words("Whether a start would be accepted now."),
    "Plan.image": Words("As in a deployment."),
    "targetSize": Words("How many VMs the set is to have in the end; `null` where it is not known.", VMS),
    "Plan.numberOfBatches": Words("How many batches there are; `null` where nothing can be planned."),
    "Plan.batches": Words("The batches in their order."),
    "kept": Words("The names of the VMs that run the image already, and stay."),
    "skipped": Words("VMs that are left as they are."),
    "changes": Words("What else is changed, each with `kind` and `message`: `image` (with `from` and `to`), `hold`."),
    "duration": Words("How long it takes; waiting for people is not counted."),
    "surge": Words("How many more than now there are at most."),
    "servingFloor": Words("As few VMs serve at any time as this, and no fewer; `null` where it is not known.", VMS),
    "seconds": Words("How long.", SECONDS),
    "basis": Words("What that is taken from: the group's newest finished deployments, else assumptions."),
    "Surge.vms": Words("VMs.", VMS),
    "cores": Words("Cores; `null` where the VM size could not be read, or is one of a mix.", "cores"),
    "PlanBatch.number": Words("The batch's number, from 1."),
    "blue": Words("How many VMs go.", VMS),
    "green": Words("How many VMs come.", VMS),
    "PlanBatch.canary": Words("Whether it is the canary."),
    "PlanBatch.approval": Words("Whether somebody is asked before the next."),
    "PlanBatch.vms": Words("The names of the VMs that go."),
    "Skipped.name": Words("The VM's name."),
    "Skipped.reason": Words("Why it is left as it is."),
}

_PARTS: Mapping[str, Words] = {
    "Batch.number": Words("The batch's number, from 1."),
    "Batch.blue": Words("How many VMs were planned to go.", VMS),
    "Batch.green": Words("How many VMs were planned to come.", VMS),
    "phase": Words(
        "How far it has come: `planned`, `launched`, `healthy` or `notJudged`, `detached`, `terminated`, `failed`."
    ),
    "Batch.reason": Words("What it waits for, or what happened last, in words."),
    "Batch.startedAt": Words("When it began; `null` before that."),
    "launchedAt": Words("When all its green VMs were there."),
    "healthyAt": Words("When they were judged healthy; `null` where nothing judges."),
    "detachedAt": Words("When its blue VMs were out of traffic."),
    "deletingAt": Words("When the first of its blue VMs was asked to be deleted."),
    "floor": Words("As few VMs serve while it is replaced, and no fewer; `null` where that is not known.", VMS),
    "phases": Words("When each phase began and ended, in their order."),
    "Stage.name": Words("`launch`, `health`, `discard`, `detach`, `drain` or `delete`."),
    "Stage.round": Words("2: of the VMs that came in the place of sick ones."),
    "Stage.startedAt": Words("When it began."),
    "Stage.endedAt": Words("When it ended; `null` while it goes on."),
    "Batch.endedAt": Words("When its blue VMs were gone, or it failed."),
    "Batch.round": Words("2 where sick green VMs were replaced, and their replacements judged."),
    "back": Words("Whether it brings the previous image back."),
    "Batch.canary": Words("Whether it is the canary."),
    "vmId": Words("The VM's unique id; names come back, this does not."),
    "Vm.name": Words("Its name in Azure; another VM may get the name once it is gone."),
    "color": Words("Its part in the batch: `blue` goes, `green` comes; `null`: others made it meanwhile, it has none."),
    "Vm.batch": Words("The batch's number; 0: the VM stays, or has no part."),
    "Vm.status": Words("Where it stands."),
    "Vm.reason": Words("Why, in words."),
    "zone": Words("Its availability zone; `null` where it has none."),
    "readings": Words("What each source last said of its health."),
    "Vm.updatedAt": Words("When the row was last written."),
    "replaced": Words("Whether it was sick, and another VM takes its place."),
    "Vm.evidence": Words("Whether what could be found out about it is kept."),
    "launchedBy": Words("The unfinished deployment that had launched it, where this one continues that; else empty."),
    "source": Words("Which health check, or the signal `vmReady`."),
    "Reading.health": Words("`healthy`, `unhealthy` or `waiting`."),
    "detail": Words("What the source said, in words."),
    "Reading.at": Words("Since when it says so."),
    "sequence": Words("The event's number, from 1 without gaps."),
    "Event.at": Words("When it happened."),
    "Event.type": Words("What happened."),
    "Event.message": Words("The same in words."),
    "Event.batch": Words("The batch that it is about; `null`: the whole deployment."),
    "data": Words("What more there is to say, by type."),
    "EventList.next": Words("The `after` that goes on from here, now or later."),
    "Command.number": Words("Counts the deployment's commands from 1."),
    "Command.command": Words("What was said."),
    "Command.at": Words("When it was accepted."),
    "Command.by": Words("Who said it."),
    "Command.comment": Words("Why."),
    "Command.all": Words("Of an approval: this gate and all that follow."),
    "heeded": Words("How it ended; `null`: it is still to be acted on."),
    "CommandEnd.at": Words("When."),
    "as": Words("`done`: it was acted on; `overtaken`: the deployment had gone on, or ended, before that."),
    "ApprovalBody.all": Words("`true`: this gate and all that follow.", default="`false`"),
    "Evidence.name": Words("Its name in Azure."),
    "Evidence.batch": Words("The batch that it was of."),
    "takenAt": Words("When the evidence was taken."),
    "Evidence.status": Words("What was last seen of it."),
    "Evidence.reason": Words("Why it was sick, in words."),
    "instanceView": Words("Azure's instance view, at most 32 KB; `null` where it could not be read."),
    "serialLog": Words("The last 8 KB of its serial console; `null` where it could not be read."),
    "notes": Words("What is missing and why, in words."),
}

_REST: Mapping[str, Words] = {
    "value": Words("The items of this page."),
    "continuationToken": Words("Ask with it for the next page; missing on the last one."),
    "Notification.id": Words("The sender's id of it."),
    "Notification.type": Words("The sender's word for what happened."),
    "subject": Words("What it happened to."),
    "receivedAt": Words("When it first came."),
    "deliveries": Words("How often it came: Event Grid delivers at least once."),
    "Notification.imageId": Words("The image that was published; `null` where it is about anything else."),
    "Notification.version": Words("The version that was published; `null` where it is about anything else."),
    "Notification.reason": Words("Why it concerns no group; empty where it concerns any."),
    "groups": Words("What it led to in each group that has a rule for the image."),
    "Notification.outcome": Words("Of its groups' outcomes the one that matters most."),
    "Consequence.outcome": Words("`started`, `waiting`, `failed`, `superseded` or `ignored`."),
    "Consequence.reason": Words("Why, in words."),
    "Consequence.at": Words("When that was decided."),
    "deploymentId": Words("The deployment that it was started with; `null`: none."),
    "signalType": Words("What the VM says: `vmReady` or `vmReadyToShutdown`.", default=REQUIRED),
    "vmName": Words("The VM's name in Azure, not its host name.", default=REQUIRED),
    "resourceGroupName": Words("The resource group of its scale set.", default=REQUIRED),
    "SignalBody.vmId": Words(
        "The VM's unique id; names are used again, and only this tells the VM from an earlier one of its name.",
        default="not told",
    ),
    "Health.status": Words("That the app runs."),
    "checks": Words("What was looked at and works."),
    "Check.name": Words("`storage`, `armToken`, or a timer."),
    "Check.lastRun": Words("When the timer ran last."),
    "Check.left": Words("What the timer's last run left for its next one: of `purge`, what it did not get through."),
    "Error.error": Words("What is wrong."),
    "ErrorBody.code": Words("What is wrong, by a code of the documentation."),
    "ErrorBody.message": Words("The same in words, with what to do."),
    "details": Words("One entry for each fault; the first of them is the error's own."),
    "ErrorDetail.code": Words("The fault by a code, or a finding's."),
    "ErrorDetail.message": Words("The same in words."),
}

DEPLOYMENTS: Mapping[str, Words] = {**_DEPLOYMENT, **_PLAN, **_PARTS}
_ACCESS: Mapping[str, Words] = {
    "Me.mode": Words("How callers are known: by `keys`, or as people and apps of Entra ID (`entra`)."),
    "Me.name": Words("Who asks: the person's or app's name, or whose key it is."),
    "recordedAs": Words("What starts and commands say of who asked for them: the name, and the object id."),
    "roles": Words("The caller's roles, without those that they include."),
    "may": Words("Each command by name: whether the caller may give it."),
    "allowed": Words("Whether the caller may."),
    "needs": Words("The least role that may."),
    "SignalKey.groupId": Words("The group whose VMs send it."),
    "header": Words("The header in which VMs send the key."),
    "SignalKey.key": Words("The key: the same each time, until the secret is changed."),
}

REST: Mapping[str, Words] = {**_REST, **_ACCESS}
