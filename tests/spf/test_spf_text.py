"""The tree as a person reads it."""

from __future__ import annotations

import asyncio
import re

from deliverkit.dns.world import World
from deliverkit.model import Inputs
from deliverkit.probes.spf import probe
from deliverkit.render.text.spf import lines
from deliverkit.report.spf import report

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
