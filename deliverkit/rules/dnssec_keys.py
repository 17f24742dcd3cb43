"""Rules of area `dnssec`: keys, digests and the denial of existence."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.dnssec import DnssecFacts
from deliverkit.model import Exhibit, Finding, Fix, Severity, need
from deliverkit.records.dnssec import DEPRECATED, algorithm_name
from deliverkit.rules.declare import rule
from deliverkit.rules.dnssec_exhibit import ds_exhibits, zone_of

_RSA_SHORT = 2048
_RSA_BROKEN = 1024
_ITERATIONS = 50
"""What BIND since 9.19.19 takes for a signed zone; it treats more as unsigned."""


@rule(Severity.WARNING, "RFC 9905 §2", "RFC 9904 §3")
def dnssec_algorithm_deprecated(dnssec: DnssecFacts) -> Iterator[Finding]:
    """The domain is signed with an algorithm that must not be used any more.

    RSASHA1 and its kin rest on SHA-1, which can be forged. Resolvers begin to take such zones for unsigned
    (Red Hat's since 2022), and DANE is then lost without a word.

    ## Fix
    Roll the keys over to algorithm 13 (ECDSAP256SHA256): new signatures and keys first, then the DS record
    (RFC 6781 §4.1.4).

    ## Bad
        AD
        $ORIGIN example.com.
        @    SOA    ns hostmaster 1 7200 900 1209600 300
        @    DS     46924 7 2 b038ed857132dc07d0bcd59220eb129e787ae5de59e722b6d67908fb3610ba3d
        @    DNSKEY 257 3 7 ( AwEAAcFaBNy9WSUBpej+nOqvylAlVibKc2wTgEJTC6Q2t7HsDgaiebx5BzO7Cu5vqAJoPHs1UGPENOkR
                               ibDGUdCSsB5Vzk1
                               hC1SlRm0C+I/DeAlvsNrQJUhX/h5jgavATgfjPZFpNZNWNgBIlsWxJTRk8ctepzsAe8UCi7vqE+vChmjb )
        @    MX     10 mx
        mx   A      192.0.2.25

    ## Good
        AD
        $ORIGIN example.com.
        @    SOA    ns hostmaster 1 7200 900 1209600 300
        @    DS     18372 13 2 f8b300202c402971f48436e925a15e751000fc856bdca12d20d8e3dcb3ee5115
        @    DNSKEY 257 3 13 hn4ssE9aBNy9WSUBpej+nOqvylAlVibKc2wTgEJTC6Q2t7HsDgaiebx5BzO7Cu5vqAJoPHs1UGPENOkRibDGUQ==
        @    MX     10 mx
        mx   A      192.0.2.25
    """
    keys = [key for key in need(dnssec.keys) if key.zone]
    old = sorted({key.algorithm for key in keys} & DEPRECATED)
    if old:
        zone = zone_of(dnssec)
        yield Finding(
            message=f"{zone} is signed with {' and '.join(map(algorithm_name, old))}, which must not be used any more",
            subject=zone,
            evidence=tuple(Exhibit(title=f"{zone} DNSKEY", text=key.words) for key in keys),
            fix=Fix(text="Roll the keys over to algorithm 13 (ECDSAP256SHA256)."),
            severity=None if all(key.algorithm in DEPRECATED for key in keys) else Severity.NOTICE,
            cause="algorithm",
        )


@rule(Severity.WARNING, "RFC 9905 §2", "RFC 4509 §3")
def dnssec_ds_sha1(dnssec: DnssecFacts) -> Iterator[Finding]:
    """The DS records of the domain hold SHA-1 digests alone.

    SHA-1 must not be used for delegations any more; a resolver that refuses it takes the domain for unsigned.

    ## Fix
    Give the registrar the DS record with digest type 2 (SHA-256), and delete those of type 1.

    ## Bad
        AD
        $ORIGIN example.com.
        @    SOA    ns hostmaster 1 7200 900 1209600 300
        @    DS     18372 13 1 6755562f2ed196a4baa4de69b831066053729f57
        @    DNSKEY 257 3 13 hn4ssE9aBNy9WSUBpej+nOqvylAlVibKc2wTgEJTC6Q2t7HsDgaiebx5BzO7Cu5vqAJoPHs1UGPENOkRibDGUQ==
        @    MX     10 mx
        mx   A      192.0.2.25

    ## Good
        AD
        $ORIGIN example.com.
        @    SOA    ns hostmaster 1 7200 900 1209600 300
        @    DS     18372 13 2 f8b300202c402971f48436e925a15e751000fc856bdca12d20d8e3dcb3ee5115
        @    DNSKEY 257 3 13 hn4ssE9aBNy9WSUBpej+nOqvylAlVibKc2wTgEJTC6Q2t7HsDgaiebx5BzO7Cu5vqAJoPHs1UGPENOkRibDGUQ==
        @    MX     10 mx
        mx   A      192.0.2.25
    """
    if {entry.kind for entry in need(dnssec.ds)} == {1}:
        zone = zone_of(dnssec)
        yield Finding(
            message=f"the DS records of {zone} hold SHA-1 digests alone, which must not be used any more",
            subject=zone,
            evidence=ds_exhibits(dnssec),
            fix=Fix(text="Give the registrar the DS record with digest type 2 (SHA-256), and delete those of type 1."),
            cause="sha1",
        )


@rule(Severity.WARNING, "RFC 6781 §3.4.2", "NIST SP 800-57 part 1 §5.6.1")
def dnssec_key_short(dnssec: DnssecFacts) -> Iterator[Finding]:
    """The domain is signed with a short RSA key.

    Keys under 2048 bits are no longer recommended; under 1024 bits they can be broken, and whoever does so signs for
    the domain. A key of algorithm 13 is safer, and its answers are smaller.

    ## Fix
    Roll the key over to algorithm 13 (ECDSAP256SHA256), or to RSA of 2048 bits.

    ## Bad
        AD
        $ORIGIN example.com.
        @    SOA    ns hostmaster 1 7200 900 1209600 300
        @    DS     46925 8 2 41950d44963229bf08952fc77c935ce9c4d082e4c7c0d4a433ad9d95d00c5d19
        @    DNSKEY 257 3 8 ( AwEAAcFaBNy9WSUBpej+nOqvylAlVibKc2wTgEJTC6Q2t7HsDgaiebx5BzO7Cu5vqAJoPHs1UGPENOkR
                               ibDGUdCSsB5Vzk1
                               hC1SlRm0C+I/DeAlvsNrQJUhX/h5jgavATgfjPZFpNZNWNgBIlsWxJTRk8ctepzsAe8UCi7vqE+vChmjb )
        @    MX     10 mx
        mx   A      192.0.2.25

    ## Good
        AD
        $ORIGIN example.com.
        @    SOA    ns hostmaster 1 7200 900 1209600 300
        @    DS     18372 13 2 f8b300202c402971f48436e925a15e751000fc856bdca12d20d8e3dcb3ee5115
        @    DNSKEY 257 3 13 hn4ssE9aBNy9WSUBpej+nOqvylAlVibKc2wTgEJTC6Q2t7HsDgaiebx5BzO7Cu5vqAJoPHs1UGPENOkRibDGUQ==
        @    MX     10 mx
        mx   A      192.0.2.25
    """
    short = [key for key in need(dnssec.keys) if key.zone and (key.bits or _RSA_SHORT) < _RSA_SHORT]
    # What is deprecated as a whole is told by its algorithm.
    short = [key for key in short if key.algorithm not in DEPRECATED]
    if short:
        zone = zone_of(dnssec)
        broken = any((key.bits or _RSA_SHORT) < _RSA_BROKEN for key in short)
        yield Finding(
            message=f"{zone} is signed with an RSA key under {_RSA_BROKEN if broken else _RSA_SHORT} bits",
            subject=zone,
            evidence=tuple(Exhibit(title=f"{zone} DNSKEY", text=key.words) for key in short),
            fix=Fix(text="Roll the key over to algorithm 13 (ECDSAP256SHA256), or to RSA of 2048 bits."),
            severity=Severity.WARNING if broken else Severity.NOTICE,
            cause="broken" if broken else "short",
        )


@rule(Severity.WARNING, "RFC 9276 §3.1", "RFC 9276 §3.2")
def dnssec_nsec3_iterations(dnssec: DnssecFacts) -> Iterator[Finding]:
    """The zone denies names with NSEC3 of more than zero additional iterations.

    They hide nothing and cost every resolver time. Resolvers may take zones with many of them for unsigned, and
    those with very many for broken: DANE is then lost, or mail.

    ## Fix
    Set the iterations to 0 and the salt to none (`nsec3param 1 0 0 -`), or use NSEC.

    ## Bad
        AD
        $ORIGIN example.com.
        @    SOA        ns hostmaster 1 7200 900 1209600 300
        @    NSEC3PARAM 1 0 100 aabb
        @    MX         10 mx
        mx   A          192.0.2.25

    ## Good
        AD
        $ORIGIN example.com.
        @    SOA        ns hostmaster 1 7200 900 1209600 300
        @    NSEC3PARAM 1 0 0 -
        @    MX         10 mx
        mx   A          192.0.2.25
    """
    iterations = need(dnssec.iterations)
    if iterations > 0:
        zone = zone_of(dnssec)
        many = iterations > _ITERATIONS
        yield Finding(
            message=f"{zone} denies names with NSEC3 of additional iterations"
            + (", more than resolvers take for a signed zone" if many else ", which ought to be zero"),
            subject=zone,
            evidence=(Exhibit(title=f"{zone} NSEC3PARAM", text=f"{iterations} additional iterations"),),
            fix=Fix(text="Set the iterations to 0 and the salt to none (`nsec3param 1 0 0 -`), or use NSEC."),
            severity=Severity.WARNING if many else Severity.NOTICE,
            cause="iterations",
        )
