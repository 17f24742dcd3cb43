"""check_host() (RFC 7208 §4) by pyspf, fed from answers that are already there.

pyspf asks through one module-wide function. It is replaced by a dispatcher that looks into the answers
of the evaluation in hand; a question that is not among them is noted and stops the library, is asked through
the port, and the evaluation begins again. So the library does no I/O, and runs as often as the
chain of questions that depend on the address is long.
"""

from __future__ import annotations

import asyncio
import contextvars
import ipaddress
import warnings
from collections.abc import Iterable
from types import ModuleType
from typing import Any, Final

from msgspec.structs import replace

from deliverkit.dns import Port, normal_name
from deliverkit.facts.spf import SpfEvaluation
from deliverkit.model import Address, Host, Lookup, LookupOutcome, Mx, Note, Txt
from deliverkit.probes.spf_harvest import Harvest

_ROUNDS: Final = 40
"""Times an evaluation begins again: ten lookups, each with at most ten hosts, and an explanation."""

Answers = dict[tuple[str, str], Lookup]


class _MissError(BaseException):
    """A question that was not foreseen. No Exception: pyspf swallows those around `exp=`."""


class _Session:
    """One evaluation's answers, and what it found wanting."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.missing: dict[tuple[str, str], None] = {}


_session: contextvars.ContextVar[_Session] = contextvars.ContextVar("spf_session")


async def check_host(
    ip: str, sender: str | None, helo: str | None, domain: str, port: Port, harvested: Harvest | None = None
) -> SpfEvaluation:
    """The verdict for one address. `sender` defaults to postmaster@domain, `helo` to the domain."""
    identity = sender or f"postmaster@{domain}"
    name = helo or domain
    evaluation = SpfEvaluation(ip=ip, sender=identity, helo=name, result="none")
    if not checkable(domain):
        return evaluation
    answers: Answers = {}
    if harvested is not None:
        answers.update(_known(harvested))
    for _ in range(_ROUNDS):
        session = _Session(answers)
        token = _session.set(session)
        try:
            evaluation = _evaluate(ip, identity, name, domain)
        except _MissError:
            pass
        finally:
            _session.reset(token)
        missing = list(session.missing)
        if not missing:
            return evaluation
        # Also where the library swallowed the miss, as around exp=.
        found = await asyncio.gather(*(port.lookup(owner, rdtype) for owner, rdtype in missing))
        answers.update(zip(missing, found, strict=True))
    return SpfEvaluation(
        ip=ip, sender=identity, helo=name, result="permerror", problem="the evaluation asks for ever more names"
    )


def checkable(domain: str) -> bool:
    """Whether a domain can be evaluated at all; one that cannot gives `none` (RFC 7208 §4.3)."""
    labels = domain.removesuffix(".").split(".")
    octets = domain.encode("utf-8", "surrogatepass")
    return len(octets) <= 253 and all(label and len(label.encode("utf-8", "surrogatepass")) <= 63 for label in labels)  # noqa: PLR2004 - RFC 1035 §2.3.4


def _known(harvested: Harvest) -> Answers:
    answers: Answers = {(name, "TXT"): lookup for name, lookup in harvested.texts.items()}
    answers |= {(name, "MX"): lookup for name, lookup in harvested.exchanges.items()}
    for name, (a, aaaa) in harvested.addresses.items():
        answers[name, "A"], answers[name, "AAAA"] = a, aaaa
    return answers


def _evaluate(ip: str, sender: str, helo: str, domain: str) -> SpfEvaluation:
    spf = library()
    base = SpfEvaluation(ip=ip, sender=sender, helo=helo, result="none")
    try:
        query = _query(spf)(i=_plain(ip), s=sender, h=helo)
        local, at, after = sender.rpartition("@")
        query.l, query.o = local or "postmaster", after if at else sender
        query.d = domain
        result, _, words = query.check()
    except (ValueError, UnicodeError, RecursionError, AssertionError, IndexError) as error:
        # The library does not catch every name that cannot be asked (RFC 7208 §4.8, §7.3).
        return replace(base, result="permerror", problem=str(error) or type(error).__name__)
    if "." not in domain.removesuffix(".") and result != "permerror":
        # RFC 7208 §4.3: a single label gives none, whatever is published there. We depart from it for permerror alone:
        # a record there that is broken is said to be broken.
        return base
    result = "none" if result == "ambiguous" else result
    failed = result in ("permerror", "temperror")
    custom = result == "fail" and words not in spf.EXPLANATIONS.values()
    return replace(
        base,
        result=result,
        mechanism=query.mechanism,
        explanation=words if custom else None,
        problem=str(getattr(query, "prob", "") or words) if failed else None,
        lookups=query.lookups,
        void_lookups=query.void_lookups,
    )


def _plain(ip: str) -> str:
    """An IPv4-mapped address as the IPv4 address it is (RFC 7208 §5)."""
    address = ipaddress.ip_address(ip)
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def library() -> ModuleType:
    """Loads pyspf, which takes a quarter of a second, with our dispatcher in it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import spf  # noqa: PLC0415 - for those who ask for a verdict
    if spf.DNSLookup is not _dispatch:
        spf.DNSLookup = _dispatch
    module: ModuleType = spf
    return module


_classes: dict[ModuleType, type[Any]] = {}


def _query(library: ModuleType) -> type[Any]:
    """The query of pyspf, mended where it departs from RFC 7208."""
    if library not in _classes:

        class Query(library.query):  # type: ignore[name-defined, misc]
            def validated_ptrs(self) -> list[str]:
                """§5.5: an error while a name is confirmed skips the name, one at the PTR itself matches nothing."""
                try:
                    names = self.dns_ptr(self.i)[:10]
                except library.TempError:
                    return []
                return [name for name in names if self._confirmed(name)]

            def _confirmed(self, name: str) -> bool:
                try:
                    return bool(self.cidrmatch(self.dns_a(name, self.A), self.cidrmax))
                except library.TempError:
                    return False

        _classes[library] = Query
    return _classes[library]


def _dispatch(name: str, qtype: str, *_: object, **__: object) -> list[tuple[tuple[str, str], Any]]:
    """What pyspf gets for a question: records, [] for absence, TempError where nobody could tell."""
    session = _session.get()
    key = (normal_name(name), qtype)
    lookup = session.answers.get(key)
    if lookup is None:
        session.missing[key] = None
        raise _MissError
    if lookup.outcome is LookupOutcome.UNKNOWN and Note.CNAME_LOOP not in lookup.notes:
        raise library().TempError(f"DNS {lookup.why}")
    return [((name, qtype), value) for value in _values(lookup)]


def _values(lookup: Lookup) -> Iterable[Any]:
    for record in lookup.records:
        match record:
            case Txt(strings):
                yield strings
            case Mx(preference, host):
                yield (preference, host)
            case Address(address):
                yield address
            case Host(target):
                yield target
