"""Networks by a sample: a few of their addresses stand for all, the same ones each time."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Final

SAMPLE: Final = 4
"""Addresses of a network at most."""
_POINT_TO_POINT: Final = {4: 31, 6: 127}
"""From this prefix on every address is a host's (RFC 3021, RFC 6164)."""


def sampled(senders: Iterable[str]) -> tuple[str, ...]:
    """Each address, and of each network its first and last host and two between, each once and in order."""
    return tuple(dict.fromkeys(address for sender in senders for address in _of(sender)))


def _of(sender: str) -> Iterable[str]:
    network = ipaddress.ip_network(sender)
    first, last = int(network.network_address), int(network.broadcast_address)
    if network.prefixlen < _POINT_TO_POINT[network.version]:
        first += 1
        last -= network.version == 4  # noqa: PLR2004 - IPv6 has no broadcast address
    count = min(SAMPLE, last - first + 1)
    made = ipaddress.IPv4Address if network.version == 4 else ipaddress.IPv6Address  # noqa: PLR2004 - the family
    for place in range(count):
        yield str(made(first + (last - first) * place // max(count - 1, 1)))
