"""Whether a session may carry the message: what the hop's policy demands against what TLS showed.

DANE outranks MTA-STS (RFC 8461 §2). DANE-EE judges the key alone: names and dates count for nothing (RFC 7672 §3.1.1).
MTA-STS wants a chain that is trusted and bears the host's name (RFC 8461 §4.2). Else TLS is as it comes.
"""

from __future__ import annotations

from collections.abc import Callable

from deliverkit.model import Demand, Handshake, Hop
from deliverkit.records.certificate import bears, read_certificate
from deliverkit.records.tlsa import match, parse_tlsa
from deliverkit.smtp.capabilities import Capabilities

Guard = Callable[[Handshake | None, Capabilities], str | None]
"""Why the message may not be handed over, in words; None where it may."""

_SAID = {
    "dane": "DANE",
    "mta-sts": "the domain's MTA-STS policy",
    "requiretls": "REQUIRETLS",
    "typed": "--tls",
}


def guard_of(hop: Hop, now: float) -> Guard:
    """The judge of one hop's sessions; `now` in seconds since the epoch."""

    def judge(handshake: Handshake | None, offered: Capabilities) -> str | None:
        del offered
        return objection(hop, handshake, now)

    return judge


def objection(hop: Hop, handshake: Handshake | None, now: float) -> str | None:
    """What the hop's policy has against handing the message over in a session with this handshake, or without one."""
    demand = hop.demand
    if not demand.tls:
        return None
    whose = _SAID.get(demand.source, demand.source)
    if handshake is None:
        return f"{whose} demands TLS, and the server offers none"
    if not handshake.ok:
        return f"{whose} demands TLS, and the handshake failed: {handshake.error}"
    if demand.tlsa:
        return _dane(demand, handshake, now)
    if demand.verified:
        return _verified(whose, hop.host, handshake)
    return None


def _dane(demand: Demand, handshake: Handshake, now: float) -> str | None:
    found = match(tuple(parse_tlsa(text) for text in demand.tlsa), handshake.chain, demand.names, now)
    if found.outcome != "mismatch":
        return None
    return f"DANE: the certificate matches none of the TLSA records: {found.why}"


def _verified(whose: str, host: str, handshake: Handshake) -> str | None:
    if not handshake.chain:
        return f"{whose} demands a certificate, and the server sent none"
    if not handshake.trusted:
        return f"{whose} demands a trusted certificate: {handshake.trust_error or 'it could not be judged'}"
    if not bears(read_certificate(handshake.chain[0]), host):
        return f"{whose} demands a certificate for {host}, and the server's bears other names"
    return None
