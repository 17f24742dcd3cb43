"""Where another program reads the same TLS-RPT record otherwise."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.domain import DomainFacts
from deliverkit.model import Exhibit, Finding, Fix, Mark, Severity, need
from deliverkit.rules.declare import rule


@rule(Severity.NOTICE, "RFC 8460 §3")
def tls_rpt_second_opinion(domain: DomainFacts) -> Iterator[Finding]:
    """A second program reads the domain's TLS-RPT record otherwise.

    With `--second-opinion`, checkdmarc judges the same record: whether it can be used, and the addresses it names.
    Where the two differ, one of them is wrong or stricter than the standard, and senders may differ in the same way.

    ## Fix
    Look at the part of the record that the two read differently, and write it so that both agree.

    ## Bad
        ; check example.com --second-opinion
        example.com.            MX   10 mx.example.com.
        _smtp._tls.example.com. TXT  "v=TLSRPTv1; rua=mailto:tls@example.com?subject=tls"

    ## Good
        ; check example.com --second-opinion
        example.com.            MX   10 mx.example.com.
        _smtp._tls.example.com. TXT  "v=TLSRPTv1; rua=mailto:tls@example.com"

    ## Bad
        ; check example.com --second-opinion
        example.com.            MX   10 mx.example.com.
        _smtp._tls.example.com. TXT  "v=TLSRPTv1; rua=mailto:tls@example.com; rua=mailto:reports@example.net"

    ## Good
        ; check example.com --second-opinion
        example.com.            MX   10 mx.example.com.
        _smtp._tls.example.com. TXT  "v=TLSRPTv1; rua=mailto:tls@example.com,mailto:reports@example.net"
    """
    opinion = need(domain.second_opinion)
    theirs = need(opinion.tls_rpt)
    tls_rpt = need(domain.tls_rpt)
    record = tls_rpt.records[0]
    ours = tuple(uri.text for uri in record.rua) if record.valid else ()
    if (record.valid, ours) == (theirs.valid, theirs.rua):
        return
    ours_said = _addresses(ours) if record.valid else "an error"
    they_said = _addresses(theirs.rua) if theirs.valid else f"an error ({theirs.error or 'unnamed'})"
    yield Finding(
        message=f"deliverkit finds {ours_said}, {opinion.library} {they_said}",
        subject=tls_rpt.domain,
        evidence=(
            Exhibit(
                record.text,
                title=f"{tls_rpt.name} TXT",
                marks=tuple(Mark(p.start, p.end, p.message) for p in record.problems),
            ),
            *((Exhibit(theirs.words, title=f"{opinion.library} {opinion.version}"),) if theirs.words else ()),
        ),
        fix=Fix("Write the record so that both read it alike."),
        part_of="tls-rpt-syntax" if record.problems else None,
    )


def _addresses(rua: tuple[str, ...]) -> str:
    return f"a record with {len(rua)} {'address' if len(rua) == 1 else 'addresses'}"
