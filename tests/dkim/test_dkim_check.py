"""Area `dkim` from a world to its findings."""

from __future__ import annotations

import asyncio
import base64

import msgspec
import pytest

from deliverkit import engine
from deliverkit.evidence.recorder import Recorder
from deliverkit.facts.domain import DomainFacts
from deliverkit.model import Finding, Found, Inputs, Outcome, Severity, Status
from deliverkit.probes.dkim import _nobodys
from deliverkit.probes.domain import gather
from deliverkit.records.dkim_key import ED25519_PREFIX
from deliverkit.render.text.dkim import lines
from deliverkit.report.dkim import DkimReport, report
from deliverkit.rules import all_rules
from deliverkit.world import World

ED = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
KEY = f"v=DKIM1; k=ed25519; p={ED}"
HEAD = "$ORIGIN example.com.\n@ MX 10 mx.example.com.\n"
RULES = [rule for rule in all_rules() if rule.area == "dkim"]


def txt(selector: str, text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    parts = " ".join(f'"{escaped[n : n + 200]}"' for n in range(0, len(escaped), 200)) if "\\" not in escaped else None
    return f"{selector}._domainkey TXT {parts or chr(34) + escaped + chr(34)}\n"


def check(zone: str, *selectors: str, **more: object) -> tuple[tuple[Outcome, ...], DomainFacts]:
    inputs = Inputs(domain="example.com", areas=("dkim",), selectors=selectors, **more)
    facts = asyncio.run(gather(inputs, Recorder(World(HEAD + zone)), 0.0))
    return engine.judge(facts, RULES), facts


def found(zone: str, *selectors: str, **more: object) -> dict[str, Finding]:
    outcomes, _ = check(zone, *selectors, **more)
    return {outcome.rule.id: finding for outcome in outcomes for finding in outcome.findings}


def serious(zone: str, *selectors: str) -> set[str]:
    outcomes, _ = check(zone, *selectors)
    return {
        o.rule.id
        for o in outcomes
        for f in o.findings
        if (f.severity or o.rule.severity) is not Severity.NOTICE and not f.part_of
    }


def dkim_report(facts: DomainFacts) -> DkimReport:
    assert isinstance(facts.dkim, Found)
    return report(facts.dkim.value)


def test_a_named_selector_that_is_there():
    assert found(txt("s1", KEY), "s1") == {}


def test_a_named_selector_that_is_not():
    assert set(found(txt("s2", KEY), "s1")) == {"dkim-missing"}


def test_none_published_explains_nothing_away():
    findings = found("", "s1")
    assert set(findings) == {"dkim-missing", "dkim-none-published"}
    assert findings["dkim-none-published"].part_of == "dkim-missing"


def test_a_guess_that_misses_is_only_a_notice():
    assert set(found(txt("nobody-guesses-this", KEY))) == {"dkim-selector-unknown"}
    assert serious(txt("nobody-guesses-this", KEY)) == set()


@pytest.mark.parametrize("fault", ["SERVFAIL", "REFUSED", "TIMEOUT", "BOGUS", "MALFORMED", "TRUNCATED"])
def test_a_guess_without_an_answer_makes_nothing_inconclusive(fault: str):
    outcomes, _ = check(txt("nobody-guesses-this", KEY) + f"google._domainkey TXT {fault}\n")
    assert not [o for o in outcomes if o.unknown]


@pytest.mark.parametrize("fault", ["SERVFAIL", "REFUSED", "TIMEOUT", "BOGUS", "MALFORMED", "TRUNCATED"])
def test_a_named_selector_without_an_answer_is_inconclusive(fault: str):
    outcomes, _ = check(f"s1._domainkey TXT {fault}\n", "s1")
    missing = next(o for o in outcomes if o.rule.id == "dkim-missing")
    assert missing.status is Status.INCONCLUSIVE
    assert "s1._domainkey.example.com" in missing.unknown[0].why
    assert not any(o.findings for o in outcomes if o.rule.id != "dkim-none-published")


def test_a_guess_without_an_answer_is_not_said_to_be_absent():
    message = found(txt("nobody-guesses-this", KEY) + "google._domainkey TXT TIMEOUT\n")[
        "dkim-selector-unknown"
    ].message
    assert "that were answered is published, and of 1 it could not be told" in message


def test_guesses_without_any_answer_say_nothing():
    outcomes, facts = check("_domainkey SERVFAIL\n")
    assert not [o.rule.id for o in outcomes if o.findings]
    status = {o.rule.id: o.status for o in outcomes}
    assert status["dkim-selector-unknown"] is Status.NOT_APPLICABLE
    assert not any("is published" in line for line in lines(dkim_report(facts), ascii=True))


def test_no_key_at_all_is_a_warning():
    assert serious("") == {"dkim-none-published"}


@pytest.mark.parametrize("mx", ["@ MX 0 .", "www A 192.0.2.1"])
def test_a_parked_domain_is_left_alone(mx: str):
    world = f'$ORIGIN example.com.\n{mx}\n@ TXT "v=spf1 -all"\n*._domainkey TXT "v=DKIM1; p="\n'
    for text in (world, world.replace('*._domainkey TXT "v=DKIM1; p="\n', "")):
        facts = asyncio.run(gather(Inputs(domain="example.com", areas=("dkim",)), Recorder(World(text)), 0.0))
        assert not [o.rule.id for o in engine.judge(facts, RULES) if o.findings]


def test_an_empty_wildcard_is_no_revoked_key():
    assert "dkim-key-revoked" not in found('*._domainkey TXT "v=DKIM1; p="\n')
    assert set(found('*._domainkey TXT "v=DKIM1; p="\n', "s1")) == {"dkim-missing"}


NOBODYS = _nobodys("example.com") + "._domainkey TXT TIMEOUT\n"


def test_where_a_wildcard_could_not_be_told_guesses_fail_nothing():
    for record in ("v=DKIM1; p=", KEY + "; t=y"):
        outcomes, facts = check(f'*._domainkey TXT "{record}"\n' + NOBODYS)
        assert not [o.rule.id for o in outcomes if o.findings]
        assert {o.rule.id for o in outcomes if o.unknown} == {"dkim-wildcard"}
        assert dkim_report(facts).selectors == ()
        assert dkim_report(facts).wildcard is None


def test_where_a_wildcard_could_not_be_told_a_guess_of_its_own_is_kept():
    _, facts = check(txt("google", KEY) + NOBODYS)
    assert [selector.selector for selector in dkim_report(facts).selectors] == ["google"]


def test_where_a_wildcard_could_not_be_told_a_named_revoked_key_is_inconclusive():
    outcomes, _ = check('*._domainkey TXT "v=DKIM1; p="\n' + NOBODYS, "s1")
    assert not [o.rule.id for o in outcomes if o.findings]
    revoked = next(o for o in outcomes if o.rule.id == "dkim-key-revoked")
    assert revoked.status is Status.INCONCLUSIVE
    assert found(txt("s1", KEY) + NOBODYS, "s1") == {}


@pytest.mark.parametrize("fault", ["SERVFAIL", "REFUSED", "TIMEOUT", "BOGUS", "MALFORMED", "TRUNCATED"])
def test_a_wildcard_that_could_not_be_told_is_inconclusive(fault: str):
    outcomes, _ = check(txt("s1", KEY) + NOBODYS.replace("TIMEOUT", fault), "s1")
    assert [(o.rule.id, o.status) for o in outcomes if o.unknown] == [("dkim-wildcard", Status.INCONCLUSIVE)]


def test_guesses_are_not_found_by_a_wildcard():
    outcomes, facts = check('* TXT "v=spf1 -all"\n')
    assert dkim_report(facts).selectors == ()
    assert {o.rule.id for o in outcomes if o.findings} == {"dkim-wildcard", "dkim-selector-unknown"}


def test_a_finding_about_a_guess_is_a_notice():
    finding = found(txt("google", "v=DKIM1; p="))["dkim-key-revoked"]
    assert finding.severity is Severity.NOTICE


def test_a_provider_is_known_by_its_cname():
    zone = f's1._domainkey CNAME s1.domainkey.u1.wl.sendgrid.net.\ns1.domainkey.u1.wl.sendgrid.net. TXT "{KEY}"\n'
    _, facts = check(zone, "s1")
    (selector,) = dkim_report(facts).selectors
    assert selector.provider == "SendGrid"
    assert selector.cname == "s1.domainkey.u1.wl.sendgrid.net"


def test_a_provider_shown_by_spf_is_guessed():
    _, facts = check('@ TXT "v=spf1 include:spf.brevo.com -all"\n' + txt("brevo1", KEY))
    (selector,) = dkim_report(facts).selectors
    assert (selector.selector, selector.provider, selector.guessed) == ("brevo1", "Brevo", True)


def test_more_records_than_are_read_do_not_hide_the_spf_record():
    many = "".join(f'@ TXT "aaa-verification={n}"\n' for n in range(30))
    spf = '@ TXT "v=spf1 include:spf.brevo.com -all"\n'
    for zone in (many + spf, spf + many):
        _, facts = check(zone + txt("brevo1", KEY))
        assert [selector.selector for selector in dkim_report(facts).selectors] == ["brevo1"]


def test_the_order_of_an_answer_decides_nothing():
    records = [txt("s1", f"x={n:02}") for n in range(20)] + [txt("s1", KEY)]
    one, two = (check("".join(order), "s1") for order in (records, records[::-1]))
    assert dkim_report(one[1]) == dkim_report(two[1])
    assert [o.findings for o in one[0]] == [o.findings for o in two[0]]


def test_at_most_twenty_guesses_and_no_question_twice():
    world = World(
        HEAD
        + '@ TXT "v=spf1 include:spf.brevo.com include:mailgun.org include:zoho.com include:spf.migadu.com -all"\n'
        + txt("x", KEY)
    )
    asyncio.run(gather(Inputs(domain="example.com", areas=("dkim",)), Recorder(world), 0.0))
    keys = [question for question in world.asked if "._domainkey." in question[0]]
    assert len(keys) <= 21
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    "damaged",
    [
        f'"{KEY}"',
        KEY.replace(";", "\\;"),
        KEY.replace("VS/7", "VS/ 7"),
        f"&quot;{KEY.replace('/', '&#x2F;')}&quot;",
        KEY.replace(";", ""),
        f"k=ed25519; p={ED}; v=DKIM1",
    ],
)
def test_the_corrected_record_passes(damaged: str):
    findings = found(txt("s1", damaged), "s1")
    assert findings
    after = {finding.fix.after for finding in findings.values() if finding.fix}
    assert after == {KEY}
    assert found(txt("s1", KEY), "s1") == {}


def test_a_doubled_name_is_found():
    findings = found(txt("s2", KEY) + f's1._domainkey.example.com TXT "{KEY}"\n', "s1")
    assert findings["dkim-missing"].part_of == "dkim-name-doubled"
    fix = findings["dkim-name-doubled"].fix
    assert fix is not None
    assert (fix.name, fix.after) == ("s1._domainkey.example.com", KEY)


def test_a_key_file_is_compared():
    own = ED25519_PREFIX + base64.b64decode(ED)
    other = ED25519_PREFIX + bytes(range(32))
    assert found(txt("s1", KEY), "s1", key=own) == {}
    assert set(found(txt("s1", KEY), "s1", key=other)) == {"dkim-key-mismatch"}


def test_each_name_server_is_asked():
    zone = "@ NS ns1\n@ NS ns2\nns1 A 192.0.2.1\nns2 A 192.0.2.2\n" + txt("s1", KEY)
    _, facts = check(zone, "s1", each_nameserver=True)
    (selector,) = dkim_report(facts).selectors
    assert [server.address for server in selector.nameservers] == ["192.0.2.1", "192.0.2.2"]
    assert all(server.records == (KEY,) for server in selector.nameservers)
    assert any("192.0.2.2" in line for line in lines(dkim_report(facts), ascii=True))


def test_report_and_table():
    _, facts = check(txt("s1", KEY + "; t=y"), "s1", "gone")
    told = dkim_report(facts)
    assert msgspec.json.encode(told)
    first, second = told.selectors
    assert (first.key_type, first.key_bits, first.testing, second.record) == ("ed25519", 256, True, None)
    table = list(lines(told, ascii=True))
    assert table[0].split() == ["selector", "provider", "key", "flags", "where"]
    assert "ed25519 256" in table[1]
    assert "testing" in table[1]
    assert all(line.isascii() for line in table)


def test_what_a_peer_wrote_is_shown_safely():
    _, facts = check('s1._domainkey TXT "v=DKIM1; k=\\027[31m; p=AAAA"\n', "s1")
    assert not any("\x1b" in line for line in lines(dkim_report(facts), ascii=False))
