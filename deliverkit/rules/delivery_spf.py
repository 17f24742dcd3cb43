"""Rules about SPF as the receiver of one delivery will find it: for this address, this reverse-path, this HELO."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from deliverkit.facts.delivery import DeliveryFacts, Source
from deliverkit.model import (
    Absent,
    Finding,
    Fix,
    Found,
    Inconclusive,
    NotApplicable,
    Severity,
    Unknown,
    Who,
    known,
    need,
)
from deliverkit.rules.declare import rule
from deliverkit.rules.delivery_exhibit import (
    authorised,
    explained,
    heard,
    record_exhibit,
    spf_exhibit,
    untold,
    verdicts,
)

_FOREIGN: Final = ("fail", "softfail", "neutral")
_PRODUCTION: Final = "delivery-not-production-sender"


def _by_result(delivery: DeliveryFacts, *results: str) -> tuple[Source, ...]:
    """The addresses with one of these results; stops the rule where there is no domain to check."""
    if delivery.spf_domain is None:
        raise NotApplicable("there is no domain that SPF is checked for")
    return tuple(source for source, result in verdicts(delivery) if result in results)


def _rest(delivery: DeliveryFacts) -> None:
    """Stops a rule that found nothing, where one of the addresses could not be told."""
    why = untold(delivery)
    if why is not None:
        raise Inconclusive(why)


def _permit(delivery: DeliveryFacts, sources: tuple[Source, ...], text: str) -> Fix:
    """The record with the addresses added."""
    change = authorised(delivery, tuple(source.address for source in sources))
    if change is None or delivery.spf_domain is None:
        return Fix(text)
    before, after = change
    return Fix(text, name=delivery.spf_domain, rdtype="TXT", before=before, after=after)


@rule(Severity.WARNING, "RFC 7208 §2.6", "RFC 7208 §8", who=Who.SENDER)
def delivery_not_production_sender(delivery: DeliveryFacts) -> Iterator[Finding]:
    """This machine's address is plainly not one that sends for the domain.

    The domain's SPF record names its senders, and this address is none of them. What becomes of a message that is
    sent from here says nothing of how the domain's own mail fares: reputation, block lists and SPF are judged by the
    address.

    ## Fix
    Send through the domain's own mail server (`--server`, `--user`), or run the test on it. If this machine is to send
    for the domain, add its address to the SPF record.

    ## Bad
        ; check --ip 198.51.100.7 --helo pc.example.net
        ; check --signature s1@example.com=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
        $ORIGIN example.com.
        @       MX   10 mail
        @       TXT  "v=spf1 ip4:192.0.2.25 ~all"
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
        s1._domainkey  TXT  "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        pc.example.net.             A    198.51.100.7
        7.100.51.198.in-addr.arpa.  PTR  pc.example.net.

    ## Good
        $ORIGIN example.com.
        @       MX   10 mail
        @       TXT  "v=spf1 ip4:192.0.2.25 ~all"
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=none; rua=mailto:dmarc@example.com"
        25.2.0.192.in-addr.arpa.  PTR  mail.example.com.
    """
    foreign = _by_result(delivery, *_FOREIGN)
    if not foreign:
        _rest(delivery)
        return
    domain = delivery.spf_domain or ""
    yield Finding(
        message=f"this machine is plainly not one that sends for {domain}: SPF does not name its address, so what "
        "becomes of this message tells little of the domain's own mail",
        subject=domain,
        evidence=(*(spf_exhibit(source) for source in foreign), *record_exhibit(delivery)),
        fix=_permit(
            delivery,
            foreign,
            "Send through the domain's own mail server (--server, --user), or run the test there. Only if this machine "
            "is to send for the domain, add its address:",
        ),
        cause="production sender",
    )


@rule(Severity.WARNING, "RFC 7208 §8.4", who=Who.SENDER)
def delivery_spf_fails(delivery: DeliveryFacts) -> Iterator[Finding]:
    """The domain's SPF record forbids this address to send.

    The result is `fail`: a receiver may refuse the message at MAIL FROM (`550 5.7.23`), before it sees a signature
    that would have saved it.

    ## Fix
    Send from an address that the record names, or add this one.

    ## Bad
        ; check --ip 198.51.100.7 --helo pc.example.net
        ; check --signature s1@example.com=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
        $ORIGIN example.com.
        @       MX   10 mail
        @       TXT  "v=spf1 ip4:192.0.2.25 -all"
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
        s1._domainkey  TXT  "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        pc.example.net.             A    198.51.100.7
        7.100.51.198.in-addr.arpa.  PTR  pc.example.net.

    ## Good
        $ORIGIN example.com.
        @       MX   10 mail
        @       TXT  "v=spf1 ip4:192.0.2.25 -all"
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=none; rua=mailto:dmarc@example.com"
        25.2.0.192.in-addr.arpa.  PTR  mail.example.com.
    """
    failed = _by_result(delivery, "fail")
    if not failed:
        _rest(delivery)
        return
    domain = delivery.spf_domain or ""
    yield Finding(
        message=f"the SPF record of {domain} forbids this address to send (fail): a receiver may refuse at MAIL FROM",
        subject=domain,
        evidence=(*(spf_exhibit(source) for source in failed), *record_exhibit(delivery)),
        fix=_permit(delivery, failed, "Send from an address that the record names, or add this one:"),
        part_of=_PRODUCTION,
    )


@rule(Severity.ERROR, "RFC 7208 §8.7", "RFC 7208 §4.6.4", who=Who.DNS_ADMIN)
def delivery_spf_broken(delivery: DeliveryFacts) -> Iterator[Finding]:
    """The SPF record of the sender's domain cannot be evaluated.

    The result is `permerror`: it counts as no pass wherever the mail comes from, and some receivers refuse.

    ## Fix
    `deliverkit spf DOMAIN` shows the term that breaks it, and the record as it should be.

    ## Bad
        ; check --signature s1@example.com=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
        $ORIGIN example.com.
        @       MX   10 mail
        @       TXT  "v=spf1 ipv4:192.0.2.25 -all"
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
        s1._domainkey  TXT  "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        25.2.0.192.in-addr.arpa.  PTR  mail.example.com.

    ## Good
        $ORIGIN example.com.
        @       MX   10 mail
        @       TXT  "v=spf1 ip4:192.0.2.25 -all"
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=none; rua=mailto:dmarc@example.com"
        25.2.0.192.in-addr.arpa.  PTR  mail.example.com.
    """
    broken = _by_result(delivery, "permerror")
    if not broken:
        _rest(delivery)
        return
    domain = delivery.spf_domain or ""
    yield Finding(
        message=f"the SPF record of {domain} cannot be evaluated (permerror): it lets nobody pass",
        subject=domain,
        evidence=(*(spf_exhibit(source) for source in broken), *record_exhibit(delivery)),
        fix=Fix(f"deliverkit spf {domain} shows what breaks it, and the record as it should be."),
    )


@rule(Severity.NOTICE, "RFC 7208 §2.6.1", "Google: Email sender guidelines", who=Who.DNS_ADMIN)
def delivery_spf_missing(delivery: DeliveryFacts) -> Iterator[Finding]:
    """The domain of the reverse-path has no SPF record.

    A message with a null reverse-path is checked by the name in HELO. Without a record only a DKIM signature can
    authenticate the mail, and receivers trust it less.

    ## Fix
    Publish a record that names the servers that send for the domain.

    ## Bad
        ; check --signature s1@example.com=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
        $ORIGIN example.com.
        @       MX   10 mail
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
        s1._domainkey  TXT  "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        25.2.0.192.in-addr.arpa.  PTR  mail.example.com.

    ## Good
        $ORIGIN example.com.
        @       MX   10 mail
        @       TXT  "v=spf1 ip4:192.0.2.25 -all"
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=none; rua=mailto:dmarc@example.com"
        25.2.0.192.in-addr.arpa.  PTR  mail.example.com.
    """
    without = _by_result(delivery, "none")
    if isinstance(delivery.mailable, Absent) and delivery.mailable.nxdomain:
        raise NotApplicable("the domain does not exist")
    if not without:
        _rest(delivery)
        return
    domain = delivery.spf_domain or ""
    yield Finding(
        message=f"{domain} has no SPF record: only a DKIM signature can authenticate this mail",
        subject=domain,
        evidence=tuple(spf_exhibit(source) for source in without),
        fix=_permit(delivery, without, "Publish a record that names this address and all others that send:"),
        part_of=explained(delivery),
    )


@rule(Severity.NOTICE, "RFC 9989 §4.4.2", "RFC 7489 §3.1.2", who=Who.SENDER)
def delivery_spf_unaligned(delivery: DeliveryFacts) -> Iterator[Finding]:
    """SPF passes for a domain that is not aligned with From.

    For DMARC such a pass counts for nothing; all hangs on the DKIM signature, which forwarding and mailing lists may
    break.

    ## Fix
    Take a reverse-path of the From domain, or of a subdomain of it; services call that a custom return-path or bounce
    domain. Where `aspf=s` is published it has to be the very same domain.

    ## Bad
        ; check --sender bounce@service.example
        ; check --signature s1@example.com=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
        $ORIGIN example.com.
        @       MX   10 mail
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
        s1._domainkey  TXT  "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        25.2.0.192.in-addr.arpa.  PTR  mail.example.com.
        service.example.          MX   10 mail.example.com.
        service.example.          TXT  "v=spf1 ip4:192.0.2.25 -all"

    ## Good
        ; check --sender bounce@news.example.com
        $ORIGIN example.com.
        @       MX   10 mail
        news    MX   10 mail
        news    TXT  "v=spf1 ip4:192.0.2.25 -all"
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=none; rua=mailto:dmarc@example.com"
        25.2.0.192.in-addr.arpa.  PTR  mail.example.com.
    """
    domain = heard(delivery)
    passing = _by_result(delivery, "pass")
    if not passing:
        _rest(delivery)
        raise NotApplicable("SPF does not pass")
    if need(delivery.spf_aligned):
        return
    strict = isinstance(delivery.dmarc, Found) and delivery.dmarc.value.strict_spf
    yield Finding(
        message=f"SPF passes for {delivery.spf_domain}, which is not aligned with {domain} in From: for DMARC that "
        "counts for nothing",
        subject=domain,
        evidence=tuple(spf_exhibit(source) for source in passing),
        fix=Fix(
            f"Take a reverse-path at {domain} itself (aspf=s is published)."
            if strict
            else f"Take a reverse-path at {domain}, or below it."
        ),
        part_of=explained(delivery),
    )


@rule(Severity.WARNING, "RFC 7208 §2.3", "RFC 7208 §10.1.3", who=Who.SENDER)
def delivery_helo_spf_fails(delivery: DeliveryFacts) -> Iterator[Finding]:
    """The SPF record of the name in HELO forbids this address.

    Receivers may check HELO before MAIL FROM, and refuse on `fail` whatever comes after.

    ## Fix
    Say the name of this machine (`--helo`), or add its address to that name's SPF record.

    ## Bad
        ; check --signature s1@example.com=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
        $ORIGIN example.com.
        @       MX   10 mail
        @       TXT  "v=spf1 ip4:192.0.2.25 -all"
        mail    A    192.0.2.25
        mail    TXT  "v=spf1 -all"
        _dmarc  TXT  "v=DMARC1; p=none; rua=mailto:dmarc@example.com"
        s1._domainkey  TXT  "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        25.2.0.192.in-addr.arpa.  PTR  mail.example.com.

    ## Good
        $ORIGIN example.com.
        @       MX   10 mail
        @       TXT  "v=spf1 ip4:192.0.2.25 -all"
        mail    A    192.0.2.25
        mail    TXT  "v=spf1 a -all"
        _dmarc  TXT  "v=DMARC1; p=none; rua=mailto:dmarc@example.com"
        25.2.0.192.in-addr.arpa.  PTR  mail.example.com.
    """
    said = [(source, source.helo_spf) for source in need(delivery.sources)]
    failed = tuple(
        (source, verdict.value)
        for source, verdict in said
        if isinstance(verdict, Found) and verdict.value.result == "fail"
    )
    for source, verdict in failed:
        yield Finding(
            message=f"the SPF record of {verdict.domain}, the name in HELO, forbids this address (fail)",
            subject=verdict.domain,
            evidence=(spf_exhibit(source, helo=True),),
            fix=Fix(
                f"Say this machine's own name (--helo), or let the SPF record of {verdict.domain} name its address."
            ),
        )
    if not failed:
        for _, answer in said:
            if isinstance(answer, Unknown):
                known(answer)
        if not any(isinstance(answer, Found) for _, answer in said):
            raise NotApplicable("HELO is no name that SPF is checked for")
