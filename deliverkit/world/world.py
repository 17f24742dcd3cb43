"""A world in memory: asked as a port, as a fetcher and as a dialler."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from deliverkit.dns.port import normal_name
from deliverkit.dns.zone import FAULTS, Beyond, Zones
from deliverkit.dns.zonetext import ZoneError
from deliverkit.model import (
    Address,
    Call,
    Fetch,
    FetchOutcome,
    Handshake,
    Lookup,
    Request,
    Session,
    State,
    Step,
)
from deliverkit.records.certificate import bears, read_certificate
from deliverkit.records.names import address_literal
from deliverkit.smtp.acts import Dialog
from deliverkit.smtp.dialog import dialog_of
from deliverkit.smtp.driver import Tell, converse
from deliverkit.smtp.line import Limit
from deliverkit.smtp.secret import Secret
from deliverkit.tls.verify import Anchors
from deliverkit.world.certificate import Made, certificate, digest, root
from deliverkit.world.line import MemoryLine, Offered
from deliverkit.world.mailbox import Mailroom
from deliverkit.world.peer import Peer
from deliverkit.world.section import CertificateWish, HttpsSection, SmtpSection, WorldError
from deliverkit.world.text import WorldText, fill, read_world

__all__ = ["FAULTS", "NOW", "SERVER", "World", "WorldError"]

SERVER: Final = "192.0.2.53"
"""The address a world's answers are said to come from (RFC 5737)."""
NOW: Final = 1_800_000_000.0
"""The time in a world where none is named (2027-01-15T08:00:00Z)."""
PASSWORD: Final = "secret"  # noqa: S105 - of the user that every world has
_OURS: Final = "198.51.100.7"
_OURS_6: Final = "2001:db8:ffff::7"
_AMPLE: Final = 3600.0
_TICK: Final = 10.0
"""ms that everything takes in a world: the same in each run."""


def zone_of(text: WorldText, now: float) -> str:
    """The zone data, with the digests of certificates that it names filled in. Raises `WorldError`."""

    def value(what: str, host: str, port: int) -> str:
        made = certificate(wish_of(text, host, port), now)
        return digest(made.issuer if what.startswith("issuer") else made.leaf, spki=what.endswith("spki"))

    return fill(text.zone, value) if "$" in text.zone else text.zone


def wish_of(text: WorldText, host: str, port: int) -> CertificateWish:
    """The certificate of one endpoint. Raises LookupError."""
    sections: tuple[SmtpSection | HttpsSection, ...] = (*text.smtp, *text.https)
    for section in sections:
        if (section.host, section.port) == (host, port):
            return section.certificate
    raise LookupError(f"{host}:{port}")


class World:
    """A world's text in memory. A `Port`, a `Fetcher` and a `Dialler`.

    `now` is the time at which certificates are judged, `password` what a login uses. Certificates are made
    when they are first shown. Raises `WorldError` where the text is none.
    """

    def __init__(self, text: str, *, now: float = NOW, password: str = PASSWORD) -> None:
        self.text = read_world(text) if "[" in text else WorldText(zone=text)
        self.now = now
        self.room = Mailroom()
        self.asked: list[tuple[str, str]] = []
        """Each question asked, in order: tests count them."""
        self._secret = Secret(password)
        self._anchors: Anchors | None = None
        self._zones = Zones()
        try:
            self._zones.read(zone_of(self.text, now), source="world", apex="")
        except ZoneError as error:
            raise WorldError(str(error)) from error

    async def lookup(self, name: str, rdtype: str, *, server: str | None = None) -> Lookup:
        """The world's answer; `server` is only named in it."""
        name = normal_name(name)
        self.asked.append((name, rdtype))
        answer = self._zones.resolve(name, rdtype, server=server or SERVER)
        if isinstance(answer, Beyond):  # the world begins at the root: nothing is beyond it
            raise AssertionError(answer)  # noqa: TRY004 - no type of the caller's
        return answer

    def certificate(self, host: str, port: int) -> Made:
        """The certificate that one endpoint shows. Raises LookupError."""
        return self._made(wish_of(self.text, host, port))

    def anchors(self) -> Anchors:
        """The world's trusted CA and no other."""
        if self._anchors is None:
            self._anchors = Anchors(extra=(root(self.now),), system=False)
        return self._anchors

    def _made(self, wish: CertificateWish) -> Made:
        return certificate(wish, self.now)

    def _tls(self, section: SmtpSection | HttpsSection) -> Offered:
        smtp = section if isinstance(section, SmtpSection) else None
        return Offered(
            certificate=section.certificate,
            unnamed=section.unnamed,
            versions=section.versions,
            made=self._made,
            anchors=self.anchors,
            now=self.now,
            cipher=smtp.cipher if smtp is not None else "",
            asks_client=smtp is not None and smtp.asks_client,
        )

    async def session(
        self, call: Call, script: Callable[[str], Dialog] | None = None, tell: Tell | None = None
    ) -> Session:
        """The conversation with the section that stands for the call's host and port; none: refused.

        `script` and `tell` are those of `Live.session`.
        """
        section = self._dialled(call)
        fault = "refused" if section is None else section.faults.get("CONNECT", "")
        if section is None or fault:
            return _unconnected(call, fault)
        implicit = section.mode == "implicit"
        tls = self._tls(section)
        peer = Peer(
            section,
            tls=implicit,
            leaf=lambda: self._made(section.certificate).leaf,
            clock=lambda: self.now,
            room=self.room,
        )
        ours = call.source_address or (_OURS_6 if ":" in call.address else _OURS)
        line = MemoryLine(peer, tls, implicit=implicit, fault=section.faults.get("TLS", ""), ours=ours)
        secret = self._secret if call.user is not None else None
        hello = call.helo or address_literal(ours)
        dialog = dialog_of(call, hello, secret) if script is None else script(hello)
        limit = Limit(time.monotonic() + _AMPLE, "in time")
        return _timed(await converse(call, dialog, line, limit, secret=secret, tell=tell), section.slow)

    def _dialled(self, call: Call) -> SmtpSection | None:
        """By the address, else by the host's name, else by whoever has that address."""
        held = {(section.host, section.port): section for section in self.text.smtp}
        for host in (call.address, call.host, *(self._named(call.address) if call.host == call.address else ())):
            if (host, call.port) in held:
                return held[host, call.port]
        return None

    def _named(self, address: str) -> list[str]:
        """The hosts with sections whose address this is."""
        kind = "AAAA" if ipaddress.ip_address(address).version == 6 else "A"  # noqa: PLR2004
        found: list[str] = []
        for section in self.text.smtp:
            answer = self._zones.resolve(section.host, kind)
            if isinstance(answer, Lookup) and Address(address) in answer.records:
                found.append(section.host)
        return found

    async def fetch(self, request: Request) -> Fetch:
        """The response of the section that stands for the request's host and path; none: refused."""
        host = request.host.lower().rstrip(".")
        sections = [each for each in self.text.https if (each.host, each.port) == (host, request.port)]
        if not sections or request.address in sections[0].refuses:
            return _failed(request, FetchOutcome.REFUSED, "connection refused")
        section = next((each for each in sections if each.path == request.path), None)
        faulty = section or sections[0]
        if faulty.fault:
            return _failed(request, *_FETCH_FAULTS[faulty.fault])
        handshake = replace(self._tls(faulty).handshake(host), elapsed_ms=_TICK)
        problem = _untrusted(handshake, host)
        if problem is not None:
            outcome = FetchOutcome.UNTRUSTED if handshake.ok else FetchOutcome.TLS_FAILED
            return _failed(request, outcome, problem, handshake)
        if section is None:
            section = HttpsSection(host=host, certificate=faulty.certificate, status=404, body=b"not found\r\n")
        large = len(section.body) > request.limit
        return Fetch(
            request=request,
            outcome=FetchOutcome.TOO_LARGE if large else FetchOutcome.ANSWERED,
            why=f"{request.url} at {request.address}: more than {request.limit} octets" if large else "",
            status=section.status,
            media_type=section.type,
            location=section.location,
            body=section.body[: request.limit],
            handshake=handshake,
            elapsed_ms=3 * _TICK,
        )


_FETCH_FAULTS: Final = {
    "timeout": (FetchOutcome.UNKNOWN, "no connection in time"),
    "silent": (FetchOutcome.UNKNOWN, "no response in time"),
    "reset": (FetchOutcome.UNKNOWN, "the server reset the connection"),
    "refused": (FetchOutcome.REFUSED, "connection refused"),
    "garbage": (FetchOutcome.BROKEN, "what came is no HTTP response"),
    "tls": (FetchOutcome.TLS_FAILED, "the server found nothing in common (alert handshake_failure)"),
}


def _failed(request: Request, outcome: FetchOutcome, words: str, handshake: Handshake | None = None) -> Fetch:
    why = f"{request.url} at {request.address}: {words}"
    return Fetch(request=request, outcome=outcome, why=why, handshake=handshake, elapsed_ms=_TICK)


def _untrusted(handshake: Handshake, host: str) -> str | None:
    """Why nothing is asked over this connection; None where it may be."""
    if not handshake.ok:
        return handshake.error
    if not handshake.trusted:
        return f"the certificate is not trusted: {handshake.trust_error}"
    if not bears(read_certificate(handshake.chain[0]), host):
        return f"the certificate does not bear the name {host}"
    return None


def _unconnected(call: Call, fault: str) -> Session:
    where = f"no connection to {call.address} port {call.dial_port}"
    match fault:
        case "timeout":
            return Session(call=call, state=State.TIMEOUT, why=f"{where} within 10 s")
        case "unreachable":
            return Session(call=call, state=State.UNREACHABLE, why=f"{where}: no route to host")
        case "reset":
            return Session(call=call, state=State.REFUSED, why=f"{where}: connection reset by peer")
    return Session(call=call, state=State.REFUSED, why=f"{where}: connection refused")


def _timed(session: Session, slow: float) -> Session:
    """The session with the times of a world, where a session is the same twice; its banner takes `slow` seconds."""
    steps: list[Step] = []
    at = began = _TICK
    for step in session.steps:
        took = _TICK + (slow * 1000 if step.stage == "banner" else 0.0)
        began = began if step.together else at
        steps.append(replace(step, at_ms=began, replied_ms=at + took))
        at += took
    handshake = session.handshake
    return replace(
        session,
        connect_ms=_TICK,
        steps=tuple(steps),
        handshake=replace(handshake, elapsed_ms=_TICK) if handshake is not None else None,
    )
