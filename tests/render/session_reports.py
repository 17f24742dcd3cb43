"""Reports of sessions, made by hand: what the text is drawn from."""

from __future__ import annotations

from typing import Any

import msgspec

from deliverkit.report import FindingReport, Report, TargetReport
from deliverkit.report.document import SCHEMA, Counts, ExhibitReport, Facts, InconclusiveReport, Tool, Vantage
from deliverkit.report.smtp import (
    AuthReport,
    CertificateReport,
    EhloReport,
    EndpointReport,
    ScanReport,
    SmtpReport,
    TlsReport,
    TranscriptReport,
)

CLEAR = ("PIPELINING", "SIZE 10485760", "STARTTLS", "8BITMIME")
INSIDE = ("PIPELINING", "SIZE 10485760", "8BITMIME", "AUTH PLAIN LOGIN")


def certificate(*names: str, days: int = 61, lifetime: int = 90, **more: Any) -> CertificateReport:
    made = CertificateReport(
        subject=f"CN={names[0]}" if names else "",
        names=names,
        issuer="CN=Example CA,O=Example",
        not_before="2026-10-01T00:00:00Z",
        not_after="2026-12-30T00:00:00Z" if lifetime == 90 else "2026-10-08T00:00:00Z",
        days_left=days,
        key="ec-secp256r1",
        signature="ecdsa-with-SHA256",
        serial="1f",
        sha256="ab" * 32,
        spki_sha256="cd" * 32,
    )
    return msgspec.structs.replace(made, **more)


def tls(*names: str, version: str = "TLSv1.3", **more: Any) -> TlsReport:
    leaf = certificate(*(names or ("mail.example.com",)))
    fields: dict[str, Any] = {
        "version": version,
        "cipher": "TLS_AES_256_GCM_SHA384",
        "trusted": True,
        "trust_error": None,
        "name_matches": True,
        "certificate": leaf,
        "chain": (leaf,),
        "certificate_without_sni": None,
        "asks_client_certificate": False,
        "dane": "none",
        "mta_sts": None,
        "scan": (),
    }
    return TlsReport(**{**fields, **more})


def say(*lines: str) -> tuple[TranscriptReport, ...]:
    """`C: …`, `S: …` and `N: …`; `~` behind the letter inside TLS; `@12.5 ` before it sets the time."""
    made: list[TranscriptReport] = []
    at = 0.0
    for line in lines:
        if line.startswith("@"):
            moment, _, line = line[1:].partition(" ")  # noqa: PLW2901 - the rest of it
            at = float(moment)
        letter, _, text = line.partition(": ")
        direction = {"C": "client", "S": "server", "N": "note"}[letter[0]]
        made.append(TranscriptReport(at_ms=at, direction=direction, tls=letter.endswith("~"), text=text))
    return tuple(made)


def endpoint(port: int = 587, **more: Any) -> EndpointReport:
    implicit = port == 465
    submission = port != 25
    fields: dict[str, Any] = {
        "host": "mail.example.com",
        "address": "192.0.2.10",
        "port": port,
        "role": "submission" if submission else "mx",
        "state": "open",
        "why": None,
        "phase": None,
        "by_us": None,
        "banner": "220 mail.example.com ESMTP Postfix",
        "ehlo": EhloReport(
            before_tls=() if implicit else CLEAR,
            after_tls=INSIDE if submission else tuple(line for line in CLEAR if line != "STARTTLS"),
        ),
        "esmtp": True,
        "size": 10485760,
        "starttls": "implicit" if implicit else "offered",
        "tls": tls(),
        "tls_error": None,
        "auth": AuthReport(
            before_tls=(), after_tls=("PLAIN", "LOGIN") if submission else (), login="not-tried", mechanism=None,
            why=None,
        ),
        "relay": "not-tried",
        "ptr": (),
        "helo": "client.example",
        "timings_ms": {"connect": 11.4, "banner": 3.0},
        "transcript": (),
    }  # fmt: skip
    return EndpointReport(**{**fields, **more})


def closed(port: int, state: str = "refused", why: str | None = "connection refused", **more: Any) -> EndpointReport:
    return endpoint(
        port, state=state, why=why, phase="connect", banner=None, ehlo=EhloReport(before_tls=(), after_tls=()),
        esmtp=None, size=None, starttls=None, tls=None, timings_ms={},
        auth=AuthReport(before_tls=(), after_tls=(), login="not-tried", mechanism=None, why=None), **more,
    )  # fmt: skip


def auth(before: str = "", after: str = "", login: str = "not-tried", mechanism: str | None = None,
         why: str | None = None) -> AuthReport:  # fmt: skip
    return AuthReport(
        before_tls=tuple(before.split()), after_tls=tuple(after.split()), login=login, mechanism=mechanism, why=why
    )


def scan(**accepted: bool | None) -> tuple[ScanReport, ...]:
    return tuple(
        ScanReport(version=name.replace("_", "."), accepted=taken, cipher="AES256-SHA" if taken else None)
        for name, taken in accepted.items()
    )


def finding(rule: str, subject: str, message: str, **more: Any) -> FindingReport:
    fields: dict[str, Any] = {
        "rule": rule, "area": rule.split("-", maxsplit=1)[0], "severity": "error", "subject": subject,
        "message": message, "evidence": (), "fix": "Renew it.", "references": ("RFC 5280 §4.1.2.5",),
        "who": "mail-admin", "location": None, "fingerprint": "", "part_of": None, "exhibits": (), "change": None,
    }  # fmt: skip
    return FindingReport(**{**fields, **more})


def exhibit(text: str, title: str = "") -> ExhibitReport:
    return ExhibitReport(title=title, text=text, marks=())


def report(
    *endpoints: EndpointReport,
    name: str = "mail.example.com",
    findings: tuple[FindingReport, ...] = (),
    unclear: tuple[InconclusiveReport, ...] = (),
    passed: tuple[str, ...] = (),
    advice: str | None = None,
    unknown: tuple[str, ...] = (),
) -> Report:
    verdict = "fail" if any(found.severity == "error" for found in findings) else "inconclusive" if unclear else "pass"
    target = TargetReport(
        target=name, unicode=name, role=None, verdict=verdict,
        counts=Counts(passed=40, fail=len(findings), not_applicable=0, inconclusive=len(unclear)),
        findings=findings, inconclusive=unclear, suppressed=(),
        facts=Facts(smtp=SmtpReport(endpoints=endpoints, advice=advice, unknown=unknown)),
        passed=passed, duration_ms=412.0,
    )  # fmt: skip
    return Report(
        schema=SCHEMA, tool=Tool(name="deliverkit", version="0"), started_at="2026-11-01T00:00:00Z",
        duration_ms=412.0, verdict=verdict, exit_code=0,
        vantage=Vantage(resolvers=(), ipv4=True, ipv6=True), targets=(target,),
    )  # fmt: skip
