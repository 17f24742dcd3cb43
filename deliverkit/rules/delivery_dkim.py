"""Rules about the signatures of one delivery: whether there is any, and what a verifier will make of it."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.delivery import DeliveryFacts, DkimSignature
from deliverkit.model import Absent, Exhibit, Finding, Fix, Found, Inconclusive, NotApplicable, Severity, Unknown, Who
from deliverkit.records.dkim import written
from deliverkit.rules.declare import rule
from deliverkit.rules.delivery_exhibit import explained, heard, policy_exhibit, signature_exhibit


def _signatures(delivery: DeliveryFacts) -> tuple[DkimSignature, ...]:
    if not delivery.signatures:
        raise NotApplicable("the message has no signature")
    return delivery.signatures


def _unanswered(delivery: DeliveryFacts) -> None:
    """Stops a rule where nobody could tell what stands at a selector."""
    for signature in delivery.signatures:
        if isinstance(signature.texts, Unknown):
            raise Inconclusive(signature.texts.why)


def _part_of(delivery: DeliveryFacts, signature: DkimSignature) -> str | None:
    """What a signature that does not verify leads to; one that is not aligned leads to nothing by itself."""
    return explained(delivery) if signature.aligned != Found(value=False) else None


@rule(Severity.WARNING, "RFC 6376 §6.3", "Google: Email sender guidelines", who=Who.SENDER)
def delivery_unsigned(delivery: DeliveryFacts) -> Iterator[Finding]:
    """The message has no DKIM signature.

    SPF alone breaks as soon as anybody forwards the message, and DMARC with it. Where the From domain asks for
    `quarantine` or `reject`, forwarded mail is then lost; else this is a notice.

    ## Fix
    Sign with a key that the From domain publishes: `--dkim-key`, `--dkim-selector`.

    ## Bad
        $ORIGIN example.com.
        @       MX   10 mail
        @       TXT  "v=spf1 ip4:192.0.2.25 -all"
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
        25.2.0.192.in-addr.arpa.  PTR  mail.example.com.

    ## Good
        ; check --signature s1@example.com=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
        $ORIGIN example.com.
        @       MX   10 mail
        @       TXT  "v=spf1 ip4:192.0.2.25 -all"
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
        s1._domainkey  TXT  "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        25.2.0.192.in-addr.arpa.  PTR  mail.example.com.
    """
    if isinstance(delivery.from_exists, Absent):
        raise NotApplicable(delivery.from_exists.why)
    if delivery.signatures:
        return
    if delivery.submitted is not None:
        raise NotApplicable(f"{delivery.submitted}, which it is submitted to, may sign it")
    policy = delivery.dmarc.value if isinstance(delivery.dmarc, Found) else None
    enforcing = policy is not None and policy.enforcing
    domain = delivery.from_domain or ""
    yield Finding(
        message="the message has no DKIM signature: where it is forwarded, nothing vouches for it any more",
        subject=domain,
        evidence=(policy_exhibit(policy),) if policy is not None else (),
        fix=Fix(f"Sign with a key that {domain} publishes: --dkim-key FILE --dkim-selector NAME."),
        severity=None if enforcing else Severity.NOTICE,
        part_of=explained(delivery),
    )


@rule(Severity.ERROR, "RFC 6376 §6.1.2", who=Who.DNS_ADMIN)
def delivery_dkim_key_missing(delivery: DeliveryFacts) -> Iterator[Finding]:
    """The key of a signature is not published.

    A verifier asks for it at SELECTOR._domainkey.DOMAIN and finds nothing: the signature counts for nothing, and some
    receivers hold it against the message.

    ## Fix
    Publish the public half of the key that signs, or sign with the selector that is published.

    ## Bad
        ; check --signature s1@example.com=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
        $ORIGIN example.com.
        @       MX   10 mail
        @       TXT  "v=spf1 ip4:192.0.2.25 -all"
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
        25.2.0.192.in-addr.arpa.  PTR  mail.example.com.

    ## Good
        ; check --signature s1@example.com=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
        $ORIGIN example.com.
        @       MX   10 mail
        @       TXT  "v=spf1 ip4:192.0.2.25 -all"
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
        s1._domainkey  TXT  "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        25.2.0.192.in-addr.arpa.  PTR  mail.example.com.
    """
    for signature in _signatures(delivery):
        if not isinstance(signature.texts, Absent):
            continue
        key = signature.made_with
        record = None
        if key is not None and key.proper:
            kind = "" if key.kind == "rsa" else f"k={key.kind}; "
            record = f"v=DKIM1; {kind}p={key.proper}"
        yield Finding(
            message=f"the key of the signature by {signature.domain} is not published: it will not verify",
            subject=signature.name,
            evidence=(signature_exhibit(signature),),
            fix=Fix(
                "Publish the public half of the key that signs:"
                if record
                else "Publish the key that signs, or sign with the selector that is published.",
                name=signature.name if record else "",
                rdtype="TXT" if record else "",
                after=record,
            ),
            part_of=_part_of(delivery, signature),
        )
    _unanswered(delivery)


@rule(Severity.ERROR, "RFC 6376 §6.1.3", who=Who.SENDER)
def delivery_dkim_key_mismatch(delivery: DeliveryFacts) -> Iterator[Finding]:
    """The signature does not fit the key that is published.

    Another key signs, or the message was changed after it was signed. No verifier takes the signature for good.

    ## Fix
    Sign with the private half of the key that is published, or publish the one that signs. A new key gets a new
    selector, for mail that is under way still needs the old one.

    ## Bad
        ; check --signature s1@example.com=U8E49LfLQASE6gVQzqkZSlSZzwXaBarjnbS+QZQWtHE=
        $ORIGIN example.com.
        @       MX   10 mail
        @       TXT  "v=spf1 ip4:192.0.2.25 -all"
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
        s1._domainkey  TXT  "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        25.2.0.192.in-addr.arpa.  PTR  mail.example.com.

    ## Good
        ; check --signature s1@example.com=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
        $ORIGIN example.com.
        @       MX   10 mail
        @       TXT  "v=spf1 ip4:192.0.2.25 -all"
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
        s1._domainkey  TXT  "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        25.2.0.192.in-addr.arpa.  PTR  mail.example.com.
    """
    for signature in _signatures(delivery):
        if not signature.broken or signature.record is None:
            continue
        key, record = signature.made_with, signature.record
        fits = key is not None and key.proper is not None and key.kind == record.key_type
        yield Finding(
            message=f"the signature by {signature.domain} does not verify with the key that is published: another key "
            f"signs{'' if key is not None else ', or the message was changed since'}",
            subject=signature.name,
            evidence=(Exhibit(record.text, title=f"{signature.name} TXT"),),
            fix=Fix(
                "Sign with the key that is published; or publish this one, better at a selector of its own:",
                name=signature.name,
                rdtype="TXT",
                before=record.text,
                after=written(record, key.proper),
            )
            if fits and key is not None and key.proper is not None
            else Fix("Sign with the key that is published, or publish this one at a selector of its own."),
            part_of=_part_of(delivery, signature),
        )
    _unanswered(delivery)


@rule(Severity.ERROR, "RFC 6376 §6.1.2", "RFC 8301 §3", "RFC 8463 §3", who=Who.DNS_ADMIN)
def delivery_dkim_key_unusable(delivery: DeliveryFacts) -> Iterator[Finding]:
    """No verifier takes the key that is published for a signature.

    It is revoked, damaged, too short, or not meant for mail: the message counts as not signed.

    ## Fix
    `deliverkit dkim DOMAIN --selector NAME` shows what is wrong, and the record as it should be.

    ## Bad
        ; check --signature s1@example.com=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
        $ORIGIN example.com.
        @       MX   10 mail
        @       TXT  "v=spf1 ip4:192.0.2.25 -all"
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
        s1._domainkey  TXT  "v=DKIM1; k=ed25519; p="
        25.2.0.192.in-addr.arpa.  PTR  mail.example.com.

    ## Good
        ; check --signature s1@example.com=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
        $ORIGIN example.com.
        @       MX   10 mail
        @       TXT  "v=spf1 ip4:192.0.2.25 -all"
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
        s1._domainkey  TXT  "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        25.2.0.192.in-addr.arpa.  PTR  mail.example.com.
    """
    for signature in _signatures(delivery):
        if signature.unusable is None:
            continue
        record = signature.record
        yield Finding(
            message=f"no verifier takes the key that is published for {signature.domain}: {signature.unusable}",
            subject=signature.name,
            evidence=(Exhibit(record.text, title=f"{signature.name} TXT"),) if record is not None else (),
            fix=Fix(
                f"deliverkit dkim {signature.domain} --selector {signature.selector} shows what is wrong, and the "
                "record as it should be."
            ),
            part_of=_part_of(delivery, signature),
        )
    _unanswered(delivery)


@rule(Severity.NOTICE, "RFC 9989 §4.4.1", "RFC 7489 §3.1.1", who=Who.SENDER)
def delivery_dkim_unaligned(delivery: DeliveryFacts) -> Iterator[Finding]:
    """No signature is by a domain that is aligned with From.

    For DMARC such a signature counts for nothing, though it verify: all hangs on SPF, which forwarding breaks.

    ## Fix
    Sign as the From domain, or as a domain of the same organisation (`--dkim-domain`); services call that a custom
    DKIM domain. Where `adkim=s` is published it has to be the very same domain.

    ## Bad
        ; check --signature s1@service.example=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
        $ORIGIN example.com.
        @       MX   10 mail
        @       TXT  "v=spf1 ip4:192.0.2.25 -all"
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
        25.2.0.192.in-addr.arpa.  PTR  mail.example.com.
        s1._domainkey.service.example.  TXT  "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

    ## Good
        ; check --signature s1@example.com=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
        $ORIGIN example.com.
        @       MX   10 mail
        @       TXT  "v=spf1 ip4:192.0.2.25 -all"
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
        s1._domainkey  TXT  "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        25.2.0.192.in-addr.arpa.  PTR  mail.example.com.
    """
    domain = heard(delivery)
    signatures = _signatures(delivery)
    if any(one.aligned == Found(value=True) for one in signatures):
        return
    for one in signatures:
        if isinstance(one.aligned, Unknown):
            raise Inconclusive(one.aligned.why)
    strict = isinstance(delivery.dmarc, Found) and delivery.dmarc.value.strict_dkim
    yield Finding(
        message=f"no signature is by a domain that is aligned with {domain} in From: for DMARC it counts for nothing",
        subject=domain,
        evidence=tuple(signature_exhibit(one) for one in signatures),
        fix=Fix(
            f"Sign as {domain} itself (--dkim-domain; adkim=s is published)."
            if strict
            else f"Sign as {domain} or a domain of the same organisation (--dkim-domain)."
        ),
        part_of=explained(delivery),
    )
