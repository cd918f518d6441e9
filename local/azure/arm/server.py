"""The simulated Azure over HTTP or TLS, with the managed identity endpoint that hands out tokens for it.

``/metadata/endpoints`` says what a client of a cloud of its own asks first, such as ``az cloud register``.
``IDENTITY_ENDPOINT={url}/msi/token`` and any ``IDENTITY_HEADER`` make ``ManagedIdentityCredential`` work unchanged
(https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference).
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web

from local.azure.arm.certificate import server_context
from local.azure.arm.messages import ArmRequest, ConnectionLost, Json
from local.azure.cloud import Cloud

TOKEN_LIFETIME = timedelta(days=1)

#: The largest body that is read: a scale set's model is far smaller.
BODY_LIMIT = 4 * 2**20

_CLOUD = web.AppKey("cloud", Cloud)


class AzureServer:
    """A running server. ``url`` has no slash at its end."""

    def __init__(self, runner: web.AppRunner, url: str) -> None:
        self._runner = runner
        self.url = url

    async def close(self) -> None:
        """Stop serving, and end the connections that are open."""
        await self._runner.cleanup()


async def serve(cloud: Cloud, port: int = 0, *, tls: Path | None = None) -> AzureServer:
    """Serve ``cloud`` on this machine, on a free port for 0. Several servers may serve it at once.

    With ``tls`` it is served as ``https://localhost``, under a certificate made now, which is written to that file for
    clients to trust; the key stays in this process.
    """
    application = web.Application(client_max_size=BODY_LIMIT)
    application[_CLOUD] = cloud
    application.router.add_get("/msi/token", _token)
    application.router.add_get("/metadata/endpoints", _endpoints)
    application.router.add_route("*", "/{path:.*}", _handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=server_context(tls) if tls else None)
    await site.start()
    return AzureServer(runner, f"{'https://localhost' if tls else 'http://127.0.0.1'}:{runner.addresses[0][1]}")


async def _handle(request: web.Request) -> web.Response:
    cloud = request.app[_CLOUD]
    body = await request.read()
    try:
        response = await cloud.handle(ArmRequest(request.method, str(request.url), dict(request.headers), body))
    except ConnectionLost:
        if request.transport:
            request.transport.abort()
        raise
    return web.Response(status=response.status, headers=response.headers, body=response.body)


async def _token(request: web.Request) -> web.Response:
    resource = request.query.get("resource", "")
    if "X-IDENTITY-HEADER" not in request.headers or not resource:
        raise web.HTTPBadRequest(text="X-IDENTITY-HEADER and resource are required")
    cloud = request.app[_CLOUD]
    expires_on = int((datetime.now(UTC) + TOKEN_LIFETIME).timestamp())
    owner = f"/subscriptions/{cloud.world.subscription_id}/resourceGroups/local/providers/Microsoft.Web/sites/local"
    claims = {
        "aud": resource,
        "tid": cloud.world.tenant_id,
        "exp": expires_on,
        "oid": request.query.get("client_id", ""),
        "xms_mirid": owner,
    }
    return web.json_response(
        {
            "access_token": _unsigned_token(claims),
            "expires_on": str(expires_on),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": claims["oid"],
        }
    )


async def _endpoints(request: web.Request) -> web.Response:
    """https://learn.microsoft.com/azure-stack/user/azure-stack-version-profiles-azurecli2: the metadata of a cloud."""
    cloud = request.app[_CLOUD]
    url = f"{request.scheme}://{request.host}"
    authentication = {
        "loginEndpoint": url,
        "audiences": [url, "https://management.azure.com/"],
        "tenant": cloud.world.tenant_id,
        "identityProvider": "AAD",
    }
    services = ("graph", "graphAudience", "microsoftGraphResourceId", "media", "batch", "sqlManagement", "gallery")
    others = ("portal", "vmImageAliasDoc", "activeDirectoryDataLake", "resourceManager")
    suffixes = {name: f"{name}.localhost" for name in ("storage", "keyVaultDns", "acrLoginServer")}
    return web.json_response(
        {
            "name": "simulated",
            "authentication": authentication,
            "suffixes": suffixes,
            **dict.fromkeys((*services, *others), url),
        }
    )


def _unsigned_token(claims: Json) -> str:
    """A token in JWT's shape that nobody has signed: nothing here checks it."""
    parts = [json.dumps(part).encode() for part in ({"alg": "none", "typ": "JWT"}, claims)]
    return ".".join([*(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts), "unsigned"])
