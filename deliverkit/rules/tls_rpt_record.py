"""Rules about the TLS-RPT record: is there one, one alone, and whole."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.tls_rpt import TlsRptFacts
from deliverkit.model import Exhibit, Finding, Fix, Found, Mark, Severity, known, need
from deliverkit.records.tls_rpt import TlsRptRecord, looks_like_tls_rpt
from deliverkit.rules.declare import rule


@rule(Severity.NOTICE, "RFC 8460 §3")
def tls_rpt_missing(tls_rpt: TlsRptFacts) -> Iterator[Finding]:
    """The domain takes mail, but asks nobody to report failures of TLS.

    Senders that cannot deliver because of a certificate, MTA-STS or DANE tell nobody: the domain merely gets less
    mail. With a record, Google, Microsoft and others send a report each day.

    ## Fix
    Publish a TXT record at `_smtp._tls.DOMAIN` that names an address for the reports.

    ## Bad
        example.com.  MX  10 mx.example.com.

    ## Good
        example.com.            MX   10 mx.example.com.
        _smtp._tls.example.com. TXT  "v=TLSRPTv1; rua=mailto:tls-reports@example.com"
    """
    need(tls_rpt.hosts)
    known(tls_rpt.texts)
    if tls_rpt.records:
        return
    explained = bool(_near_misses(tls_rpt))
    yield Finding(
        message="senders are not asked to report failures of TLS (no TLS-RPT): mail lost to them goes unnoticed",
        subject=tls_rpt.domain,
        fix=Fix("Mend what tls-rpt-syntax tells of.") if explained else _fix(tls_rpt, "Publish the record."),
        part_of="tls-rpt-syntax" if explained else None,
    )


@rule(Severity.WARNING, "RFC 8460 §3")
def tls_rpt_multiple_records(tls_rpt: TlsRptFacts) -> Iterator[Finding]:
    """More than one TLS-RPT record stands at `_smtp._tls`.

    Senders then report to nobody.

    ## Fix
    Keep one record; several addresses go into one `rua=`, separated by commas.

    ## Bad
        example.com.            MX   10 mx.example.com.
        _smtp._tls.example.com. TXT  "v=TLSRPTv1; rua=mailto:tls-reports@example.com"
        _smtp._tls.example.com. TXT  "v=TLSRPTv1; rua=https://reports.example.net/v1"

    ## Good
        example.com.            MX   10 mx.example.com.
        _smtp._tls.example.com. TXT  "v=TLSRPTv1; rua=mailto:tls-reports@example.com,https://reports.example.net/v1"
    """
    need(tls_rpt.texts)
    if len(tls_rpt.records) > 1:
        texts = [record.text for record in tls_rpt.records[:8]]
        uris = dict.fromkeys(uri.text for record in tls_rpt.records[:8] for uri in record.rua if not uri.problem)
        yield Finding(
            message="has several TLS-RPT records: senders report to nobody",
            subject=tls_rpt.domain,
            evidence=tuple(Exhibit(text, title=f"{tls_rpt.name} TXT") for text in texts),
            fix=Fix(
                "Keep one, with all addresses.",
                name=tls_rpt.name,
                rdtype="TXT",
                before="\n".join(texts),
                after=f"v=TLSRPTv1; rua={','.join(uris) or f'mailto:tls-reports@{tls_rpt.domain}'}",
            ),
        )


@rule(Severity.WARNING, "RFC 8460 §3")
def tls_rpt_syntax(tls_rpt: TlsRptFacts) -> Iterator[Finding]:
    """The TLS-RPT record is malformed.

    Senders then report to nobody, or not to every address. It begins with exactly `v=TLSRPTv1;`, and its `rua` holds
    `mailto:` or `https:` addresses, separated by commas.

    ## Fix
    Publish it as shown.

    ## Bad
        example.com.            MX   10 mx.example.com.
        _smtp._tls.example.com. TXT  "v=TLSRPTv1; rua=tls-reports@example.com"

    ## Good
        example.com.            MX   10 mx.example.com.
        _smtp._tls.example.com. TXT  "v=TLSRPTv1; rua=mailto:tls-reports@example.com"

    ## Bad
        example.com.            MX   10 mx.example.com.
        _smtp._tls.example.com. TXT  "v=TLSRPTv1 rua=mailto:tls-reports@example.com"

    ## Good
        example.com.            MX   10 mx.example.com.
        _smtp._tls.example.com. TXT  "v=TLSRPTv1;rua=mailto:tls-reports@example.com;"
    """
    need(tls_rpt.texts)
    for record in tls_rpt.records:
        if record.problems:
            yield _broken(tls_rpt, record)
    for text in _near_misses(tls_rpt):
        yield Finding(
            message="no sender recognises the TLS-RPT record: it does not begin with exactly v=TLSRPTv1;",
            subject=tls_rpt.domain,
            evidence=(Exhibit(text, title=f"{tls_rpt.name} TXT"),),
            fix=_fix(tls_rpt, "Write it as senders read it.", before=text),
        )


def _broken(tls_rpt: TlsRptFacts, record: TlsRptRecord) -> Finding:
    first = record.problems[0]
    usable = [_mended(uri.text) if uri.problem else uri.text for uri in record.rua]
    rua = ",".join(dict.fromkeys(uri for uri in usable if uri)) or f"mailto:tls-reports@{tls_rpt.domain}"
    return Finding(
        message=f"the TLS-RPT record is malformed ({first.message}): senders report to nobody, or not to every address",
        subject=tls_rpt.domain,
        evidence=(
            Exhibit(
                record.text,
                title=f"{tls_rpt.name} TXT",
                marks=tuple(Mark(p.start, p.end, p.message) for p in record.problems),
            ),
        ),
        fix=Fix(
            "Write it as senders read it.",
            name=tls_rpt.name,
            rdtype="TXT",
            before=record.text,
            after=f"v=TLSRPTv1; rua={rua}",
        ),
    )


def _mended(text: str) -> str:
    """What was probably meant: the scheme of a bare address, https for http."""
    if text.lower().startswith("http://"):
        return f"https://{text[7:]}" if "%" not in text else ""
    return f"mailto:{text}" if text.count("@") == 1 and ":" not in text and " " not in text else ""


def _fix(tls_rpt: TlsRptFacts, words: str, *, before: str | None = None) -> Fix:
    return Fix(
        words,
        name=tls_rpt.name,
        rdtype="TXT",
        before=before,
        after=f"v=TLSRPTv1; rua=mailto:tls-reports@{tls_rpt.domain}",
    )


def _near_misses(tls_rpt: TlsRptFacts) -> tuple[str, ...]:
    """What somebody meant for a record, where senders recognise none."""
    if tls_rpt.records or not isinstance(tls_rpt.texts, Found):
        return ()
    return tuple(text for text in tls_rpt.texts.value if looks_like_tls_rpt(text))[:4]
