"""From a session to facts: what is known, what is not there, what nobody could tell."""

from __future__ import annotations

import pytest

from deliverkit.model import Absent, Found, Trouble, Unknown
from smtp_area.worlds import ADDRESS, HOST, endpoint


def section(lines: str = "", port: int = 587) -> str:
    return f"{ADDRESS}\n[smtp {HOST}:{port}]\n{lines}\n"


def test_a_sound_submission_port():
    found = endpoint(section())
    assert (found.host, found.address, found.port) == (HOST, "192.0.2.25", 587)
    assert (found.role, found.state, found.starttls, found.wrong_mode) == ("submission", "open", "offered", None)
    assert found.banner.value.shown == f"220 {HOST} ESMTP"
    assert found.extended == Found(value=True)
    assert found.before.value.has("STARTTLS")
    assert not found.after.value.has("STARTTLS")
    assert found.before.value.auth == ()
    assert found.after.value.auth == ("PLAIN", "LOGIN")
    assert found.mail_before_tls.value.code == 530
    assert found.ptr == Found((HOST,))
    assert found.tls.value.trusted
    assert found.tls.value.name_matches
    assert found.tls.value.submission
    assert not found.tls.value.implicit
    assert found.tls.value.unnamed.value.sha256 == found.tls.value.leaf.sha256
    assert isinstance(found.breakage, Absent)
    assert found.odd == ()
    assert set(found.timings) == {"connect", "banner", "ehlo", "starttls", "tls", "ehlo_tls"}


def test_tls_at_once_on_465():
    found = endpoint(section(port=465), 465)
    assert found.starttls == "implicit"
    assert isinstance(found.before, Absent)
    assert found.after.value.auth == ("PLAIN", "LOGIN")
    assert found.greeting.value.ok
    assert found.tls.value.implicit
    assert isinstance(found.mail_before_tls, Absent)


def test_an_mx_is_not_asked_for_mail_before_tls():
    found = endpoint(section(port=25), 25)
    assert found.role == "mx"
    assert not found.tls.value.submission
    assert isinstance(found.mail_before_tls, Absent)


def test_no_starttls():
    found = endpoint(section("offer PIPELINING"))
    assert found.starttls == "missing"
    assert isinstance(found.tls, Absent)
    assert isinstance(found.after, Absent)


def test_helo_alone():
    found = endpoint(section("on EHLO 502 5.5.1 not here"))
    assert found.extended == Found(value=False)
    assert found.greeting.value.ok
    assert found.before.value.lines == ()
    assert found.starttls == "missing"


@pytest.mark.parametrize(
    ("lines", "starttls", "tls"),
    [
        ("on STARTTLS 454 4.7.0 not now", "failed", Unknown),
        ("on STARTTLS 421 4.3.2 closing", None, Unknown),
        ("fault STARTTLS close", None, Unknown),
        ("fault TLS timeout", None, Unknown),
        ("fault TLS garbage", "failed", Absent),
        ("fault TLS close", "failed", Absent),
    ],
)
def test_starttls_that_does_not_work(lines, starttls, tls):
    found = endpoint(section(lines))
    assert found.starttls == starttls
    assert isinstance(found.tls, tls)
    assert not isinstance(found.after, Found)
    assert (found.tls_error is not None) == ("garbage" in lines or lines == "fault TLS close")


@pytest.mark.parametrize("word", ["timeout", "close", "reset", "garbage"])
@pytest.mark.parametrize("stage", ["BANNER", "EHLO"])
def test_what_breaks_off_is_unknown(stage, word):
    found = endpoint(section(f"fault {stage} {word}", port=25), 25)
    assert isinstance(found.before, Unknown)
    assert isinstance(found.after, Unknown)
    assert isinstance(found.tls, Unknown)
    assert isinstance(found.extended, Unknown)
    assert isinstance(found.greeting, Unknown)
    assert found.starttls is None
    assert found.breakage.value.stage == stage.lower()
    assert HOST in found.before.why


@pytest.mark.parametrize(("lines", "stage"), [("banner 421 4.3.2 busy", "banner"), ("on EHLO 421 4.3.2 busy", "ehlo")])
def test_a_421_is_no_answer(lines, stage):
    found = endpoint(section(lines, port=25), 25)
    assert found.starttls is None
    assert isinstance(found.before, Unknown)
    assert "421 4.3.2 busy" in found.before.why
    assert found.breakage.value.stage == stage
    assert found.breakage.value.trouble is Trouble.CLOSED


def test_refused_service_is_an_answer():
    found = endpoint(section("banner 554 5.7.1 no", port=25), 25)
    assert found.banner.value.code == 554
    assert isinstance(found.before, Absent)
    assert isinstance(found.breakage, Absent)
    assert found.starttls is None


@pytest.mark.parametrize(
    ("fault", "state", "answer"),
    [("refused", "refused", Absent), ("timeout", "timeout", Unknown), ("unreachable", "unreachable", Unknown)],
)
def test_a_named_port_that_is_not_reached(fault, state, answer):
    found = endpoint(section(f"fault CONNECT {fault}"))
    assert found.state == state
    for name in ("banner", "extended", "greeting", "before", "after", "mail_before_tls", "tls"):
        assert isinstance(getattr(found, name), answer), name


def test_injected_text():
    found = endpoint(section("inject 250 injected"))
    assert b"250 injected" in found.injected
    assert found.starttls == "offered"


def test_ehlo_refused_inside_tls():
    found = endpoint(section("on-tls EHLO 502 5.5.1 no\non-tls HELO 502 5.5.1 no"))
    assert found.after_refused.code == 502
    assert isinstance(found.after, Absent)
    assert found.starttls == "offered"


def test_the_relay_test_stops_at_rcpt():
    closed = endpoint(section(), relay_to="you@example.net")
    assert closed.relay.value.outcome == "closed"
    assert [form for form, _ in closed.relay.value.tried] == [
        "you@example.net",
        f"you%example.net@{HOST}",
        f"@{HOST}:you@example.net",
    ]
    taken = endpoint(section("on-tls RCPT 250 2.1.5 fine"), relay_to="you@example.net")
    assert taken.relay.value.outcome == "possible"
    assert len(taken.relay.value.tried) == 1
    assert not any(step.said.upper().startswith(b"DATA") for step in taken.steps)


@pytest.mark.parametrize(
    ("lines", "options", "outcome"),
    [
        ("", {}, "accepted"),
        ("on-tls AUTH 535 5.7.8 no", {}, "refused"),
        ("on-tls AUTH 454 4.7.0 later", {}, "failed"),
        ("certificate issuer=self", {}, "not-tried"),
        ("certificate issuer=self", {"insecure_auth": True}, "accepted"),
        ("certificate names=other.example", {}, "not-tried"),
        ("offer PIPELINING, AUTH PLAIN", {}, "not-tried"),
        ("", {"mechanism": "CRAM-MD5"}, "not-tried"),
        ("banner 554 5.7.1 no", {}, "not-tried"),
        ("fault TLS garbage", {}, "not-tried"),
    ],
)
def test_logins(lines, options, outcome):
    found = endpoint(section(lines), user="alice", **options)
    login = found.login.value
    assert login.outcome == outcome
    assert login.user == "alice"
    assert bool(login.why) == (outcome in {"not-tried", "failed"})
    assert not login.protocol_fault
    assert b"secret" not in b"".join(step.said + step.reply for step in found.steps)


@pytest.mark.parametrize("lines", ["on-tls AUTH 421 4.7.0 too many", "fault AUTH close"])
def test_a_login_that_breaks_off(lines):
    login = endpoint(section(lines), user="alice").login.value
    assert login.outcome == "failed"
    assert login.why


def test_a_server_that_breaks_the_mechanism():
    login = endpoint(section("on-tls AUTH 334 ???"), user="alice", mechanism="PLAIN").login.value
    assert login.outcome == "failed"
    assert login.protocol_fault


def test_a_login_that_was_not_reached_is_unknown():
    assert isinstance(endpoint(section("fault EHLO close"), user="alice").login, Unknown)


@pytest.mark.parametrize(
    ("lines", "options", "heard"),
    [
        ("offer-tls PIPELINING", {}, True),
        ("offer PIPELINING", {}, True),
        ("offer-tls PIPELINING", {"tls": "none"}, False),  # what stands inside TLS was not seen
        ("banner 554 5.7.1 no", {}, False),
        ("fault TLS garbage", {}, False),
    ],
)
def test_no_login_is_offered_only_where_all_was_heard(lines, options, heard):
    login = endpoint(section(lines), user="alice", **options).login.value
    assert (login.outcome, login.offered, login.heard) == ("not-tried", (), heard)
