"""One endpoint in the words of the matrix: a cell each for its state, TLS, certificate, AUTH and policy.

A symbol stands before what is wrong: `✗` what clients or senders refuse, `!` what is dangerous or will soon be
refused, `·` what nobody verifies there. `?` is what could not be told, `–` what is not there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from deliverkit.model import shown
from deliverkit.render.text.sheet import Part
from deliverkit.report.smtp import CertificateReport, EndpointReport, TlsReport

OLD: Final = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.0", "TLSv1.1")
_SOON: Final = 14
_FIFTH: Final = 5
_NAME: Final = 60
_BEFORE_EHLO: Final = ("connect", "banner", "ehlo", "helo")
_BEFORE_TLS_EHLO: Final = ("starttls", "tls", "ehlo-tls", "helo-tls", *_BEFORE_EHLO)
NONE: Final = "–"
_UNKNOWN: Final = ("?", "magenta")


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """How much room the cells take: from the richest to what fits 80 columns."""

    version: str = "TLSv"
    """What stands before the number of a TLS version."""
    mechanisms: int = 12
    """Of each side's SASL mechanisms, how many are named."""
    same: bool = False
    """Whether mechanisms that stay the same inside TLS are said to, not repeated."""
    name: int = _NAME
    """Characters of a certificate's name."""
    auth: str = "AUTH in clear → in TLS"
    trip: str = "round trip"
    addresses: int = 2
    """Addresses named of a host whose rows are one; 0: none, and of a host with several rows the family."""


FORMS: Final = (
    Form(),
    Form(auth="AUTH clear → TLS", trip="rtt"),
    Form(auth="AUTH clear → TLS", trip="rtt", version="", same=True),
    Form(auth="AUTH clear → TLS", trip="rtt", version="", same=True, mechanisms=2, addresses=1),
    Form(auth="AUTH clear → TLS", trip="rtt", version="", same=True, mechanisms=2, name=24, addresses=0),
    Form(auth="AUTH → TLS", trip="rtt", version="", same=True, mechanisms=1, name=16, addresses=0),
    Form(auth="AUTH → TLS", trip="rtt", version="", same=True, mechanisms=1, name=10, addresses=0),
)


def state(endpoint: EndpointReport) -> Part:
    """`open`, or what became of the connection; with a `*` where this network may be why."""
    if endpoint.state == "open":
        if endpoint.banner is not None and endpoint.banner[:1] in ("4", "5"):
            return f"open, {shown(endpoint.banner[:3])}", "bold red"
        return "open" if endpoint.by_us is None else ("open*", "magenta")
    if endpoint.by_us is not None:
        return f"{endpoint.state}*", "magenta"
    return endpoint.state, "dim" if endpoint.state == "refused" else "magenta"


def tls(endpoint: EndpointReport, form: Form) -> Part:
    """How TLS comes and which version; `none` and `failed` say that it does not."""
    if endpoint.state != "open":
        return ""
    at_once = endpoint.starttls == "implicit" or (endpoint.starttls == "failed" and endpoint.banner is None)
    way = "implicit" if at_once else "STARTTLS"
    if endpoint.tls is not None:
        version = endpoint.tls.version
        number = f"{way} {form.version}{version.removeprefix('TLSv')}" if version.startswith("TLS") else version
        return (f"! {number}", "yellow") if version in OLD else number
    if endpoint.starttls == "failed" or endpoint.tls_error is not None:
        return f"✗ {way} failed", "bold red"
    if endpoint.starttls == "missing":
        return "✗ none", "bold red"
    if endpoint.starttls is None:
        return _UNKNOWN
    return f"{way}, not tried" if endpoint.phase is None else _UNKNOWN


def certificate(endpoint: EndpointReport, form: Form) -> Part:
    """`✓ 61 days`, or what is wrong with it."""
    if endpoint.state != "open":
        return ""
    if endpoint.tls is None:
        return _UNKNOWN if tls(endpoint, form) == _UNKNOWN else NONE
    found = endpoint.tls.certificate
    if found is None:
        return "✗ none sent", "bold red"
    fault = _fault(endpoint.tls, found, form)
    if fault is not None:
        return (f"✗ {fault}", "bold red") if verified(endpoint) else (f"· {fault}", "cyan")
    left = f"{found.days_left} day{'' if found.days_left == 1 else 's'}"
    if found.days_left < 0:
        return "✓ expired, DANE", "green"
    return (f"! {left}", "yellow") if _expires_soon(found) else (f"✓ {left}", "green")


def verified(endpoint: EndpointReport) -> bool:
    """Whether those who connect there verify the certificate: on submission ports, and under DANE or MTA-STS."""
    found = endpoint.tls
    return endpoint.role != "mx" or (
        found is not None and (found.mta_sts == "enforce" or found.dane in ("match", "mismatch"))
    )


def _fault(found: TlsReport, leaf: CertificateReport, form: Form) -> str | None:
    """What whoever verifies the certificate objects to first."""
    if found.dane in ("match", "mismatch"):  # under DANE-EE names and dates count for nothing (RFC 7672 §3.1.1)
        return "not in TLSA" if found.dane == "mismatch" else None
    if leaf.days_left < 0:
        return "expired"
    if not found.name_matches:
        return _other_names(leaf, form)
    return _untrusted((found.trust_error or "").lower()) if found.trusted is False else None


def _other_names(leaf: CertificateReport, form: Form) -> str:
    if not leaf.names:
        return "bears no name"
    name = shown(leaf.names[0], _NAME)
    more = f" +{len(leaf.names) - 1}" if len(leaf.names) > 1 else ""
    return f"names: {name if len(name) <= form.name else name[: form.name - 1] + '…'}{more}"


def _untrusted(why: str) -> str:
    for words, said in (
        ("self-signed certificate in", "private authority"),
        ("self-signed", "self-signed"),
        ("self signed", "self-signed"),
        ("not yet valid", "not yet valid"),
        ("expired", "expired chain"),
    ):
        if words in why:
            return said
    return "not trusted"


def _expires_soon(leaf: CertificateReport) -> bool:
    """As `tls-certificate-expiring` sees it: under a fifth of its lifetime, 14 days at most."""
    try:
        first, last = (dt.datetime.fromisoformat(text) for text in (leaf.not_before, leaf.not_after))
    except ValueError:
        return leaf.days_left < _SOON
    return leaf.days_left < min(_SOON, (last - first).days / _FIFTH)


def auth(endpoint: EndpointReport, form: Form) -> Part:
    """The mechanisms in clear and inside TLS; `!` before those that give passwords away."""
    if endpoint.state != "open":
        return ""
    before, after = endpoint.auth.before_tls, endpoint.auth.after_tls
    untold = endpoint.phase in _BEFORE_EHLO or (endpoint.banner is None and not endpoint.transcript)
    if untold and not before and not after:
        return _UNKNOWN
    left = f"! {_named(before, form)}" if before else NONE
    hidden = endpoint.starttls != "missing" and endpoint.tls is None and endpoint.phase in _BEFORE_TLS_EHLO
    if not before and not after and not hidden:
        return NONE
    if form.same and before and before == after:
        right = "same"
    else:
        right = "?" if hidden and not after else _named(after, form) if after else NONE
    return f"{left} → {right}", "yellow" if before else ""


def _named(mechanisms: Sequence[str], form: Form) -> str:
    some = " ".join(shown(name, 24) for name in mechanisms[: form.mechanisms])
    more = len(mechanisms) - form.mechanisms
    return f"{some} +{more}" if more > 0 else some


def policy(endpoint: EndpointReport) -> Iterator[tuple[str, str]]:
    """What senders hold the host to: DANE, which comes first (RFC 8461 §2), and MTA-STS."""
    if endpoint.tls is None:
        return
    said = {
        "match": "the certificate matches its TLSA record",
        "mismatch": "✗ no TLSA record matches the certificate: senders that do DANE do not deliver",
        "unsigned": "TLSA records that DNSSEC does not secure count for nothing",
        "unknown": "? could not be told",
    }.get(endpoint.tls.dane)
    if said is not None:
        yield "DANE", said
    if endpoint.tls.mta_sts is not None:
        yield "MTA-STS", f"covered by a policy in mode {shown(endpoint.tls.mta_sts)}"
    missed = endpoint.tls.mta_sts_missed
    if missed is not None:
        sign, follows = (
            ("✗", "will not deliver") if missed.mode == "enforce" else ("!", "report it, and deliver for now")
        )
        whose = f"{shown(missed.domain)} ({shown(missed.mode)})"
        yield "MTA-STS", f"{sign} not covered by the policy of {whose}: senders that honour it {follows}"


def trip(times: Sequence[float]) -> str:
    """The time a connection took to open, one round trip; the span of several. In milliseconds."""
    if not times:
        return ""
    low, high = milliseconds(min(times)), milliseconds(max(times))
    return f"{low} ms" if low == high else f"{low}…{high} ms"


def milliseconds(value: float) -> str:
    """A time without its unit."""
    return "<1" if value < 1 else f"{value:.0f}"
