"""Sessions: what breaks off says nothing, what breaks the protocol is a finding, and what is ours is not the peer's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.facts.smtp import Endpoint, OddReply, RelayFacts
from deliverkit.model import Absent, Found, Rule, Severity, Status, Trouble, Unknown
from deliverkit.rules import all_rules
from deliverkit.rules.smtp_name import stands_as_name
from tests.smtp_rules.build import CLEAR, broken, endpoint, host, judged, offers, only, reply, severity

ANSWERS = ("banner", "extended", "greeting", "before", "after", "mail_before_tls", "tls", "ptr")
OF_ENDPOINTS = [rule for rule in all_rules() if rule.subject is Endpoint]
OURS = {"smtp-intercepted", "smtp-starttls-stripped"}


def silent(answer: Any, **changes: Any) -> Endpoint:
    """An endpoint of which every answer is `answer`."""
    return endpoint(**dict.fromkeys(ANSWERS, answer), **{"starttls": None, **changes})


def test_there_are_rules_about_endpoints():
    assert len(OF_ENDPOINTS) > 40


@pytest.mark.parametrize("rule", OF_ENDPOINTS, ids=lambda rule: rule.id)
def test_a_sound_server_fails_no_rule(rule: Rule):
    for port, role in ((587, "submission"), (465, "submission"), (25, "mx")):
        inside = Found(offers(*CLEAR[:4])) if port == 25 else endpoint().after
        assert judged(endpoint(port=port, role=role, after=inside), rule.id).status in {
            Status.PASS,
            Status.NOT_APPLICABLE,
        }


@pytest.mark.parametrize("rule", OF_ENDPOINTS, ids=lambda rule: rule.id)
@pytest.mark.parametrize("port", [25, 465, 587])
def test_silence_is_never_an_answer(rule: Rule, port: int):
    facts = silent(Unknown("no answer within 30 s"), port=port, role="mx" if port == 25 else "submission")
    assert judged(facts, rule.id).status in {Status.INCONCLUSIVE, Status.NOT_APPLICABLE}


@pytest.mark.parametrize("rule", OF_ENDPOINTS, ids=lambda rule: rule.id)
def test_a_port_that_is_closed_has_nothing_to_judge(rule: Rule):
    facts = silent(Absent("connection refused"), state="refused", why="connection refused")
    assert judged(facts, rule.id).status is Status.NOT_APPLICABLE


@pytest.mark.parametrize("rule", OF_ENDPOINTS, ids=lambda rule: rule.id)
def test_a_port_that_nobody_reached_is_open_to_question(rule: Rule):
    facts = silent(Unknown("no connection within 10 s"), state="timeout", why="no connection within 10 s")
    assert judged(facts, rule.id).status in {Status.INCONCLUSIVE, Status.NOT_APPLICABLE}


@pytest.mark.parametrize("rule", OF_ENDPOINTS, ids=lambda rule: rule.id)
def test_what_our_network_does_is_not_the_peers_fault(rule: Rule):
    facts = endpoint(by_us="the same banner everywhere", before=Found(offers("AUTH PLAIN")), starttls="missing")
    outcome = judged(facts, rule.id)
    assert outcome.status is not Status.FAIL or rule.id in OURS


def test_starttls_taken_out_on_the_way_is_not_called_missing():
    stripped = endpoint(before=Found(offers("SIZE 10485760", "XXXXXXXA")), starttls="missing", stripped=True)
    assert judged(stripped, "smtp-starttls-missing").status is Status.INCONCLUSIVE
    assert judged(stripped, "smtp-starttls-stripped").status is Status.FAIL


def test_a_421_is_not_no_starttls():
    closing = endpoint(
        before=Found(offers("SIZE 10485760")),
        starttls="missing",
        breakage=broken(Trouble.CLOSED, "quit", why="421 4.4.2 idle"),
    )
    assert judged(closing, "smtp-starttls-missing").status is Status.INCONCLUSIVE


def test_a_starttls_that_is_put_off_is_open():
    facts = endpoint(starttls="failed", starttls_reply=reply("454 4.7.0 not now"), tls=Absent("no TLS"))
    assert judged(facts, "smtp-starttls-refused").status is Status.INCONCLUSIVE
    facts = endpoint(starttls="failed", starttls_reply=reply("250 ok"), tls=Absent("no TLS"))
    assert judged(facts, "smtp-starttls-refused").status is Status.FAIL


def test_a_policy_that_requires_tls_is_named():
    facts = endpoint(before=Found(offers()), starttls="missing", required_by="example.com", role="mx", port=25)
    assert "example.com" in only(judged(facts, "smtp-starttls-missing")).message


BROKEN = ("smtp-out-of-step", "smtp-reply-unreadable", "smtp-reply-too-long")


@pytest.mark.parametrize("rule", BROKEN)
@pytest.mark.parametrize("trouble", [Trouble.TIMEOUT, Trouble.CLOSED, Trouble.RESET])
def test_what_was_cut_off_is_open(rule: str, trouble: Trouble):
    assert judged(endpoint(breakage=broken(trouble)), rule).status is Status.INCONCLUSIVE


@pytest.mark.parametrize(
    ("trouble", "rule"),
    [(Trouble.OUT_OF_STEP, BROKEN[0]), (Trouble.NOT_SMTP, BROKEN[1]), (Trouble.TOO_LONG, BROKEN[2])],
)
def test_what_breaks_the_protocol_is_a_finding(trouble: Trouble, rule: str):
    facts = endpoint(breakage=broken(trouble, seen=b"250 x"))
    assert [each for each in BROKEN if judged(facts, each).status is Status.FAIL] == [rule]


def test_a_421_said_early_is_no_fault_of_the_order():
    facts = endpoint(breakage=broken(Trouble.OUT_OF_STEP, seen=b"421 4.4.2 idle\r\n"))
    assert judged(facts, "smtp-out-of-step").status is Status.INCONCLUSIVE


def test_a_banner_without_an_end_may_be_a_tarpit():
    facts = silent(Unknown("so"), breakage=broken(Trouble.TOO_LONG, "banner"))
    assert judged(facts, "smtp-reply-too-long").status is Status.INCONCLUSIVE


def test_what_is_not_smtp_is_named():
    facts = silent(
        Unknown("so"), breakage=broken(Trouble.NOT_SMTP, "banner", b"SSH-2.0", "this is not SMTP: it looks like SSH")
    )
    assert "it looks like SSH" in only(judged(facts, "smtp-not-smtp")).message


@pytest.mark.parametrize(("code", "status"), [(554, Status.FAIL), (421, Status.INCONCLUSIVE), (220, Status.PASS)])
def test_a_banner_that_refuses(code: int, status: Status):
    assert judged(endpoint(banner=Found(reply(f"{code} x.example"))), "smtp-service-refused").status is status


def test_a_reply_that_is_odd_is_shown_where_it_stood():
    odd = OddReply(host="mail.example.com", port=587, stage="rcpt", reply=reply("250-a\n220 b"))
    finding = only(judged(endpoint(odd=(odd, odd)), "smtp-reply-mixed-codes"))
    assert "reply to RCPT" in finding.evidence[0].title


def test_challenge_response_in_clear_is_weaker_than_a_password():
    told = {
        "PLAIN": severity(judged(endpoint(before=Found(offers("AUTH PLAIN"))), "smtp-auth-before-tls")),
        "SCRAM": severity(judged(endpoint(before=Found(offers("AUTH SCRAM-SHA-256"))), "smtp-auth-before-tls")),
    }
    assert told == {"PLAIN": Severity.ERROR, "SCRAM": Severity.WARNING}


@pytest.mark.parametrize(
    ("outcome", "status"),
    [("closed", Status.PASS), ("possible", Status.FAIL), ("not-tried", Status.INCONCLUSIVE)],
)
def test_the_relay_test(outcome: str, status: Status):
    relay = RelayFacts(
        host="mail.example.com", port=25, recipient="a@example.org", outcome=outcome,
        tried=(("a@example.org", reply("250 ok")),),
    )  # fmt: skip
    made = judged(relay, "smtp-relay-possible")
    assert made.status is status
    assert status is not Status.FAIL or "may be" in only(made).message


def test_one_address_that_refuses_what_another_opens():
    shut = silent(Absent("refused"), state="refused", why="connection refused", address="2001:db8::25")
    made = judged(host(endpoint(), shut, mx=True), "smtp-address-refuses")
    assert severity(made) is Severity.ERROR
    assert judged(host(shut), "smtp-address-refuses").status is Status.INCONCLUSIVE
    assert judged(host(endpoint()), "smtp-address-refuses").status is Status.PASS


def test_a_private_address_is_a_finding_of_an_mx_alone():
    facts = host(endpoint(), refused_addresses=("10.1.2.3",), mx=True)
    assert judged(facts, "smtp-address-not-public").status is Status.FAIL
    facts = host(endpoint(), refused_addresses=("10.1.2.3",))
    assert judged(facts, "smtp-address-not-public").status is Status.INCONCLUSIVE


@pytest.mark.parametrize(
    ("word", "stands"),
    [
        ("mail.example.com", True),
        ("mail.example.com.", True),
        ("[192.0.2.25]", True),
        ("[IPv6:2001:db8::25]", True),
        ("localhost", False),
        ("192.0.2.25", False),
        ("mail..example.com", False),
        ("-mail.example.com", False),
        ("x" * 300 + ".example", False),
        ("", False),
    ],
)
def test_names(word: str, stands: bool):
    assert stands_as_name(word) is stands


@given(st.text(max_size=9000))
def test_any_word_is_a_name_or_none(word: str):
    assert stands_as_name(word) in {True, False}


@given(st.binary(min_size=1, max_size=400).filter(lambda octets: b"\n" not in octets and b"\r" not in octets))
def test_no_banner_upsets_a_rule(text: bytes):
    shown = endpoint(banner=Found(reply("220 " + text.decode("latin-1"))), greeting=Found(reply("250 x")))
    for rule in OF_ENDPOINTS:
        if rule.id.startswith(("smtp-banner", "smtp-ehlo")):
            assert judged(shown, rule.id).status in set(Status)
