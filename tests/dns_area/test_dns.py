from __future__ import annotations

import asyncio

import pytest

from deliverkit.evidence.recorder import Recorder
from deliverkit.facts.dns import DnsFacts
from deliverkit.model import Inputs, Note, Outcome, Status, Who
from deliverkit.probes.dns import wildcard_name
from deliverkit.probes.domain import gather
from deliverkit.report.dns import report
from deliverkit.runs.example import judge_world
from deliverkit.world import World

HOST = "mx1.example.com. A 192.0.2.1\nmx1.example.com. A 192.0.2.2\nmx1.example.com. AAAA 2001:db8::1\n"
HEALTHY = "example.com. MX 10 mx1.example.com.\n" + HOST


def facts(world: str) -> DnsFacts:
    inputs = Inputs(domain="example.com", areas=("mx", "dns"))
    return asyncio.run(gather(inputs, Recorder(World(world)), 0.0)).dns.value


def judged(world: str) -> dict[str, Outcome]:
    outcomes = judge_world("; check example.com --areas mx,dns\n" + world, "dns")
    return {outcome.rule.id: outcome for outcome in outcomes if outcome.rule.area == "dns"}


def failed(world: str) -> set[str]:
    return {rule for rule, outcome in judged(world).items() if outcome.findings}


def test_a_healthy_domain_has_nothing_odd():
    assert facts(HEALTHY).odd == ()
    assert failed(HEALTHY) == set()


def test_the_wildcard_is_asked_for_under_the_same_name_each_time():
    assert wildcard_name("example.com") == wildcard_name("example.com")
    assert wildcard_name("example.com") != wildcard_name("example.net")
    assert len(wildcard_name("example.com").partition(".")[0]) <= 63


def test_the_wildcard_is_asked_for_beside_the_others():
    world = World(HEALTHY)
    asyncio.run(gather(Inputs(domain="example.com", areas=("mx",)), Recorder(world), 0.0))
    names = [name for name, _ in world.asked]
    assert names.index(wildcard_name("example.com")) < names.index("mx1.example.com")


def test_the_wildcard_is_not_asked_for_without_need():
    world = World(HEALTHY)
    asyncio.run(gather(Inputs(domain="example.com", areas=("spf",)), Recorder(world), 0.0))
    assert wildcard_name("example.com") not in [name for name, _ in world.asked]


@pytest.mark.parametrize("text", ["v=spf1 -all", "v=DKIM1; p=", "v=DMARC1; p=reject;"])
def test_a_wildcard_that_denies_is_good_practice(text: str):
    assert failed(HEALTHY + f'*.example.com. TXT "{text}"\n') == set()


def test_a_wildcard_that_allows_is_told():
    assert failed(HEALTHY + '*.example.com. TXT "v=spf1 +all"\n*.example.com. MX 10 mx1.example.com.\n') == {
        "dns-wildcard-txt",
        "dns-wildcard-mx",
    }


def test_an_unanswered_wildcard_question_is_inconclusive():
    outcomes = judged(HEALTHY + f"{wildcard_name('example.com')}. SERVFAIL\n")
    assert outcomes["dns-wildcard-txt"].status is Status.INCONCLUSIVE


def test_a_loop_of_aliases():
    world = "example.com. CNAME www.example.com.\nwww.example.com. CNAME example.com.\n"
    assert "dns-cname-loop" in failed(world)
    itself = judge_world("; check example.com --areas mx,dns\nexample.com. CNAME example.com.\n", "dns")
    assert [o.status for o in itself if o.rule.id == "mx-domain-nonexistent"] == [Status.PASS]


def test_a_question_of_our_own_is_no_finding_of_theirs():
    inputs = Inputs(domain="example.com", areas=("spf",))
    world = World('example.com. MX MALFORMED\nexample.com. TXT "v=spf1 -all"\n')
    assert asyncio.run(gather(inputs, Recorder(world), 0.0)).dns.value.odd == ()


def test_an_alias_of_nothing_does_not_make_the_domain_nonexistent():
    world = "example.com. CNAME gone.example.net.\nexample.net. A 192.0.2.1\n"
    outcomes = {o.rule.id: o for o in judge_world("; check example.com --areas mx,dns\n" + world, "dns")}
    assert outcomes["mx-domain-nonexistent"].status is Status.PASS
    assert outcomes["dns-cname-dangling"].status is Status.FAIL
    assert outcomes["mx-none"].findings[0].part_of == "dns-cname-dangling"


def test_a_foreign_name_is_said_to_be_foreign():
    world = "example.com. MX 10 mx.example.net.\nmx.example.net. MALFORMED\n"
    finding = judged(world)["dns-malformed-answer"].findings[0]
    assert "not this domain's own" in finding.message
    assert finding.severity is not None
    assert finding.severity.value == "notice"
    assert finding.who is Who.PROVIDER


def test_zero_and_invalid_lifetimes_are_told_apart():
    assert failed("example.com. 0 MX 10 mx1.example.com.\n" + HOST) == {"dns-ttl-zero"}
    assert failed("example.com. 4294967295 MX 10 mx1.example.com.\n" + HOST) == {"dns-ttl-invalid"}
    assert facts("example.com. 2147483648 MX 10 mx1.example.com.\n" + HOST).odd[0].ttl == 0


def test_words_for_oddities_leave_the_data():
    found = facts(HEALTHY + "example.com. MX NOEDNS\nmx1.example.com. TCPONLY\n")
    assert [(odd.name, odd.rdtype, odd.notes) for odd in found.odd] == [
        ("example.com", "MX", (Note.EDNS_REFUSED,)),
        ("mx1.example.com", "A", (Note.TCP_ONLY,)),
        ("mx1.example.com", "AAAA", (Note.TCP_ONLY,)),
    ]


def test_several_types_of_one_name_are_one_finding():
    outcome = judged(HEALTHY + "mx1.example.com. TCPONLY\n")["dns-tcp-only"]
    assert len(outcome.findings) == 1
    assert "A, AAAA" in outcome.findings[0].message


def test_what_is_ordinary_is_no_finding():
    # A truncated answer fetched again over TCP, a retry, and stray datagrams happen to everybody.
    assert not {Note.TCP_FALLBACK, Note.RETRIED, Note.SPOOFED, Note.FALLBACK} & {
        note for odd in facts(HEALTHY).odd for note in odd.notes
    }


def test_large_txt_sets():
    large = HEALTHY + "".join(f'example.com. TXT "{n:0200}"\n' for n in range(9))
    assert failed(large) == {"dns-txt-oversized"}
    assert report(facts(large)).txt_octets > 1232


def test_a_servfail_leaves_the_size_inconclusive():
    assert judged(HEALTHY + "example.com. TXT SERVFAIL\n")["dns-txt-oversized"].status is Status.INCONCLUSIVE


def test_report_lists_what_was_odd():
    told = report(facts("example.com. 0 MX 10 mx1.example.com.\n" + HOST + '*.example.com. TXT "v=spf1 -all"\n'))
    assert [(odd.name, odd.type, odd.ttl) for odd in told.odd] == [("example.com", "MX", 0)]
    assert told.wildcard.txt == ("v=spf1 -all",)
    assert told.asked > 3
