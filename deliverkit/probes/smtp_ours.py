"""What of a failure may be our own network's doing: a port 25 that is blocked, a middlebox that rewrites.

Many networks let no outgoing port 25 through, and some answer it themselves. That is no fault of the peer's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from deliverkit.model import State
from deliverkit.probes.smtp_calls import MX_PORT, Dialled
from deliverkit.smtp.reply import decoded, parse

_MASKED: Final = re.compile(r"[*0 ]*\*{4,}[*0-9 ]*", re.ASCII)
_STRIPPED: Final = re.compile(r"(?m)^250[ -]X{4,}[A-Z]?\r?$")
_NO_ROUTE: Final = ("network is unreachable", "cannot assign requested address", "address family not supported")
_BLOCKED: Final = (State.TIMEOUT, State.UNREACHABLE)


def no_route(dialled: Dialled) -> bool:
    """Whether this machine has no way to the address's family at all."""
    session = dialled.session
    return session.state is State.UNREACHABLE and any(words in session.why for words in _NO_ROUTE)


def by_us(all_dialled: Sequence[Dialled]) -> dict[int, str]:
    """By its place in the list: why what was seen there may be this network's doing, in words."""
    found: dict[int, str] = {}
    open_ports = {
        (dialled.place.host, dialled.place.port) for dialled in all_dialled if dialled.session.state is State.OPEN
    }
    on_25 = [dialled for dialled in all_dialled if dialled.place.port == MX_PORT]
    hosts_on_25 = {dialled.place.host for dialled in on_25}
    silent = bool(on_25) and all(dialled.session.state in _BLOCKED for dialled in on_25)
    turned_away = len(hosts_on_25) > 1 and all(dialled.session.state is State.REFUSED for dialled in on_25)
    masked = _same_banner(all_dialled)
    for place, dialled in enumerate(all_dialled):
        host, session = dialled.place.host, dialled.session
        others = sorted(port for name, port in open_ports if name == host and port != MX_PORT)
        if no_route(dialled):
            family = "IPv6" if ":" in dialled.place.address else "IPv4"
            found[place] = f"this machine has no route to {family} addresses"
        elif dialled.place.port == MX_PORT and session.state in _BLOCKED and others:
            found[place] = (
                f"port 25 goes nowhere while port {others[0]} of the same host answers: many networks block outgoing "
                "port 25, and this one may; try from another network"
            )
        elif dialled.place.port == MX_PORT and (silent or turned_away):
            found[place] = (
                "no host answers on port 25 from here: many networks block outgoing port 25, and this one may; "
                "try from another network"
            )
        elif place in masked:
            found[place] = masked[place]
    return found


def _same_banner(all_dialled: Sequence[Dialled]) -> dict[int, str]:
    """Places where somebody on the way seems to answer."""
    found: dict[int, str] = {}
    banners: dict[str, set[str]] = {}
    texts: dict[int, str] = {}
    for place, dialled in enumerate(all_dialled):
        for step in dialled.session.steps:
            reply = parse(step.reply) if step.trouble is None and step.reply else None
            if reply is None:
                continue
            if step.stage == "banner":
                texts[place] = reply.first
                banners.setdefault(reply.first, set()).add(_organisation(dialled.place.host))
                if _MASKED.fullmatch(reply.first.strip()):
                    found[place] = "the banner is blotted out with asterisks, as firewalls that inspect SMTP do it"
            elif step.stage == "ehlo" and _STRIPPED.search(decoded(step.reply)):
                found[place] = (
                    "XXXXXXXA stands where STARTTLS belongs: a firewall that inspects SMTP, on this side or on theirs, "
                    "took it out"
                )
    for place, text in texts.items():
        if text and len(banners[text]) > 1:
            found.setdefault(
                place,
                "hosts of different organisations show the same banner: something on the way answers for them",
            )
    return found


def _organisation(host: str) -> str:
    """Roughly: the last two labels, or the address."""
    return host if host.replace(".", "").isdigit() or ":" in host else ".".join(host.split(".")[-2:])
