"""What a ``durableClient`` binding is given, and the management URLs that clients see.

The extension's ``BindingHelper.cs`` and ``HttpApiHandler.cs``; read by the SDK's
``models/DurableOrchestrationBindings.py``.
"""

from __future__ import annotations

import json
from urllib.parse import quote

#: Where the host serves the Durable endpoints.
WEBHOOK_PATH = "/runtime/webhooks/durabletask"

#: Where the host asks for no keys.
ANY_KEY = "local"
_INSTANCE = "INSTANCEID"


def client_binding(base_url: str, rpc_base_url: str, hub_name: str, key: str = ANY_KEY) -> str:
    """The JSON text for a client parameter. The SDK puts the instance's id in the place of ``INSTANCEID``."""
    hook = f"{base_url}{WEBHOOK_PATH}"
    create = f"{hook}/orchestrators/{{functionName}}[/{{instanceId}}]"
    code = f"code={quote(key, safe='')}"
    wait = "timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}"
    return json.dumps(
        {
            "taskHubName": hub_name,
            "connectionName": None,
            "baseUrl": hook,
            "requiredQueryStringParameters": code,
            "rpcBaseUrl": rpc_base_url,
            "creationUrls": {
                "createNewInstancePostUri": f"{create}?{code}",
                "createAndWaitOnNewInstancePostUri": f"{create}?{wait}&{code}",
            },
            "managementUrls": management_urls(base_url, hub_name, _INSTANCE, key),
        }
    )


def management_urls(base_url: str, hub_name: str, instance_id: str, key: str = ANY_KEY) -> dict[str, str]:
    """The links of one instance, by the extension's names."""
    instance = f"{base_url}{WEBHOOK_PATH}/instances/{instance_id}"
    query = f"taskHub={hub_name}&connection=Storage&code={quote(key, safe='')}"
    return {
        "id": instance_id,
        "statusQueryGetUri": f"{instance}?{query}",
        "sendEventPostUri": f"{instance}/raiseEvent/{{eventName}}?{query}",
        "terminatePostUri": f"{instance}/terminate?reason={{text}}&{query}",
        "rewindPostUri": f"{instance}/rewind?reason={{text}}&{query}",
        "purgeHistoryDeleteUri": f"{instance}?{query}",
        "restartPostUri": f"{instance}/restart?{query}",
        "suspendPostUri": f"{instance}/suspend?reason={{text}}&{query}",
        "resumePostUri": f"{instance}/resume?reason={{text}}&{query}",
    }
