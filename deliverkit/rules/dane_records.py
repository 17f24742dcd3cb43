"""Rules of area `dane`: what the TLSA records of one host say."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.dane import DaneHost
from deliverkit.model import Finding, Fix, Found, NotApplicable, Severity
from deliverkit.records.tlsa import Tlsa
from deliverkit.rules.dane_exhibit import exhibits, mender, records_of
from deliverkit.rules.declare import rule

_ADVICE = "Publish `3 1 1`, the SHA-256 of the server's own public key."
_LEFT = "; no other record is usable, so senders authenticate nobody"


def _some(host: DaneHost) -> tuple[Tlsa, ...]:
    records = records_of(host)
    if not records:
        raise NotApplicable("the host has no TLSA records")
    return records


def _used(host: DaneHost) -> tuple[Tlsa, ...]:
    """Those that senders use or would: advice about records that DNSSEC does not secure helps nobody."""
    if host.secure == Found(False):
        raise NotApplicable("DNSSEC does not secure the records: no sender uses them")
    _some(host)
    if not host.usable:
        raise NotApplicable("no record is usable")
    return host.usable


@rule(Severity.WARNING, "RFC 7672 §3.1.3", "RFC 7671 §5.1")
def dane_usage_pkix(host: DaneHost) -> Iterator[Finding]:
    """A TLSA record has certificate usage 0 or 1, which mail servers do not use.

    PKIX-TA and PKIX-EE ask for a certificate that public authorities vouch for as well. Mail servers agree on no
    list of authorities, so they pass over such a record. Where there is no other, they encrypt and authenticate nobody.

    ## Fix
    Publish `3 1 1` (DANE-EE, the SHA-256 of the server's own public key) in its place.

    ## Bad
        AD
        $ORIGIN example.com.
        @            MX    10 mx
        mx           A     192.0.2.25
        _25._tcp.mx  TLSA  1 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef

    ## Good
        AD
        $ORIGIN example.com.
        @            MX    10 mx
        mx           A     192.0.2.25
        _25._tcp.mx  TLSA  3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
        _25._tcp.mx  TLSA  3 1 1 fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210
    """
    found = [record for record in _some(host) if record.usage in (0, 1)]
    if found:
        one = found[0]
        yield Finding(
            message=f"{host.name} has certificate usage {one.usage}, which SMTP clients do not use"
            + ("" if host.usable else _LEFT),
            subject=host.name,
            evidence=exhibits(host, found),
            fix=Fix(
                text="For the server's own key publish usage 3 with the same selector, matching type and data."
                if one.usage == 1
                else f"{_ADVICE} For the key of the authority that issued its certificate, publish usage 2.",
                name=host.name,
                rdtype="TLSA",
                before=one.text,
                after=one.text.replace("1", "3", 1) if one.usage == 1 else None,
            ),
            severity=None if not host.usable else Severity.NOTICE,
            who=mender(host),
            cause="pkix",
        )


@rule(Severity.WARNING, "RFC 6698 §4.1", "RFC 7672 §3.1", "RFC 7671 §10.1.2")
def dane_record_unusable(host: DaneHost) -> Iterator[Finding]:
    """A TLSA record cannot be used: a number that is not defined, or data that does not fit it.

    Mail servers pass over such a record. Where there is no other, they encrypt and authenticate nobody.

    ## Fix
    Make the record anew from the server's key or certificate, with a tool.

    ## Bad
        AD
        $ORIGIN example.com.
        @            MX    10 mx
        mx           A     192.0.2.25
        _25._tcp.mx  TLSA  3 1 4 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef

    ## Good
        AD
        $ORIGIN example.com.
        @            MX    10 mx
        mx           A     192.0.2.25
        _25._tcp.mx  TLSA  3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
        _25._tcp.mx  TLSA  3 1 1 fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210
    """
    found = [record for record in _some(host) if record.usage not in (0, 1) and not record.usable]
    if found:
        rest = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        yield Finding(
            message=f"a TLSA record at {host.name} cannot be used: {found[0].unusable}{rest}"
            + ("" if host.usable else _LEFT),
            subject=host.name,
            evidence=exhibits(host, found),
            fix=Fix(
                text=f"{_ADVICE} Its digest: `openssl x509 -in cert.pem -noout -pubkey | openssl pkey -pubin "
                "-outform DER | openssl sha256`.",
                name=host.name,
                rdtype="TLSA",
                before=found[0].text,
            ),
            who=mender(host),
            cause="unusable",
        )


@rule(Severity.NOTICE, "RFC 7671 §8", "RFC 7671 §8.1")
def dane_no_rollover(host: DaneHost) -> Iterator[Finding]:
    """One TLSA record alone names the server's key: a change of the key loses mail unless all goes right at once.

    Resolvers keep the old record until its TTL has passed. Senders that got it meanwhile refuse the new key, and mail
    waits. With a second record, for the next key or for the authority that issues the certificate, nothing breaks.

    ## Fix
    Make the next key now and publish its `3 1 1` beside the one in use; or publish `2 1 1` for the authority.

    ## Bad
        AD
        $ORIGIN example.com.
        @            MX    10 mx
        mx           A     192.0.2.25
        _25._tcp.mx  TLSA  3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef

    ## Good
        AD
        $ORIGIN example.com.
        @            MX    10 mx
        mx           A     192.0.2.25
        _25._tcp.mx  TLSA  3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
        _25._tcp.mx  TLSA  3 1 1 fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210
    """
    usable = _used(host)
    if len(usable) == 1 and usable[0].usage == 3:  # noqa: PLR2004 - DANE-EE
        yield Finding(
            message=f"{host.name} names one key and no successor: the next change of key loses mail if it is hurried",
            subject=host.name,
            evidence=exhibits(host, host.usable),
            fix=Fix(text="Make the next key now and publish its `3 1 1` beside the one in use."),
            who=mender(host),
            cause="rollover",
        )


@rule(Severity.NOTICE, "RFC 7672 §3.1.1", "RFC 7671 §5.1")
def dane_ee_certificate(host: DaneHost) -> Iterator[Finding]:
    """A DANE-EE record names the whole certificate, not its key: it has to change at each renewal.

    A certificate that is renewed with the same key keeps `3 1 1` valid. With selector 0 every renewal, every two or
    three months with Let's Encrypt, loses mail unless the record was changed beforehand.

    ## Fix
    Publish `3 1 1` in its place, and have the renewal keep the key (`certbot --reuse-key`).

    ## Bad
        AD
        $ORIGIN example.com.
        @            MX    10 mx
        mx           A     192.0.2.25
        _25._tcp.mx  TLSA  3 0 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
        _25._tcp.mx  TLSA  2 1 1 fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210

    ## Good
        AD
        $ORIGIN example.com.
        @            MX    10 mx
        mx           A     192.0.2.25
        _25._tcp.mx  TLSA  3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
        _25._tcp.mx  TLSA  2 1 1 fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210
    """
    found = [record for record in _used(host) if record.usage == 3 and record.selector == 0]  # noqa: PLR2004
    if found:
        yield Finding(
            message=f"{host.name} names the whole certificate (selector 0): it has to change at each renewal",
            subject=host.name,
            evidence=exhibits(host, found),
            fix=Fix(text=f"{_ADVICE} Have the renewal keep the key.", name=host.name, rdtype="TLSA"),
            who=mender(host),
            cause="selector",
        )


@rule(Severity.NOTICE, "RFC 7671 §10.1.1", "RFC 7672 §3.1.1")
def dane_matching_full(host: DaneHost) -> Iterator[Finding]:
    """A TLSA record holds a whole certificate or key in place of its digest.

    The answer grows beyond what fits into one UDP datagram, and some resolvers and firewalls lose it: DANE senders
    then keep the mail back.

    ## Fix
    Publish the SHA-256 digest: matching type 1.

    ## Bad
        AD
        $ORIGIN example.com.
        @            MX    10 mx
        mx           A     192.0.2.25
        _25._tcp.mx  TLSA  3 1 0 300c0123456789abcdef01234567
        _25._tcp.mx  TLSA  3 1 0 300cfedcba9876543210fedcba98

    ## Good
        AD
        $ORIGIN example.com.
        @            MX    10 mx
        mx           A     192.0.2.25
        _25._tcp.mx  TLSA  3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
        _25._tcp.mx  TLSA  3 1 1 fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210
    """
    found = [record for record in _used(host) if record.matching == 0]
    if found:
        yield Finding(
            message=f"{host.name} holds a whole {'certificate' if found[0].selector == 0 else 'key'}, not its digest",
            subject=host.name,
            evidence=exhibits(host, found),
            fix=Fix(text="Publish the SHA-256 digest: matching type 1.", name=host.name, rdtype="TLSA"),
            who=mender(host),
            cause="full",
        )


@rule(Severity.NOTICE, "RFC 7671 §10.1.2", "RFC 7672 §3.2")
def dane_sha512_alone(host: DaneHost) -> Iterator[Finding]:
    """The TLSA records hold SHA-512 digests alone.

    SHA-256 is the one digest that every DANE client must know. One that does not know SHA-512 has no usable record.

    ## Fix
    Publish matching type 1 (SHA-256) in place of 2.

    ## Bad
        AD
        $ORIGIN example.com.
        @            MX    10 mx
        mx           A     192.0.2.25
        _25._tcp.mx  TLSA  3 1 2 ( 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
                                   0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef )
        _25._tcp.mx  TLSA  3 1 2 ( fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210
                                   fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210 )

    ## Good
        AD
        $ORIGIN example.com.
        @            MX    10 mx
        mx           A     192.0.2.25
        _25._tcp.mx  TLSA  3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
        _25._tcp.mx  TLSA  3 1 1 fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210
    """
    if {record.matching for record in _used(host)} == {2}:
        yield Finding(
            message=f"the TLSA records at {host.name} hold SHA-512 digests alone, which not every sender knows",
            subject=host.name,
            evidence=exhibits(host, host.usable),
            fix=Fix(text="Publish matching type 1 (SHA-256) in place of 2.", name=host.name, rdtype="TLSA"),
            who=mender(host),
            cause="sha512",
        )
