"""How the client is made from the settings."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.credentials import AccessToken

from adapters.tables import connect
from settings import Settings


class NobodysCredential:
    """A credential that is never asked."""

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        raise AssertionError("no request is made here")

    async def close(self) -> None: ...

    async def __aenter__(self) -> NobodysCredential:
        return self

    async def __aexit__(self, *error: object) -> None: ...


async def test_an_endpoint_is_used_with_the_credential_that_the_caller_gives() -> None:
    async with connect(Settings(tables_endpoint="https://teal.table.core.windows.net"), NobodysCredential()) as service:
        assert service.url == "https://teal.table.core.windows.net"


async def test_a_connection_string_comes_before_an_endpoint() -> None:
    settings = Settings(
        tables_endpoint="https://teal.table.core.windows.net",
        tables_connection="DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;TableEndpoint=http://127.0.0.1:1/a",
    )
    async with connect(settings) as service:
        assert service.url == "http://127.0.0.1:1/a"


@pytest.mark.parametrize("settings", [Settings(), Settings(tables_endpoint="https://teal.table.core.windows.net")])
def test_without_an_account_or_a_credential_the_error_names_the_settings(settings: Settings) -> None:
    with pytest.raises(ValueError, match="TEAL_TABLES_ENDPOINT and a credential, or TEAL_TABLES_CONNECTION"):
        connect(settings)
