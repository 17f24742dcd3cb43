"""Rules about the machine and the reverse-path of one delivery: HELO, PTR, and whether bounces come back."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from deliverkit.facts.delivery import DeliveryFacts, Helo, Source
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
from deliverkit.rules.delivery_exhibit import NONEXISTENT


def _named(delivery: DeliveryFacts) -> Helo:
    """A HELO that is a full name; any other is told by a rule of its own."""
    helo = need(delivery.helo)
    if helo.literal or not helo.qualified:
        raise NotApplicable("HELO is no full name")
    return helo


def _visible(delivery: DeliveryFacts) -> tuple[Source, ...]:
    """The addresses that a receiver sees; stops the rule where all are hidden."""
    sources = need(delivery.sources)
    seen = tuple(one for one in sources if one.hidden is None)
    if not seen:
        why = next((one.spf.why for one in sources if isinstance(one.spf, Unknown)), "no address is known")
        raise Inconclusive(why)
    return seen


def _exhibit(helo: Helo) -> Exhibit:
    return Exhibit(helo.name, title="HELO")


@rule(Severity.NOTICE, "RFC 5321 §2.3.5", "RFC 5321 §4.1.1.1", who=Who.SENDER)
def delivery_helo_not_fqdn(delivery: DeliveryFacts) -> Iterator[Finding]:
    """HELO is no fully qualified name.

    A client says its full name. Many receivers refuse a single label, `localhost`, a bare address or a name that means
    something in its own network alone (`504 5.5.2`), for that is how infected machines greet.

    ## Fix
    Say this machine's full name: `--helo mail.example.com`; in Postfix `myhostname`, in Exim `primary_hostname`.

    ## Bad
        ; check --signature s1@example.com=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
        ; check --helo localhost
        $ORIGIN example.com.
        @       MX   10 mail
        @       TXT  "v=spf1 ip4:192.0.2.25 -all"
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=none; rua=mailto:dmarc@example.com"
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
    helo = need(delivery.helo)
    if helo.literal:
        raise NotApplicable("told by delivery-helo-is-literal")
    if not helo.qualified:
        yield Finding(
            message="HELO is no fully qualified name: many receivers refuse that",
            subject=delivery.sender_domain or delivery.from_domain or "",
            evidence=(_exhibit(helo),),
            fix=Fix("Say this machine's full name, which leads to its address: --helo NAME."),
            cause="HELO",
        )


@rule(Severity.NOTICE, "RFC 5321 §4.1.3", "RFC 5321 §4.1.4", "M3AAWG Sender Best Common Practices", who=Who.SENDER)
def delivery_helo_is_literal(delivery: DeliveryFacts) -> Iterator[Finding]:
    """HELO is an address in brackets.

    The standard allows it to a client without a name, and a mail server has one: receivers count it as a mark of
    machines that should not send mail.

    ## Fix
    Say this machine's full name: `--helo mail.example.com`.

    ## Bad
        ; check --signature s1@example.com=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
        ; check --helo [192.0.2.25]
        $ORIGIN example.com.
        @       MX   10 mail
        @       TXT  "v=spf1 ip4:192.0.2.25 -all"
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=none; rua=mailto:dmarc@example.com"
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
    helo = need(delivery.helo)
    if helo.literal:
        yield Finding(
            message="HELO is an address in brackets: receivers trust a client without a name less",
            subject=delivery.sender_domain or delivery.from_domain or "",
            evidence=(_exhibit(helo),),
            fix=Fix("Say this machine's full name, which leads to its address: --helo NAME."),
            cause="HELO",
        )


@rule(Severity.NOTICE, "RFC 5321 §2.3.5", "RFC 5321 §4.1.4", who=Who.SENDER)
def delivery_helo_unresolvable(delivery: DeliveryFacts) -> Iterator[Finding]:
    """The name in HELO has no address.

    Receivers look it up, and some refuse a name that leads nowhere (`450` or `550 5.7.1 Helo command rejected`).

    ## Fix
    Give the name an A or AAAA record, or say another one: `--helo`.

    ## Bad
        ; check --signature s1@example.com=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
        ; check --helo pc.example.com
        $ORIGIN example.com.
        @       MX   10 mail
        @       TXT  "v=spf1 ip4:192.0.2.25 -all"
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=none; rua=mailto:dmarc@example.com"
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
    helo = _named(delivery)
    if known(helo.addresses) is not None:
        return
    sources = delivery.sources.value if isinstance(delivery.sources, Found) else ()
    address = next((one.address for one in sources if one.hidden is None), None)
    yield Finding(
        message="the name in HELO has no address: some receivers refuse that",
        subject=helo.name.lower(),
        evidence=(_exhibit(helo),),
        fix=Fix(
            "Give the name its address, or say another one (--helo).",
            name=helo.name.lower(),
            rdtype="AAAA" if ":" in address else "A",
            after=address,
        )
        if address is not None
        else Fix("Give the name an address, or say another one (--helo)."),
    )


@rule(Severity.NOTICE, "RFC 5321 §4.1.4", "RFC 1123 §5.2.5", who=Who.SENDER)
def delivery_helo_not_our_address(delivery: DeliveryFacts) -> Iterator[Finding]:
    """The name in HELO leads to another address than the one that sends.

    A server must not refuse for it (RFC 5321 §4.1.4), and filters count it all the same: who says another's name looks
    like a forger.

    ## Fix
    Say the name that this address' PTR record gives (`--helo`), or have the name lead here too.

    ## Bad
        ; check --signature s1@example.com=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
        ; check --helo www.example.com
        $ORIGIN example.com.
        @       MX   10 mail
        @       TXT  "v=spf1 ip4:192.0.2.25 -all"
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=none; rua=mailto:dmarc@example.com"
        s1._domainkey  TXT  "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        25.2.0.192.in-addr.arpa.  PTR  mail.example.com.
        www     A    192.0.2.80

    ## Good
        $ORIGIN example.com.
        @       MX   10 mail
        @       TXT  "v=spf1 ip4:192.0.2.25 -all"
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=none; rua=mailto:dmarc@example.com"
        25.2.0.192.in-addr.arpa.  PTR  mail.example.com.
    """
    helo = _named(delivery)
    leads = need(helo.addresses)
    others = tuple(one for one in _visible(delivery) if one.address not in _compared(leads))
    if others:
        yield Finding(
            message="the name in HELO leads to another address than the one that sends",
            subject=helo.name.lower(),
            evidence=(
                _exhibit(helo),
                *(Exhibit(address, title=f"address of {helo.name.lower()}") for address in leads[:4]),
                *(Exhibit(one.address, title="sends from") for one in others),
            ),
            fix=Fix(
                "Say the name of this machine, as its PTR record gives it (--helo), or have the name lead here too."
            ),
        )


def _compared(addresses: tuple[str, ...]) -> frozenset[str]:
    """Addresses in the one form in which they are compared."""
    return frozenset(str(ipaddress.ip_address(address)) for address in addresses)


@rule(Severity.WARNING, "RFC 1912 §2.1", "Google: Email sender guidelines", who=Who.HOSTER)
def delivery_without_ptr(delivery: DeliveryFacts) -> Iterator[Finding]:
    """The address that sends has no PTR record, or one whose name does not lead back.

    Large receivers refuse such addresses (Gmail: `550 5.7.25`), and many others put them off or mark them down. An
    address of an Internet line at home most often has a name that is not yours, or none.

    ## Fix
    Whoever gave you the address sets its PTR record: to the name that HELO says, which has to lead back to the address.

    ## Bad
        ; check --signature s1@example.com=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
        $ORIGIN example.com.
        @       MX   10 mail
        @       TXT  "v=spf1 ip4:192.0.2.25 -all"
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=none; rua=mailto:dmarc@example.com"
        s1._domainkey  TXT  "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

    ## Bad
        ; check --signature s1@example.com=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
        $ORIGIN example.com.
        @       MX   10 mail
        @       TXT  "v=spf1 ip4:192.0.2.25 -all"
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=none; rua=mailto:dmarc@example.com"
        s1._domainkey  TXT  "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        25.2.0.192.in-addr.arpa.  PTR  host25.example.net.

    ## Good
        $ORIGIN example.com.
        @       MX   10 mail
        @       TXT  "v=spf1 ip4:192.0.2.25 -all"
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=none; rua=mailto:dmarc@example.com"
        25.2.0.192.in-addr.arpa.  PTR  mail.example.com.
    """
    visible = _visible(delivery)
    helo = delivery.helo.value if isinstance(delivery.helo, Found) else None
    name = f"{helo.name.lower().removesuffix('.')}." if helo is not None and helo.qualified else None
    for one in visible:
        missing = isinstance(one.names, Absent)
        if not missing and not isinstance(one.confirmed, Absent):
            continue
        names = one.names.value if isinstance(one.names, Found) else ()
        text = "Have whoever gave you the address set its PTR record to this machine's name, which has to lead back."
        yield Finding(
            message="the address that sends has no PTR record: large receivers refuse that"
            if missing
            else "the name that the PTR record of the sending address gives does not lead back to it: large receivers "
            "refuse that",
            subject=one.address,
            evidence=tuple(Exhibit(pointed, title=f"PTR of {one.address}") for pointed in names[:4])
            or (Exhibit(one.names.why if isinstance(one.names, Absent) else "", title=f"PTR of {one.address}"),),
            fix=Fix(text, name=ipaddress.ip_address(one.address).reverse_pointer, rdtype="PTR", after=name)
            if name is not None and missing
            else Fix(text),
            cause="no PTR" if missing else "PTR not confirmed",
        )
    for one in visible:
        for answer in (one.names, one.confirmed):
            if isinstance(answer, Unknown):
                raise Inconclusive(answer.why)


@rule(Severity.WARNING, "RFC 5321 §4.4", "RFC 5321 §6.1", "RFC 7505 §4.2", who=Who.SENDER)
def delivery_sender_cannot_receive(delivery: DeliveryFacts) -> Iterator[Finding]:
    """The domain of the reverse-path takes no mail.

    Where the message cannot be delivered the bounce goes there, and is lost. Many receivers look beforehand, and
    refuse (`550 5.7.27` for a null MX, `450 4.1.8` and `550 5.1.8` for a domain without MX and address).

    ## Fix
    Take a reverse-path whose domain has an MX record, or publish one.

    ## Bad
        ; check --signature s1@example.com=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
        $ORIGIN example.com.
        @       MX   0 .
        @       TXT  "v=spf1 ip4:192.0.2.25 -all"
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=none; rua=mailto:dmarc@example.com"
        s1._domainkey  TXT  "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        25.2.0.192.in-addr.arpa.  PTR  mail.example.com.

    ## Bad
        ; check --signature s1@example.com=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
        $ORIGIN example.com.
        @       TXT  "v=spf1 ip4:192.0.2.25 -all"
        mail    A    192.0.2.25
        _dmarc  TXT  "v=DMARC1; p=none; rua=mailto:dmarc@example.com"
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
    if delivery.sender_domain is None:
        raise NotApplicable("the reverse-path is null, or an address literal")
    if known(delivery.mailable) is not None:
        return
    why = delivery.mailable.why if isinstance(delivery.mailable, Absent) else ""
    same = delivery.sender_domain == delivery.from_domain and isinstance(delivery.from_exists, Absent)
    gone = isinstance(delivery.mailable, Absent) and delivery.mailable.nxdomain
    yield Finding(
        message=f"{delivery.sender_domain}, the domain of the reverse-path, "
        f"{'does not exist' if gone else 'takes no mail'}: bounces are lost, and many receivers refuse",
        subject=delivery.sender_domain,
        evidence=(Exhibit(why, title=f"{delivery.sender_domain} MX"),),
        fix=Fix("Take a reverse-path whose domain has an MX record, or publish one there."),
        part_of=NONEXISTENT if same else None,
    )
