"""Examples in the document of the API, by the name of the model. Tests hold them to the models."""

from __future__ import annotations

from collections.abc import Mapping

from rollout.model.codec import Json

_COMPUTE = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/demo/providers/Microsoft.Compute"

EXAMPLES: Mapping[str, Json] = {
    "GroupBody": {
        "scaleSetId": f"{_COMPUTE}/virtualMachineScaleSets/web",
        "imageId": f"{_COMPUTE}/galleries/apps/images/web",
        "healthCheckTypes": ["vmState", "applicationHealth"],
        "signals": [{"type": "vmReady", "timeout": 300}],
        "drainingTimeout": 120,
        "defaults": {"gracePeriod": 300},
        "imageRule": {
            "imageId": f"{_COMPUTE}/galleries/apps/images/web",
            "versions": "1.x",
            "deployment": {"canary": {"size": 1}, "onFailure": "rollBack"},
        },
        "schedules": [
            {
                "name": "weekly",
                "cron": "0 3 * * SUN",
                "timeZone": "Europe/Berlin",
                "deployment": {"batchSizePercentage": 10, "comment": "weekly roll"},
            }
        ],
    },
    "DeploymentBody": {"image": "1.1.0", "batchSizePercentage": 20, "gracePeriod": 300, "comment": "release 42"},
    "CommandBody": {"comment": "the database is slow"},
    "ApprovalBody": {"all": False, "comment": "looks good"},
    "SignalBody": {
        "vmName": "web_3",
        "signalType": "vmReady",
        "resourceGroupName": "demo",
        "vmId": "6d3a9c1e-52a8-4f0b-9a51-0c6f1f8f8d10",
    },
    "EventList": {
        "value": [
            {
                "sequence": 7,
                "at": "2026-11-23T08:17:30.000Z",
                "type": "BatchLaunched",
                "batch": 2,
                "message": "Batch 2 of 5: 2 green VMs launched",
                "data": {"launched": 2},
            }
        ],
        "next": "7",
    },
    "NotificationList": {
        "value": [
            {
                "id": "4db48cba-50a2-455a-93b4-de41a3b5b7f6",
                "type": "Microsoft.Resources.ResourceWriteSuccess",
                "subject": f"{_COMPUTE}/galleries/apps/images/web/versions/1.5.0",
                "receivedAt": "2026-11-23T08:17:30.000Z",
                "deliveries": 1,
                "imageId": f"{_COMPUTE}/galleries/apps/images/web",
                "version": "1.5.0",
                "outcome": "started",
                "reason": "",
                "groups": [
                    {
                        "groupId": "web",
                        "outcome": "started",
                        "reason": "Deployment web-20261123T081745Z-1a2b3c deploys it",
                        "at": "2026-11-23T08:17:45.000Z",
                        "deploymentId": "web-20261123T081745Z-1a2b3c",
                    }
                ],
            }
        ]
    },
    "Health": {"status": "healthy"},
}
