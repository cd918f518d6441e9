"""A scripted Azure under the real SDK: it answers what a test tells it to and keeps what was asked."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.core.rest import HttpRequest
from azure.core.rest._http_response_impl_async import AsyncHttpResponseImpl
from azure.core.utils import case_insensitive_dict

from adapters.arm.client import ComputeClients
from adapters.arm.flexible import FlexibleVms
from adapters.arm.images import ArmImages
from adapters.arm.scale_sets import ArmScaleSets
from adapters.arm.uniform import UniformVms
from settings import Settings


@dataclass
class Script:
    """Answers in order, and the requests that they answered."""

    answers: list[tuple[int, bytes, dict[str, str]] | Exception] = field(default_factory=list)
    requests: list[HttpRequest] = field(default_factory=list)

    def answer(self, status: int, body: Any = None, **headers: str) -> None:
        """The next answer: ``body`` as JSON, bytes as they are; ``retry_after`` is the header Retry-After."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append((status, content, {"content-type": "application/json", **fields}))

    def fail(self, error: Exception) -> None:
        """The next request ends without an answer."""
        self.answers.append(error)

    @property
    def lines(self) -> list[str]:
        """Method and URL of every request."""
        return [f"{request.method} {request.url}" for request in self.requests]


class _Response(AsyncHttpResponseImpl):
    def __init__(self, request: HttpRequest, status: int, body: bytes, headers: dict[str, str]) -> None:
        async def stream(**_: Any) -> AsyncIterator[bytes]:
            yield body

        super().__init__(
            request=request,
            internal_response=None,
            status_code=status,
            reason="",
            content_type=headers["content-type"],
            headers=case_insensitive_dict(headers),
            stream_download_generator=stream,
        )

    async def close(self) -> None:
        self._is_closed = True


class _ScriptedTransport(AsyncHttpTransport[Any, Any]):
    def __init__(self, script: Script) -> None:
        self._script = script

    async def send(self, request: HttpRequest, *, stream: bool = False, **_: Any) -> _Response:
        self._script.requests.append(request)
        answer = self._script.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        response = _Response(request, *answer)
        if not stream:
            await response.read()
        return response

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None: ...


class _Credential:
    """Notes the scopes that tokens are asked for."""

    def __init__(self) -> None:
        self.scopes: list[str] = []

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.scopes += scopes
        return AccessToken("secret", 4_000_000_000)


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def credential() -> _Credential:
    return _Credential()


@pytest.fixture
def clients(script: Script, credential: Any) -> ComputeClients:
    return ComputeClients(Settings(), credential, lambda: _ScriptedTransport(script))


@pytest.fixture
def clients_at(script: Script, credential: Any) -> Any:
    """Makes clients of another endpoint."""
    return lambda endpoint: ComputeClients(
        Settings(arm_endpoint=endpoint), credential, lambda: _ScriptedTransport(script)
    )


@pytest.fixture
def scale_sets(clients: ComputeClients) -> ArmScaleSets:
    return ArmScaleSets(clients)


@pytest.fixture
def uniform_vms(clients: ComputeClients) -> UniformVms:
    return UniformVms(clients)


@pytest.fixture
def flexible_vms(clients: ComputeClients) -> FlexibleVms:
    return FlexibleVms(clients)


@pytest.fixture
def images(clients: ComputeClients) -> ArmImages:
    return ArmImages(clients)
