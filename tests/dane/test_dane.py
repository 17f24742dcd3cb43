"""The TLSA records of mail hosts: what is asked, what DNSSEC secures, what is told of it."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from deliverkit import engine
from deliverkit.evidence.recorder import Recorder
from deliverkit.facts.dane import DaneFacts, DaneHost
from deliverkit.model import Absent, Answer, Found, Inputs, Outcome, Status, Unknown
from deliverkit.probes.dane import MAX_HOSTS, MAX_RECORDS, probe, probe_hosts
from deliverkit.probes.domain import gather
from deliverkit.render.text.dane import lines
from deliverkit.render.text.next import hint
from deliverkit.report import TargetReport
from deliverkit.report.dane import report
from deliverkit.report.document import Counts, Facts
from deliverkit.rules import all_rules
from deliverkit.world import NOW, World

ONE = "01" * 32
TWO = "02" * 32
PAIR = f"_25._tcp.mx TLSA 3 1 1 {ONE}\n_25._tcp.mx TLSA 3 1 1 {TWO}\n"
ZONE = "$ORIGIN example.com.\n@ MX 10 mx\nmx A 192.0.2.25\n"


def probed(text: str, domain: str = "example.com") -> DaneFacts:
    return asyncio.run(probe(Inputs(domain=domain), Recorder(World(text))))


def only(text: str, domain: str = "example.com") -> DaneHost:
    hosts = probed(text, domain).hosts
    assert isinstance(hosts, Found)
    (host,) = hosts.value
    return host


def judged(text: str, *, areas: tuple[str, ...] = ("dane",)) -> dict[str, Outcome]:
    inputs = Inputs(domain="example.com", areas=areas)
    facts = asyncio.run(gather(inputs, Recorder(World(text)), NOW))
    return {outcome.rule.id: outcome for outcome in engine.judge(facts, all_rules())}


def failed(text: str, **options: tuple[str, ...]) -> set[str]:
    return {rule for rule, outcome in judged(text, **options).items() if outcome.status is Status.FAIL}


@pytest.mark.parametrize(
    ("text", "secure", "addresses"),
    [
        ("AD\n" + ZONE + PAIR, Found(True), Found(True)),
        ("AD\nexample.com. INSECURE\n" + ZONE + PAIR, Found(False), Found(False)),
        ("AD\n_tcp.mx.example.com. INSECURE\n" + ZONE + PAIR, Found(False), Found(True)),
        ("AD\n" + ZONE, Found(True), Found(True)),
    ],
    ids=["secure", "insecure", "insecure below", "denied securely"],
)
def test_what_dnssec_secures(text: str, secure: Answer[bool], addresses: Answer[bool]) -> None:
    host = only(text)
    assert (host.secure, host.addresses_secure) == (secure, addresses)


def test_behind_a_resolver_that_does_not_validate_nothing_is_called_unsigned() -> None:
    host = only(ZONE + PAIR)
    assert isinstance(host.secure, Unknown)
    assert "does not validate" in host.secure.why
    assert len(host.usable) == 2
    outcomes = judged(ZONE + PAIR)
    assert outcomes["dane-without-dnssec"].status is Status.INCONCLUSIVE
    assert not failed(ZONE + PAIR)


def test_a_zone_file_says_nothing_of_dnssec() -> None:
    class File(World):
        async def lookup(self, name, rdtype, *, server=None):  # type: ignore[no-untyped-def]
            from msgspec.structs import replace

            return replace(await super().lookup(name, rdtype, server=server), server="zone example.com.zone")

    facts = asyncio.run(probe(Inputs(domain="example.com"), Recorder(File(ZONE + PAIR))))
    assert isinstance(facts.hosts, Found)
    assert isinstance(facts.hosts.value[0].secure, Unknown)
    assert "a file says nothing" in facts.hosts.value[0].secure.why


@pytest.mark.parametrize("fault", ["SERVFAIL", "TIMEOUT", "REFUSED", "MALFORMED"])
def test_a_question_that_fails_is_not_an_absence(fault: str) -> None:
    text = f"AD\n{ZONE}_25._tcp.mx TLSA {fault}\n"
    host = only(text)
    assert isinstance(host.records, Unknown)
    outcomes = judged(text)
    assert outcomes["dane-lookup-fails"].status is Status.INCONCLUSIVE
    assert outcomes["dane-missing"].status is Status.INCONCLUSIVE
    assert failed(text) <= {"dns-malformed-answer"}


def test_where_the_zone_is_unsigned_nobody_asks_for_tlsa() -> None:
    """RFC 7672 §2.2.2: a name server that drops questions for TLSA does no harm there."""
    text = f"AD\nexample.com. INSECURE\n{ZONE}_25._tcp.mx TLSA TIMEOUT\n"
    assert judged(text)["dane-lookup-fails"].status is Status.NOT_APPLICABLE


def test_an_answer_that_fails_validation_keeps_mail_back() -> None:
    text = f"AD\n{ZONE}_25._tcp.mx TLSA BOGUS\n"
    assert only(text).bogus
    assert failed(text) == {"dane-lookup-fails"}
    both = judged(text, areas=("dane", "dnssec"))
    assert {rule for rule, outcome in both.items() if outcome.status is Status.FAIL} == {
        "dane-lookup-fails", "dnssec-bogus",
    }  # fmt: skip
    assert [finding.part_of for finding in both["dane-lookup-fails"].findings] == ["dnssec-bogus"]


def test_a_bogus_host_is_no_fault_of_its_tlsa_records() -> None:
    assert not only(f"AD\n{ZONE}mx.example.com. BOGUS\n{PAIR}").bogus


def test_of_an_alias_the_name_it_leads_to_comes_first() -> None:
    """RFC 7672 §2.2.2."""
    chain = "AD\n$ORIGIN example.com.\n@ MX 10 mx\nmx CNAME real\nreal A 192.0.2.25\n"
    at_target = only(chain + f"_25._tcp.real TLSA 3 1 1 {ONE}\n_25._tcp.mx TLSA 3 1 1 {TWO}\n")
    assert at_target.name == "_25._tcp.real.example.com"
    assert [record.data.hex() for record in at_target.published] == [ONE]
    at_alias = only(chain + f"_25._tcp.mx TLSA 3 1 1 {TWO}\n")
    assert at_alias.name == "_25._tcp.mx.example.com"
    assert only(chain).name == "_25._tcp.real.example.com"


def test_records_behind_an_alias_of_their_own() -> None:
    host = only(f"AD\n{ZONE}_25._tcp.mx CNAME _dane.example.net.\n_dane.example.net. TLSA 3 1 1 {ONE}\n")
    assert [record.data.hex() for record in host.published] == [ONE]
    assert host.protected


def test_a_host_without_mx_is_asked_itself() -> None:
    text = f"AD\nmail.example.com. A 192.0.2.25\n_25._tcp.mail.example.com. TLSA 3 1 1 {ONE}\n"
    facts = probed(text, "mail.example.com")
    assert not facts.by_mx
    assert only(text, "mail.example.com").host == "mail.example.com"


@pytest.mark.parametrize(
    "text",
    ["AD\nexample.com. MX 0 .\n", "AD\nexample.com. TXT x\n", "AD\nexample.com. MX 10 192.0.2.1.\n"],
    ids=["null MX", "no mail at all", "an address in digits"],
)
def test_where_no_mail_goes_there_is_no_dane(text: str) -> None:
    assert isinstance(probed(text).hosts, Absent)
    assert not failed(text)


def test_an_mx_that_could_not_be_told_leaves_all_open() -> None:
    facts = probed("AD\nexample.com. MX SERVFAIL\nexample.com. A 192.0.2.1\n")
    assert isinstance(facts.hosts, Unknown)


def test_everything_is_asked_once_and_side_by_side() -> None:
    """Two questions after one another: the MX, then all of every host."""

    class Slow(World):
        rounds: list[set[tuple[str, str]]] = []  # noqa: RUF012 - of this test alone
        open: set[tuple[str, str]] = set()  # noqa: RUF012 - as above

        async def lookup(self, name, rdtype, *, server=None):  # type: ignore[no-untyped-def]
            await asyncio.sleep(0.01)
            return await super().lookup(name, rdtype, server=server)

    world = Slow("AD\n" + ZONE + PAIR + "@ MX 20 mx2\nmx2 A 192.0.2.26\n")

    async def run() -> float:
        from deliverkit.dns.cache import Cache

        began = asyncio.get_running_loop().time()
        await probe(Inputs(domain="example.com"), Recorder(Cache(world)))
        return asyncio.get_running_loop().time() - began

    assert asyncio.run(run()) < 0.03 + 0.2
    assert set(Counter(world.asked).values()) == {1}
    assert len(world.asked) == 1 + 1 + 3 + 3 + 3


def test_bounds() -> None:
    many = "".join(f"_25._tcp.mx TLSA 3 1 1 {n:064x}\n" for n in range(300))
    host = only("AD\n" + ZONE + many)
    assert (len(host.published), host.total) == (MAX_RECORDS, 300)
    hosts = "".join(f"@ MX 10 h{n}\nh{n} A 192.0.2.1\n" for n in range(60))
    facts = probed("AD\n$ORIGIN example.com.\n" + hosts)
    assert isinstance(facts.hosts, Found)
    assert (len(facts.hosts.value), facts.skipped) == (MAX_HOSTS, 40)


def test_hosts_and_ports_that_somebody_else_names() -> None:
    found = asyncio.run(
        probe_hosts(
            "example.com",
            [("mx.example.com", 25), ("mx.example.com", 587), ("192.0.2.25", 25)],
            Recorder(World("AD\n" + ZONE + PAIR)),
        )
    )
    assert [(host.name, len(host.published)) for host in found] == [
        ("_25._tcp.mx.example.com", 2), ("_587._tcp.mx.example.com", 0), ("192.0.2.25", 0),
    ]  # fmt: skip


def test_the_whole_is_told_once() -> None:
    """An unsigned MX before a signed host is one finding, and no other rule repeats it."""
    text = (
        "AD\nexample.com. INSECURE\nexample.com. MX 10 mx.example.net.\nmx.example.net. A 192.0.2.25\n"
        f"_25._tcp.mx.example.net. TLSA 3 1 1 {ONE}\n_25._tcp.mx.example.net. TLSA 3 1 1 {TWO}\n"
    )
    assert failed(text) == {"dane-mx-unsigned"}


def test_unusable_records_say_that_nobody_is_authenticated() -> None:
    outcome = judged(f"AD\n{ZONE}_25._tcp.mx TLSA 0 1 1 {ONE}\n")["dane-usage-pkix"]
    assert "authenticate nobody" in outcome.findings[0].message
    beside = judged(f"AD\n{ZONE}_25._tcp.mx TLSA 0 1 1 {ONE}\n{PAIR}")["dane-usage-pkix"]
    assert "authenticate nobody" not in beside.findings[0].message


def test_texts_hold_nothing_that_changes_by_itself() -> None:
    messages = [
        finding.message
        for outcome in judged(f"AD\n{ZONE}_25._tcp.mx TLSA 3 0 1 {ONE}\n").values()
        for finding in outcome.findings
    ]
    assert messages
    assert not [message for message in messages if ONE in message or "192.0.2." in message]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("AD\n" + ZONE + PAIR, "DANE: senders authenticate it"),
        ("AD\nexample.com. INSECURE\n" + ZONE + PAIR, "no sender uses its records"),
        (f"AD\n{ZONE}_25._tcp.mx TLSA 0 1 1 {ONE}\n", "senders authenticate nobody"),
        ("AD\n" + ZONE, "no TLSA records, in a signed zone"),
        ("AD\n" + ZONE + "_25._tcp.mx TLSA SERVFAIL\n", "could not be told"),
        (ZONE + PAIR, "could not be told"),
        ("AD\nexample.com. MX 0 .\n", "no mail host"),
        ("AD\nexample.com. MX SERVFAIL\n", "the mail hosts could not be told"),
    ],
)
def test_the_view_of_the_command(text: str, words: str) -> None:
    facts = report(probed(text))
    assert words in "\n".join(lines(facts, ascii=False))
    assert "\n".join(lines(facts, ascii=True)).isascii()


def test_a_providers_records_are_for_the_provider_to_mend() -> None:
    text = (
        "AD\nexample.com. MX 10 mx.example.net.\nmx.example.net. A 192.0.2.25\n"
        f"_25._tcp.mx.example.net. TLSA 1 1 1 {ONE}\n"
    )
    (finding,) = judged(text)["dane-usage-pkix"].findings
    assert finding.who is not None
    assert finding.who.value == "provider"


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("AD\n" + ZONE + PAIR, "deliverkit smtp --mx example.com"),
        ("AD\n" + ZONE, "deliverkit smtp --mx example.com -v"),
        ("AD\nexample.com. INSECURE\n" + ZONE + PAIR, None),
        (f"AD\n{ZONE}_25._tcp.mx TLSA 0 1 1 {ONE}\n", None),
        ("AD\nexample.com. MX 0 .\n", None),
    ],
)
def test_the_servers_are_worth_asking_where_records_name_them(text: str, typed: str | None) -> None:
    target = TargetReport(
        target="example.com",
        unicode="example.com",
        role="mail",
        verdict="pass",
        counts=Counts(passed=1, fail=0, not_applicable=0, inconclusive=0),
        findings=(),
        inconclusive=(),
        suppressed=(),
        facts=Facts(dane=report(probed(text))),
        passed=(),
        duration_ms=1.0,
    )
    found = hint(target, "dane", asked=True)
    assert (found[0] if found else None) == typed
