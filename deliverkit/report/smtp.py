"""What the report says of areas `smtp`, `tls` and `auth`: every endpoint, as the contract names it."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from typing import Final

import msgspec

from deliverkit.facts.smtp import Endpoint, LoginFacts, SmtpFacts
from deliverkit.facts.tls import ScanFacts, TlsFacts
from deliverkit.model import Absent, Found, Unknown, clipped
from deliverkit.model.display import RECORDED, SHOWN
from deliverkit.records.certificate import Certificate
from deliverkit.report.smtp_advice import advice
from deliverkit.smtp.capabilities import Capabilities
from deliverkit.smtp.reply import Reply

_DAY: Final = 86_400
_MOST_LINES: Final = 64
"""Lines of one reply that a transcript holds."""
_MOST_CAPABILITIES: Final = 100
_UNASKED: Final = Absent("not asked for")


class CertificateReport(msgspec.Struct, frozen=True, kw_only=True):
    """One certificate of a chain. Times are RFC 3339."""

    subject: str
    names: tuple[str, ...]
    issuer: str
    not_before: str
    not_after: str
    days_left: int
    """Whole days at the time of the run; negative once it has expired."""
    key: str
    signature: str
    serial: str
    sha256: str
    spki_sha256: str


class ScanReport(msgspec.Struct, frozen=True, kw_only=True):
    """One TLS version, offered alone. `accepted`: null where it could not be told."""

    version: str
    accepted: bool | None
    cipher: str | None


class MissedReport(msgspec.Struct, frozen=True, kw_only=True):
    """An MTA-STS policy that does not cover a host: whose it is, and its mode, `enforce` or `testing`."""

    domain: str
    mode: str


class TlsReport(msgspec.Struct, frozen=True, kw_only=True):
    """The TLS of one endpoint. `dane`: `match`, `mismatch`, `none`, `unsigned` or `unknown`."""

    version: str
    cipher: str
    trusted: bool | None
    trust_error: str | None
    name_matches: bool
    certificate: CertificateReport | None
    chain: tuple[CertificateReport, ...]
    """As sent, leaf first."""
    certificate_without_sni: CertificateReport | None
    """The leaf that comes where no server name is sent; null where it was not asked for or is the same."""
    asks_client_certificate: bool
    dane: str
    mta_sts: str | None
    """The mode of the MTA-STS policy that covers this host, null where none does."""
    scan: tuple[ScanReport, ...]
    mta_sts_missed: MissedReport | None = None
    """The MTA-STS policy of the domain whose mail comes here, where it does not cover this host."""


class EhloReport(msgspec.Struct, frozen=True, kw_only=True):
    """The lines behind the greeting; empty where nothing was offered or EHLO was not reached."""

    before_tls: tuple[str, ...]
    after_tls: tuple[str, ...]


class AuthReport(msgspec.Struct, frozen=True, kw_only=True):
    """SASL mechanisms offered, and the one login."""

    before_tls: tuple[str, ...]
    after_tls: tuple[str, ...]
    login: str
    """`accepted`, `refused`, `not-tried` or `failed`."""
    mechanism: str | None
    why: str | None
    """Why it was not tried, how it broke off, or what the server said to it; null where it was accepted."""


class TranscriptReport(msgspec.Struct, frozen=True, kw_only=True):
    """One line that was said. `direction`: `client`, `server` or `note`; `at_ms` since the connection was asked for."""

    at_ms: float
    direction: str
    tls: bool
    text: str


class EndpointReport(msgspec.Struct, frozen=True, kw_only=True):
    """One address and port, and the conversation there."""

    host: str
    address: str
    port: int
    role: str
    """`mx` or `submission`."""
    state: str
    """`open`, `refused`, `timeout`, `unreachable` or `error`."""
    why: str | None
    """Why there was no connection, or the session broke off; null where it ended in order."""
    phase: str | None
    """Where the session broke off (`connect`, `banner`, `ehlo`, `starttls`, `tls`, …); null where it ended in order."""
    by_us: str | None
    """Why this may be this network's doing and not the peer's."""
    banner: str | None
    ehlo: EhloReport
    esmtp: bool | None
    size: int | None
    starttls: str | None
    """`offered`, `missing`, `failed` or `implicit`; null where it could not be told."""
    tls: TlsReport | None
    tls_error: str | None
    auth: AuthReport
    relay: str
    """`closed`, `possible` or `not-tried`."""
    ptr: tuple[str, ...]
    helo: str
    timings_ms: dict[str, float]
    transcript: tuple[TranscriptReport, ...]


class SmtpReport(msgspec.Struct, frozen=True, kw_only=True):
    """The endpoints that were dialled, and which of them an application should use."""

    endpoints: tuple[EndpointReport, ...]
    advice: str | None
    """One sentence: the port for an application; null where nothing can be said."""
    unknown: tuple[str, ...]
    """Hosts whose addresses could not be told, and addresses that were not connected to, with why."""
    absent: tuple[str, ...] = ()
    """What is known not to be there: a domain's mail hosts, a host's addresses."""


def report(facts: SmtpFacts) -> SmtpReport:
    """The area's facts, flattened for readers."""
    hosts = facts.hosts.value if isinstance(facts.hosts, Found) else ()
    endpoints = tuple(endpoint for host in hosts for endpoint in host.endpoints)
    return SmtpReport(
        endpoints=tuple(_endpoint(endpoint) for endpoint in endpoints),
        advice=advice(endpoints),
        unknown=tuple(_unknown(facts)),
        absent=tuple(_absent(facts)),
    )


def _absent(facts: SmtpFacts) -> Iterator[str]:
    if isinstance(facts.hosts, Absent):
        yield clipped(facts.hosts.why, RECORDED)
    for host in facts.hosts.value if isinstance(facts.hosts, Found) else ():
        if isinstance(host.addresses, Absent):
            yield clipped(f"{host.host}: {host.addresses.why}", RECORDED)


def _unknown(facts: SmtpFacts) -> Iterator[str]:
    if isinstance(facts.hosts, Unknown):
        yield clipped(facts.hosts.why, RECORDED)
    if not isinstance(facts.hosts, Found):
        return
    for host in facts.hosts.value:
        if isinstance(host.addresses, Unknown):
            yield clipped(f"{host.host}: {host.addresses.why}", RECORDED)
        elif isinstance(host.addresses, Found) and isinstance(host.undialled, Unknown) and not host.refused_addresses:
            yield clipped(f"{host.host}: {host.undialled.why}", RECORDED)
        for address in host.refused_addresses:
            yield f"{host.host} [{address}] was not connected to: no stranger can reach it"
        if host.skipped_addresses:
            yield f"{host.host} has {len(host.skipped_addresses)} more addresses, which were not connected to"
    if facts.skipped:
        yield f"{len(facts.skipped)} more mail hosts, which were not connected to"


def _endpoint(endpoint: Endpoint) -> EndpointReport:
    before = endpoint.before.value if isinstance(endpoint.before, Found) else None
    after = endpoint.after.value if isinstance(endpoint.after, Found) else None
    offered = after or before
    return EndpointReport(
        host=endpoint.host,
        address=endpoint.address,
        port=endpoint.port,
        role=endpoint.role,
        state=endpoint.state,
        why=_why(endpoint),
        phase=_phase(endpoint),
        by_us=endpoint.by_us,
        banner=_banner(endpoint.banner.value) if isinstance(endpoint.banner, Found) else None,
        ehlo=EhloReport(before_tls=_lines(before), after_tls=_lines(after)),
        esmtp=endpoint.extended.value if isinstance(endpoint.extended, Found) else None,
        size=offered.size if offered is not None else None,
        starttls=endpoint.starttls,
        tls=_tls(endpoint.tls.value) if isinstance(endpoint.tls, Found) else None,
        tls_error=clipped(endpoint.tls_error, RECORDED) if endpoint.tls_error is not None else None,
        auth=_auth(endpoint, before, after),
        relay=endpoint.relay.value.outcome if isinstance(endpoint.relay, Found) else "not-tried",
        ptr=tuple(clipped(name, RECORDED) for name in endpoint.ptr.value) if isinstance(endpoint.ptr, Found) else (),
        helo=clipped(endpoint.helo, RECORDED),
        timings_ms=endpoint.timings,
        transcript=tuple(_transcript(endpoint)),
    )


def _why(endpoint: Endpoint) -> str | None:
    """Why nothing was reached, or the session broke off."""
    broken = endpoint.breakage.value.why if isinstance(endpoint.breakage, Found) else ""
    return clipped(endpoint.why or broken, RECORDED) or None


def _phase(endpoint: Endpoint) -> str | None:
    if endpoint.state != "open":
        return "connect"
    if isinstance(endpoint.breakage, Found):
        return endpoint.breakage.value.stage
    return "tls" if endpoint.tls_error is not None else None


def _banner(reply: Reply) -> str:
    """As it stood, with its code; the lines of a longer one each on its own."""
    return "\n".join(peer(line) for line in split(reply.raw)[:_MOST_LINES] if line)


def _lines(offered: Capabilities | None) -> tuple[str, ...]:
    if offered is None:
        return ()
    lines = tuple(clipped(line, SHOWN) for line in offered.lines[:_MOST_CAPABILITIES])
    more = len(offered.lines) - len(lines)
    return (*lines, f"… (+{more} lines)") if more else lines


def _auth(endpoint: Endpoint, before: Capabilities | None, after: Capabilities | None) -> AuthReport:
    login: LoginFacts | None = None
    outcome, why = "not-tried", ""
    if isinstance(endpoint.login, Found):
        login = endpoint.login.value
        said = login.reply.shown if login.reply is not None and login.outcome in ("refused", "failed") else ""
        outcome, why = login.outcome, login.why or said
    elif endpoint.login != _UNASKED:
        why = endpoint.login.why
    return AuthReport(
        before_tls=before.auth if before is not None else (),
        after_tls=after.auth if after is not None else (),
        login=outcome,
        mechanism=login.mechanism if login is not None else None,
        why=clipped(why, RECORDED) or None,
    )


def _tls(tls: TlsFacts) -> TlsReport:
    unnamed = tls.unnamed.value if isinstance(tls.unnamed, Found) else None
    same = unnamed is not None and tls.leaf is not None and unnamed.sha256 == tls.leaf.sha256
    return TlsReport(
        version=tls.version,
        cipher=tls.cipher,
        trusted=tls.trusted if tls.chain else None,
        trust_error=tls.trust_error,
        name_matches=tls.name_matches,
        certificate=certificate_report(tls.leaf, tls.now) if tls.leaf is not None else None,
        chain=tuple(certificate_report(certificate, tls.now) for certificate in tls.chain),
        certificate_without_sni=None if unnamed is None or same else certificate_report(unnamed, tls.now),
        asks_client_certificate=tls.asks_client,
        dane=tls.dane,
        mta_sts="enforce" if tls.enforced_by else "testing" if tls.testing_by else None,
        scan=tuple(_scan(scan) for scan in tls.scan),
        mta_sts_missed=(
            MissedReport(domain=tls.missed_by, mode=tls.missed_mode) if tls.missed_by is not None else None
        ),
    )


def _scan(scan: ScanFacts) -> ScanReport:
    match scan.accepted:
        case Found(cipher):
            return ScanReport(version=scan.version, accepted=True, cipher=cipher)
        case Absent():
            return ScanReport(version=scan.version, accepted=False, cipher=None)
        case Unknown():
            return ScanReport(version=scan.version, accepted=None, cipher=None)


def certificate_report(certificate: Certificate, now: float) -> CertificateReport:
    """A certificate, flattened for readers."""
    return CertificateReport(
        subject=clipped(certificate.subject, SHOWN),
        names=tuple(clipped(name, SHOWN) for name in certificate.names),
        issuer=clipped(certificate.issuer, SHOWN),
        not_before=_time(certificate.not_before),
        not_after=_time(certificate.not_after),
        days_left=math.floor((certificate.not_after - now) / _DAY),
        key=certificate.key,
        signature=certificate.signature,
        serial=certificate.serial,
        sha256=certificate.sha256,
        spki_sha256=certificate.spki_sha256,
    )


def _time(seconds: float) -> str:
    """RFC 3339, UTC."""
    try:
        return dt.datetime.fromtimestamp(int(seconds), dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return "9999-12-31T23:59:59Z" if seconds > 0 else "0001-01-01T00:00:00Z"


def peer(octets: bytes) -> str:
    r"""A peer's line: undecodable octets as `\xNN`, cut at 512 octets with how many more there were."""
    text = octets[:SHOWN].decode("utf-8", "backslashreplace")
    more = len(octets) - SHOWN
    return f"{text}… (+{more} octets)" if more > 0 else text


def split(octets: bytes) -> list[bytes]:
    """Lines as SMTP ends them: a CR inside one is a part of it."""
    lines = [line.removesuffix(b"\r") for line in octets.split(b"\n")]
    return lines if lines[-1] else lines[:-1]


def _transcript(endpoint: Endpoint) -> Iterator[TranscriptReport]:
    """The steps as they were said; secrets were left out of them from the start."""
    for step in endpoint.steps:
        if step.said:
            yield TranscriptReport(at_ms=step.at_ms, direction="client", tls=step.tls, text=peer(step.said))
        at = step.replied_ms if step.replied_ms is not None else step.at_ms
        lines = split(step.reply)
        for line in lines[:_MOST_LINES]:
            yield TranscriptReport(at_ms=at, direction="server", tls=step.tls, text=peer(line))
        if len(lines) > _MOST_LINES:
            yield TranscriptReport(
                at_ms=at, direction="note", tls=step.tls, text=f"… (+{len(lines) - _MOST_LINES} lines)"
            )
        if step.stage == "tls" and step.trouble is None and isinstance(endpoint.tls, Found):
            tls = endpoint.tls.value
            yield TranscriptReport(at_ms=at, direction="note", tls=True, text=f"TLS: {tls.version}, {tls.cipher}")
        if step.stage == "starttls" and endpoint.injected:
            yield TranscriptReport(
                at_ms=at, direction="note", tls=False, text=f"in clear behind it, dropped: {peer(endpoint.injected)}"
            )
        if step.trouble is not None:
            yield TranscriptReport(
                at_ms=at, direction="note", tls=step.tls, text=clipped(f"{step.trouble.value}: {step.why}", RECORDED)
            )
