"""What the report says of area `dnssec`."""

from __future__ import annotations

import datetime as dt

import msgspec

from deliverkit.facts.dnssec import DnssecFacts
from deliverkit.model import Found, Unknown, clipped
from deliverkit.model.display import RECORDED
from deliverkit.records.dnssec import algorithm_name


class KeyReport(msgspec.Struct, frozen=True, kw_only=True):
    """A DNSKEY record. `bits` only for RSA; `sep` marks a key-signing key."""

    tag: int
    flags: int
    algorithm: str
    bits: int | None
    sep: bool


class DsReport(msgspec.Struct, frozen=True, kw_only=True):
    """A DS record. `names_key`: whether it names a key of the zone, null where that cannot be told."""

    record: str
    names_key: bool | None


class SignatureReport(msgspec.Struct, frozen=True, kw_only=True):
    """The dates of one RRSIG (RFC 3339, UTC)."""

    name: str
    type: str
    key_tag: int
    algorithm: str
    inception: str | None
    expiration: str | None


class BogusReport(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that fails validation; `what` is what it is to mail."""

    name: str
    type: str
    what: str
    why: str
    extended: tuple[str, ...]


class DnssecReport(msgspec.Struct, frozen=True, kw_only=True):
    """The area's facts.

    `status`: `secure`, `insecure`, `bogus`, or null where it could not be told (`unknown` says why).

    `validating`: whether the resolver validates; null where no answer told. `expires` is when the first of the
    signatures that came with the answers does.
    """

    status: str | None
    zone: str | None
    validating: bool | None
    ds: tuple[DsReport, ...]
    keys: tuple[KeyReport, ...]
    expires: str | None
    signatures: tuple[SignatureReport, ...]
    bogus: tuple[BogusReport, ...]
    nsec3_iterations: int | None
    unknown: str | None


def report(facts: DnssecFacts) -> DnssecReport:
    """The area's facts, flattened for readers."""
    ds = facts.ds.value if isinstance(facts.ds, Found) else ()
    named = facts.named or (None,) * len(ds)
    keys = facts.keys.value if isinstance(facts.keys, Found) else ()
    ends = [signed.expiration for signed in facts.signatures]
    return DnssecReport(
        status=facts.status.value if isinstance(facts.status, Found) else None,
        zone=facts.zone.value if isinstance(facts.zone, Found) else None,
        validating=facts.validating,
        ds=tuple(
            DsReport(record=clipped(entry.text, RECORDED), names_key=verdict)
            for entry, verdict in zip(ds, named, strict=True)
        ),
        keys=tuple(
            KeyReport(tag=key.tag, flags=key.flags, algorithm=algorithm_name(key.algorithm), bits=key.bits, sep=key.sep)
            for key in keys
        ),
        expires=_time(min(ends)) if ends else None,
        signatures=tuple(
            SignatureReport(
                name=signed.name,
                type=signed.rdtype,
                key_tag=signed.key_tag,
                algorithm=algorithm_name(signed.algorithm),
                inception=_time(signed.inception),
                expiration=_time(signed.expiration),
            )
            for signed in facts.signatures
        ),
        bogus=tuple(
            BogusReport(
                name=entry.name,
                type=entry.rdtype,
                what=entry.what,
                why=clipped(entry.why, RECORDED),
                extended=tuple(clipped(error, RECORDED) for error in entry.extended),
            )
            for entry in facts.bogus
        ),
        nsec3_iterations=facts.iterations.value if isinstance(facts.iterations, Found) else None,
        unknown=clipped(facts.status.why, RECORDED) if isinstance(facts.status, Unknown) else None,
    )


def _time(seconds: float) -> str | None:
    """A time of RFC 3339; None for one that no calendar holds."""
    try:
        return dt.datetime.fromtimestamp(int(seconds), dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return None
