"""Files answer as the DNS would once they are published; what is not theirs is said to be outside."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from deliverkit.model import Lookup, LookupOutcome, SourceRecord, Txt
from deliverkit.model.source import Place, Source
from deliverkit.sources import read_text
from deliverkit.sources.answers import OUTSIDE, Published

ZONE = """\
@        SOA   ns1.example.net. hostmaster 1 3600 900 604800 300
@        NS    ns1.example.net.
@        TXT   "one"
@        TXT   "one"
www      CNAME host
host     A     192.0.2.1
*.wild   TXT   "any"
far      CNAME host.example.net.
loop     CNAME loop2
loop2    CNAME loop
child    NS    ns.child
ns.child A     192.0.2.9
flat     ALIAS host.example.net.
"""


def ask(name: str, rdtype: str, *, partial: bool = False, sources: tuple[Source, ...] = ()) -> Lookup:
    published = Published((read_text(ZONE, Path("example.com.zone")), *sources), partial=partial)
    return asyncio.run(published.lookup(name, rdtype))


@pytest.mark.parametrize(
    ("name", "rdtype", "outcome"),
    [
        ("example.com", "TXT", LookupOutcome.FOUND),
        ("example.com", "MX", LookupOutcome.NODATA),
        ("gone.example.com", "A", LookupOutcome.NXDOMAIN),
        ("www.example.com.", "A", LookupOutcome.FOUND),
        ("x.wild.example.com", "TXT", LookupOutcome.FOUND),
        ("wild.example.com", "TXT", LookupOutcome.NODATA),
        ("far.example.com", "A", LookupOutcome.UNKNOWN),
        ("loop.example.com", "A", LookupOutcome.UNKNOWN),
        ("x.child.example.com", "A", LookupOutcome.UNKNOWN),
        ("flat.example.com", "A", LookupOutcome.UNKNOWN),
        ("flat.example.com", "MX", LookupOutcome.NODATA),
        ("example.net", "TXT", LookupOutcome.UNKNOWN),
        ("a" * 64 + ".example.com", "A", LookupOutcome.INVALID),
    ],
)
def test_outcomes(name: str, rdtype: str, outcome: LookupOutcome):
    answer = ask(name, rdtype)
    assert answer.outcome is outcome
    if outcome is LookupOutcome.UNKNOWN and "loop" not in name:
        assert OUTSIDE in answer.why


def test_a_set_holds_no_record_twice():
    assert ask("example.com", "TXT").records == (Txt((b"one",)),)


def test_what_is_absent_from_a_part_is_outside():
    assert OUTSIDE in ask("gone.example.com", "A", partial=True).why
    assert ask("host.example.com", "A", partial=True).outcome is LookupOutcome.FOUND


def test_a_value_that_is_not_known_yet_is_no_absence_and_not_outside():
    record = SourceRecord(
        name="example.org", rdtype="TXT", text="", place=Place("plan.json", 3, 1), unknown="known after apply"
    )
    plan = Source(path="plan.json", kind="terraform", zones=("example.org",), records=(record,))
    answer = ask("example.org", "TXT", sources=(plan,))
    assert answer.outcome is LookupOutcome.UNKNOWN
    assert "known after apply" in answer.why
    assert OUTSIDE not in answer.why


def test_a_file_that_begins_at_the_root_is_a_collection():
    text = '. SOA a. b. 1 2 3 4 5\nexample.com. MX 10 mail.example.com.\n_dmarc.example.org. TXT "x"\n'
    published = Published((read_text(text, Path("all.zone"), "."),))
    assert set(published.zones) == {"example.com", "example.org"}
    assert OUTSIDE in asyncio.run(published.lookup("example.net", "A")).why
    assert asyncio.run(published.lookup("mail.example.com", "A")).outcome is LookupOutcome.NXDOMAIN
