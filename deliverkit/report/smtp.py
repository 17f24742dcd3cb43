"""What the report says of areas `smtp`, `tls` and `auth`: every endpoint, as the contract names it."""

from __future__ import annotations

import msgspec

from deliverkit.facts.smtp import SmtpFacts


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
    """Why it was not tried, or how it broke off."""


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


def report(facts: SmtpFacts) -> SmtpReport:  # noqa: ARG001 - filled with the probe
    """The area's facts, flattened for readers."""
    return SmtpReport(endpoints=(), advice=None, unknown=())
