"""The questions of a run, as the report lists them."""

from __future__ import annotations

from collections.abc import Mapping

from deliverkit.model import Address, Host, Lookup, Mx, Other, Rdata, Soa, Txt, clipped
from deliverkit.model.display import RECORDED
from deliverkit.report import QuestionReport


def questions_of(lookups: Mapping[tuple[str, str, str | None], Lookup]) -> tuple[QuestionReport, ...]:
    """Each question with its outcome, in the order answered."""
    return tuple(
        QuestionReport(
            name=lookup.name,
            rdtype=lookup.rdtype,
            outcome=lookup.outcome.value,
            records=tuple(clipped(presented(record), RECORDED) for record in lookup.records),
            server=server or lookup.server,
            elapsed_ms=round(lookup.elapsed_ms, 1),
        )
        for (_, _, server), lookup in lookups.items()
    )


def presented(record: Rdata) -> str:
    """A record's data as dig shows it, strings joined."""
    match record:
        case Txt():
            return record.text
        case Mx(preference, host):
            return f"{preference} {host}."
        case Address(address):
            return address
        case Host(name):
            return f"{name}."
        case Soa(mname, rname, serial, _):
            return f"{mname}. {rname}. {serial}"
        case Other(text):
            return text
