"""The questions of a run, as the report lists them."""

from __future__ import annotations

from collections.abc import Iterable

from deliverkit.evidence.saved import Asked
from deliverkit.model import Address, Host, Mx, Other, Rdata, Soa, Txt, clipped
from deliverkit.model.display import RECORDED
from deliverkit.report import QuestionReport


def questions_of(asked: Iterable[Asked]) -> tuple[QuestionReport, ...]:
    """Each question with its outcome."""
    return tuple(
        QuestionReport(
            name=item.lookup.name,
            rdtype=item.lookup.rdtype,
            outcome=item.lookup.outcome.value,
            records=tuple(clipped(presented(record), RECORDED) for record in item.lookup.records),
            server=item.server or item.lookup.server,
            elapsed_ms=round(item.lookup.elapsed_ms, 1),
        )
        for item in asked
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
