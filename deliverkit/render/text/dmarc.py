"""Area `dmarc` for people: the walk, what receivers apply, and where reports go."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.model import shown
from deliverkit.report.dmarc import DmarcReport, ReportAddress, WalkReport

_STATES = {
    "record": "a DMARC record",
    "multiple": "several DMARC records: all discarded",
    "none": "nothing",
    "other": "TXT, but no DMARC record",
    "unknown": "could not be told",
}
_ADDRESSES = 12


def lines(facts: DmarcReport, ascii: bool) -> Iterator[str]:  # noqa: A002 - as every area's
    """The area's facts, a line each; each line stands alone."""
    if facts.record is not None:
        yield f"record     {shown(facts.record)}"
        yield f"found at   {shown(facts.found_at or '')}{' (inherited)' if facts.inherited else ''}"
        yield (
            f"applied    {facts.policy or 'no DMARC'}; subdomains {facts.subdomain_policy or 'unknown'};"
            f" names that do not exist {facts.nonexistent_policy or 'unknown'}{' (t=y)' if facts.testing else ''}"
        )
    else:
        yield "record     " + (f"could not be told: {shown(facts.unknown)}" if facts.unknown else "none applies")
    if facts.organizational_domain and facts.record is not None:
        yield f"org domain {shown(facts.organizational_domain)}"
    if facts.alignment:
        yield f"alignment  SPF {facts.alignment.spf}, DKIM {facts.alignment.dkim}"
    if facts.rfc7489:
        old = facts.rfc7489
        yield (
            f"RFC 7489   {old.policy or 'no policy'}; org domain {shown(old.organizational_domain or 'none')}"
            " (receivers with the Public Suffix List)"
        )
    yield from _walk(facts.walk, ascii=ascii)
    if facts.reports:
        yield "reports"
        for address in facts.reports[:_ADDRESSES]:
            yield f"  {_mark(address, ascii=ascii)} {address.tag} {shown(address.uri, 160)}  {_said(address)}"
        if len(facts.reports) > _ADDRESSES:
            yield f"  {'...' if ascii else '…'} and {len(facts.reports) - _ADDRESSES} more"


def _walk(walk: tuple[WalkReport, ...], *, ascii: bool) -> Iterator[str]:  # noqa: A002
    yield "tree walk"
    for position, step in enumerate(walk):
        last = position == len(walk) - 1
        branch = ("`- " if last else "|- ") if ascii else ("└─ " if last else "├─ ")
        said = _STATES[step.state] if step.reached else "not asked by receivers: psd= below ends the walk"
        yield f"  {branch}{shown(step.name)}  {said}"


def _mark(address: ReportAddress, *, ascii: bool) -> str:  # noqa: A002
    if address.problem or address.authorized is False:
        return "x" if ascii else "✗"
    if address.authorized is None:
        return "?"
    return "ok" if ascii else "✓"


def _said(address: ReportAddress) -> str:
    if address.problem:
        return address.problem
    if address.authorized is None:
        return "consent could not be told" if address.asked else "not asked for"
    if not address.external:
        return "same organisation"
    return "has consented" if address.authorized else "has not consented: no reports are sent"
