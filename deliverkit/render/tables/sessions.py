"""What each endpoint does, as a matrix; then everything of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from deliverkit.render.tables.shape import Block, Cell, Chapter, Item, Table, code, filled, listed, named, table
from deliverkit.render.text import smtp_cells as cells
from deliverkit.render.text.sheet import Look, Part, Sheet
from deliverkit.render.text.smtp_cells import FORMS
from deliverkit.render.text.transcript import write_transcript
from deliverkit.report.smtp import CertificateReport, EndpointReport, SmtpReport, TlsReport

_ENDPOINTS: Final = 40
_LINES: Final = 120
_LOOK: Final = Look(width=100, wrap=False)
_TOLD: Final = {"closed": "✓ closed: the recipient outside was refused",
                "possible": "! possible: RCPT for the recipient outside was accepted, which is no proof"}  # fmt: skip


def chapter(facts: SmtpReport) -> Chapter:
    """The matrix, the endpoints, the port to use."""
    form = FORMS[0]
    matrix = table(
        "SMTP endpoints",
        ("host", "address", "port", "state", "TLS", "certificate", "AUTH in clear → in TLS", "round trip"),
        [
            (
                code(endpoint.host),
                code(endpoint.address),
                str(endpoint.port),
                _words(cells.state(endpoint)),
                _words(cells.tls(endpoint, form)),
                _words(cells.certificate(endpoint, form)),
                _words(cells.auth(endpoint, form)),
                cells.trip([endpoint.timings_ms["connect"]] if "connect" in endpoint.timings_ms else []),
            )
            for endpoint in facts.endpoints
        ],
    )
    details = [item for endpoint in facts.endpoints[:_ENDPOINTS] for item in _endpoint(endpoint)]
    notes = [f"? {why}" for why in facts.unknown[:_ENDPOINTS]] + list(facts.absent[:_ENDPOINTS])
    advice = [facts.advice] if facts.advice is not None else []
    return Chapter(title="SMTP sessions", items=filled(matrix, *details), notes=(*advice, *notes))


def _words(part: Part) -> Cell:
    return Cell(part if isinstance(part, str) else part[0])


def _endpoint(endpoint: EndpointReport) -> Iterator[Item]:
    where = f"{endpoint.host} [{endpoint.address}] port {endpoint.port}"
    ehlo = endpoint.ehlo
    yield named(
        where,
        [
            ("why", endpoint.why),
            ("broke off at", endpoint.phase),
            ("perhaps this network", endpoint.by_us),
            ("banner", code(endpoint.banner) if endpoint.banner is not None else None),
            ("reverse name", code(listed(endpoint.ptr)) if endpoint.ptr else None),
            ("EHLO in clear", code(listed(ehlo.before_tls, 100)) if ehlo.before_tls else None),
            ("EHLO in TLS", code(listed(ehlo.after_tls, 100)) if ehlo.after_tls else None),
            ("TLS failed", endpoint.tls_error),
            *(_tls(endpoint.tls) if endpoint.tls is not None else ()),
            *cells.policy(endpoint),
            ("login", _login(endpoint)),
            ("relay", _TOLD.get(endpoint.relay)),
            ("times", ", ".join(f"{step.replace('_', ' in ')} {cells.milliseconds(ms)} ms"
                                for step, ms in endpoint.timings_ms.items())),
        ],
        folded=True,
    )  # fmt: skip
    if endpoint.tls is not None:
        yield _chain(where, endpoint.tls)
    if endpoint.transcript:
        sheet = Sheet(_LOOK)
        write_transcript(sheet, endpoint)
        lines = sheet.render().splitlines()
        yield Block(caption=f"Conversation with {where}", lines=tuple(lines[:_LINES]), more=max(len(lines) - _LINES, 0))


def _tls(tls: TlsReport) -> Iterator[tuple[str, Cell | str | None]]:
    yield "TLS", f"{tls.version}, {tls.cipher}"
    yield "trust", "✓ trusted" if tls.trusted else f"not trusted: {tls.trust_error or 'no certificate was sent'}"
    yield "name", "✓ the certificate bears it" if tls.name_matches else "the certificate does not bear it"
    taken = [f"{entry.version} {_taken(accepted=entry.accepted)}" for entry in tls.scan]
    yield "TLS versions", listed(taken)


def _taken(*, accepted: bool | None) -> str:
    return {True: "accepted", False: "refused", None: "? not told"}[accepted]


def _chain(where: str, tls: TlsReport) -> Table:
    return table(
        f"Certificates of {where}",
        ("subject", "names", "issuer", "valid", "key", "SHA-256"),
        [_certificate(certificate) for certificate in tls.chain],
        folded=True,
    )


def _certificate(found: CertificateReport) -> tuple[Cell, ...]:
    left = f"{found.days_left} days left" if found.days_left >= 0 else f"expired {-found.days_left} days ago"
    first, last = (moment.partition("T")[0] for moment in (found.not_before, found.not_after))
    return (
        code(found.subject or "(no subject)"),
        code(listed(found.names) or "–"),
        code(found.issuer),
        Cell(f"{first} to {last} ({left})"),
        Cell(found.key),
        code(found.sha256),
    )


def _login(endpoint: EndpointReport) -> str | None:
    login = endpoint.auth
    if login.login == "not-tried":
        return f"not tried: {login.why}" if login.why else None
    sign = {"accepted": "✓ ", "refused": "✗ "}.get(login.login, "? ")
    by = f" by {login.mechanism}" if login.mechanism else ""
    return f"{sign}{login.login}{by}{f': {login.why}' if login.why else ''}"
