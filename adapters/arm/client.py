"""The compute clients of azure-mgmt-compute: one a subscription, kept for the life of the process.

They never wait: no retries, no polling and short time-outs. The orchestration's durable timers wait instead, and an
activity that slept through a ``Retry-After`` of twenty minutes would hold a worker for nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azure.core import AsyncPipelineClient, AzureClouds
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.pipeline import PipelineRequest, policies
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest
from azure.mgmt.core.policies import ARMHttpLoggingPolicy, AsyncARMChallengeAuthenticationPolicy
from azure.mgmt.core.tools import get_arm_endpoints

from adapters.arm.resource_ids import subscription_of
from settings import Settings

if TYPE_CHECKING:
    from azure.mgmt.compute.aio import ComputeManagementClient

CONNECTION_TIMEOUT = timedelta(seconds=10)
READ_TIMEOUT = timedelta(seconds=60)

_LOOPBACK = ("127.0.0.1", "localhost", "::1")

TransportFactory = Callable[[], AsyncHttpTransport[Any, Any]]


class ComputeClients:
    """The clients, made when first asked for. Each has a transport of its own from ``transport_factory``, where given.

    Raises ``ValueError`` where ``settings.arm_endpoint`` is none that a token may be sent to.
    """

    def __init__(
        self,
        settings: Settings,
        credential: AsyncTokenCredential,
        transport_factory: TransportFactory | None = None,
    ) -> None:
        self._endpoint = _checked(settings.arm_endpoint)
        self._credential = credential
        self._transport_factory = transport_factory
        self._clients: dict[str, ComputeManagementClient] = {}
        self._anonymous: AsyncPipelineClient[HttpRequest, AsyncHttpResponse] | None = None

    def of(self, resource_id: str) -> ComputeManagementClient:
        """The client of the subscription that the id is in. Raises ``Refused("invalidResourceId")``."""
        subscription = subscription_of(resource_id)
        if subscription not in self._clients:
            self._clients[subscription] = self._open(subscription)
        return self._clients[subscription]

    @property
    def anonymous(self) -> AsyncPipelineClient[HttpRequest, AsyncHttpResponse]:
        """A client without a token, for addresses that open what they name by themselves: it logs none of them."""
        if self._anonymous is None:
            self._anonymous = AsyncPipelineClient(
                self._endpoint, policies=[policies.UserAgentPolicy(user_agent="teal")], **self._connection_options()
            )
        return self._anonymous

    async def token(self) -> None:
        """Ask for the token that every request is sent with. Raises what the credential does."""
        await self._credential.get_token(_scope_of(self._endpoint))

    async def close(self) -> None:
        """Close all connections. The credential is its owner's to close."""
        if self._anonymous is not None:
            await self._anonymous.close()
            self._anonymous = None
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.close()

    def _open(self, subscription: str) -> ComputeManagementClient:
        # Imported here: the package costs most of a second of a cold start, and few invocations need it.
        from azure.mgmt.compute.aio import ComputeManagementClient

        scope = _scope_of(self._endpoint)
        return ComputeManagementClient(
            self._credential,
            subscription,
            self._endpoint,
            credential_scopes=[scope],
            policies=_policies(self._authentication(scope)),
            **self._connection_options(),
        )

    def _connection_options(self) -> dict[str, Any]:
        options: dict[str, Any] = {"transport": self._transport_factory()} if self._transport_factory else {}
        return {
            "connection_timeout": CONNECTION_TIMEOUT.total_seconds(),
            "read_timeout": READ_TIMEOUT.total_seconds(),
            **options,
        }

    def _authentication(self, scope: str) -> AsyncARMChallengeAuthenticationPolicy:
        plain = urlsplit(self._endpoint).scheme == "http"
        kind = _LoopbackAuthenticationPolicy if plain else AsyncARMChallengeAuthenticationPolicy
        return kind(self._credential, scope)


class _LoopbackAuthenticationPolicy(AsyncARMChallengeAuthenticationPolicy):
    """Sends the token over plain http, which the SDK refuses: to this machine, it stays on this machine."""

    async def on_request(self, request: PipelineRequest[Any]) -> None:
        request.context.options["enforce_https"] = False
        await super().on_request(request)


def _policies(authentication: AsyncARMChallengeAuthenticationPolicy) -> list[Any]:
    """The pipeline of ``ComputeManagementClient`` (``aio/_client.py``) without two policies that wait.

    * ``AsyncRetryPolicy``: it sleeps between tries;
    * ``AsyncARMAutoResourceProviderRegistrationPolicy``, which the client has no switch for: at a 409
      ``MissingSubscriptionRegistration`` it registers the provider, a change nobody asked for, and looks every 10
      seconds, without end, whether that is done.
    """
    return [
        policies.RequestIdPolicy(),
        policies.HeadersPolicy(),
        policies.UserAgentPolicy(user_agent="teal"),
        policies.ProxyPolicy(),
        policies.ContentDecodePolicy(),
        policies.AsyncRedirectPolicy(),
        authentication,
        policies.DistributedTracingPolicy(),
        policies.SensitiveHeaderCleanupPolicy(),
        ARMHttpLoggingPolicy(),
    ]


def _checked(endpoint: str) -> str:
    """The endpoint without a slash at its end, if a bearer token may be sent there."""
    url = urlsplit(endpoint)
    if url.scheme == "https" and url.hostname:
        return endpoint.rstrip("/")
    if url.scheme == "http" and url.hostname in _LOOPBACK:
        return endpoint.rstrip("/")
    raise ValueError(
        f"TEAL_ARM_ENDPOINT must be an https URL, or http on this machine ({', '.join(_LOOPBACK)}), not {endpoint!r}"
    )


def _scope_of(endpoint: str) -> str:
    """What a token is asked for: the cloud's own scope; the public cloud's where a stand-in listens on this machine."""
    for cloud in AzureClouds:
        known = get_arm_endpoints(cloud)
        if known["resource_manager"].rstrip("/") == endpoint.lower():
            return str(known["credential_scopes"][0])
    if urlsplit(endpoint).hostname in _LOOPBACK:
        return _scope_of("https://management.azure.com")
    return f"{endpoint}/.default"
