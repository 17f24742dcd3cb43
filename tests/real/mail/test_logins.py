"""Every mechanism that these servers offer, accepted and refused, and no secret anywhere."""

from __future__ import annotations

import base64
from pathlib import Path

import exim
import postfix
import pytest
import sendmail
import witness
from command import Ran, probe
from conftest import Server
from postfix import PASSWORD, USER, Mail, token

pytestmark = pytest.mark.real
CANARY = "Kanarienvogel+9"
MECHANISMS = [
    (make, mechanism)
    for make, offered in (("post", postfix.MECHANISMS), ("exim", exim.MECHANISMS), ("sendmail", sendmail.MECHANISMS))
    for mechanism in offered
]


def login(
    mail: Mail, secret: str, mechanism: str | None, monkeypatch: pytest.MonkeyPatch, *words: str | Path,
    ports: dict[int, str] | None = None,
) -> Ran:  # fmt: skip
    monkeypatch.setenv("MAIL_PASSWORD", secret)
    named = ("--mechanism", mechanism) if mechanism else ()
    return probe(mail, ports or {587: "submission"}, "--user", USER, "--password-env", "MAIL_PASSWORD", *named, *words)


@pytest.mark.parametrize(("make", "mechanism"), MECHANISMS, indirect=["make"])
def test_a_login_is_accepted_and_refused(server: Server, mechanism: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bearer = mechanism in ("XOAUTH2", "OAUTHBEARER")
    good, bad = (token(), token(key=b"another key")) if bearer else (PASSWORD, CANARY)
    for secret, outcome in ((good, "accepted"), (bad, "refused")):
        ran = login(server.mail, secret, mechanism, monkeypatch)
        assert ran.only["auth"]["login"] == outcome
        assert ran.only["auth"]["mechanism"] == mechanism
        assert secret not in ran.out + ran.err
    assert ran.code == 1


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
@pytest.mark.parametrize("password", [PASSWORD, CANARY])
def test_swaks_is_answered_alike(
    server: Server, mechanism: str, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = witness.swaks("127.0.0.1", server.mail.ports["submission"], login=(USER, password, mechanism))
    ran = login(server.mail, password, mechanism, monkeypatch)
    assert (ran.only["auth"]["login"] == "accepted") is seen.accepted


def test_the_best_is_taken_where_none_is_named(server: Server, make: str, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = login(server.mail, PASSWORD, None, monkeypatch).only["auth"]
    assert chosen["login"] == "accepted"
    assert chosen["mechanism"] == ("PLAIN" if make == "exim" else "SCRAM-SHA-256")


def test_a_mechanism_that_is_not_offered_is_not_tried(exim_mail: Mail, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = login(exim_mail, CANARY, "SCRAM-SHA-256", monkeypatch).only["auth"]
    assert tried["login"] == "not-tried"
    assert tried["why"]


@pytest.mark.parametrize("label", ["clear", "alternative"])
def test_no_password_in_clear_unless_it_is_asked_for(post: Mail, label: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without TLS nothing is said, though the server offers it."""
    refused = login(post, PASSWORD, "PLAIN", monkeypatch, "--tls", "none", ports={2525: label})
    assert refused.only["auth"]["login"] == "not-tried"
    assert not [line for line in refused.only["transcript"] if line["text"].startswith("AUTH")]


def test_a_password_in_clear_where_it_is_asked_for(post: Mail, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = login(post, PASSWORD, "PLAIN", monkeypatch, "--tls", "none", "--insecure-auth", ports={2525: "alternative"})
    assert ran.only["auth"]["login"] == "accepted"


@pytest.mark.parametrize("label", ["expired", "wrongname", "selfsigned", "incomplete"])
def test_no_password_to_a_certificate_that_is_not_trusted(
    post: Mail, label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = login(post, CANARY, None, monkeypatch, ports={587: label})
    assert ran.only["auth"]["login"] == "not-tried"
    assert not [line for line in ran.only["transcript"] if line["text"].startswith("AUTH")]


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"])
def test_a_refused_password_stands_nowhere(
    post: Mail, mechanism: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    evidence, report = tmp_path / "evidence", tmp_path / "report"
    ran = login(
        post, CANARY, mechanism, monkeypatch, "-v", "--trace", "--save-evidence", evidence, "-o", f"text={report}"
    )
    assert ran.only["auth"]["login"] == "refused"
    written = (ran.out + ran.err).encode() + evidence.read_bytes() + report.read_bytes()
    raw = CANARY.encode()
    for form in (
        raw, raw.hex().encode(), base64.b64encode(raw), base64.b64encode(f"\0{USER}\0{CANARY}".encode()),
        CANARY.replace("+", "%2B").encode(),
    ):  # fmt: skip
        assert form not in written
    assert evidence.stat().st_mode & 0o777 == 0o600


def test_one_refusal_ends_it_for_the_other_ports(post: Mail, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong password is not tried three times: accounts are locked by that."""
    ran = login(post, CANARY, "PLAIN", monkeypatch, ports={465: "smtps", 587: "submission", 2525: "alternative"})
    outcomes = [endpoint["auth"]["login"] for endpoint in ran.endpoints.values()]
    assert sorted(outcomes) == ["not-tried", "not-tried", "refused"]
