"""Private addresses: each IP configuration gets the lowest free one, as Azure assigns them.

All subnets of the world share one range, so that an address names one VM only, though after a while another one.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address
from itertools import count

from local.azure.arm.resources import CloudState

#: Azure keeps the first four addresses of a subnet for itself.
_FIRST = int(IPv4Address("10.0.0.4"))


class Addresses:
    """The addresses in use, read from the state when first needed and after every return."""

    def __init__(self, state: CloudState) -> None:
        self._state = state
        self._free: Iterator[int] | None = None

    def take(self) -> str:
        """The lowest free address."""
        if self._free is None:
            taken = set(self._in_use())
            self._free = (number for number in count(_FIRST) if number not in taken)
        return str(IPv4Address(next(self._free)))

    def give_back(self) -> None:
        """Some address is free again: its owner has left the state."""
        self._free = None

    def _in_use(self) -> Iterator[int]:
        for scale_set in self._state.scale_sets.values():
            for vm in scale_set.instances.values():
                yield from (int(IPv4Address(address)) for address in vm.addresses.values())
        for interface in self._state.interfaces.values():
            for configuration in interface["properties"]["ipConfigurations"]:
                yield int(IPv4Address(configuration["properties"]["privateIPAddress"]))
