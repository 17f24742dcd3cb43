"""The faults of one certificate, told as one: the first carries the others.

A certificate that has expired, is self-signed and bears another name is replaced once. So one finding names all of
it and what follows, and the others are part of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from deliverkit.facts.tls import TlsFacts
from deliverkit.model import Finding, Fix
from deliverkit.rules.tls_context import certificate_exhibit, consequence, hangs_on_dane, settled, weight

_DATES: Final = (9, 10)
_PURPOSE: Final = 26
_SHORT: Final = 66
_DIGEST: Final = 68
_UNKNOWN: Final = (2, 20, 21)
_WORDS: Final = {
    19: "leads to a root that is not trusted here",
    **dict.fromkeys(_UNKNOWN, "is issued by an authority that is not known here"),
}


def faults(tls: TlsFacts) -> dict[str, str]:
    """Rule to what is wrong, as the end of "the certificate …", the one that tells most first."""
    leaf = tls.leaf
    if leaf is None:
        return {"tls-certificate-untrusted": "is missing: the server sends none"}
    if leaf.problem is not None:
        return {"tls-certificate-untrusted": "cannot be read"}
    found: dict[str, str] = {}
    dated = False
    if tls.now > leaf.not_after:
        found["tls-certificate-expired"] = "has expired"
        dated = True
    elif tls.now < leaf.not_before:
        found["tls-certificate-not-yet-valid"] = "is not yet valid"
        dated = True
    if not leaf.for_servers:
        found["tls-certificate-not-for-servers"] = "is not meant for servers"
    if not leaf.key_strong:
        found["tls-certificate-weak-key"] = f"has a key that is too short ({leaf.key})"
    if not leaf.signature_strong:
        found["tls-certificate-weak-signature"] = f"is signed with a digest that is broken ({leaf.signature})"
    why = untrusted(tls, dated=dated)
    if why is not None:
        found["tls-certificate-untrusted"] = why
    if not tls.name_matches:
        found["tls-certificate-name-mismatch"] = unnamed(tls)
    return found


def untrusted(tls: TlsFacts, *, dated: bool) -> str | None:
    """Why the chain does not hold, None where it does or where another fault of the leaf is all of it."""
    leaf = tls.leaf
    if tls.trusted or leaf is None or vouched(tls):
        return None
    told_of = {
        **dict.fromkeys(_DATES, dated),
        _PURPOSE: not leaf.for_servers,
        _SHORT: not leaf.key_strong,
        _DIGEST: not leaf.signature_strong,
    }
    if told_of.get(tls.trust_code):
        return None
    if leaf.self_signed:
        return "is self-signed: no authority vouches for it"
    if incomplete(tls):
        return "comes without the intermediate certificate that issued it"
    words = f"is not trusted ({tls.trust_error or 'no reason given'})"
    return _WORDS.get(tls.trust_code, words)


def vouched(tls: TlsFacts) -> bool:
    """Whether DANE stands in place of an authority, for everybody who verifies."""
    return tls.dane == "match" and not tls.submission and tls.enforced_by is None


def incomplete(tls: TlsFacts) -> bool:
    """Whether the chain ends before it reaches a root, with the leaf alone."""
    return tls.trust_code in _UNKNOWN and len(tls.chain) == 1 and not tls.chain[0].self_issued


def unnamed(tls: TlsFacts) -> str:
    """Which name it lacks."""
    leaf = tls.leaf
    name = tls.names[0] if tls.names else tls.host
    if leaf is not None and not leaf.names:
        named = (leaf.common_name or "").lower().removesuffix(".")
        if named in tls.names:
            return f"bears {name} as its common name alone, which nobody reads any more"
        return f"bears no name at all, not {name}"
    return f"does not bear the name {name}"


def told(tls: TlsFacts, rule: str, fix: Fix) -> Iterator[Finding]:
    """The finding of `rule`, where it is a fault of this certificate: with all others where it is the first."""
    severity = weight(tls)
    found = faults(tls)
    if rule not in found:
        return
    settled(tls)
    first = next(iter(found))
    leaf = tls.leaf
    said = _joined(tuple(found.values())) if rule == first else found[rule]
    yield Finding(
        message=f"the certificate {said}: {consequence(tls)}",
        subject=tls.where,
        evidence=(certificate_exhibit(tls, leaf),) if leaf is not None else (),
        fix=fix,
        severity=severity,
        part_of=hangs_on_dane(tls) if rule == first else first,
        cause=rule,
    )


def _joined(parts: tuple[str, ...]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
