"""What each field of a body or an answer means: of the document of the API, and of the tables in docs/api.md.

``describe`` finds a field's words. They are keyed by the field's name, and by ``Model.field`` where it means something
else in one model. A test sees to it that no field is without words, and no words without a field.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Words(NamedTuple):
    """What a field holds, in what unit, and what holds where a body leaves it out."""

    about: str
    unit: str = ""
    default: str = ""


_SECONDS, _VMS, _PERCENT = "seconds", "VMs", "percent"
_REQUIRED = "required"


def _group(teal: str) -> str:
    return f"the group's, else {teal}"


#: What is asked of a deployment: in bodies, and as it is shown again.
ASKED: Mapping[str, Words] = {
    "image": Words(
        "An image of any kind: a version of the group's image (`1.1.0`), `latest`, an id, or "
        "`publisher:offer:sku:version`.",
        default="the set's present image: all VMs that do not run its present model are replaced",
    ),
    "batchSizePercentage": Words("The share of the VMs that one batch replaces.", _PERCENT, _group("20")),
    "batchSize": Words(
        "How many VMs one batch replaces at most, instead of `batchSizePercentage`.", _VMS, _group("none")
    ),
    "canary": Words("A first batch of its own.", default=_group("none")),
    "approvals": Words(
        "After which batches a person must approve: `none`, `afterCanary` (without a canary: after the first), "
        "`everyBatch`, or a list of their numbers.",
        default=_group("`none`"),
    ),
    "bakeTime": Words(
        "How long all green VMs are watched, and judged, before the deployment finishes. Without a VM to replace "
        "nothing is watched; a canary that is the only batch is watched once, for the longer of its `bakeTime` and "
        "this one.",
        _SECONDS,
        _group("0"),
    ),
    "waitTimeout": Words("How long a person is waited for, in a pause or for an approval.", _SECONDS, _group("86400")),
    "actionOnTimeout": Words(
        "What is done when nobody answered: `approve` (go on), `stop` or `rollBack`.", default=_group("`stop`")
    ),
    "onFailure": Words(
        "Of a failed batch, `discardGreen`: its green VMs are drained and go, detached blue VMs come back; `keep`: its "
        "green VMs are left to be looked at, for `keepFor`; `rollBack`: all batches are rolled back.",
        default=_group("`discardGreen`"),
    ),
    "onConflict": Words(
        "Where another deployment has the scale set, `reject`: 409; `queue`: wait for its end; `supersede`: stop it, "
        "then start.",
        default="`reject`",
    ),
    "keepFor": Words("How long what a stop or `onFailure: keep` leaves is kept so.", _SECONDS, _group("86400")),
    "protectedVms": Words(
        "VMs that are protected from scale-set actions: `refuse` the deployment, `skip` them, or `replace` them.",
        default=_group("`refuse`"),
    ),
    "stoppedVms": Words("Stopped VMs: the same.", default=_group("`refuse`")),
    "attachedVms": Words("VMs of a Flexible set that it did not make: the same.", default=_group("`refuse`")),
    "adjust": Words(
        "`true`: an upgrade mode other than Manual, and overprovisioning, are changed for the deployment and restored, "
        "not refused.",
        default="`false`",
    ),
    "force": Words("`true`: VMs that run the image already are replaced too.", default="`false`"),
    "retryOf": Words(
        "The id of the group's last deployment, which ended unfinished: go on where it ended.", default="none"
    ),
    "gracePeriod": Words("The longest time a batch may take to become healthy.", _SECONDS, _group("600")),
    "allocationTimeout": Words(
        "How long Azure may take to make a batch's VMs; failed ones are deleted and asked for again.",
        _SECONDS,
        "the grace period",
    ),
    "stableFor": Words("How long all of a batch must stay healthy to end its grace period early.", _SECONDS, "0"),
    "batchMinHealthyPercentage": Words(
        "A batch fails with a smaller healthy share when the grace period ends.", _PERCENT, _group("50")
    ),
    "minHealth": Words(
        "A batch fails when its *unhealthy* share reaches this; instead of `batchMinHealthyPercentage`.",
        _PERCENT,
        "none",
    ),
    "maxUnhealthyPercentage": Words(
        "The deployment fails before a batch if more of all the set's VMs are unhealthy.", _PERCENT, "100"
    ),
    "tolerateUnhealthy": Words(
        "`true`: all blue VMs of a batch that passes go, also those whose green VMs are unhealthy.", default="`false`"
    ),
    "drainingTimeout": Words(
        "What connections get to finish once their VM is out of traffic, blue or green; at least as long as its "
        "application gateways drain.",
        _SECONDS,
        _group("120"),
    ),
    "healthCheckTypes": Words("By what the health of green VMs is judged: some of the group's.", default="the group's"),
    "comment": Words("Why, in the words of whoever asks; at most 256 characters.", default="empty"),
}

_GROUP: Mapping[str, Words] = {
    "scaleSetId": Words("The resource id of the scale set; one group each.", default=_REQUIRED),
    "Group.imageId": Words("The gallery image whose versions a deployment may name shortly; `null`: none."),
    "GroupBody.imageId": Words(
        "The resource id of a gallery image, so that a deployment may name a version shortly.", default="none"
    ),
    "GroupBody.healthCheckTypes": Words("By what the health of green VMs may be judged.", default="`vmState` alone"),
    "Group.healthCheckTypes": Words("By what the health of green VMs may be judged."),
    "Group.drainingTimeout": Words(
        "What connections get to finish, where a deployment says nothing; `null`: Teal's own.", _SECONDS
    ),
    "GroupBody.drainingTimeout": Words(
        "What connections get to finish, where a deployment says nothing.", _SECONDS, "Teal's, 120"
    ),
    "signals": Words(
        "What the VMs say of themselves, and how long that is waited for; each type once.", default="none"
    ),
    "defaults": Words("What a deployment gets where its request says nothing.", default="none"),
    "imageRule": Words("Which versions of an image are deployed when they are published.", default="none"),
    "schedules": Words("At which times the group deploys by itself; at most 20.", default="none"),
    "Group.id": Words("The group's name: 1 to 40 lower-case letters, digits and hyphens."),
    "Group.createdAt": Words("When the group was first registered."),
    "Group.updatedAt": Words("When its definition was last written."),
    "scheduled": Words("When each schedule runs next, and what became of its last time."),
    "state": Words("The scale set as it was at `asOf`."),
    "rollNeeded": Words("Whether VMs of the set are not what it would make now."),
    "SignalRule.type": Words("The signal."),
    "SignalRuleBody.type": Words("The signal.", default=_REQUIRED),
    "timeout": Words("How long each VM is waited for.", _SECONDS, "1800"),
    "Canary.size": Words("How many VMs the first batch replaces.", _VMS),
    "Canary.approval": Words("Whether a person must approve after it."),
    "Canary.bakeTime": Words("How long its green VMs are watched before the next batch.", _SECONDS),
    "CanaryBody.size": Words("How many VMs the first batch replaces, fewer than the set has.", _VMS, _REQUIRED),
    "CanaryBody.approval": Words("`true`: a person must approve after it.", default="`false`"),
    "CanaryBody.bakeTime": Words("How long its green VMs are watched before the next batch.", _SECONDS, "0"),
    "ImageRule.imageId": Words("The gallery image that is followed."),
    "ImageRuleBody.imageId": Words("The resource id of the gallery image that is followed.", default=_REQUIRED),
    "versions": Words(
        "Which versions: `*`, `1.x`, `1.2`, `>=2.0`, `>=1.2 <2`: terms with blanks between, which all must hold.",
        default="`*`, every version",
    ),
    "enabled": Words("`false`: nothing is deployed.", default="`true`"),
    "replicationTimeout": Words(
        "How long a version may take until it can be deployed in the set's region.", _SECONDS, "86400"
    ),
    "deployment": Words("What is asked for besides: fields of a start.", default="none"),
    "Schedule.name": Words("The schedule's name."),
    "ScheduleBody.name": Words("1 to 40 lower-case letters, digits and hyphens; each name once.", default=_REQUIRED),
    "cron": Words(
        "A cron expression of five fields: minute, hour, day of the month, month, day of the week.", default=_REQUIRED
    ),
    "timeZone": Words("The name of a time zone of the IANA database.", default="`UTC`"),
    "maxLateness": Words("How long after its time a deployment may still start.", _SECONDS, "3600"),
    "Scheduled.name": Words("The schedule's name."),
    "nextRun": Words("Its next time; `null` where it is disabled or does not come again."),
    "Scheduled.lastRun": Words("Its last time that was due; `null` before the first."),
    "due": Words("The time that was due."),
    "ScheduleRun.at": Words("When it was last tried."),
    "ScheduleRun.outcome": Words(
        "What became of it: `started`, `waiting`, `nothingToDo`, `missed`, or `failed`: a finding of the preflight "
        "that does not pass, or what Azure refused."
    ),
    "ScheduleRun.reason": Words("Why, in words."),
    "ScheduleRun.deploymentId": Words("The deployment, where it was started."),
}

_STATE: Mapping[str, Words] = {
    "asOf": Words("When that was so."),
    "State.name": Words("The scale set's name."),
    "location": Words("Its region."),
    "orchestrationMode": Words("Uniform or Flexible."),
    "capacity": Words("How many VMs Azure says that the set is to have.", _VMS),
    "State.provisioningState": Words("Azure's word for what it does with the set."),
    "State.image": Words("The image of the set's model, shortly: `1.1.0`."),
    "imageReference": Words("The same as an id, or as `publisher:offer:sku:version`."),
    "zones": Words("The availability zones of the set."),
    "State.vms": Words("How many VMs there were; `null` where they were not listed.", _VMS),
    "images": Words("How many VMs run which image, the most first."),
    "ImageVms.image": Words("The image, shortly: `1.1.0`."),
    "ImageVms.vms": Words("How many VMs run it.", _VMS),
    "State.health": Words("How many VMs were healthy; `null` where they were not listed."),
    "healthy": Words("VMs that were healthy.", _VMS),
    "unhealthy": Words("VMs that were not.", _VMS),
    "unknown": Words("VMs that had said nothing yet.", _VMS),
    "needsAttention": Words("Why somebody should look at the group; `null`: nothing is wrong that is known."),
    "Attention.code": Words("What it is; the most urgent, where there are several."),
    "Attention.reason": Words("The same in words."),
    "Attention.deploymentId": Words("The deployment that it is about; `null`: none."),
    "latest": Words("The newest deployment; `null` where there was none."),
    "LatestDeployment.id": Words("Its id."),
    "LatestDeployment.status": Words("Where it stands."),
    "LatestDeployment.reason": Words("What happened last, in words."),
    "LatestDeployment.image": Words("The image that it moves to, shortly."),
    "LatestDeployment.createdAt": Words("When it was asked for."),
    "LatestDeployment.endedAt": Words("When it ended; `null` before that."),
    "GroupVm.name": Words("Its name in Azure."),
    "GroupVm.image": Words("The image that it was made from, shortly."),
    "GroupVm.health": Words("By the group's health check types that Azure tells of: balancers are not asked."),
    "GroupVm.reason": Words("Which source decides, and what it says."),
    "GroupVm.provisioningState": Words("Azure's word for what it does with the VM."),
    "powerState": Words("`running`, `stopped`, `deallocated`…; `null` where Azure does not say."),
    "pools": Words("The backend pools that it is in."),
    "pool": Words("The pool's resource id, in lower case."),
    "down": Words("Whether it is set Down in it, so that it gets no new connections."),
    "State.error": Words("Why it is not known; `null` where it is."),
    "outdated": Words("How many VMs differ, each counted once; `null` where it is not known.", _VMS),
    "total": Words("Of how many; `null` where it is not known.", _VMS),
    "reasons": Words("In what they differ: at most 20 reasons, those of the most VMs."),
    "RollNeeded.error": Words("Why it is not known, or, with numbers, why the rule's newest version is not."),
    "field": Words("What differs: a field of the set by Azure's path without `properties`, or a word."),
    "RollReason.message": Words("The same in words."),
    "wanted": Words("What a new VM would have; images in full, SSH keys by their fingerprints."),
    "found": Words("What the VMs have."),
    "RollReason.vms": Words("How many VMs; a VM may be in several reasons.", _VMS),
    "dangers": Words("What stands between the scale set and order until it is mended."),
    "Danger.code": Words("What it is."),
    "Danger.since": Words("Since when."),
    "Danger.message": Words("What is wrong now, and what was tried to mend it."),
    "remedy": Words("What to do."),
    "version": Words("The version, such as `1.1.0`."),
    "ImageVersion.id": Words("Its resource id."),
    "ImageVersion.provisioningState": Words("Azure's word for how far the version is."),
    "excludeFromLatest": Words("Whether `latest` passes over it."),
    "osType": Words("`Linux` or `Windows`; `null` where Azure does not say."),
    "publishedAt": Words("When it was published."),
    "regions": Words("The state of its replication by region."),
}

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
    "progress": Words("How much of the batches is done, a batch's phases counting a quarter each.", _PERCENT),
    "blueVms": Words("How many VMs are still to go.", _VMS),
    "greenVms": Words("How many VMs have come.", _VMS),
    "remainingBlue": Words("How many VMs that were to go stay, each for a green one that was sick.", _VMS),
    "Deployment.startedAt": Words("When its plan was made; `null` before that."),
    "Deployment.endedAt": Words("When it ended; `null` before that."),
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
    "previousImage": Words("VMs of any other image than the deployment's own.", _VMS),
    "newImage": Words("VMs of the deployment's own image.", _VMS),
    "rollBack": Words("When it began to go back, and why; `null` where it did not."),
    "RollBack.at": Words("When that was."),
    "percent": Words("The `progress` at which it was.", _PERCENT),
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
    "Deployment.gracePeriod": Words("As in `parameters`.", _SECONDS),
    "Deployment.comment": Words("As in `parameters`."),
    "findings": Words("What the preflight found, errors first; of a queued deployment, when it last looked."),
    "Deployment.command": Words("The command that was just accepted; only in the answer to it."),
    "requested": Words("What was asked for; `null`: no image was named, and the set's present one is rolled."),
    "pinned": Words("The exact image that it is."),
    "previous": Words("The image before it, which a roll back brings back; `null` where none is known."),
    "Decision.asked": Words("`approve` at a gate, `resume` in a pause."),
    "Decision.since": Words("Since when somebody is asked."),
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
    "percentComplete": Words("The deployment's `progress`.", _PERCENT),
    "startTime": Words("When the deployment was asked for."),
    "endTime": Words("When it ended; missing before that."),
    "OperationStatus.error": Words("Why it did not finish; missing where it did, or is not over."),
    "properties": Words("The deployment."),
}

_PLAN: Mapping[str, Words] = {
    "canStart": Words("Whether a start would be accepted now."),
    "Plan.image": Words("As in a deployment."),
    "targetSize": Words("How many VMs the set is to have in the end; `null` where it is not known.", _VMS),
    "Plan.numberOfBatches": Words("How many batches there are; `null` where nothing can be planned."),
    "Plan.batches": Words("The batches in their order."),
    "kept": Words("The names of the VMs that run the image already, and stay."),
    "skipped": Words("VMs that are left as they are."),
    "changes": Words("What else is changed, each with `kind` and `message`: `image` (with `from` and `to`), `hold`."),
    "duration": Words("How long it takes; waiting for people is not counted."),
    "surge": Words("How many more than now there are at most."),
    "servingFloor": Words("As few VMs serve at any time as this, and no fewer; `null` where it is not known.", _VMS),
    "seconds": Words("How long.", _SECONDS),
    "basis": Words("What that is taken from: the group's newest finished deployments, else assumptions."),
    "Surge.vms": Words("VMs.", _VMS),
    "cores": Words("Cores; `null` where the VM size could not be read.", "cores"),
    "PlanBatch.number": Words("The batch's number, from 1."),
    "blue": Words("How many VMs go.", _VMS),
    "green": Words("How many VMs come.", _VMS),
    "PlanBatch.canary": Words("Whether it is the canary."),
    "PlanBatch.approval": Words("Whether somebody is asked before the next."),
    "PlanBatch.vms": Words("The names of the VMs that go."),
    "Skipped.name": Words("The VM's name."),
    "Skipped.reason": Words("Why it is left as it is."),
}

_PARTS: Mapping[str, Words] = {
    "Batch.number": Words("The batch's number, from 1."),
    "Batch.blue": Words("How many VMs were planned to go.", _VMS),
    "Batch.green": Words("How many VMs were planned to come.", _VMS),
    "phase": Words("How far it has come: `planned`, `launched`, `healthy`, `detached`, `terminated`, or `failed`."),
    "Batch.reason": Words("What it waits for, or what happened last, in words."),
    "Batch.startedAt": Words("When it began; `null` before that."),
    "launchedAt": Words("When all its green VMs were there."),
    "healthyAt": Words("When they were judged healthy."),
    "detachedAt": Words("When its blue VMs were out of traffic."),
    "deletingAt": Words("When the first of its blue VMs was asked to be deleted."),
    "floor": Words("As few VMs serve while it is replaced, and no fewer; `null` where that is not known.", _VMS),
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
    "color": Words("Its part in the batch: `blue` goes, `green` comes."),
    "Vm.batch": Words("The batch's number; 0: the VM stays."),
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
    "Heeded.at": Words("When."),
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
    "signalType": Words("What the VM says: `vmReady` or `vmReadyToShutdown`.", default=_REQUIRED),
    "vmName": Words("The VM's name in Azure, not its host name.", default=_REQUIRED),
    "resourceGroupName": Words("The resource group of its scale set.", default=_REQUIRED),
    "SignalBody.vmId": Words(
        "The VM's unique id; names are used again, and only this tells the VM from an earlier one of its name.",
        default="not told",
    ),
    "Health.status": Words("That the app runs."),
    "checks": Words("What was looked at and works."),
    "Check.name": Words("`storage`, `armToken`, or a timer."),
    "Check.lastRun": Words("When the timer ran last."),
    "Error.error": Words("What is wrong."),
    "ErrorBody.code": Words("What is wrong, by a code of the documentation."),
    "ErrorBody.message": Words("The same in words, with what to do."),
    "details": Words("One entry for each fault; the first of them is the error's own."),
    "ErrorDetail.code": Words("The fault by a code, or a finding's."),
    "ErrorDetail.message": Words("The same in words."),
}

WORDS: Mapping[str, Words] = {**ASKED, **_GROUP, **_STATE, **_DEPLOYMENT, **_PLAN, **_PARTS, **_REST}


def describe(model: str, field: str) -> Words | None:
    """The words for a field of a model; ``None``: nobody has written any."""
    return WORDS.get(f"{model}.{field}") or WORDS.get(field)


def sentence(model: str, field: str) -> str:
    """The same as one text; of bodies with what holds where the field is left out."""
    words = describe(model, field)
    if words is None:
        return ""
    unit = f" In {words.unit}." if words.unit in (_SECONDS, _PERCENT) else ""
    known = words.default and words.default != _REQUIRED and model.endswith("Body")
    return f"{words.about}{unit}" + (f" Default: {words.default}." if known else "")
