"""Logins: the cause by code and mechanism, and what says nothing of the credentials."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.model import Absent, Found, Status, Who
from deliverkit.rules import all_rules
from deliverkit.rules.auth_cause import cause_of
from tests.smtp_rules.build import certificate, endpoint, judged, login, offers, only, reply, tls

REFUSED = "auth-login-refused"


@pytest.mark.parametrize(
    ("said", "mechanism", "words", "fix"),
    [
        ("535 5.7.8 authentication failed", "PLAIN", "user name or password is wrong", "app password"),
        ("535 5.7.8 no", "SCRAM-SHA-256", "or the server cannot do this mechanism", "--mechanism PLAIN"),
        ("535 5.7.8 no", "CRAM-MD5", "or the server cannot do this mechanism", "--mechanism PLAIN"),
        ("534 5.7.9 Application-specific password required", "PLAIN", "app password", "apppasswords"),
        ("534 5.7.9 mechanism too weak", "PLAIN", "too weak", "SCRAM-SHA-256"),
        ("538 5.7.11 encryption required", "PLAIN", "inside TLS alone", "465"),
        ("530 5.7.0 Must issue a STARTTLS command first", "PLAIN", "wants TLS", "--tls starttls"),
        ("504 5.5.4 unknown", "PLAIN", "does not know the mechanism", "auth_mechanisms"),
        (
            "535 5.7.139 Authentication unsuccessful, basic authentication is disabled",
            "LOGIN",
            "OAuth alone",
            "XOAUTH2",
        ),
        (
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox",
            "LOGIN",
            "SMTP AUTH is switched off",
            "Set-CASMailbox",
        ),
        ("535 5.7.3 Authentication unsuccessful", "XOAUTH2", "the token was not taken", "scope"),
        ("535 5.7.13 user disabled", "PLAIN", "the account is disabled", "enabled"),
    ],
)
def test_the_cause_by_code_mechanism_and_provider(said: str, mechanism: str, words: str, fix: str):
    finding = only(judged(login(outcome="refused", reply=reply(said), mechanism=mechanism), REFUSED))
    assert words in finding.message
    assert finding.fix is not None
    assert fix in finding.fix.text


def test_an_oauth_error_is_shown_decoded():
    facts = login(
        outcome="refused", reply=reply("535 5.7.8 no"), mechanism="XOAUTH2", detail="status 401, scope https://mail"
    )
    assert "status 401, scope https://mail" in [exhibit.text for exhibit in only(judged(facts, REFUSED)).evidence]


def test_the_user_is_in_no_text():
    finding = only(judged(login(outcome="refused", reply=reply("535 no"), user="alice-canary"), REFUSED))
    assert "alice-canary" not in repr(finding)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {REFUSED: Status.PASS, "auth-exchange-broken": Status.PASS}),
        (
            {"outcome": "failed", "why": "it was cut off"},
            {REFUSED: Status.INCONCLUSIVE, "auth-exchange-broken": Status.INCONCLUSIVE},
        ),
        (
            {"outcome": "failed", "reply": None},
            {REFUSED: Status.INCONCLUSIVE, "auth-accepted-without-proof": Status.INCONCLUSIVE},
        ),
        (
            {"outcome": "failed", "why": "the challenge is not base64", "protocol_fault": True},
            {REFUSED: Status.PASS, "auth-exchange-broken": Status.FAIL},
        ),
        (
            {"outcome": "not-tried", "why": "the certificate is not trusted", "mechanism": None, "reply": None},
            {
                REFUSED: Status.INCONCLUSIVE,
                "auth-mechanism-not-offered": Status.NOT_APPLICABLE,
            },
        ),
        (
            {"outcome": "not-tried", "why": "it is not offered", "asked_for": "SCRAM-SHA-1", "reply": None},
            {"auth-mechanism-not-offered": Status.FAIL},
        ),
        (
            {"outcome": "not-tried", "why": "none in common", "offered": ("NTLM",), "reply": None},
            {"auth-mechanism-not-offered": Status.FAIL},
        ),
        (
            {"outcome": "not-tried", "why": "no AUTH here", "offered": (), "heard": True, "reply": None},
            {"auth-mechanism-not-offered": Status.FAIL},
        ),
        (
            {"outcome": "not-tried", "why": "it refuses service", "offered": (), "reply": None},
            {"auth-mechanism-not-offered": Status.INCONCLUSIVE},
        ),
        ({"why": "accepted before the exchange was at its end"}, {"auth-accepted-without-proof": Status.FAIL}),
    ],
)
def test_what_a_login_comes_to(changes: Any, expected: dict[str, Status]):
    facts = login(**changes)
    assert {rule: judged(facts, rule).status for rule in expected} == expected


@pytest.mark.parametrize("asked_for", [None, "PLAIN"])
@pytest.mark.parametrize(("port", "part_of"), [(25, None), (587, "auth-missing")])
def test_no_login_offered_weighs_the_same_whichever_mechanism_was_named(asked_for, port, part_of):
    facts = login(outcome="not-tried", port=port, asked_for=asked_for, offered=(), heard=True, reply=None)
    finding = only(judged(facts, "auth-mechanism-not-offered"))
    assert finding.message == "offers no login: none was tried"
    assert finding.part_of == part_of
    assert ("465, or 587" in finding.fix.text) == (port == 25)


@pytest.mark.parametrize(
    ("where", "made", "part_of"),
    [
        ({"tls": Found(tls(certificate(names=("x.example",))))}, {"trusted": False}, "tls-certificate-name-mismatch"),
        ({"tls": Absent("no TLS"), "starttls": "missing"}, {"encrypted": False}, "smtp-starttls-missing"),
        ({"tls": Found(tls(version="TLSv1"))}, {"trusted": False}, None),
    ],
)
def test_credentials_that_others_may_have_read(where: Any, made: Any, part_of: str | None):
    facts = endpoint(login=Found(login(insecure=True, **made)), **where)
    assert only(judged(facts, "auth-login-insecure")).part_of == part_of


def test_credentials_that_were_not_sent_or_sent_safely():
    kept = endpoint(login=Found(login(outcome="not-tried")))
    assert judged(kept, "auth-login-insecure").status is Status.NOT_APPLICABLE
    assert judged(endpoint(login=Found(login())), "auth-login-insecure").status is Status.PASS


def test_who_can_mend_it():
    off = login(outcome="refused", reply=reply("535 5.7.139 SmtpClientAuthentication is disabled for the Tenant"))
    assert only(judged(off, REFUSED)).who is Who.MAIL_ADMIN


@given(
    st.integers(500, 599),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=200),
    st.sampled_from(["PLAIN", "LOGIN", "XOAUTH2", "SCRAM-SHA-256"]),
)
def test_every_refusal_has_a_cause_and_a_fix(code: int, text: str, mechanism: str):
    cause = cause_of(login(outcome="refused", reply=reply(f"{code} {text}"), mechanism=mechanism))
    assert cause.message
    assert cause.fix


@pytest.mark.parametrize(
    ("mechanisms", "failing"),
    [
        ("PLAIN LOGIN", set()),
        ("PLAIN LOGIN CRAM-MD5 XOAUTH2", set()),
        ("LOGIN XOAUTH2", {"auth-plain-missing"}),
        ("XOAUTH2 OAUTHBEARER", set()),
        ("PLAIN NTLM", {"auth-mechanism-weak"}),
        ("GSSAPI", {"auth-mechanisms-unusual"}),
        ("", {"auth-missing"}),
    ],
)
def test_what_is_offered(mechanisms: str, failing: set[str]):
    inside = ("PIPELINING", "SIZE 10485760", "8BITMIME", "ENHANCEDSTATUSCODES")
    facts = endpoint(after=Found(offers(*inside, *([f"AUTH {mechanisms}"] if mechanisms else []))))
    found = {rule.id for rule in all_rules() if rule.area == "auth" and judged(facts, rule.id).findings}
    assert found == failing
