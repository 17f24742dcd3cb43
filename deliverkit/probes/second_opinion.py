"""The second opinion: checkdmarc's verdict on SPF, DMARC, MTA-STS and TLS-RPT, from the answers already gathered.

checkdmarc is synchronous and resolves by itself, so it gets a resolver that only reads. A question that was
not asked yet is noted and told as absent for the moment; what was noted is then fetched and the library runs again,
until it misses nothing. Rounds, questions and calls are bounded; its own cache is off. Its parsers of MTA-STS and
TLS-RPT ask nothing: they get the one record that senders use, and the policy as it came.
"""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import Callable
from typing import Any, Final, TypeVar

from deliverkit.evidence.recorder import Recorder
from deliverkit.facts.mta_sts import MtaStsFacts
from deliverkit.facts.second_opinion import (
    DmarcOpinion,
    MtaStsOpinion,
    PolicyOpinion,
    SecondOpinionFacts,
    SpfOpinion,
    TlsRptOpinion,
)
from deliverkit.facts.tls_rpt import TlsRptFacts
from deliverkit.model import (
    Absent,
    Address,
    Answer,
    Found,
    Host,
    Inputs,
    Lookup,
    LookupOutcome,
    Mx,
    Other,
    Rdata,
    Soa,
    Txt,
    Unknown,
    clipped,
)

T = TypeVar("T")
LIBRARY: Final = "checkdmarc"
NOT_ASKED: Final = Absent("not asked for")
MAX_ROUNDS: Final = 16
MAX_CALLS: Final = 600
"""Questions that the library may put in one run."""

MAX_FETCHED: Final = 150
"""Questions that are asked only for its sake."""

_WORDS: Final = 512


class _Stop(BaseException):
    """Ends a run of the library that asks without end; it catches `Exception` in places."""


class _Frozen:
    """A resolver over answers at hand, as far as checkdmarc uses one."""

    lifetime = 1.0

    def __init__(self, lookups: dict[tuple[str, str], Lookup]) -> None:
        self._lookups = lookups
        self.missed: dict[tuple[str, str], None] = {}
        self.unknown: list[str] = []
        self._calls = 0

    def resolve(self, name: object, rdtype: str = "A", **_: object) -> list[Any]:
        """The records, or dnspython's exceptions where there are none."""
        import dns.resolver  # noqa: PLC0415 - wanted only with the library

        self._calls += 1
        if self._calls > MAX_CALLS:
            raise _Stop
        key = (str(name).rstrip(".").lower(), str(rdtype).upper())
        if key[1] == "SPF":
            # RFC 7208 §3.1: the type is obsolete, and nobody asks for it.
            raise dns.resolver.NoAnswer
        lookup = self._lookups.get(key)
        if lookup is None:
            self.missed[key] = None
            raise dns.resolver.NXDOMAIN
        match lookup.outcome:
            case LookupOutcome.FOUND:
                return [_rdata(record, key[1]) for record in lookup.records]
            case LookupOutcome.NODATA:
                raise dns.resolver.NoAnswer
            case LookupOutcome.UNKNOWN:
                self.unknown.append(lookup.why)
                raise dns.resolver.NoNameservers
            case _:
                raise dns.resolver.NXDOMAIN


async def probe(
    inputs: Inputs,
    port: Recorder,
    sts: Answer[MtaStsFacts] = NOT_ASKED,
    tls_rpt: Answer[TlsRptFacts] = NOT_ASKED,
) -> SecondOpinionFacts:
    """The library's verdict on each area that was asked for."""
    version = await asyncio.to_thread(_load)
    spf: Answer[SpfOpinion] = NOT_ASKED
    dmarc: Answer[DmarcOpinion] = NOT_ASKED
    if "spf" in inputs.areas:
        spf = await _settled(lambda frozen: _spf(inputs.domain, frozen), port)
    if "dmarc" in inputs.areas:
        dmarc = await _settled(lambda frozen: _dmarc(inputs.domain, frozen), port)
    return SecondOpinionFacts(
        library=LIBRARY,
        version=version,
        spf=spf,
        dmarc=dmarc,
        mta_sts=_judged(_sts_record(sts), _mta_sts),
        mta_sts_policy=_judged(_sts_policy(sts), _policy),
        tls_rpt=_judged(_tls_rpt_record(tls_rpt), _tls_rpt),
    )


def _judged(text: Answer[str], judge: Callable[[str], T]) -> Answer[T]:
    """The verdict on one text, where there is one to judge."""
    if not isinstance(text, Found):
        return text
    try:
        return Found(judge(text.value))
    except Exception as error:  # noqa: BLE001 - as in `_settled`
        return Unknown(f"{LIBRARY} failed: {type(error).__name__}")


def _sts_record(sts: Answer[MtaStsFacts]) -> Answer[str]:
    if not isinstance(sts, Found):
        return sts
    return _one(sts.value.texts, tuple(record.text for record in sts.value.records))


def _sts_policy(sts: Answer[MtaStsFacts]) -> Answer[str]:
    if not isinstance(sts, Found):
        return sts
    policy = sts.value.policy
    if not isinstance(policy, Found):
        return policy
    return Found(policy.value.text) if policy.value.utf8 else Absent("the policy is not UTF-8: no text to judge")


def _tls_rpt_record(tls_rpt: Answer[TlsRptFacts]) -> Answer[str]:
    if not isinstance(tls_rpt, Found):
        return tls_rpt
    return _one(tls_rpt.value.texts, tuple(record.text for record in tls_rpt.value.records))


def _one(texts: Answer[tuple[str, ...]], records: tuple[str, ...]) -> Answer[str]:
    """The record that senders use; of several they use none (RFC 8461 §3.1, RFC 8460 §3)."""
    if not isinstance(texts, Found):
        return texts
    return Found(records[0]) if len(records) == 1 else Absent(f"{len(records) or 'no'} records: senders use none")


async def _settled(judge: Callable[[_Frozen], T], port: Recorder) -> Answer[T]:
    """The verdict once no answer is missing."""
    fetched = 0
    for _ in range(MAX_ROUNDS):
        at_hand = {(name, rdtype): lookup for (name, rdtype, server), lookup in port.lookups.items() if server is None}
        frozen = _Frozen(at_hand)
        try:
            verdict = judge(frozen)
        except _Stop:
            return Unknown(f"{LIBRARY} asked more than {MAX_CALLS} questions")
        except Exception as error:  # noqa: BLE001 - whatever it dies of is no verdict, and no bug of ours
            if not frozen.missed:
                return Unknown(f"{LIBRARY} failed: {type(error).__name__}")
        else:
            if not frozen.missed:
                return Unknown(frozen.unknown[0]) if frozen.unknown else Found(verdict)
        fetched += len(frozen.missed)
        if fetched > MAX_FETCHED:
            return Unknown(f"{LIBRARY} wants more than {MAX_FETCHED} further answers")
        await asyncio.gather(*(port.lookup(name, rdtype) for name, rdtype in frozen.missed))
    return Unknown(f"{LIBRARY} still wanted answers after {MAX_ROUNDS} runs")


def _load() -> str:
    """Import the library (some 400 ms) with its cache off, which ignores which resolver was asked."""
    os.environ["DNS_CACHE_MAX_AGE_SECONDS"] = "0"
    for module in ("dmarc", "mta_sts", "smtp_tls_reporting", "spf"):
        importlib.import_module(f"{LIBRARY}.{module}")
    return str(importlib.import_module("checkdmarc").__version__)


def _spf(domain: str, resolver: _Frozen) -> SpfOpinion:
    from checkdmarc import spf  # noqa: PLC0415 - as above

    record = None
    try:
        record = spf.query_spf_record(domain, resolver=resolver, retries=0)["record"]
        read = spf.parse_spf_record(record, domain, ignore_too_many_lookups=True, resolver=resolver, retries=0)
    except spf.SPFError as error:
        return SpfOpinion(record=record, valid=False, error=type(error).__name__, words=clipped(str(error), _WORDS))
    said = read.get("error")
    return SpfOpinion(
        record=record,
        valid=said is None,
        error=None if said is None else "TooManyLookups",
        words=None if said is None else clipped(str(said), _WORDS),
        lookups=read["dns_lookups"],
        void_lookups=read["void_dns_lookups"],
    )


def _dmarc(domain: str, resolver: _Frozen) -> DmarcOpinion:
    from checkdmarc import dmarc  # noqa: PLC0415 - as above

    record = location = None
    try:
        found = dmarc.query_dmarc_record(domain, resolver=resolver, retries=0)
        record, location = found["record"], found["location"]
        tags = dmarc.parse_dmarc_record(record, location, resolver=resolver, retries=0)["tags"]
    except dmarc.DMARCError as error:
        return DmarcOpinion(
            record=record,
            location=location,
            valid=False,
            error=type(error).__name__,
            words=clipped(str(error), _WORDS),
        )
    return DmarcOpinion(
        record=record,
        location=location,
        valid=True,
        policy=tags["p"]["value"] if "p" in tags else None,
        subdomain_policy=tags["sp"]["value"] if "sp" in tags else None,
    )


def _mta_sts(record: str) -> MtaStsOpinion:
    from checkdmarc import mta_sts  # noqa: PLC0415 - as above

    try:
        tags = mta_sts.parse_mta_sts_record(record)["tags"]
    except mta_sts.MTASTSError as error:
        name, words = _complaint(error)
        return MtaStsOpinion(record=record, valid=False, error=name, words=words)
    return MtaStsOpinion(record=record, valid=True, id=tags["id"])


def _policy(text: str) -> PolicyOpinion:
    from checkdmarc import mta_sts  # noqa: PLC0415 - as above

    try:
        policy = mta_sts.parse_mta_sts_policy(text)["policy"]
    except mta_sts.MTASTSError as error:
        name, words = _complaint(error)
        return PolicyOpinion(valid=False, error=name, words=words)
    mx = tuple(pattern.lower() for pattern in policy["mx"])
    return PolicyOpinion(valid=True, mode=policy["mode"], mx=mx, max_age=policy["max_age"])


def _tls_rpt(record: str) -> TlsRptOpinion:
    from checkdmarc import smtp_tls_reporting  # noqa: PLC0415 - as above

    try:
        tags = smtp_tls_reporting.parse_smtp_tls_reporting_record(record)["tags"]
    except smtp_tls_reporting.SMTPTLSReportingError as error:
        name, words = _complaint(error)
        return TlsRptOpinion(record=record, valid=False, error=name, words=words)
    return TlsRptOpinion(record=record, valid=True, rua=tuple(tags["rua"]["value"]))


def _complaint(error: Exception) -> tuple[str, str]:
    return type(error).__name__, clipped(str(error), _WORDS)


def _rdata(record: Rdata, rdtype: str) -> Any:
    """A record as dnspython holds it."""
    import dns.rdata  # noqa: PLC0415 - as above
    import dns.rdataclass  # noqa: PLC0415
    import dns.rdatatype  # noqa: PLC0415
    from dns.rdtypes.ANY.TXT import TXT  # noqa: PLC0415

    match record:
        case Txt(strings):
            return TXT(dns.rdataclass.IN, dns.rdatatype.TXT, strings or (b"",))
        case Mx(preference, host):
            text = f"{preference} {host}."
        case Address(address):
            text = address
        case Host(name):
            text = f"{name}."
        case Soa(mname, rname, serial, minimum):
            text = f"{mname}. {rname}. {serial} 3600 600 86400 {minimum}"
        case Other(text):
            pass
    return dns.rdata.from_text("IN", rdtype, text)
