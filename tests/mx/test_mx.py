from __future__ import annotations

import asyncio

import pytest

from deliverkit.evidence.recorder import Recorder
from deliverkit.facts import subjects
from deliverkit.facts.mx import MxFacts
from deliverkit.model import Inputs, Outcome, Status
from deliverkit.probes.domain import gather
from deliverkit.probes.mx import probe
from deliverkit.report.mx import report
from deliverkit.runs.example import judge_world
from deliverkit.world import World

HEALTHY = """
$ORIGIN example.com.
@    MX   10 mx1
@    MX   20 mx2
@    TXT  "v=spf1 mx -all"
mx1  A    192.0.2.1
mx1  AAAA 2001:db8::1
mx2  A    198.51.100.2
"""


def facts(world: str, domain: str = "example.com") -> MxFacts:
    return asyncio.run(probe(Inputs(domain=domain, areas=("mx",)), World(world)))


def judged(world: str) -> dict[str, Outcome]:
    return {outcome.rule.id: outcome for outcome in judge_world(world, "mx") if outcome.rule.area in ("mx", "dns")}


def failed(world: str) -> dict[str, list[str]]:
    return {
        rule: [(finding.severity or outcome.rule.severity).value for finding in outcome.findings]
        for rule, outcome in judged(world).items()
        if outcome.findings
    }


def test_a_healthy_domain_has_no_finding():
    outcomes = judged(HEALTHY)
    assert not failed(HEALTHY)
    assert not [o for o in outcomes.values() if o.status is Status.INCONCLUSIVE]


def test_hosts_are_sorted_and_addressed():
    found = facts(HEALTHY)
    assert [(h.preference, h.host, h.addresses) for h in found.hosts.value] == [
        (10, "mx1.example.com", ("192.0.2.1", "2001:db8::1")),
        (20, "mx2.example.com", ("198.51.100.2",)),
    ]


def test_report_keeps_the_names_of_the_contract():
    told = report(facts(HEALTHY))
    assert told.null is False
    assert (told.hosts[0].preference, told.hosts[0].host, told.hosts[0].addresses) == (
        10,
        "mx1.example.com",
        ("192.0.2.1", "2001:db8::1"),
    )
    assert told.unknown is None


def test_report_of_null_and_unknown():
    null = report(facts("example.com. MX 0 .\n"))
    assert (null.null, null.hosts) == (True, ())
    unknown = report(facts("example.com. MX SERVFAIL\n"))
    assert unknown.null is None
    assert "SERVFAIL" in unknown.unknown


def test_every_question_is_asked_once():
    world = World(HEALTHY)
    asyncio.run(gather(Inputs(domain="example.com", areas=("mx",)), Recorder(world), 0.0))
    assert len(world.asked) == len(set(world.asked))


def test_fifty_hosts_are_looked_up_and_no_more():
    zone = "".join(f"example.com. MX {n} mx{n}.example.net.\n" for n in range(80))
    world = World(zone)
    found = asyncio.run(probe(Inputs(domain="example.com", areas=("mx",)), world))
    assert found.total == 80
    assert sum(rdtype == "AAAA" and name.startswith("mx") for name, rdtype in world.asked) == 50
    assert failed(zone)["mx-too-many"] == ["notice"]
    assert len(failed(zone)["mx-unresolvable"]) == 50


def test_a_domain_that_does_not_exist_is_that_and_nothing_else():
    assert failed("example.net. A 192.0.2.1\n") == {"mx-domain-nonexistent": ["error"]}
    statuses = {o.status for r, o in judged("example.net. A 192.0.2.1\n").items() if r != "mx-domain-nonexistent"}
    assert statuses == {Status.NOT_APPLICABLE}


def test_a_name_with_only_something_below_it_exists():
    outcomes = judged('_x.example.com. TXT "hello"\n')
    assert outcomes["mx-domain-nonexistent"].status is Status.PASS


def test_servfail_for_mx_is_never_absence():
    outcomes = judged('example.com. MX SERVFAIL\nexample.com. TXT "v=spf1 -all"\nexample.com. A 192.0.2.1\n')
    assert not [o for o in outcomes.values() if o.findings]
    assert outcomes["mx-domain-nonexistent"].status is Status.PASS
    assert outcomes["mx-missing"].status is Status.INCONCLUSIVE
    assert "SERVFAIL" in outcomes["mx-missing"].unknown[0].why


def test_a_domain_nobody_answers_for_is_inconclusive():
    outcomes = judged("example.com. SERVFAIL\n")
    assert outcomes["mx-domain-nonexistent"].status is Status.INCONCLUSIVE
    assert not [o for o in outcomes.values() if o.findings]


@pytest.mark.parametrize("fault", ["SERVFAIL", "TIMEOUT", "REFUSED"])
def test_a_host_nobody_answers_for_is_not_called_unresolvable(fault: str):
    outcomes = judged(f"$ORIGIN example.com.\n@ MX 10 mx1\nmx1.example.com. {fault}\n")
    assert outcomes["mx-unresolvable"].status is Status.INCONCLUSIVE
    assert not [o.rule.id for o in outcomes.values() if o.findings]


def test_an_unresolvable_spare_is_a_warning():
    assert failed(HEALTHY + "@ MX 30 mx3\n") == {"mx-unresolvable": ["warning"]}


def test_an_unknown_spare_would_have_been_a_warning():
    outcomes = judged(HEALTHY + "@ MX 30 mx3\nmx3.example.com. SERVFAIL\n")
    assert [u.severity.value for u in outcomes["mx-unresolvable"].unknown] == ["warning"]


def test_nodata_and_nxdomain_are_worded_apart():
    gone = judged("example.com. MX 10 mx1.example.com.\n")["mx-unresolvable"].findings[0].message
    empty = judged('example.com. MX 10 mx1.example.com.\nmx1.example.com. TXT "x"\n')["mx-unresolvable"].findings[0]
    assert "does not exist" in gone
    assert "has no address" in empty.message


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "255.255.255.255",
        "224.0.0.1",
    ],
)
def test_addresses_nobody_can_reach(address: str):
    world = f"$ORIGIN example.com.\n@ MX 10 mx1\nmx1 A {address}\nmx1 A 192.0.2.1\nmx1 AAAA 2001:db8::1\n"
    assert failed(world) == {"mx-private-address": ["error"]}
    finding = judged(world)["mx-private-address"].findings[0]
    assert address not in finding.message
    assert address in [exhibit.text for exhibit in finding.evidence]


def test_an_address_as_host_is_never_asked_for():
    world = World("example.com. MX 10 192.0.2.1.\n")
    asyncio.run(probe(Inputs(domain="example.com", areas=("mx",)), world))
    assert not [name for name, _ in world.asked if name == "192.0.2.1"]


def test_the_fix_of_an_alias_names_the_canonical_host():
    finding = judged("$ORIGIN example.com.\n@ MX 10 mail\nmail CNAME mx1\nmx1 A 192.0.2.1\n")["mx-is-cname"].findings[0]
    assert (finding.fix.before, finding.fix.after) == ("10 mail.example.com.", "10 mx1.example.com.")


def test_localhost_explains_that_it_does_not_resolve():
    outcomes = judged("example.com. MX 10 localhost.\n")
    assert outcomes["mx-unresolvable"].findings[0].part_of == "mx-localhost"


def test_localhost_is_never_asked_for():
    world = World("example.com. MX 10 localhost.\n")
    asyncio.run(probe(Inputs(domain="example.com", areas=("mx",)), world))
    assert "localhost" not in [name for name, _ in world.asked]


def test_null_mx_rules():
    assert failed('example.com. MX 0 .\nexample.com. TXT "v=spf1 -all"\n') == {}
    assert failed('example.com. MX 10 .\nexample.com. TXT "v=spf1 -all"\n') == {"mx-null-preference": ["warning"]}
    assert "mx-null-with-others" in failed(HEALTHY + "@ MX 0 .\n")
    assert failed('example.com. MX 0 .\nexample.com. TXT "v=spf1 a:mail.example.net -all"\n') == {
        "mx-null-but-sends": ["warning"]
    }


@pytest.mark.parametrize(
    ("spf", "rule"),
    [
        ("v=spf1 -all", "mx-null-absent"),
        ("v=spf1  -ALL ", "mx-null-absent"),
        ("v=spf1 ~all", "mx-missing"),
        ("v=spf1 mx -all", "mx-missing"),
        ("v=spf10 -all", "mx-missing"),
    ],
)
def test_parked_is_a_bare_deny_and_nothing_else(spf: str, rule: str):
    assert failed(f'example.com. A 192.0.2.80\nexample.com. TXT "{spf}"\n') == {rule: ["warning"]}


def test_a_parked_domain_without_address_is_left_alone():
    assert failed('example.com. TXT "v=spf1 -all"\n') == {}


def test_no_mx_and_no_address():
    assert failed('example.com. TXT "v=spf1 ip4:192.0.2.1 -all"\n') == {"mx-none": ["warning"]}
    assert failed('example.com. TXT "hello"\n') == {"mx-none": ["notice"]}


@pytest.mark.parametrize(
    ("world", "count"),
    [
        ("; check example.com --mx MX1.example.com.,mx2.example.com\n" + HEALTHY, 0),
        ("; check example.com --mx mx1.example.com\n" + HEALTHY, 1),
        ("; check example.com --mx mx3.example.com,mx1.example.com\n" + HEALTHY, 2),
        ("; check example.com --role parked\n" + HEALTHY, 1),
        ("; check example.com --role mail\n" + HEALTHY, 0),
        ("; check example.com --role mail\nexample.com. MX 0 .\n", 1),
    ],
)
def test_what_is_expected(world: str, count: int):
    assert len(judged(world)["mx-not-as-expected"].findings) == count


def test_a_hosted_single_name_is_no_single_point_of_failure():
    world = (
        "example.com. MX 0 example-com.mail.protection.outlook.com.\n"
        "example-com.mail.protection.outlook.com. A 192.0.2.1\n"
    )
    assert failed(world) == {"mx-no-ipv6": ["notice"]}


def test_facts_do_not_depend_on_the_order_of_records():
    lines = [line for line in HEALTHY.strip().splitlines() if line[0] != "$"]
    backwards = "$ORIGIN example.com.\n" + "\n".join(reversed(lines)) + "\n"
    assert facts(HEALTHY) == facts(backwards)


def test_the_tree_can_be_walked():
    assert len(list(subjects(facts(HEALTHY)))) == 3
