"""Rules about what DMARC comes to at the receiver: whether anything that passes speaks for the From domain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from deliverkit.facts.delivery import DeliveryFacts, either, passes_dmarc, sent, signed
from deliverkit.model import (
    Absent,
    Exhibit,
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
    heard,
    policy_exhibit,
    record_exhibit,
    signature_exhibit,
    spf_exhibit,
    unauthenticated,
)

_DOES: Final = {
    "reject": "receivers will refuse it",
    "quarantine": "receivers will put it into the junk folder",
    "none": "receivers may deliver it, and count it against the domain",
}


def _what_passes(delivery: DeliveryFacts) -> tuple[Exhibit, ...]:
    """The verdict of each address and each signature."""
    sources = delivery.sources.value if isinstance(delivery.sources, Found) else ()
    signatures = tuple(signature_exhibit(one) for one in delivery.signatures)
    return (
        *(spf_exhibit(one) for one in sources),
        *record_exhibit(delivery),
        *(signatures or (Exhibit("none", title="DKIM signatures"),)),
    )


@rule(Severity.ERROR, "RFC 9989 §4.4", "RFC 7489 §3.1", who=Who.SENDER)
def delivery_alignment_fails(delivery: DeliveryFacts) -> Iterator[Finding]:
    """The message will fail DMARC.

    DMARC passes where SPF passes for the domain of the reverse-path, or a DKIM signature verifies, and that domain is
    aligned with the one in From. Here neither is so, and the From domain asks receivers to hold such mail for forged:
    with `p=reject` it is refused, with `p=quarantine` it goes to junk. With `p=none` this is a warning.

    ## Fix
    Send through the domain's own mail server (`--server`, `--user`), or sign with a key that the From domain publishes
    (`--dkim-key`, `--dkim-selector`). A reverse-path of the same organisation is aligned; a bounce address of a
    service is not.

    ## Bad
        ; check --sender bounce@service.example
        ; check --signature s1@service.example=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
        $ORIGIN example.com.
        @       MX   10 mail
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
        25.2.0.192.in-addr.arpa.        PTR  mail.example.com.
        service.example.                MX   10 mail.example.com.
        service.example.                TXT  "v=spf1 ip4:192.0.2.25 -all"
        s1._domainkey.service.example.  TXT  "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

    ## Good
        ; check --sender bounce@example.com
        $ORIGIN example.com.
        @       MX   10 mail
        @       TXT  "v=spf1 ip4:192.0.2.25 -all"
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=none; rua=mailto:dmarc@example.com"
        25.2.0.192.in-addr.arpa.        PTR  mail.example.com.
    """
    domain = heard(delivery)
    policy = need(delivery.dmarc)
    severity = None if policy.enforcing else Severity.WARNING
    match passes_dmarc(delivery):
        case Unknown(why):
            raise Inconclusive(why, severity)
        case Absent(why):
            raise NotApplicable(why)
        case Found(passes):
            if passes:
                return
    signing = (
        f"Sign with a key that {domain} publishes (--dkim-key, --dkim-selector)"
        if not delivery.signatures
        else f"Let a signature of {domain} itself verify"
    )
    yield Finding(
        message=(
            f"mail from {domain} sent this way fails DMARC: neither SPF nor a DKIM signature passes for a domain that "
            f"is aligned with it, and its policy is {policy.policy}: {_DOES[policy.policy or 'none']}"
        ),
        subject=domain,
        evidence=(policy_exhibit(policy), *_what_passes(delivery)),
        fix=Fix(f"{signing}, or send through the domain's own mail server (--server, --user)."),
        severity=severity,
        cause="alignment",
    )


@rule(Severity.WARNING, "Google: Email sender guidelines", "RFC 7208 §8.1", "RFC 6376 §6.3", who=Who.SENDER)
def delivery_unauthenticated(delivery: DeliveryFacts) -> Iterator[Finding]:
    """Neither SPF nor a DKIM signature passes.

    The From domain has no DMARC record, so nothing says that such mail is forged. Large receivers refuse it all the
    same (Gmail: `550 5.7.26`), for they want one of the two from everybody.

    ## Fix
    Send through the domain's own mail server (`--server`, `--user`), or sign with a key that the domain publishes
    (`--dkim-key`, `--dkim-selector`).

    ## Bad
        $ORIGIN example.com.
        @       MX   10 mail
        mail    A    192.0.2.25
        25.2.0.192.in-addr.arpa.  PTR  mail.example.com.

    ## Good
        $ORIGIN example.com.
        @       MX   10 mail
        @       TXT  "v=spf1 ip4:192.0.2.25 -all"
        mail    A    192.0.2.25
        25.2.0.192.in-addr.arpa.  PTR  mail.example.com.
    """
    domain = heard(delivery)
    if known(delivery.dmarc) is not None and not isinstance(passes_dmarc(delivery), Absent):
        raise NotApplicable("told by delivery-alignment-fails")
    if unauthenticated(delivery):
        yield Finding(
            message=f"neither SPF nor a DKIM signature passes for mail from {domain} sent this way: large receivers "
            "refuse such mail",
            subject=domain,
            evidence=_what_passes(delivery),
            fix=Fix(
                "Send through the domain's own mail server (--server, --user), or sign with a key that the domain "
                "publishes (--dkim-key, --dkim-selector)."
            ),
        )
        return
    need(either(signed(delivery, aligned=False), sent(delivery, aligned=False)))


@rule(Severity.NOTICE, "RFC 9989 §4.7", "Google: Email sender guidelines")
def delivery_no_dmarc(delivery: DeliveryFacts) -> Iterator[Finding]:
    """The From domain has no DMARC record.

    Receivers cannot tell forged mail from yours, and large ones want a record of everybody who sends much.

    ## Fix
    Publish `v=DMARC1; p=none; rua=mailto:…` and read the reports before the policy is made stricter.

    ## Bad
        ; check --signature s1@example.com=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
        $ORIGIN example.com.
        @       MX   10 mail
        @       TXT  "v=spf1 ip4:192.0.2.25 -all"
        mail    A    192.0.2.25
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
    domain = heard(delivery)
    if known(delivery.dmarc) is not None:
        return
    yield Finding(
        message=f"{domain} has no DMARC record, nor has a domain above it",
        subject=domain,
        fix=Fix(
            "Publish a record, and read the reports before its policy is made stricter.",
            name=f"_dmarc.{domain}",
            rdtype="TXT",
            after=f"v=DMARC1; p=none; rua=mailto:dmarc-reports@{domain}",
        ),
        part_of="delivery-unauthenticated" if unauthenticated(delivery) else None,
    )


@rule(Severity.ERROR, "RFC 5322 §3.6.2", "RFC 9989 §3.2", who=Who.SENDER)
def delivery_from_nonexistent(delivery: DeliveryFacts) -> Iterator[Finding]:
    """The domain in From does not exist.

    Nobody can answer such mail, and most receivers refuse it as forged.

    ## Fix
    Write From in the name of a domain that exists: look for a typing error, or register it.

    ## Bad
        ; check --from example.test --sender me@example.com
        $ORIGIN example.com.
        @       MX   10 mail
        @       TXT  "v=spf1 ip4:192.0.2.25 -all"
        mail    A    192.0.2.25
        25.2.0.192.in-addr.arpa.  PTR  mail.example.com.

    ## Good
        $ORIGIN example.com.
        @       MX   10 mail
        @       TXT  "v=spf1 ip4:192.0.2.25 -all"
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=none; rua=mailto:dmarc@example.com"
        25.2.0.192.in-addr.arpa.  PTR  mail.example.com.
    """
    if delivery.from_domain is None:
        raise NotApplicable("the message has no From domain")
    if known(delivery.from_exists) is None:
        yield Finding(
            message=f"the domain in From, {delivery.from_domain}, does not exist: most receivers refuse such mail",
            subject=delivery.from_domain,
            fix=Fix("Write From in the name of a domain that exists."),
        )
