"""Rules about the addresses that DMARC reports go to."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.dmarc import AppliedRecord, ReportTarget
from deliverkit.model import Exhibit, Finding, Fix, Found, Mark, NotApplicable, Severity, known, need
from deliverkit.records.dmarc import parse_dmarc
from deliverkit.records.dmarc_repair import mended
from deliverkit.rules.declare import rule

_PROMISED = 2
"""Addresses that every receiver serves (RFC 7489 §6.2)."""


def _exhibit(target: ReportTarget, note: str) -> Exhibit:
    mark = Mark(target.uri.start, target.uri.end, note)
    return Exhibit(target.record, title=f"_dmarc.{target.policy_domain} TXT", marks=(mark,))


def _corrected(target: ReportTarget, words: str) -> Fix:
    return Fix(
        words,
        name=f"_dmarc.{target.policy_domain}",
        rdtype="TXT",
        before=target.record,
        after=mended(parse_dmarc(target.record), mailbox=target.mailbox),
    )


@rule(Severity.WARNING, "RFC 9989 §4.7", "RFC 9989 §5.1.3")
def dmarc_report_missing(applied: AppliedRecord) -> Iterator[Finding]:
    """Nobody receives the DMARC reports.

    Without an address in `rua=` no receiver sends any: you never learn who sends in your name, nor that your own
    mail has begun to fail.

    ## Fix
    Name a mailbox in `rua=mailto:…`. A domain that never sends needs none.

    ## Bad
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject"

    ## Good
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
    """
    record = applied.record
    if applied.parked:
        raise NotApplicable("the domain sends no mail")
    if any(uri.address for uri in record.rua):
        return
    yield Finding(
        message="no address receives the reports: you will not learn of forgery, nor that your own mail fails",
        subject=applied.domain,
        evidence=(Exhibit(record.text, title=f"{applied.found_at} TXT"),),
        fix=Fix(
            "Name a mailbox that takes the reports.",
            name=applied.found_at,
            rdtype="TXT",
            before=record.text,
            after=mended(record, mailbox=applied.mailbox),
        ),
        part_of="dmarc-report-uri-invalid" if any(uri.scheme in {"", "mailto"} for uri in record.rua) else None,
    )


@rule(Severity.WARNING, "RFC 9989 §4.6", "RFC 6068 §2")
def dmarc_report_uri_invalid(target: ReportTarget) -> Iterator[Finding]:
    """A report address cannot be read.

    Addresses are URIs: `mailto:` stands before each, commas between them. Receivers pass over one that is not.

    ## Fix
    Write `mailto:local@domain`.

    ## Bad
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com,admin@example.com"

    ## Good
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com,mailto:admin@example.com"
    """
    if target.uri.problem and target.uri.scheme in {"", "mailto"}:
        yield Finding(
            message=f"an address in {target.tag}= cannot be read ({target.uri.problem}): no report goes there",
            subject=target.uri.text or target.policy_domain,
            evidence=(_exhibit(target, target.uri.problem),),
            fix=_corrected(target, "Write it as mailto:local@domain."),
        )


@rule(Severity.NOTICE, "RFC 9989 §4.6", "RFC 9990 §2.5")
def dmarc_report_not_mailto(target: ReportTarget) -> Iterator[Finding]:
    """A report address is not an address of mail.

    The standard defines how reports travel by mail and by nothing else. Receivers pass over other schemes.

    ## Fix
    Give a `mailto:` address.

    ## Bad
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com,https://reports.example.com/dmarc"

    ## Good
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
    """
    if target.uri.scheme not in {"", "mailto"}:
        yield Finding(
            message=f"{target.tag}= names a {target.uri.scheme[:16]}: address: receivers send reports by mail only",
            subject=target.uri.text,
            evidence=(_exhibit(target, "not mailto:"),),
            fix=_corrected(target, "Give a mailto: address in its place, or take it out."),
        )


@rule(Severity.WARNING, "RFC 9990 §3", "RFC 7489 §7.1")
def dmarc_report_unauthorized(target: ReportTarget) -> Iterator[Finding]:
    """Reports are to go to another organisation, which has not agreed to it.

    Anyone could name anyone's mailbox, so receivers first look for a record by which the other side consents.
    Without it they send no report there.

    ## Fix
    The owner of the other domain publishes `v=DMARC1` at the name shown, or at `*._report._dmarc` to accept reports
    about every domain.

    ## Bad
        $ORIGIN example.com.
        @              MX   10 mx.example.net.
        _dmarc         TXT  "v=DMARC1; p=reject; rua=mailto:example@reports.example.net"
        reports.example.net.  MX  10 mx.example.net.

    ## Good
        $ORIGIN example.com.
        @              MX   10 mx.example.net.
        _dmarc         TXT  "v=DMARC1; p=reject; rua=mailto:example@reports.example.net"
        reports.example.net.  MX  10 mx.example.net.
        example.com._report._dmarc.reports.example.net.  TXT  "v=DMARC1"
    """
    if not target.external or target.asked is None:
        return
    if known(target.authorized) is False:
        yield Finding(
            message=f"{target.uri.host} has not agreed to receive reports about {target.policy_domain}: none are sent",
            subject=target.uri.text,
            evidence=(
                _exhibit(target, "without consent"),
                Exhibit("no DMARC record", title=f"{target.asked} TXT"),
            ),
            fix=Fix(
                f"Ask the owner of {target.uri.host} to publish this, or name an address of your own.",
                name=target.asked,
                rdtype="TXT",
                after="v=DMARC1",
            ),
        )


@rule(Severity.WARNING, "RFC 9990 §2.5")
def dmarc_report_domain_missing(target: ReportTarget) -> Iterator[Finding]:
    """A report address lies in a domain that does not exist.

    Reports to it are lost. If anyone may register the name, they may receive your reports.

    ## Fix
    Correct the address, or take it out.

    ## Bad
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com,mailto:dmarc@gone.example.com"

    ## Good
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
    """
    if need(target.exists) is False:
        yield Finding(
            message=f"the domain {target.uri.host} does not exist: reports to {target.uri.address} are lost",
            subject=target.uri.text,
            evidence=(_exhibit(target, "no such domain"),),
            fix=Fix("Name an address in a domain that exists."),
            part_of="dmarc-report-unauthorized" if target.authorized == Found(False) else None,
        )


@rule(Severity.NOTICE, "RFC 7489 §6.2", "RFC 9989 §4.6")
def dmarc_too_many_reports(applied: AppliedRecord) -> Iterator[Finding]:
    """More than two addresses are to receive the same reports.

    Receivers need to serve only two; some serve no more.

    ## Fix
    Name the two that matter first, and forward from there.

    ## Bad
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:a@example.com,mailto:b@example.com,mailto:c@example.com"

    ## Good
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:a@example.com,mailto:b@example.com"
    """
    for name, uris in (("rua", applied.record.rua), ("ruf", applied.record.ruf)):
        if len(dict.fromkeys(uri.text for uri in uris)) > _PROMISED:
            yield Finding(
                message=f"{name}= names {len(uris)} addresses: receivers need to serve only the first two",
                subject=applied.domain,
                evidence=(
                    Exhibit(
                        applied.record.text,
                        title=f"{applied.found_at} TXT",
                        marks=tuple(
                            Mark(uri.start, uri.end, "may get none") for uri in uris[_PROMISED : _PROMISED + 8]
                        ),
                    ),
                ),
                fix=Fix("Name two addresses, and forward from there."),
                cause=f"too many {name}",
            )


@rule(Severity.NOTICE, "RFC 9989 §4.6")
def dmarc_report_duplicate(applied: AppliedRecord) -> Iterator[Finding]:
    """The same report address stands twice in one tag.

    Receivers may send it every report twice, or take up both places that they serve with it.

    ## Fix
    Name each address once.

    ## Bad
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com,mailto:DMARC@example.com"

    ## Good
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
    """
    for name, uris in (("rua", applied.record.rua), ("ruf", applied.record.ruf)):
        first: set[str] = set()
        repeated = []
        for uri in uris:
            if uri.address is None:
                continue
            if uri.address.lower() in first:
                repeated.append(uri)
            first.add(uri.address.lower())
        if repeated:
            yield Finding(
                message=f"{name}= names the same address twice",
                subject=applied.domain,
                evidence=(
                    Exhibit(
                        applied.record.text,
                        title=f"{applied.found_at} TXT",
                        marks=tuple(Mark(uri.start, uri.end, "named before") for uri in repeated[:8]),
                    ),
                ),
                fix=Fix(
                    "Name it once.",
                    name=applied.found_at,
                    rdtype="TXT",
                    before=applied.record.text,
                    after=mended(applied.record, mailbox=applied.mailbox),
                ),
                cause=f"repeated in {name}",
            )
