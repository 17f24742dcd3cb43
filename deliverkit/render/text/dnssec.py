"""Area `dnssec` for people: the state of the chain, its keys, and how long its signatures last."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.model import shown
from deliverkit.report.dnssec import DnssecReport

_STATES = {
    "secure": "signed, and validated",
    "insecure": "not signed",
    "bogus": "BOGUS: validation fails",
}
_MOST = 8


def lines(facts: DnssecReport, ascii: bool) -> Iterator[str]:  # noqa: A002, ARG001 - as every area's
    """The area's facts, a line each."""
    state = _STATES.get(facts.status or "", "could not be told")
    if facts.status == "insecure" and facts.keys:
        state = "signed, but not delegated: no DS record at the parent"
    yield f"status      {state}"
    if facts.unknown is not None:
        yield f"            {shown(facts.unknown)}"
    yield f"zone        {shown(facts.zone or 'unknown')}"
    for place, ds in enumerate(facts.ds[:_MOST]):
        verdict = {True: "names a key", False: "names no key of the zone", None: "could not be compared"}[ds.names_key]
        words = ds.record.split()
        yield f"{'DS' if not place else '':<10}  {shown(' '.join(words[:3]))} {shown(words[3][:16])}  {verdict}"
    for place, key in enumerate(facts.keys[:_MOST]):
        bits = f" of {key.bits} bits" if key.bits else ""
        kind = "key-signing" if key.sep else "zone-signing"
        yield f"{'keys' if not place else '':<10}  {key.tag}  {key.algorithm}{bits}  {kind}"
    if facts.expires is not None:
        yield f"signatures  the first expires {facts.expires.replace('T', ' ').replace('Z', ' UTC')}"
    if facts.nsec3_iterations is not None:
        yield f"NSEC3       {facts.nsec3_iterations} additional iterations"
    for place, entry in enumerate(facts.bogus[:_MOST]):
        yield f"{'withheld' if not place else '':<10}  {entry.what}  {shown(entry.name)} {entry.type}"
    if len(facts.bogus) > _MOST:
        yield f"{'':<10}  and {len(facts.bogus) - _MOST} more"
