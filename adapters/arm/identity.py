"""``Identity``: whether the app gets a token for Azure Resource Manager."""

from __future__ import annotations

from azure.core.exceptions import AzureError as SdkError

from adapters.arm.client import ComputeClients
from rollout.ports.errors import Busy


class ArmIdentity:
    """The identity that all clients have."""

    def __init__(self, clients: ComputeClients) -> None:
        self._clients = clients

    async def check(self) -> None:
        """Ask for a token. The credential keeps one until it runs out."""
        try:
            await self._clients.token()
        except (SdkError, ValueError, OSError) as error:
            raise Busy("NoToken", str(error)) from error
