"""Rules of area `dnssec`: the dates of signatures."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.dnssec import DnssecFacts, Signed
from deliverkit.model import Finding, Fix, NotApplicable, Severity
from deliverkit.rules.declare import rule
from deliverkit.rules.dnssec_exhibit import by_set, signature_exhibits, whats, zone_of

_DAY = 86_400.0
_SOON = 3 * _DAY
_LATE = 10
"""No signer's defaults leave less than this part of a signature's life: BIND re-signs with 5 of 14 days left,
OpenDNSSEC with 3 of 14, PowerDNS with 14 of 21, Knot with a tenth and the zone's largest TTL."""
_EARLY = 5
_LONG = 180 * _DAY
_RESIGN = (
    "Sign the zone again (`rndc sign ZONE`, `knotc zone-sign ZONE`, `pdnsutil rectify-zone ZONE`, or your signing "
    "script), then find out why the signer did not: is it running, is its clock right, can it write the zone?"
)


def _sets(dnssec: DnssecFacts) -> list[list[Signed]]:
    sets = by_set(dnssec.signatures)
    if not sets:
        raise NotApplicable("no signature came with the answers")
    return sets


def _bogus(dnssec: DnssecFacts) -> str | None:
    return "dnssec-bogus" if dnssec.own_bogus else None


@rule(Severity.WARNING, "RFC 6781 §4.4.2", "RFC 4034 §3.1.5")
def dnssec_signature_expiring(dnssec: DnssecFacts) -> Iterator[Finding]:
    """Signatures of the domain are about to expire and have not been replaced.

    A signer replaces signatures long before they expire. Where less than a tenth of their life is left, and less
    than three days, it has stopped. When they expire, every validating resolver answers SERVFAIL: the domain's mail
    hosts, its SPF, DKIM and DMARC records are gone for whoever asks through one, Gmail and Microsoft among them.

    ## Fix
    Sign the zone again, and find out why the signer did not.

    ## Bad
        AD
        $ORIGIN example.com.
        @    SOA    ns hostmaster 1 7200 900 1209600 300
        @    MX     10 mx
        @    RRSIG  MX 13 2 3600 20270116120000 20261217120000 18372 example.com. AAAA
        mx   A      192.0.2.25

    ## Good
        AD
        $ORIGIN example.com.
        @    SOA    ns hostmaster 1 7200 900 1209600 300
        @    MX     10 mx
        @    RRSIG  MX 13 2 3600 20270127120000 20270113120000 18372 example.com. AAAA
        mx   A      192.0.2.25
    """
    expiring, worst = [], Severity.NOTICE
    for signatures in _sets(dnssec):
        last = max(signatures, key=lambda signed: signed.expiration)
        left = last.expiration - dnssec.now
        if 0 < left < _SOON and left < last.validity / _EARLY:
            expiring.append(last)
            if left < last.validity / _LATE:
                worst = Severity.WARNING
    if expiring:
        zone = zone_of(dnssec)
        yield Finding(
            message=f"signatures of {zone} are about to expire ({whats(expiring)}) and have not been replaced",
            subject=zone,
            evidence=signature_exhibits(expiring),
            fix=Fix(text=_RESIGN),
            severity=worst,
            cause="expiring",
        )


@rule(Severity.ERROR, "RFC 4035 §5.3.1", "RFC 4034 §3.1.5")
def dnssec_signature_expired(dnssec: DnssecFacts) -> Iterator[Finding]:
    """Signatures of the domain have expired.

    A validating resolver takes records without a valid signature for forged and answers SERVFAIL. Whoever asks
    through one finds no mail host and no policy of the domain.

    ## Fix
    Sign the zone again, and find out why the signer did not.

    ## Bad
        AD
        $ORIGIN example.com.
        @    SOA    ns hostmaster 1 7200 900 1209600 300
        @    MX     BOGUS
        @    MX     10 mx
        @    RRSIG  MX 13 2 3600 20270101120000 20261201120000 18372 example.com. AAAA
        mx   A      192.0.2.25

    ## Good
        AD
        $ORIGIN example.com.
        @    SOA    ns hostmaster 1 7200 900 1209600 300
        @    MX     10 mx
        @    RRSIG  MX 13 2 3600 20270127120000 20270113120000 18372 example.com. AAAA
        mx   A      192.0.2.25
    """
    expired = [s for s in _sets(dnssec) if all(signed.expiration < dnssec.now for signed in s)]
    if expired:
        zone = zone_of(dnssec)
        latest = [max(signatures, key=lambda signed: signed.expiration) for signatures in expired]
        yield Finding(
            message=f"signatures of {zone} have expired ({whats(latest)}): validating resolvers answer SERVFAIL",
            subject=zone,
            evidence=signature_exhibits(latest),
            fix=Fix(text=_RESIGN),
            part_of=_bogus(dnssec),
            cause="expired",
        )


@rule(Severity.ERROR, "RFC 4035 §5.3.1", "RFC 4034 §3.1.5")
def dnssec_signature_not_yet_valid(dnssec: DnssecFacts) -> Iterator[Finding]:
    """Signatures of the domain are valid only from a time that has not come.

    A resolver whose clock is right refuses them as it refuses expired ones. The clock of the signer is ahead.

    ## Fix
    Set the clock of the machine that signs, by NTP, and sign the zone again.

    ## Bad
        AD
        $ORIGIN example.com.
        @    SOA    ns hostmaster 1 7200 900 1209600 300
        @    MX     BOGUS
        @    MX     10 mx
        @    RRSIG  MX 13 2 3600 20280115080000 20280101080000 18372 example.com. AAAA
        mx   A      192.0.2.25

    ## Good
        AD
        $ORIGIN example.com.
        @    SOA    ns hostmaster 1 7200 900 1209600 300
        @    MX     10 mx
        @    RRSIG  MX 13 2 3600 20270127120000 20270113120000 18372 example.com. AAAA
        mx   A      192.0.2.25
    """
    early = [s for s in _sets(dnssec) if all(signed.inception > dnssec.now for signed in s)]
    if early:
        zone = zone_of(dnssec)
        first = [min(signatures, key=lambda signed: signed.inception) for signatures in early]
        yield Finding(
            message=f"signatures of {zone} ({whats(first)}) are not valid yet: the signer's clock is ahead",
            subject=zone,
            evidence=signature_exhibits(first),
            fix=Fix(text="Set the clock of the machine that signs, by NTP, and sign the zone again."),
            part_of=_bogus(dnssec),
            cause="not yet valid",
        )


@rule(Severity.NOTICE, "RFC 6781 §4.4.2", "RFC 4033 §12")
def dnssec_signature_long(dnssec: DnssecFacts) -> Iterator[Finding]:
    """Signatures of the domain are valid for more than half a year.

    Until a signature expires, whoever kept an answer can present it again, and it passes for true: an MX that has
    been replaced long ago, or a TLSA record of a key that was stolen.

    ## Fix
    Have the signer make signatures of two to four weeks and replace them by itself.

    ## Bad
        AD
        $ORIGIN example.com.
        @    SOA    ns hostmaster 1 7200 900 1209600 300
        @    MX     10 mx
        @    RRSIG  MX 13 2 3600 20350101000000 20270101000000 18372 example.com. AAAA
        mx   A      192.0.2.25

    ## Good
        AD
        $ORIGIN example.com.
        @    SOA    ns hostmaster 1 7200 900 1209600 300
        @    MX     10 mx
        @    RRSIG  MX 13 2 3600 20270127120000 20270113120000 18372 example.com. AAAA
        mx   A      192.0.2.25
    """
    long = [signed for signatures in _sets(dnssec) for signed in signatures if signed.validity > _LONG]
    if long:
        zone = zone_of(dnssec)
        yield Finding(
            message=f"signatures of {zone} are valid for more than half a year, and old answers as long as they",
            subject=zone,
            evidence=signature_exhibits(long[:3]),
            fix=Fix(text="Have the signer make signatures of two to four weeks and replace them by itself."),
            cause="long",
        )
