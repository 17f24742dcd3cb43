"""The include tree: what is asked, what it costs, voids, loops, and what nobody answered."""

from __future__ import annotations

import asyncio

import pytest

from deliverkit.evidence.recorder import Recorder
from deliverkit.facts.spf import CAP, SpfFacts, SpfNode, SpfTermFacts, whole_tree
from deliverkit.model import Absent, Found, Inputs, Unknown
from deliverkit.probes.spf import probe
from deliverkit.report.spf import report
from deliverkit.world import World


def facts(world: World | str, domain: str = "example.com") -> SpfFacts:
    port = world if isinstance(world, World) else World(f"$ORIGIN example.com.\n{world}")
    return asyncio.run(probe(Inputs(domain=domain, areas=("spf",)), Recorder(port)))


def txt(owner: str, text: str) -> str:
    """A TXT line whose strings are of at most 255 octets."""
    strings = " ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text), 255))
    return f"{owner} TXT {strings}"


def terms(node: SpfNode) -> dict[str, SpfTermFacts]:
    return {term.term.text: term for term in node.terms}


TREE = """
@     TXT  ("v=spf1 a mx include:one.example.com ?include:two.example.com ip4:192.0.2.0/24 ptr "
            "exists:%{i}.e.example.com -all")
@     A    192.0.2.1
@     AAAA 2001:db8::1
@     MX   10 mail
mail  A    192.0.2.9
one   TXT  "v=spf1 a:mail.example.com redirect=three.example.com"
two   TXT  "v=spf1 ip6:2001:db8::/32 -all"
three TXT  "v=spf1 mx:example.com ~all"
"""


def test_costs_and_running_totals():
    found = facts(TREE)
    assert (found.lookups, found.void_lookups, found.unknown) == (9, 0, ())
    root = terms(found.tree.value)
    assert [(text, term.lookups, term.total) for text, term in root.items()] == [
        ("a", 1, 1),
        ("mx", 1, 2),
        ("include:one.example.com", 4, 6),
        ("?include:two.example.com", 1, 7),
        ("ip4:192.0.2.0/24", 0, 7),
        ("ptr", 1, 8),
        ("exists:%{i}.e.example.com", 1, 9),
        ("-all", 0, 9),
    ]
    assert root["exists:%{i}.e.example.com"].dynamic
    assert root["a"].addresses == Found(("192.0.2.1", "2001:db8::1"))
    assert root["mx"].addresses == Found(("192.0.2.9",))
    one = root["include:one.example.com"].child
    assert (one.via, one.own, one.lookups) == ("include", True, 3)
    assert terms(one)["redirect=three.example.com"].child.via == "redirect"


def test_each_question_is_asked_once():
    world = World(f"$ORIGIN example.com.\n{TREE}")
    facts(world)
    assert len(world.asked) == len(set(world.asked))


def test_the_same_answers_give_the_same_tree():
    recorder = Recorder(World(f"$ORIGIN example.com.\n{TREE}"))
    inputs = Inputs(domain="example.com", areas=("spf",), senders=("192.0.2.9",))
    assert asyncio.run(probe(inputs, recorder)) == asyncio.run(probe(inputs, Recorder(recorder)))


def test_what_stands_after_all_costs_nothing():
    found = facts('@ TXT "v=spf1 -all a mx include:x.example.com redirect=y.example.com"')
    assert found.lookups == 0
    assert all(term.ignored for term in found.tree.value.terms[1:])


def test_a_redirect_beside_all_is_not_counted_and_one_without_is():
    assert facts('@ TXT "v=spf1 redirect=x.example.com -all"\nx TXT "v=spf1 a -all"').lookups == 0
    assert facts('@ TXT "v=spf1 redirect=x.example.com"\nx TXT "v=spf1 a -all"').lookups == 2


def test_a_redirect_is_followed_after_the_mechanisms_of_its_record():
    found = facts('@ TXT "v=spf1 redirect=x.example.com a"\n@ A 192.0.2.1\nx TXT "v=spf1 -all"')
    assert found.lookups == 2


def test_a_record_that_stands_twice_costs_twice_and_is_drawn_once():
    found = facts('@ TXT "v=spf1 include:x.example.com include:x.example.com -all"\nx TXT "v=spf1 mx:example.com -all"')
    first, second, _ = found.tree.value.terms
    assert (first.lookups, second.lookups, second.total) == (2, 2, 4)
    assert first.child is not None
    assert second.repeated
    assert second.child is None


@pytest.mark.parametrize(
    "world",
    [
        '@ TXT "v=spf1 include:example.com -all"',
        '@ TXT "v=spf1 include:b.example.com -all"\nb TXT "v=spf1 include:example.com -all"',
        '@ TXT "v=spf1 redirect=example.com"',
        '@ TXT "v=spf1 include:EXAMPLE.com. -all"',
    ],
)
def test_loops_end(world: str):
    port = World(f"$ORIGIN example.com.\n{world}")
    found = facts(port)
    assert any(term.loop for node in whole_tree(found) for term in node.terms)
    assert len(port.asked) <= 11


def wide(levels: int, width: int) -> str:
    """A tree of includes, each with as many below it."""
    lines: list[str] = []

    def grow(name: str, left: int) -> None:
        below = [f"{name}-{n}" if name != "@" else f"n{n}" for n in range(width)] if left else []
        lines.append(txt(name, " ".join(("v=spf1", *(f"include:{x}.example.com" for x in below), "-all"))))
        for each in below:
            grow(each, left - 1)

    grow("@", levels)
    return "\n".join(lines)


def test_a_tree_that_amplifies_is_cut_off():
    port = World(f"$ORIGIN example.com.\n{wide(3, 10)}")
    found = facts(port)
    assert found.exceeded
    assert found.lookups == CAP + 1
    assert len(port.asked) <= 60
    assert report(found).lookups == 51


def test_records_that_include_each_other_everywhere_are_cut_off():
    names = [f"n{n}" for n in range(12)]
    everything = " ".join(f"include:{name}.example.com" for name in names)
    port = World("$ORIGIN example.com.\n" + "\n".join(txt(n, f"v=spf1 {everything} -all") for n in ["@", *names]))
    found = facts(port)
    assert found.lookups == CAP + 1
    assert len(port.asked) <= 60


def test_exactly_fifty_are_counted_and_fifty_one_are_more():
    def hosts(n: int) -> str:
        return txt("@", " ".join(("v=spf1", *(f"a:h{i}.example.com" for i in range(n)), "-all")))

    assert facts(hosts(50)).lookups == 50
    assert facts(hosts(51)).lookups == 51
    assert facts(hosts(60)).lookups == 51


@pytest.mark.parametrize(
    ("term", "more", "void"),
    [
        ("a:gone.example.com", "", True),
        ("a:text.example.com", 'text TXT "no address"', True),
        ("mx:gone.example.com", "", True),
        ("exists:gone.example.com", "", True),
        ("exists:six.example.com", "six AAAA 2001:db8::1", True),
        ("a:six.example.com", "six AAAA 2001:db8::1", False),
        ("include:gone.example.com", "", True),
        ("include:bare.example.com", "bare A 192.0.2.1", True),
        ("include:other.example.com", 'other TXT "another record"', False),
        ("redirect=gone.example.com", "", True),
        ("a:slow.example.com", "slow TIMEOUT", False),
        ("a:broken.example.com", "broken SERVFAIL", False),
        ("include:broken.example.com", "broken SERVFAIL", False),
        ("mx:refused.example.com", "refused REFUSED", False),
        ("exists:%{i}.example.com", "", False),
    ],
)
def test_voids(term: str, more: str, void: bool):
    found = facts(f'@ TXT "v=spf1 {term}"\n{more}')
    assert (found.void_lookups, found.tree.value.terms[0].void) == (int(void), void)
    assert found.lookups == 1


@pytest.mark.parametrize("fault", ["SERVFAIL", "REFUSED", "TIMEOUT", "MALFORMED"])
def test_an_include_that_nobody_answers_is_not_missing(fault: str):
    found = facts(f'@ TXT "v=spf1 include:x.example.com -all"\nx TXT {fault}')
    child = found.tree.value.terms[0].child
    assert isinstance(child.texts, Unknown)
    assert found.unknown
    told = report(found).tree.terms[0]
    assert told.note == "unknown"
    assert "x.example.com" in told.why


def test_a_record_that_nobody_answers_is_unknown():
    found = facts("@ TXT SERVFAIL")
    assert isinstance(found.texts, Unknown)
    assert isinstance(found.tree, Unknown)
    assert report(found).record is None


def test_two_records_are_no_record():
    found = facts('@ TXT "v=spf1 -all"\n@ TXT "V=spf1 a -all"\n@ TXT "other"')
    assert len(found.texts.value) == 2
    assert isinstance(found.record, Absent)
    assert found.lookups == 0


def test_a_record_of_the_abolished_type_is_seen_only_where_there_is_no_other():
    assert facts('@ SPF "v=spf1 -all"').type99 == ("v=spf1 -all",)
    port = World('example.com. TXT "v=spf1 -all"')
    facts(port)
    assert ("example.com", "SPF") not in port.asked


def test_an_included_domain_that_nobody_registered():
    found = facts(
        '@ TXT "v=spf1 include:_spf.vendor.example include:_spf.kept.example -all"\nkept.example. NS ns.kept.example.'
    )
    gone, kept, _ = found.tree.value.terms
    assert isinstance(gone.registered, Absent)
    assert isinstance(kept.registered, Found)


def test_strings_of_a_record_are_joined_without_a_space():
    found = facts('@ TXT ("v=spf1 ip4:192.0.2.1" " -all")')
    assert found.record.value.text == "v=spf1 ip4:192.0.2.1 -all"
    assert found.strings == found.tree.value.strings == (20, 5)


def test_an_mx_with_too_many_hosts_is_not_resolved_to_the_end():
    hosts = "\n".join(f"@ MX {n} m{n}\nm{n} A 192.0.2.{n}" for n in range(1, 31))
    port = World(f'$ORIGIN example.com.\n@ TXT "v=spf1 mx -all"\n{hosts}')
    found = facts(port)
    assert found.tree.value.terms[0].mx_hosts == 30
    assert sum(kind == "A" and name.startswith("m") for name, kind in port.asked) <= 10


@pytest.mark.parametrize("name", ["a" * 64 + ".example.com", ".".join(["abcdefghi"] * 30) + ".example.com"])
def test_names_that_cannot_be_asked_are_void_and_no_crash(name: str):
    found = facts(txt("@", f"v=spf1 a:{name} -all"))
    assert (found.lookups, found.void_lookups) == (1, 1)


def test_digits_of_other_scripts_are_no_crash():
    octets = "".join(f"\\{octet:03d}" for octet in "\u0661".encode())
    tree = facts(f'@ TXT "v=spf1 ip4:192.0.2.{octets} a -all"').tree
    assert [term.term.valid for term in tree.value.terms] == [False, True, True]


def test_report_of_a_tree():
    told = report(facts(TREE))
    assert (told.record, told.lookups, told.all) == (facts(TREE).record.value.text, 9, "-")
    assert told.evaluation is None
    network = next(term for term in told.tree.terms if term.term.startswith("ip4"))
    assert network.authorizes == ("192.0.2.0/24",)
    assert told.tree.record[network.start : network.end] == network.term
    include = next(term for term in told.tree.terms if term.child and term.child.domain == "one.example.com")
    assert [term.authorizes for term in include.child.terms] == [("192.0.2.9",), ()]


@pytest.mark.parametrize(
    ("ending", "said"), [("-all", "-"), ("~all", "~"), ("?all", "?"), ("all", "+"), ("+ALL", "+"), ("", None)]
)
def test_report_names_how_the_record_ends(ending: str, said: str | None):
    assert report(facts(f'@ TXT "v=spf1 ip4:192.0.2.1 {ending}"')).all == said
