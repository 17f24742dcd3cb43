"""A world dialled and fetched from in memory: what comes back is what a socket would have shown."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.model import Call, Fetch, FetchOutcome, Mode, Purpose, Request, Session, State, Trouble
from deliverkit.records.certificate import read_certificate
from deliverkit.world import World

ZONE = "mail.example.com. A 192.0.2.25\nmail.example.com. AAAA 2001:db8::25\n"


def world(lines: str = "", port: int = 587, **options: Any) -> World:
    return World(f"{ZONE}[smtp mail.example.com:{port}]\n{lines}\n", **options)


def dial(made: World, port: int = 587, **words: Any) -> Session:
    call = {"host": "mail.example.com", "address": "192.0.2.25", "port": port, "dial_port": port, **words}
    return asyncio.run(made.session(Call(**call)))


def session(lines: str = "", port: int = 587, **words: Any) -> Session:
    return dial(world(lines, port), port, **words)


def stages(made: Session) -> list[str]:
    return [step.stage for step in made.steps]


def reply(made: Session, stage: str) -> bytes:
    return next(step.reply for step in made.steps if step.stage == stage)


def last(made: Session) -> tuple[str, Trouble | None, str]:
    step = made.steps[-1]
    return step.stage, step.trouble, step.why


def test_a_sound_submission_server():
    made = session(try_mail=True)
    assert stages(made) == ["banner", "ehlo", "mail-clear", "starttls", "tls", "ehlo-tls", "quit"]
    assert reply(made, "banner") == b"220 mail.example.com ESMTP\r\n"
    assert b"250-STARTTLS\r\n" in reply(made, "ehlo")
    assert b"AUTH" not in reply(made, "ehlo")
    assert reply(made, "mail-clear") == b"530 5.7.0 Must issue a STARTTLS command first\r\n"
    assert reply(made, "ehlo-tls").endswith(b"250 AUTH PLAIN LOGIN\r\n")
    assert b"STARTTLS" not in reply(made, "ehlo-tls")
    assert made.handshake is not None
    assert (made.handshake.version, made.handshake.trusted, made.handshake.name) == (
        "TLSv1.3",
        True,
        "mail.example.com",
    )


def test_a_sound_mx():
    made = session(port=25)
    assert stages(made) == ["banner", "ehlo", "starttls", "tls", "ehlo-tls", "quit"]
    assert b"AUTH" not in reply(made, "ehlo-tls")


def test_a_port_with_tls_at_once():
    made = session(port=465)
    assert stages(made) == ["tls", "banner", "ehlo-tls", "quit"]
    assert all(step.tls for step in made.steps)


def test_the_same_twice():
    assert session(try_mail=True) == session(try_mail=True)


def test_ipv6_and_addresses_find_their_server():
    assert session(address="2001:db8::25").state is State.OPEN
    assert session(host="192.0.2.25").state is State.OPEN
    assert session(host="2001:db8::25", address="2001:db8::25").state is State.OPEN
    assert session(host="192.0.2.26", address="192.0.2.26").state is State.REFUSED


def test_one_address_of_a_host_may_differ():
    made = World(f"{ZONE}[smtp mail.example.com:25]\n[smtp [2001:db8::25]:25]\nbanner 554 no\n")
    assert reply(dial(made, 25), "banner").startswith(b"220")
    assert reply(dial(made, 25, address="2001:db8::25"), "banner").startswith(b"554")


def test_where_nothing_is_written_nobody_listens():
    made = session(port=25, host="other.example.com")
    assert made.state is State.REFUSED
    assert made.why


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("timeout", State.TIMEOUT),
        ("refused", State.REFUSED),
        ("unreachable", State.UNREACHABLE),
        ("reset", State.REFUSED),
    ],
)
def test_faults_of_the_connection(kind: str, state: State):
    made = session(f"fault CONNECT {kind}")
    assert made.state is state
    assert made.why
    assert made.steps == ()


@pytest.mark.parametrize(
    ("kind", "trouble", "why"),
    [
        ("timeout", Trouble.TIMEOUT, "within 30 s"),
        ("close", Trouble.CLOSED, "closed the connection"),
        ("reset", Trouble.RESET, "reset"),
        ("garbage", Trouble.NOT_SMTP, ""),
    ],
)
@pytest.mark.parametrize(
    ("where", "stage"), [("BANNER", "banner"), ("EHLO", "ehlo"), ("STARTTLS", "starttls"), ("QUIT", "quit")]
)
def test_faults_of_a_step(where: str, stage: str, kind: str, trouble: Trouble, why: str):
    made = session(f"fault {where} {kind}")
    assert made.state is State.OPEN
    assert last(made)[:2] == (stage, trouble)
    assert why in last(made)[2]


@pytest.mark.parametrize("kind", ["timeout", "close", "reset", "garbage"])
@pytest.mark.parametrize("port", [465, 587])
def test_faults_of_the_handshake(kind: str, port: int):
    made = session("fault TLS " + kind, port)
    assert last(made)[0] == "tls"
    assert last(made)[1] is (Trouble.TIMEOUT if kind == "timeout" else Trouble.TLS)
    assert made.handshake is not None
    assert made.handshake.error
    assert (made.handshake.plaintext != b"") is (kind == "garbage")


def test_what_the_text_answers_in_place_of_the_server():
    assert stages(session("on EHLO 502 5.5.1 no\non-tls HELO 250 hello", port=25))[:3] == ["banner", "ehlo", "helo"]
    assert reply(session("on STARTTLS 454 4.7.0 not now"), "starttls") == b"454 4.7.0 not now\r\n"
    assert reply(session("on-clear MAIL 250 2.1.0 fine", try_mail=True), "mail-clear").startswith(b"250")
    assert reply(session("on MAIL 250 2.1.0 fine", try_mail=True), "rset-clear").startswith(b"250")


def test_a_421_ends_the_session():
    made = session("on EHLO 421 4.3.2 closing")
    assert stages(made) == ["banner", "ehlo"]
    assert made.remarks["ended"] == "ehlo"


def test_a_banner_of_several_lines_and_one_that_refuses():
    assert reply(session(r"banner 220-a\n220 b"), "banner") == b"220-a\r\n220 b\r\n"
    assert stages(session("banner 554 5.7.1 go away")) == ["banner", "quit"]


def test_octets_behind_the_reply_to_starttls():
    made = session("inject 250 injected")
    assert made.injected == b"250 injected\r\n"
    assert stages(made)[-2:] == ["ehlo-tls", "quit"]


def test_tls_on_the_wrong_port_and_none_on_the_right_one():
    made = session("mode implicit", port=587)
    assert last(made)[:2] == ("banner", Trouble.TIMEOUT)
    assert session("mode implicit", port=587, mode=Mode.IMPLICIT).steps[-1].stage == "quit"
    made = session("mode starttls", port=465)
    assert made.handshake is not None
    assert made.handshake.plaintext == b"220 mail.example.com ESMTP\r\n"


def test_a_server_without_tls():
    made = session("mode clear")
    assert stages(made) == ["banner", "ehlo", "quit"]
    assert b"STARTTLS" not in reply(made, "ehlo")


def test_another_certificate_for_who_names_nobody():
    lines = "unnamed names=other.example"
    seen = session(lines, purpose=Purpose.NO_NAME)
    assert seen.handshake is not None
    assert seen.handshake.name == ""
    assert read_certificate(seen.handshake.chain[0]).names == ("other.example",)
    usual = session(lines)
    assert usual.handshake is not None
    assert read_certificate(usual.handshake.chain[0]).names == ("mail.example.com",)


@pytest.mark.parametrize("port", [465, 587])
def test_versions_apart(port: int):
    lines = "versions TLSv1 TLSv1.2"
    shown = {}
    for version in ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"):
        made = session(lines, port, purpose=Purpose.SCAN, version=version).handshake
        assert made is not None
        shown[version] = made.version
        assert made.ok is (made.version == version)
    assert shown == {"TLSv1": "TLSv1", "TLSv1.1": "", "TLSv1.2": "TLSv1.2", "TLSv1.3": ""}
    made = session(lines, port).handshake
    assert made is not None
    assert made.version == "TLSv1.2"


def test_what_is_said_of_the_handshake():
    made = session("cipher RC4-SHA\nversions TLSv1.2\nasks-client\ncertificate days=-2").handshake
    assert made is not None
    assert (made.cipher, made.asks_client) == ("RC4-SHA", True)
    assert (made.trusted, made.trust_code) == (False, 10)


MECHANISMS = (
    "PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS", "XOAUTH2",
    "OAUTHBEARER",
)  # fmt: skip


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("port", [465, 587])
@pytest.mark.parametrize(
    ("user", "password", "login"),
    [("alice", "secret", "accepted"), ("alice", "wrong", "refused"), ("mallory", "secret", "refused")],
)
def test_every_mechanism_is_really_checked(mechanism: str, port: int, user: str, password: str, login: str):
    made = world(f"offer-tls AUTH {mechanism}", port, password=password)
    seen = dial(made, port, user=user, mechanism=mechanism)
    assert (seen.remarks["login"], seen.remarks["mechanism"]) == (login, mechanism)
    code = {"accepted": b"235", "refused": b"535"}[login]
    assert [step.reply for step in seen.steps if step.stage == "auth"][-1].startswith(code)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_odd_names_and_passwords_are_the_same_on_both_sides(mechanism: str):
    user, password = "zoë,=x", "pä ss=,\\"
    made = world(f"offer-tls AUTH {mechanism}\nuser {user} {password}\\", password=password + "\\")
    assert dial(made, user=user, mechanism=mechanism).remarks["login"] == "accepted"


def test_auth_where_it_is_not_offered():
    seen = session("offer STARTTLS, AUTH PLAIN\noffer-tls SIZE", user="alice")
    assert seen.remarks["login"] == "not-tried"


def test_auth_in_clear():
    seen = session("mode clear\noffer AUTH PLAIN", user="alice", insecure_auth=True)
    assert seen.remarks["login"] == "accepted"


def test_relaying_is_denied_in_all_its_forms():
    seen = session(port=25, relay_to="someone@example.org")
    assert seen.remarks["relay"] == "closed"
    assert [step.reply[:10] for step in seen.steps if step.stage == "rcpt"] == [b"550 5.7.1 "] * 3
    assert session("on RCPT 250 2.1.5 ok", port=25, relay_to="a@example.org").remarks["relay"] == "possible"
    assert session(port=25, relay_to="someone@example.com").remarks["relay"] == "possible"


POLICY = "version: STSv1\r\nmode: enforce\r\n"
HTTPS = """mta-sts.example.com. A 192.0.2.80
[https mta-sts.example.com]
{lines}
body
  version: STSv1
  mode: enforce
"""


def fetch(lines: str = "", **words: Any) -> Fetch:
    request = {"host": "mta-sts.example.com", "path": "/.well-known/mta-sts.txt", "address": "192.0.2.80", **words}
    return asyncio.run(World(HTTPS.format(lines=lines)).fetch(Request(**request)))


def test_a_policy_is_fetched():
    seen = fetch()
    assert (seen.outcome, seen.status, seen.media_type) == (FetchOutcome.ANSWERED, 200, "text/plain")
    assert seen.body == POLICY.encode()
    assert seen.handshake is not None
    assert seen.handshake.trusted
    assert seen.why == ""


def test_what_is_not_there():
    assert fetch(path="/other").status == 404
    assert fetch(host="www.example.com").outcome is FetchOutcome.REFUSED
    assert fetch(port=8443).outcome is FetchOutcome.REFUSED


def test_a_redirect_stands_as_it_came():
    seen = fetch("status 302\nlocation https://www.example.com/")
    assert (seen.outcome, seen.status, seen.location) == (FetchOutcome.ANSWERED, 302, "https://www.example.com/")


def test_more_than_the_limit():
    seen = fetch("pad 70000")
    assert seen.outcome is FetchOutcome.TOO_LARGE
    assert len(seen.body) == 65_536
    assert "https://mta-sts.example.com/.well-known/mta-sts.txt" in seen.why


@pytest.mark.parametrize(
    ("lines", "outcome"),
    [
        ("fault timeout", FetchOutcome.UNKNOWN),
        ("fault silent", FetchOutcome.UNKNOWN),
        ("fault reset", FetchOutcome.UNKNOWN),
        ("fault refused", FetchOutcome.REFUSED),
        ("fault garbage", FetchOutcome.BROKEN),
        ("fault tls", FetchOutcome.TLS_FAILED),
        ("certificate days=-1", FetchOutcome.UNTRUSTED),
        ("certificate issuer=self", FetchOutcome.UNTRUSTED),
        ("certificate names=www.example.com", FetchOutcome.UNTRUSTED),
    ],
)
def test_what_goes_wrong(lines: str, outcome: FetchOutcome):
    seen = fetch(lines)
    assert seen.outcome is outcome
    assert seen.body == b""
    assert "https://mta-sts.example.com/" in seen.why
    assert "192.0.2.80" in seen.why


def test_no_certificate_is_made_where_none_is_shown(monkeypatch: pytest.MonkeyPatch):
    from deliverkit.world import certificate

    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(certificate, "_key", never)
    made = World(f"{ZONE}[smtp mail.example.com:25]\nfault EHLO close\n[https mta-sts.example.com]\n")
    assert asyncio.run(made.lookup("mail.example.com", "A")).records
    assert dial(made, 25).state is State.OPEN


def test_any_chunking_of_a_conversation_gives_the_same():
    from deliverkit.world.mailbox import Mailroom
    from deliverkit.world.peer import Peer

    (section,) = World(f"{ZONE}[smtp mail.example.com:25]\n").text.smtp
    said = (
        b"EHLO a.test\r\nMAIL FROM:<b@c.test>\r\nRCPT TO:<d@example.com>\r\nDATA\r\n"
        + b"x" * 4097
        + b".\r\n..\r\nend\r\n.\r\nQUIT\r\n"
    )
    shown = set()
    for size in (1, 2, 3, 100, 4097, 10_000):
        room = Mailroom()
        peer = Peer(section, tls=False, leaf=lambda: b"", clock=lambda: 0.0, room=room)
        output: list[object] = list(peer.greet())
        for start in range(0, len(said), size):
            if not peer.over:
                output += peer.feed(said[start : start + size])
        (message,) = room.messages
        shown.add((b"".join(part for part in output if isinstance(part, bytes)), message.octets, message.size))
        assert message.octets == b"x" * 4097 + b".\r\n.\r\nend\r\n"
    assert len(shown) == 1


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.sampled_from(
                [
                    b"EHLO a\r\n",
                    b"MAIL FROM:<>\r\n",
                    b"RCPT TO:<a@example.com>\r\n",
                    b"DATA\r\n",
                    b".\r\n",
                    b"AUTH PLAIN\r\n",
                    b"AUTH LOGIN =\r\n",
                    b"AUTH CRAM-MD5\r\n",
                    b"AUTH SCRAM-SHA-256 biws\r\n",
                    b"*\r\n",
                    b"QUIT\r\n",
                ]
            ),
        ),
        max_size=12,
    )
)
def test_no_octets_bring_it_down(parts: list[bytes]):
    from deliverkit.world.peer import Peer

    text = "[smtp mail.example.com:25]\nmode clear\noffer AUTH PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256 OAUTHBEARER\n"
    (section,) = World(text).text.smtp
    peer = Peer(section, tls=False, leaf=lambda: b"", clock=lambda: 0.0)
    peer.greet()
    for part in parts:
        if not peer.over:
            assert isinstance(peer.feed(part), list)
