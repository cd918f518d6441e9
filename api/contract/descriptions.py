"""Meanings of all fields of bodies and answers, for the API's document and docs/api.md.

``describe`` finds a field's words. They are keyed by the field's name, and by ``Model.field`` where it means something
else in one model. A test sees to it that no field is without words, and no words without a field.
"""

from __future__ import annotations

from collections.abc import Mapping

from api.contract.meanings import DEPLOYMENTS, PERCENT, REQUIRED, REST, SECONDS, VMS, Words


def _group(teal: str) -> str:
    return f"the group's, else {teal}"


#: What is asked of a deployment: in bodies, and as it is shown again.
ASKED: Mapping[str, Words] = {
    "image": Words(
        "An image of any kind: a version of the group's image (`1.1.0`), `latest`, an id, or "
        "`publisher:offer:sku:version`.",
        default="the set's present image: all VMs that do not run its present model are replaced",
    ),
    "batchSizePercentage": Words("The share of the VMs that one batch replaces.", PERCENT, _group("20")),
    "batchSize": Words(
        "How many VMs one batch replaces at most, instead of `batchSizePercentage`.", VMS, _group("none")
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
        SECONDS,
        _group("0"),
    ),
    "waitTimeout": Words("How long a person is waited for, in a pause or for an approval.", SECONDS, _group("86400")),
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
    "keepFor": Words("How long what a stop or `onFailure: keep` leaves is kept so.", SECONDS, _group("86400")),
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
    "gracePeriod": Words("The longest time a batch may take to become healthy.", SECONDS, _group("600")),
    "allocationTimeout": Words(
        "How long Azure may take to make a batch's VMs; failed ones are deleted and asked for again.",
        SECONDS,
        "the grace period",
    ),
    "stableFor": Words("How long all of a batch must stay healthy to end its grace period early.", SECONDS, "0"),
    "batchMinHealthyPercentage": Words(
        "A batch fails with a smaller healthy share when the grace period ends.", PERCENT, _group("50")
    ),
    "minHealth": Words(
        "A batch fails when its *unhealthy* share reaches this; instead of `batchMinHealthyPercentage`.",
        PERCENT,
        "none",
    ),
    "maxUnhealthyPercentage": Words(
        "The deployment fails before a batch if more of all the set's VMs are unhealthy.", PERCENT, "100"
    ),
    "tolerateUnhealthy": Words(
        "`true`: all blue VMs of a batch that passes go, also those whose green VMs are unhealthy.", default="`false`"
    ),
    "drainingTimeout": Words(
        "What connections get to finish once their VM is out of traffic, blue or green; at least as long as its "
        "application gateways drain.",
        SECONDS,
        _group("120"),
    ),
    "healthCheckTypes": Words("By what the health of green VMs is judged: some of the group's.", default="the group's"),
    "comment": Words("Why, in the words of whoever asks; at most 256 characters.", default="empty"),
}

_GROUP: Mapping[str, Words] = {
    "scaleSetId": Words("The resource id of the scale set; one group each.", default=REQUIRED),
    "Group.imageId": Words("The gallery image whose versions a deployment may name shortly; `null`: none."),
    "GroupBody.imageId": Words(
        "The resource id of a gallery image, so that a deployment may name a version shortly.", default="none"
    ),
    "GroupBody.healthCheckTypes": Words("By what the health of green VMs may be judged.", default="`vmState` alone"),
    "Group.healthCheckTypes": Words("By what the health of green VMs may be judged."),
    "Group.drainingTimeout": Words(
        "What connections get to finish, where a deployment says nothing; `null`: Teal's own.", SECONDS
    ),
    "GroupBody.drainingTimeout": Words(
        "What connections get to finish, where a deployment says nothing.", SECONDS, "Teal's, 120"
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
    "SignalRuleBody.type": Words("The signal.", default=REQUIRED),
    "timeout": Words("How long each VM is waited for.", SECONDS, "1800"),
    "Canary.size": Words("How many VMs the first batch replaces.", VMS),
    "Canary.approval": Words("Whether a person must approve after it."),
    "Canary.bakeTime": Words("How long its green VMs are watched before the next batch.", SECONDS),
    "CanaryBody.size": Words("How many VMs the first batch replaces, fewer than the set has.", VMS, REQUIRED),
    "CanaryBody.approval": Words("`true`: a person must approve after it.", default="`false`"),
    "CanaryBody.bakeTime": Words("How long its green VMs are watched before the next batch.", SECONDS, "0"),
    "ImageRule.imageId": Words("The gallery image that is followed."),
    "ImageRuleBody.imageId": Words("The resource id of the gallery image that is followed.", default=REQUIRED),
    "versions": Words(
        "Which versions: `*`, `1.x`, `1.2`, `>=2.0`, `>=1.2 <2`: terms with blanks between, which all must hold.",
        default="`*`, every version",
    ),
    "enabled": Words("`false`: nothing is deployed.", default="`true`"),
    "replicationTimeout": Words(
        "How long a version may take until it can be deployed in the set's region.", SECONDS, "86400"
    ),
    "deployment": Words("What is asked for besides: fields of a start.", default="none"),
    "Schedule.name": Words("The schedule's name."),
    "ScheduleBody.name": Words("1 to 40 lower-case letters, digits and hyphens; each name once.", default=REQUIRED),
    "cron": Words(
        "A cron expression of five fields: minute, hour, day of the month, month, day of the week.", default=REQUIRED
    ),
    "timeZone": Words("The name of a time zone of the IANA database.", default="`UTC`"),
    "maxLateness": Words("How long after its time a deployment may still start.", SECONDS, "3600"),
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
    "capacity": Words("How many VMs Azure says that the set is to have.", VMS),
    "State.provisioningState": Words("Azure's word for what it does with the set."),
    "State.image": Words("The image of the set's model, shortly: `1.1.0`."),
    "imageReference": Words("The same as an id, or as `publisher:offer:sku:version`."),
    "zones": Words("The availability zones of the set."),
    "State.vms": Words("How many VMs there were; `null` where they were not listed.", VMS),
    "images": Words("How many VMs run which image, the most first."),
    "ImageVms.image": Words("The image, shortly: `1.1.0`."),
    "ImageVms.vms": Words("How many VMs run it.", VMS),
    "State.health": Words("How many VMs were healthy; `null` where they were not listed."),
    "healthy": Words("VMs that were healthy.", VMS),
    "unhealthy": Words("VMs that were not.", VMS),
    "unknown": Words("VMs that had said nothing yet.", VMS),
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
    "outdated": Words("How many VMs differ, each counted once; `null` where it is not known.", VMS),
    "total": Words("Of how many; `null` where it is not known.", VMS),
    "reasons": Words("In what they differ: at most 20 reasons, those of the most VMs."),
    "RollNeeded.error": Words("Why it is not known, or, with numbers, why the rule's newest version is not."),
    "field": Words("What differs: a field of the set by Azure's path without `properties`, or a word."),
    "RollReason.message": Words("The same in words."),
    "wanted": Words("What a new VM would have; images in full, SSH keys by their fingerprints."),
    "found": Words("What the VMs have."),
    "RollReason.vms": Words("How many VMs; a VM may be in several reasons.", VMS),
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

WORDS: Mapping[str, Words] = {**ASKED, **_GROUP, **_STATE, **DEPLOYMENTS, **REST}


def describe(model: str, field: str) -> Words | None:
    """The words for a field of a model; ``None``: nobody has written any."""
    return WORDS.get(f"{model}.{field}") or WORDS.get(field)


def sentence(model: str, field: str) -> str:
    """The same as one text; of bodies with what holds where the field is left out."""
    words = describe(model, field)
    if words is None:
        return ""
    unit = f" In {words.unit}." if words.unit in (SECONDS, PERCENT) else ""
    known = words.default and words.default != REQUIRED and model.endswith("Body")
    return f"{words.about}{unit}" + (f" Default: {words.default}." if known else "")
