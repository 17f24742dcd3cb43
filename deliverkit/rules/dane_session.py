"""Rules of area `dane` that need a handshake: what the server shows against what its TLSA records say."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.tls import TlsFacts
from deliverkit.model import Exhibit, Finding, Fix, Inconclusive, NotApplicable, Severity, Who
from deliverkit.rules.declare import rule
from deliverkit.rules.tls_context import certificate_exhibit


@rule(Severity.ERROR, "RFC 7672 §2.2", "RFC 7672 §3.1", "RFC 7671 §5", who=Who.DNS_ADMIN)
def dane_mismatch(tls: TlsFacts) -> Iterator[Finding]:
    """The certificate of a mail server matches none of its TLSA records.

    Senders with DANE, among them Microsoft, Comcast, GMX and every Postfix that is set up for it, take this for an
    attack. They deliver nothing, and mail comes back after days. It happens when a certificate is renewed with a new
    key and the record stays as it was.

    ## Fix
    Publish the record of the key in use at once, beside the old ones; delete these when their TTL has passed. Have the
    renewal keep the key, or publish the next key's record beforehand.

    ## Bad
        ; check example.com --areas dane --by-mx
        AD
        $ORIGIN example.com.
        @            MX    10 mx
        mx           A     192.0.2.25
        _25._tcp.mx  TLSA  3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
        _25._tcp.mx  TLSA  3 1 1 fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210

        [smtp mx.example.com:25]
        offer        PIPELINING, SIZE 10485760, 8BITMIME, STARTTLS, ENHANCEDSTATUSCODES

    ## Good
        ; check example.com --areas dane --by-mx
        AD
        $ORIGIN example.com.
        @            MX    10 mx
        mx           A     192.0.2.25
        _25._tcp.mx  TLSA  3 1 1 $spki(mx.example.com:25)
        _25._tcp.mx  TLSA  3 1 1 fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210

        [smtp mx.example.com:25]
        offer        PIPELINING, SIZE 10485760, 8BITMIME, STARTTLS, ENHANCEDSTATUSCODES
    """
    if tls.dane in ("none", "unsigned"):
        raise NotApplicable("no sender looks at TLSA records of this host")
    # Nobody who submits mail looks at TLSA: that senders do is the business of port 25 (RFC 7672 §1).
    severity = Severity.NOTICE if tls.submission else None
    if tls.dane == "unknown" and tls.dane_outcome != "match":
        raise Inconclusive(tls.dane_why, severity.value if severity else None)
    if tls.dane != "mismatch":
        return
    leaf = tls.leaf
    text = f"Publish the record of the key in use at {tls.dane_name}, beside the old ones."
    pinned = f"3 1 1 {leaf.spki_sha256}" if leaf is not None and leaf.spki_sha256 else None
    yield Finding(
        message=f"the certificate of {tls.where} matches none of its TLSA records: senders with DANE do not deliver",
        subject=tls.host,
        evidence=(
            *(Exhibit(title=f"{tls.dane_name} TLSA", text=record) for record in tls.dane_records[:8]),
            *((certificate_exhibit(tls, leaf),) if leaf is not None else ()),
            *((Exhibit(title="as a TLSA record", text=pinned),) if pinned else ()),
            Exhibit(title="why", text=tls.dane_why),
        ),
        fix=Fix(text=text, name=tls.dane_name, rdtype="TLSA", after=pinned),
        severity=severity,
        who=Who.PROVIDER if tls.dane_foreign else None,
        cause="mismatch",
    )
