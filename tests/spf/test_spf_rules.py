"""Findings about SPF: when, how bad, what to publish in place."""

from __future__ import annotations

import functools

import pytest

from deliverkit.model import Finding, Outcome, Severity, Status
from deliverkit.records.spf import parse_spf
from deliverkit.runs.example import judge_world


@functools.cache
def judged(world: str) -> dict[str, Outcome]:
    return {
        outcome.rule.id: outcome
        for outcome in judge_world(f"$ORIGIN example.com.\n{world}", "spf")
        if outcome.rule.area == "spf"
    }


def failed(world: str) -> set[str]:
    """Rules with a finding that no other explains."""
    return {
        rule for rule, outcome in judged(world).items() if any(finding.part_of is None for finding in outcome.findings)
    }


def first(world: str, rule: str) -> Finding:
    return judged(world)[rule].findings[0]


def inconclusive(world: str) -> set[str]:
    return {rule for rule, outcome in judged(world).items() if outcome.status is Status.INCONCLUSIVE}


def spf(text: str, more: str = "") -> str:
    return f'@ TXT "{text}"\n@ MX 10 mx.example.net.\n{more}'


@pytest.mark.parametrize(
    "world",
    [
        spf("v=spf1 -all"),
        spf("V=SPF1 MX ~ALL", "mx.example.net. A 192.0.2.1"),
        spf("v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all"),
        spf("v=spf1 redirect=_spf.example.com", '_spf TXT "v=spf1 ip4:192.0.2.1 -all"'),
        spf("v=spf1 include:_spf.example.com ~all exp=why.example.com", '_spf TXT "v=spf1 ?all"\nwhy TXT "go away"'),
    ],
)
def test_sound_records_have_no_finding(world: str):
    assert not failed(world)
    assert not inconclusive(world)


@pytest.mark.parametrize(
    ("world", "rules"),
    [
        ("@ MX 10 mx.example.net.", {"spf-missing"}),
        (spf("v=spf1 a:h.example.com", "h A 192.0.2.1"), {"spf-no-all"}),
        (spf("v=spf1 ?all"), {"spf-neutral-all"}),
        (spf("v=spf1 +all"), {"spf-permissive-all"}),
        (spf("v=spf1 ip6:::/0 -all"), {"spf-permissive-all"}),
        (spf("v=spf1 ip4:0.0.0.0/0 -all"), {"spf-permissive-all"}),
        (spf("v=spf1 ip4:64.0.0.0/3 -all"), {"spf-network-broad"}),
        (spf("v=spf1 ip4:10.0.0.0/8 -all"), {"spf-private-network"}),
        (spf("v=spf1 ptr -all"), {"spf-ptr-mechanism"}),
        (spf("v=spf1 ip4:192.0.2.1 ip4:192.0.2.1 -all"), {"spf-duplicate-term"}),
        (spf("v=spf1 -all ip4:192.0.2.1"), {"spf-terms-after-all"}),
        (spf("v=spf1 -all redirect=x.example.com"), {"spf-redirect-ignored"}),
        (spf("v=spf1 exists:%{p}.example.com -all"), {"spf-macro-p"}),
        (spf("v=spf1 zzz=1 -all"), {"spf-unknown-modifier"}),
        (spf("v=spf1 redirect=%{d1}.example.com"), {"spf-dynamic-redirect"}),
        (spf("v=spf1 ip4:nowhere -all"), {"spf-syntax"}),
        (spf("v=spf1 include:example.com -all"), {"spf-include-loop"}),
        (spf("v=spf1 redirect=example.com"), {"spf-include-loop"}),
        (spf("v=spf1 include:x.example.com -all", 'x TXT "hello"'), {"spf-include-without-record"}),
        (spf("v=spf1 a:gone.example.com -all"), {"spf-void-term"}),
        (spf(" v=spf1 -all"), {"spf-not-recognized"}),
        (spf("v=spf10 -all"), {"spf-not-recognized"}),
        (spf("spf2.0/pra -all"), {"spf-not-recognized"}),
        (f'{spf("v=spf1 -all")}\n@ TXT "spf2.0/pra -all"', set()),
        (f'{spf("v=spf1 -all")}\n@ TXT "v=spf1 a -all"', {"spf-multiple-records"}),
        ('@ SPF "v=spf1 -all"\n@ MX 10 mx.example.net.', {"spf-type-obsolete"}),
    ],
)
def test_each_fault_is_found_alone(world: str, rules: set[str]):
    assert failed(world) == rules


def test_a_name_that_takes_and_sends_no_mail_is_only_warned():
    assert first("@ TXT x", "spf-missing").severity is Severity.WARNING
    assert first("@ MX 10 mx.example.net.", "spf-missing").severity is None
    assert first("@ TXT x", "spf-missing").fix.after == "v=spf1 -all"


def test_a_domain_that_does_not_exist_is_not_judged():
    outcomes = judged("other.example. A 192.0.2.1")
    assert not any(outcome.findings for outcome in outcomes.values())


@pytest.mark.parametrize("fault", ["SERVFAIL", "REFUSED", "TIMEOUT", "MALFORMED", "TRUNCATED"])
def test_a_record_that_nobody_answers_is_never_missing(fault: str):
    world = f"@ TXT {fault}\n@ MX 10 mx.example.net."
    assert not failed(world)
    assert {"spf-missing", "spf-too-many-lookups", "spf-syntax", "spf-no-all"} <= inconclusive(world)
    assert "example.com TXT" in judged(world)["spf-missing"].unknown[0].why


@pytest.mark.parametrize("fault", ["SERVFAIL", "REFUSED", "TIMEOUT"])
def test_an_include_that_nobody_answers_leaves_the_counts_open(fault: str):
    world = spf("v=spf1 include:x.example.com -all", f"x TXT {fault}")
    assert not failed(world)
    assert {"spf-too-many-lookups", "spf-too-many-voids", "spf-include-without-record"} <= inconclusive(world)


def hosts(count: int) -> str:
    terms = " ".join(f"a:h{n}.example.com" for n in range(count))
    strings = [f'"{terms[at : at + 200]}"' for at in range(0, len(terms), 200)]
    addresses = "\n".join(f"h{n} A 192.0.2.{n + 1}" for n in range(count))
    return f'@ TXT ("v=spf1 " {" ".join(strings)} " -all")\n@ MX 10 mx.example.net.\n{addresses}'


@pytest.mark.parametrize(
    ("count", "rule"),
    [(8, None), (9, "spf-lookups-near-limit"), (10, "spf-lookups-near-limit"), (11, "spf-too-many-lookups")],
)
def test_the_limit_of_ten(count: int, rule: str | None):
    assert failed(hosts(count)) == ({rule} if rule else set())


def test_too_many_lookups_says_how_many_and_marks_what_they_cost():
    finding = first(hosts(12), "spf-too-many-lookups")
    assert "takes 12 DNS lookups; receivers stop at 10" in finding.message
    assert [mark.note for mark in finding.evidence[0].marks] == ["1 lookup"] * 12
    assert "more than 50" in first(hosts(55), "spf-too-many-lookups").message


def test_marks_stand_on_their_terms():
    exhibit = first(hosts(11), "spf-too-many-lookups").evidence[0]
    assert [exhibit.text[mark.start : mark.end] for mark in exhibit.marks] == [f"a:h{n}.example.com" for n in range(11)]


def voids(count: int) -> str:
    return spf(" ".join(("v=spf1", *(f"a:gone{n}.example.com" for n in range(count)), "-all")))


def test_the_limit_of_two_voids():
    assert failed(voids(2)) == {"spf-void-term"}
    assert failed(voids(3)) == {"spf-too-many-voids"}
    assert first(voids(3), "spf-too-many-voids").fix.after == "v=spf1 -all"
    assert all(finding.part_of == "spf-too-many-voids" for finding in judged(voids(3))["spf-void-term"].findings)


def test_an_include_whose_domain_is_free_to_take():
    world = spf("v=spf1 include:_spf.gone.example -all")
    assert first(world, "spf-include-unregistered").part_of == "spf-include-without-record"
    assert first(world, "spf-include-unregistered").fix.after == "v=spf1 -all"
    kept = spf("v=spf1 include:_spf.kept.example -all", "kept.example. NS ns.kept.example.")
    assert not judged(kept)["spf-include-unregistered"].findings
    assert failed(kept) == {"spf-include-without-record"}


def test_a_permissive_record_that_is_included():
    world = spf("v=spf1 include:vendor.example -all", 'vendor.example. TXT "v=spf1 +all"')
    assert first(world, "spf-permissive-all").subject == "vendor.example"


def test_only_a_pass_lets_the_world_in():
    assert not judged(spf("v=spf1 ?ip4:0.0.0.0/0 -all"))["spf-permissive-all"].findings


@pytest.mark.parametrize(
    ("record", "after"),
    [
        ("v=spf1 ipv4:192.0.2.1 -all", "v=spf1 ip4:192.0.2.1 -all"),
        ("v=spf1 a:192.0.2.1 -all", "v=spf1 ip4:192.0.2.1 -all"),
        ("v=spf1 ip4:2001:db8::1 inlcude:v.example -all", "v=spf1 ip6:2001:db8::1 include:v.example -all"),
        ("v=spf1 redirect:v.example", "v=spf1 redirect=v.example"),
    ],
)
def test_a_syntax_error_with_its_correction(record: str, after: str):
    fix = first(spf(record), "spf-syntax").fix
    assert (fix.before, fix.after, fix.name, fix.rdtype) == (record, after, "example.com", "TXT")


def test_a_space_lost_where_two_strings_join():
    world = '@ TXT ("v=spf1 ip4:192.0.2.1" "ip4:192.0.2.2 -all")\n@ MX 10 mx.example.net.'
    finding = first(world, "spf-syntax")
    assert "two strings of it join" in finding.message
    assert finding.fix.after == "v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 -all"


def test_a_near_miss_explains_that_nothing_is_published():
    world = spf('\\"v=spf1 mx -all\\"')
    assert first(world, "spf-missing").part_of == "spf-not-recognized"
    assert first(world, "spf-not-recognized").fix.after == "v=spf1 mx -all"
    beside = spf("v=spf1 -all", '@ TXT "v=spf1a -all"')
    assert first(beside, "spf-not-recognized").severity is Severity.WARNING


def test_two_records_are_merged_with_the_milder_end():
    world = (
        '@ TXT "v=spf1 ip4:192.0.2.1 -all"\n@ TXT "v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 ~all"\n@ MX 10 mx.example.net.'
    )
    assert first(world, "spf-multiple-records").fix.after == "v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 ~all"


def test_records_that_cannot_be_merged_are_left_to_their_owner():
    world = '@ TXT "v=spf1 redirect=a.example"\n@ TXT "v=spf1 ip4:192.0.2.2 ~all"\n@ MX 10 mx.example.net.'
    assert first(world, "spf-multiple-records").fix.after is None


@pytest.mark.parametrize(
    ("ip", "status"),
    [("192.0.2.1", Status.PASS), ("198.51.100.1", Status.FAIL), ("2001:db8::1", Status.FAIL)],
)
def test_senders(ip: str, status: Status):
    world = f"; check example.com --ip {ip}\n{spf('v=spf1 ip4:192.0.2.0/24 -all')}"
    assert judged(world)["spf-sender-not-authorized"].status is status


def test_the_verdict_for_a_sender_may_be_open():
    world = f"; check example.com --ip 192.0.2.1\n{spf('v=spf1 include:x.example.com -all', 'x TXT SERVFAIL')}"
    assert judged(world)["spf-sender-not-authorized"].status is Status.INCONCLUSIVE


FIXED = [
    spf("v=spf1 a:h.example.com", "h A 192.0.2.1"),
    spf("v=spf1 ?all"),
    spf("v=spf1 ip4:192.0.2.1 +all"),
    spf("v=spf1 ip4:192.0.2.1 ptr -all"),
    spf("v=spf1 ip4:192.0.2.1 -all ip4:192.0.2.2"),
    spf("v=spf1 ip4:192.0.2.1 -all redirect=x.example.com"),
    spf("v=spf1 ip4:192.0.2.1 ip4:192.0.2.1 -all"),
    spf("v=spf1 ip4=192.0.2.1 -all"),
    spf("v=spf1 ip4:192.0.2.1 include:example.com -all"),
    spf("v=spf1 include:_spf.gone.example -all"),
    spf("v=spf1 redirect=_spf.gone.example"),
    spf("v=spf1 ip4:192.0.2.7 ip4:10.0.0.1 -all"),
    spf("v=spf1 ipv4:192.0.2.1 -all"),
    spf("v=spf1 ip4:0.0.0.0/0 -all"),
    voids(3),
]


@pytest.mark.parametrize("world", FIXED)
def test_what_a_fix_publishes_is_sound(world: str):
    fixes = [f.fix for o in judged(world).values() for f in o.findings if f.fix and f.fix.after and not f.part_of]
    assert fixes
    for fix in fixes:
        assert fix.before is None or fix.before in world
        assert not parse_spf(fix.after).errors
        again = world.replace(fix.before, fix.after)
        assert not failed(again), (fix.after, failed(again))
