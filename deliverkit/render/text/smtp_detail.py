"""All of one endpoint, for `-v`: the chain, TLS versions, what is offered line by line, times, the conversation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from deliverkit.model import shown
from deliverkit.render.text.sheet import Part, Sheet
from deliverkit.render.text.smtp_cells import OLD, milliseconds
from deliverkit.render.text.table import write_table
from deliverkit.render.text.transcript import write_transcript
from deliverkit.report.smtp import CertificateReport, EndpointReport, ScanReport, SmtpReport, TlsReport

_NAMES: Final = 20
_LINES: Final = 110
_STEPS: Final = ("connect", "banner", "ehlo", "starttls", "tls", "ehlo_tls", "auth")


def write_details(sheet: Sheet, known: SmtpReport) -> None:
    """Every endpoint that was dialled, in the order of the matrix."""
    for endpoint in known.endpoints:
        sheet.blank()
        at = f"{shown(endpoint.host)} [{shown(endpoint.address)}] port {endpoint.port}"
        sheet.line(
            (at if endpoint.host != endpoint.address else f"{shown(endpoint.host)} port {endpoint.port}", "bold")
        )
        if endpoint.ptr:
            sheet.prose(", ".join(shown(name) for name in endpoint.ptr), lead=("PTR     ", "dim"), indent=2, hang=10)
        if endpoint.tls is not None:
            _write_tls(sheet, endpoint.tls)
        _write_offers(sheet, endpoint)
        times = [f"{step.replace('_', ' in ').replace('in tls', 'in TLS')} {milliseconds(endpoint.timings_ms[step])} ms"
                 for step in _STEPS if step in endpoint.timings_ms]  # fmt: skip
        if times:
            sheet.prose(" · ".join(times), lead=("times   ", "dim"), indent=2, hang=10)
        if endpoint.transcript or endpoint.state != "open":
            write_transcript(sheet, endpoint)


def _write_tls(sheet: Sheet, tls: TlsReport) -> None:
    sheet.prose(f"{tls.version}, {tls.cipher}", lead=("TLS     ", "dim"), indent=2, hang=10)
    trust = "trusted" if tls.trusted else f"not trusted: {shown(tls.trust_error or 'no certificate was sent')}"
    name = "bears the name" if tls.name_matches else "does not bear the name"
    sheet.prose(f"{trust}; {name}", indent=10)
    if tls.dane != "none":
        sheet.prose(f"DANE: {tls.dane}", indent=10)
    if tls.mta_sts is not None:
        sheet.prose(f"MTA-STS: {tls.mta_sts}", indent=10)
    if tls.asks_client_certificate:
        sheet.prose("the server asks for a client certificate", indent=10)
    for depth, certificate in enumerate(tls.chain):
        _write_certificate(sheet, certificate, f"chain {depth} ")
    if tls.certificate_without_sni is not None:
        _write_certificate(sheet, tls.certificate_without_sni, "no SNI  ")
    if tls.scan:
        _write_scan(sheet, tls.scan)


def _write_certificate(sheet: Sheet, certificate: CertificateReport, lead: str) -> None:
    sheet.line((lead, "dim"), shown(certificate.subject) or "(no subject)", indent=2)
    for label, text in _described(certificate):
        sheet.prose(text, lead=(label.ljust(10), "dim"), indent=10, hang=20)


def _described(certificate: CertificateReport) -> Iterator[tuple[str, str]]:
    if certificate.names:
        more = len(certificate.names) - _NAMES
        named = ", ".join(shown(name) for name in certificate.names[:_NAMES])
        yield "names", f"{named} and {more} more" if more > 0 else named
    yield "issuer", shown(certificate.issuer)
    left = (
        f"{certificate.days_left} days left"
        if certificate.days_left >= 0
        else f"expired {-certificate.days_left} days ago"
    )
    yield "valid", f"{_day(certificate.not_before)} to {_day(certificate.not_after)} ({left})"
    yield "key", f"{shown(certificate.key)}, signed by {shown(certificate.signature)}"
    yield "SHA-256", shown(certificate.sha256)
    yield "3 1 1", shown(certificate.spki_sha256)


def _day(moment: str) -> str:
    """The day of a moment in RFC 3339; the second stands in JSON."""
    return shown(moment.partition("T")[0])


def _write_scan(sheet: Sheet, scan: tuple[ScanReport, ...]) -> None:
    rows = [_scanned(entry) for entry in scan]
    write_table(sheet, ("version", "offered alone", "cipher"), rows, indent=10, right=frozenset())


def _scanned(entry: ScanReport) -> tuple[Part, ...]:
    if entry.accepted is None:
        said: Part = ("? not told", "magenta")
    elif entry.accepted:
        said = ("! accepted", "yellow") if entry.version in OLD else "accepted"
    else:
        said = "refused"
    return entry.version, said, shown(entry.cipher or "–")


def _write_offers(sheet: Sheet, endpoint: EndpointReport) -> None:
    """The lines behind EHLO as a difference: `-` in clear only, `+` in TLS only."""
    before, after = endpoint.ehlo.before_tls, endpoint.ehlo.after_tls
    if not before and not after:
        return
    both = bool(before) and bool(after)
    head = "EHLO in clear → in TLS" if both else "EHLO in TLS" if after else "EHLO in clear"
    sheet.line((head, "dim"), indent=2)
    lines: list[tuple[str, str]] = []
    if both:
        lines.extend((" " if line in after else "-", line) for line in before)
        lines.extend(("+", line) for line in after if line not in before)
    else:
        lines.extend((" ", line) for line in after or before)
    for sign, line in lines[:_LINES]:
        style = {"-": "yellow", "+": "green"}.get(sign, "")
        said = {"-": "in clear only", "+": "in TLS only"}.get(sign, "")
        sheet.line((f"{sign} {shown(line)}", style), (f"   {said}" if said else "", "dim"), indent=10)
    if len(lines) > _LINES:
        sheet.line((f"… and {len(lines) - _LINES} more", "dim"), indent=10)
