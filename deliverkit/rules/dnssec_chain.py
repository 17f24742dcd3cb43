"""Rules of area `dnssec`: whether the chain from the root holds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from deliverkit.facts.dnssec import Bogus, DnssecFacts
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
from deliverkit.records.dnssec import Key, wire
from deliverkit.rules.declare import rule
from deliverkit.rules.dnssec_exhibit import bogus_exhibits, by_set, ds_exhibits, signature_exhibits, whats, zone_of


def _ds_for(zone: str, key: Key) -> str:
    """The DS record that names a key, by SHA-256 (RFC 4509)."""
    return f"{key.tag} {key.algorithm} 2 {hashlib.sha256(wire(zone) + key.rdata).hexdigest().upper()}"


def _delegation(dnssec: DnssecFacts) -> Fix | None:
    """The DS record to put in place of those that name no key; None where they do."""
    if not dnssec.named or any(verdict is not False for verdict in dnssec.named):
        return None
    zone = zone_of(dnssec)
    ds = dnssec.ds.value if isinstance(dnssec.ds, Found) else ()
    before = "\n".join(entry.text for entry in ds)
    keys = dnssec.keys.value if isinstance(dnssec.keys, Found) else ()
    chosen = [key for key in keys if key.zone and key.sep] or [key for key in keys if key.zone]
    if not chosen:
        text = "Delete the DS records at the registrar, or sign the zone again with the key that they name."
        return Fix(text=text, name=zone, rdtype="DS", before=before)
    after = "\n".join(dict.fromkeys(_ds_for(zone, key) for key in chosen))
    text = (
        "At the registrar replace the DS records by those of the keys in use, after making sure that these are yours."
    )
    return Fix(text=text, name=zone, rdtype="DS", before=before, after=after)


def _cause(dnssec: DnssecFacts) -> tuple[str, tuple[Exhibit, ...], Fix | None]:
    """Why validation fails, where the evidence shows it; what shows it, and what mends it."""
    fix = _delegation(dnssec)
    if fix is not None and not dnssec.signed:
        return ": its parent says that it is signed (DS), and it is not", ds_exhibits(dnssec), fix
    if fix is not None:
        return ": its DS records at the parent name none of its keys", ds_exhibits(dnssec), fix
    expired = [s[0] for s in by_set(dnssec.signatures) if all(signed.expiration < dnssec.now for signed in s)]
    if expired:
        resign = Fix(text="Sign the zone again, and find out why the signer did not.")
        return ": its signatures have expired", signature_exhibits(expired[:2]), resign
    return "", (), None


@rule(Severity.ERROR, "RFC 4035 §5.5", "RFC 8914 §4.7")
def dnssec_bogus(dnssec: DnssecFacts) -> Iterator[Finding]:
    """DNSSEC validation of the domain fails.

    Validating resolvers, those of Google, Cloudflare, Microsoft and most providers among them, answer SERVFAIL in
    place of the records. For whoever asks them the domain's mail hosts and its SPF, DKIM and DMARC records cannot be
    had: mail to it waits and comes back, mail from it fails authentication for the time being.

    ## Fix
    Make the DS records at the registrar fit the keys of the zone, and its signatures valid. If that takes time, have
    the DS records deleted: the domain is then unsigned, and reachable once their TTL has passed.

    ## Bad
        AD
        $ORIGIN example.com.
        @    BOGUS
        @    MX   10 mx
        mx   A    192.0.2.25

    ## Good
        AD
        $ORIGIN example.com.
        @    SOA  ns hostmaster 1 7200 900 1209600 300
        @    MX   10 mx
        mx   A    192.0.2.25
    """
    own = dnssec.own_bogus
    if own:
        cause, evidence, fix = _cause(dnssec)
        lost = [entry for entry in own if entry.rdtype not in ("SOA", "DNSKEY")] or own
        held = [entry for entry in lost if entry.hidden] or lost
        yield Finding(
            message=(
                f"DNSSEC validation of {dnssec.domain} fails{cause}. Validating resolvers answer SERVFAIL, "
                f"so whoever asks them does not get its {whats(held)}"
            ),
            subject=dnssec.domain,
            evidence=(*evidence, *bogus_exhibits(held)),
            fix=fix,
            cause="own",
        )
    hosts: dict[str, list[Bogus]] = {}
    for entry in dnssec.bogus:
        if entry not in own:
            hosts.setdefault(entry.name.removeprefix("_25._tcp."), []).append(entry)
    for host, entries in hosts.items():
        yield Finding(
            message=f"DNSSEC validation of the mail host {host} fails: senders that validate find no {whats(entries)}",
            subject=host,
            evidence=bogus_exhibits(entries),
            fix=Fix(text=f"Have whoever runs the zone of {host} mend its DS records or sign it again."),
            who=Who.PROVIDER,
            cause="host",
        )
    if isinstance(dnssec.status, Unknown) and not dnssec.bogus:
        if isinstance(dnssec.ds, Absent):
            raise NotApplicable("the parent zone holds no DS record: there is nothing to validate")
        raise Inconclusive(dnssec.status.why)


@rule(Severity.ERROR, "RFC 4035 §5.2", "RFC 6781 §4.1.2")
def dnssec_ds_mismatch(dnssec: DnssecFacts) -> Iterator[Finding]:
    """No key of the domain is named by its DS records.

    The parent zone says by which key the domain is signed. Where the zone holds no such key, or none at all,
    validation fails for everybody who validates. It happens when the zone moves to another provider, or when a key is
    replaced before its DS record.

    ## Fix
    Put the DS record of the key in use in place of the old one at the registrar, or delete the DS records.

    ## Bad
        AD
        $ORIGIN example.com.
        @    BOGUS
        @    DS     60478 13 2 9d79ba7746a3af6056d27a56c719a40eba5b4279d37c84168a9c428e7adb0dc4
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
    need(dnssec.ds)
    held = known(dnssec.keys)
    fix = _delegation(dnssec)
    if fix is not None:
        zone = zone_of(dnssec)
        what = (
            f"the DS records of {zone} name none of its keys" if held else f"{zone} has DS records, and is not signed"
        )
        yield Finding(
            message=f"{what}: validation fails",
            subject=zone,
            evidence=ds_exhibits(dnssec),
            fix=fix,
            part_of="dnssec-bogus" if dnssec.own_bogus else None,
            cause="mismatch",
        )


@rule(Severity.NOTICE, "RFC 6781 §4.1.2")
def dnssec_ds_stale(dnssec: DnssecFacts) -> Iterator[Finding]:
    """A DS record of the domain names a key that the zone does not hold.

    Others do, so validation works. Such a record belongs to a key that is yet to come, or was forgotten when an old
    one went: whoever still has that key can sign for the domain.

    ## Fix
    Delete the DS record at the registrar, unless its key is to be published soon.

    ## Bad
        AD
        $ORIGIN example.com.
        @    SOA    ns hostmaster 1 7200 900 1209600 300
        @    DS     18372 13 2 f8b300202c402971f48436e925a15e751000fc856bdca12d20d8e3dcb3ee5115
        @    DS     60478 13 2 9d79ba7746a3af6056d27a56c719a40eba5b4279d37c84168a9c428e7adb0dc4
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
    ds = need(dnssec.ds)
    need(dnssec.keys)
    if True not in dnssec.named:
        raise NotApplicable("no DS record names a key")
    zone = zone_of(dnssec)
    for entry, verdict in zip(ds, dnssec.named, strict=True):
        # Two digests of one key: RFC 4509 §3 has the stronger one count.
        if verdict is False:
            yield Finding(
                message=f"a DS record of {zone} names a key (tag {entry.tag}) that the zone does not hold",
                subject=zone,
                evidence=ds_exhibits(dnssec),
                fix=Fix(
                    text="Delete it at the registrar, unless its key is to be published soon.",
                    name=zone,
                    rdtype="DS",
                    before=entry.text,
                ),
                cause=f"stale {entry.text}",
            )


@rule(Severity.WARNING, "RFC 4035 §2.4", "RFC 4033 §5")
def dnssec_not_delegated(dnssec: DnssecFacts) -> Iterator[Finding]:
    """The domain is signed, but its parent does not say so.

    Without a DS record at the parent nobody can tell the keys from forged ones: for every resolver the domain is
    unsigned. Signing has no effect, and TLSA records are not used.

    ## Fix
    Give the registrar the DS record of the zone's key-signing key; many take it from CDS records (RFC 7344, RFC 8078).

    ## Bad
        AD
        example.com. INSECURE
        $ORIGIN example.com.
        @    SOA    ns hostmaster 1 7200 900 1209600 300
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
    keys = need(dnssec.keys)
    if known(dnssec.ds) is None and dnssec.status not in (Found("secure"), Found("bogus")):
        zone = zone_of(dnssec)
        after = "\n".join(_ds_for(zone, key) for key in keys if key.zone and key.sep)
        yield Finding(
            message=f"{zone} is signed, but its parent holds no DS record: for every resolver it is unsigned",
            subject=zone,
            evidence=ds_exhibits(dnssec),
            fix=Fix(text="Give the registrar the DS record of the key.", name=zone, rdtype="DS", after=after or None),
            cause="not delegated",
        )


@rule(Severity.NOTICE, "RFC 4033 §5", "RFC 7672 §1.2")
def dnssec_unsigned(dnssec: DnssecFacts) -> Iterator[Finding]:
    """The domain is not signed with DNSSEC.

    Whoever can forge DNS answers can send the domain's mail to servers of his own, and can take SPF, DKIM and DMARC
    records away. DANE is out of reach.

    ## Fix
    Have the DNS provider sign the zone, and put the DS record it names at the registrar.

    ## Bad
        AD
        example.com. INSECURE
        $ORIGIN example.com.
        @    SOA  ns hostmaster 1 7200 900 1209600 300
        @    MX   10 mx
        mx   A    192.0.2.25

    ## Good
        AD
        $ORIGIN example.com.
        @    SOA  ns hostmaster 1 7200 900 1209600 300
        @    MX   10 mx
        mx   A    192.0.2.25
    """
    if need(dnssec.status) == "insecure" and not dnssec.signed:
        yield Finding(
            message=f"{dnssec.domain} is not signed: its DNS answers can be forged, and DANE is out of reach",
            subject=dnssec.domain,
            fix=Fix(text="Have the DNS provider sign the zone, and put the DS record it names at the registrar."),
            cause="unsigned",
        )
