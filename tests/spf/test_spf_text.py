"""The tree as a person reads it."""

from __future__ import annotations

import asyncio
import re

import pytest

from deliverkit.model import Inputs
from deliverkit.probes.spf import probe
from deliverkit.render.text.spf import lines
from deliverkit.report.spf import report
from deliverkit.world import World

WORLD = """
$ORIGIN example.com.
@     TXT  "v=spf1 mx include:_spf.vendor.example a:old.example.com exists:%{i}.e.example.com -all"
@     MX   10 mail
mail  A    192.0.2.1
mail  A    192.0.2.2
mail  A    192.0.2.3
_spf.vendor.example.  TXT "v=spf1 ip4:198.51.100.0/24 include:example.com ~all"
"""


def drawn(world: str, *senders: str, ascii: bool = True) -> list[str]:  # noqa: A002 - as the view's own
    facts = asyncio.run(probe(Inputs(domain="example.com", areas=("spf",), senders=senders), World(world)))
    return list(lines(report(facts), ascii))


def row(line: str) -> tuple[str, str, str, str]:
    """The term, the count when a receiver comes to it, its cost, and what is said of it."""
    head, total, cost, note = re.fullmatch(r"(.*?\S)(?:\s+(\d+) +(\d+)(?:  (.+))?)?", line).groups("")
    return head, total, cost, note


def test_the_tree_with_costs_totals_and_what_it_authorises():
    text = drawn(WORLD)
    assert text[0] == "lookups  #####.....  5 of 10, 1 void of 2"
    assert text[1].split() == ["example.com", "total", "cost"]
    assert [row(line) for line in text[2:]] == [
        ("|-mx", "1", "1", "192.0.2.1, 192.0.2.2 and 1 more"),
        ("|-include:_spf.vendor.example", "2", "2", ""),
        ("| |-ip4:198.51.100.0/24", "", "", ""),
        ("| |-include:example.com", "3", "1", "leads back here: a loop"),
        ("| `-~all", "", "", ""),
        ("|-a:old.example.com", "4", "1", "no such record: void"),
        ("|-exists:%{i}.e.example.com", "5", "1", "depends on the message"),
        ("`--all", "", "", ""),
    ]


def test_glyphs():
    assert any(line.startswith("├ include:") for line in drawn(WORLD, ascii=False))
    assert all(line.isascii() for line in drawn(WORLD))


def test_the_verdict():
    text = drawn(WORLD, "192.0.2.2", "203.0.113.1")
    assert "192.0.2.2 as postmaster@example.com: pass by mx (1 lookups, 0 void)" in text
    assert any(line.startswith("203.0.113.1 as postmaster@example.com: permerror") for line in text)


def test_an_open_count_is_a_least_count():
    world = 'example.com. TXT "v=spf1 include:x.example.net -all"\nx.example.net. TXT SERVFAIL'
    text = drawn(world)
    assert "at least 1 of 10" in text[0]
    assert text[2].endswith("not determined")


def test_more_than_fifty():
    terms = " ".join(f"a:h{n}.example.com" for n in range(60))
    strings = " ".join(f'"{terms[at : at + 200]}"' for at in range(0, len(terms), 200))
    assert "more than 50 of 10" in drawn(f'example.com. TXT ("v=spf1 " {strings} " -all")')[0]


def test_control_characters_do_not_get_through():
    text = drawn('example.com. TXT "v=spf1 a:\\027[31mred.example.com\\007 -all"')
    assert all(line.isprintable() for line in text)


def test_a_domain_without_a_record_has_no_tree():
    assert drawn("example.com. A 192.0.2.1") == []


def nested(depth: int) -> str:
    records = (f'n{n}.example.com. TXT "v=spf1 include:n{n + 1}.example.com -all"' for n in range(depth))
    return "\n".join(('example.com. TXT "v=spf1 include:n0.example.com -all"', *records))


LONG = "a-rather-long-name.of-a-department.of-an-authority.example.com"


@pytest.mark.parametrize("ascii", [True, False])
@pytest.mark.parametrize(
    "world",
    [
        nested(60),
        f'example.com. TXT "v=spf1 include:{LONG} -all"',
        f'example.com. TXT "v=spf1 a:{LONG} -all"\n{LONG}. A 192.0.2.1\n{LONG}. A 192.0.2.2\n{LONG}. A 192.0.2.3',
        'example.com. TXT "v=spf1 exists:' + "%{i}." * 30 + 'example.com -all"',
        'example.com. TXT "v=spf1 ' + "q" * 200 + ' -all"',
    ],
    ids=["deep", "void", "addresses", "macro", "unknown"],
)
def test_a_tree_fits_beside_the_indent_of_the_page(world: str, ascii: bool):  # noqa: A002 - as the view's own
    assert max(map(len, drawn(world, ascii=ascii))) <= 78


def test_what_finds_no_room_beside_its_term_stands_below():
    name = "relay.of-a-department.of-an-authority.example.com"
    text = drawn(f'example.com. TXT "v=spf1 include:{name} -all"')
    at = text.index(f"|-include:{name}".ljust(52) + "      1     1")
    assert text[at + 1].strip() == "no such record: void"


def test_costs_stay_in_their_column_where_the_note_moves_below():
    hosts = "\n".join(f"m.example.com. AAAA 2001:db8:1111:2222:3333:4444:5555:666{n}" for n in range(3))
    text = drawn(f'example.com. TXT "v=spf1 a:m.example.com include:gone.example.com -all"\n{hosts}')
    assert text[1:6] == [
        "example.com                 total  cost",
        "|-a:m.example.com               1     1",
        "        2001:db8:1111:2222:3333:4444:5555:6660,",
        "          2001:db8:1111:2222:3333:4444:5555:6661 and 1 more",
        "|-include:gone.example.com      2     1  no such record: void",
    ]


def test_the_words_of_the_domain_are_wrapped():
    world = (
        'example.com. TXT "v=spf1 exp=why.example.com -all"\nwhy.example.com. TXT "' + "no mail from here, " * 10 + '"'
    )
    text = drawn(world, "2001:db8:1111:2222:3333:4444:5555:6666")
    assert max(map(len, text)) <= 78
    assert "the domain explains: no mail from here, no mail" in " ".join(text)
