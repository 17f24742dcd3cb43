"""One login by one mechanism, and nothing secret in what is kept of it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import msgspec
import pytest
import scramp
from issued import GOOD, make
from scripted import CLOSE, EHLO_TLS, HANG, Scripted, call, run, stages

from deliverkit.model import Handshake, Session
from deliverkit.smtp import sasl
from deliverkit.smtp.secret import Secret

USER, PASSWORD = "alice@example.com", "Kanari/vogel+7ü"
TRUSTED = Handshake(
    name="mail.example.com", version="TLSv1.3", cipher="TLS_AES_256_GCM_SHA384", chain=GOOD.chain, trusted=True
)


def b64(octets: bytes | str) -> bytes:
    return base64.b64encode(octets.encode() if isinstance(octets, str) else octets)


def offering(*mechanisms: str, **answers: Any) -> Scripted:
    ehlo = b"250-mail.example.com\r\n250 AUTH " + " ".join(mechanisms).encode() + b"\r\n"
    return Scripted(answers.pop("handshake", TRUSTED), **{"EHLO_tls": ehlo, **answers})


def login(line: Scripted, *, password: str = PASSWORD, user: str = USER, **changes: Any) -> Session:
    return run(line, call(user=user, **changes), secret=Secret(password))


def auth(session: Session) -> list[str]:
    return [stage for stage in stages(session) if stage.startswith("auth")]


def test_plain():
    line = offering("PLAIN", "LOGIN")
    session = login(line)
    assert line.said[3] == b"AUTH PLAIN " + b64(f"\0{USER}\0{PASSWORD}") + b"\r\n"
    assert session.remarks == {"mechanism": "PLAIN", "login": "accepted"}
    assert session.steps[5].said == b"AUTH PLAIN <redacted>"
    assert stages(session)[-2:] == ["auth:235", "quit:221"]


def test_a_long_response_waits_for_an_empty_challenge():
    token = "t" * 2000
    line = offering("XOAUTH2", AUTH=b"334 \r\n", AUTH_more=[b"235 ok\r\n"])
    session = login(line, password=token)
    assert line.said[3] == b"AUTH XOAUTH2\r\n"
    assert line.said[4] == b64(f"user={USER}\x01auth=Bearer {token}\x01\x01") + b"\r\n"
    assert session.remarks["login"] == "accepted"
    assert [step.said for step in session.steps[5:7]] == [b"AUTH XOAUTH2", b"<redacted>"]


def test_login():
    line = offering("LOGIN", AUTH=b"334 VXNlcm5hbWU6\r\n", AUTH_more=[b"334 UGFzc3dvcmQ6\r\n", b"235 ok\r\n"])
    session = login(line)
    assert line.said[3:6] == [b"AUTH LOGIN\r\n", b64(USER) + b"\r\n", b64(PASSWORD) + b"\r\n"]
    assert session.remarks == {"mechanism": "LOGIN", "login": "accepted"}
    assert [step.said for step in session.steps[5:8]] == [b"AUTH LOGIN", b"<redacted>", b"<redacted>"]


def test_cram_md5_by_the_example_of_rfc_2195():
    challenge = b"<1896.697170952@postoffice.reston.mci.net>"
    exchange = sasl.exchange("CRAM-MD5", "tim", Secret("tanstaaftanstaaf"), host="", port=25)
    assert next(exchange) is None
    assert exchange.send(challenge) == b"tim b913a602c7eda7a495b4e6e7334d3890"


def test_cram_md5_takes_any_octets_for_a_challenge():
    challenge = b"\xff\x1b[31m\0"
    line = offering("CRAM-MD5", AUTH=b"334 " + b64(challenge) + b"\r\n", AUTH_more=[b"235 ok\r\n"])
    assert login(line).remarks["login"] == "accepted"
    digest = hmac.new(PASSWORD.encode(), challenge, hashlib.md5).hexdigest()
    assert base64.b64decode(line.said[4]) == f"{USER} {digest}".encode()


def test_xoauth2_and_its_error_in_json():
    error = b'{"status":"400","schemes":"Bearer","scope":"https://mail.example.com/"}'
    line = offering("XOAUTH2", AUTH=b"334 " + b64(error) + b"\r\n", AUTH_more=[b"535 5.7.8 no\r\n"])
    session = login(line)
    assert line.said[4] == b"\r\n"
    assert session.remarks["oauth"] == "status 400, scope https://mail.example.com/, schemes Bearer"
    assert session.remarks["login"] == "refused"


def test_oauthbearer_by_rfc_7628():
    line = offering(
        "OAUTHBEARER", AUTH=b"334 " + b64(b'{"status":"invalid_token"}') + b"\r\n", AUTH_more=[b"535 no\r\n"]
    )
    session = login(line, user="a,b=c", port=587)
    sent = base64.b64decode(line.said[3].split()[2])
    assert sent == f"n,a=a=2Cb=3Dc,\x01host=mail.example.com\x01port=587\x01auth=Bearer {PASSWORD}\x01\x01".encode()
    assert base64.b64decode(line.said[4]) == b"\x01"
    assert session.remarks == {"mechanism": "OAUTHBEARER", "oauth": "status invalid_token", "login": "refused"}


class ScramLine(Scripted):
    """A server's side of SCRAM, by the same library. `spoil` turns its proof into another."""

    def __init__(
        self, mechanism: str, *, password: str = PASSWORD, spoil: bool = False, first: Any = None, leaf: Any = None
    ) -> None:
        super().__init__(TRUSTED, EHLO_tls=f"250-mail.example.com\r\n250 AUTH {mechanism}\r\n".encode())
        made = scramp.ScramMechanism(mechanism)
        info = made.make_auth_info(password, iteration_count=4096)
        binding = None
        if mechanism.endswith("-PLUS"):
            binding = ("tls-server-end-point", hashlib.sha256(leaf or GOOD.der).digest())
        self.server = made.make_server(lambda _user: info, channel_binding=binding)
        self.spoil = spoil
        self.first = first
        self.finals: list[bytes] = []

    async def send(self, octets: bytes) -> None:
        words = octets.split()
        if words[:1] == [b"AUTH"]:
            self.said.append(octets)
            self.server.set_client_first(base64.b64decode(words[2]).decode())
            first = self.first(self.server.get_server_first()) if self.first else self.server.get_server_first()
            self._inbox.append(b"334 " + b64(first) + b"\r\n")
        elif words and words[0] not in (b"EHLO", b"STARTTLS", b"QUIT", b"*") and not self.finals:
            self.said.append(octets)
            self.finals.append(octets)
            try:
                self.server.set_client_final(base64.b64decode(words[0]).decode())
            except scramp.ScramException:
                self._inbox.append(b"535 5.7.8 no: " + words[0] + b" " + base64.b64decode(words[0]) + b"\r\n")
                return
            final = self.server.get_server_final()
            final = "v=" + b64(b"x" * 32).decode() if self.spoil else final
            self._inbox.append(b"334 " + b64(final) + b"\r\n")
        elif not words:
            self._inbox.append(b"235 2.7.0 ok\r\n")
        elif words == [b"*"]:
            self.said.append(octets)
            self._inbox.append(b"501 cancelled\r\n")
        else:
            await super().send(octets)


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"])
def test_scram(mechanism):
    session = login(ScramLine(mechanism))
    expected = {"mechanism": mechanism, "login": "accepted"}
    if mechanism.endswith("-PLUS"):
        expected["binding"] = "tls-server-end-point"
    assert session.remarks == expected
    assert auth(session) == ["auth:334", "auth:334", "auth:235"]


def test_scram_with_another_password_and_its_proof_echoed():
    line = ScramLine("SCRAM-SHA-256", password="another")
    session = login(line)
    assert session.remarks["login"] == "refused"
    proof = base64.b64decode(line.finals[0]).rpartition(b",p=")[2]
    kept = b"".join(step.reply for step in session.steps)
    assert proof not in kept
    assert line.finals[0].strip() not in kept
    assert kept.count(b"<redacted>") >= 2


def test_scram_bound_to_another_certificate_is_refused():
    line = ScramLine("SCRAM-SHA-256-PLUS", leaf=make("mail.example.com").der)
    assert login(line).remarks["login"] == "refused"


def test_a_server_that_cannot_prove_itself_is_not_believed():
    line = ScramLine("SCRAM-SHA-256", spoil=True)
    session = login(line)
    assert line.said[-2:] == [b"*\r\n", b"QUIT\r\n"]
    assert session.remarks["login"] == "failed"
    assert "the server's part of SCRAM-SHA-256 is wrong" in session.remarks["login-why"]


@pytest.mark.parametrize(
    ("first", "why"),
    [
        (lambda _: "", "is wrong"),
        (lambda said: said.replace("i=4096", "i=99999999"), "more than 1,000,000 iterations"),
        (lambda said: said.replace("i=4096", "i=1000001"), "more than 1,000,000 iterations"),
        (lambda said: said.replace("i=4096", "i=x"), "is wrong"),
        (lambda _: "r=other,s=c2FsdA==,i=4096", "is wrong"),
        (lambda _: b"\xff\xfe", "is wrong"),
        (lambda _: "e=other-error", "is wrong"),
    ],
)
def test_a_first_message_that_is_wrong(first, why):
    session = login(ScramLine("SCRAM-SHA-256", first=first))
    assert session.remarks["login"] == "failed"
    assert why in session.remarks["login-why"]


@pytest.mark.parametrize(
    ("answers", "login_", "why"),
    [
        ({"AUTH": b"535 5.7.8 no\r\n"}, "refused", None),
        ({"AUTH": b"454 4.7.0 later\r\n"}, "failed", "puts it off"),
        ({"AUTH": b"250 ok\r\n"}, "failed", "250 is no answer to AUTH"),
        ({"AUTH": b"421 bye\r\n"}, "failed", None),
        ({"AUTH": CLOSE}, "failed", "closed the connection"),
        ({"AUTH": b"334 !!!not*base64\r\n", "AUTH_more": b"501 ok\r\n"}, "failed", "not base64"),
        ({"AUTH": b"334 " + b64(b"\xff\x1b[31m\0") + b"\r\n", "AUTH_more": b"501 ok\r\n"}, "failed", "asks for more"),
        ({"AUTH": b"334 " + b64(b"A" * 2_000_000) + b"\r\n"}, "failed", "more than 12288 octets"),
    ],
)
def test_what_may_come_in_place_of_an_acceptance(answers, login_, why):
    session = login(offering("PLAIN", **answers))
    assert session.remarks["login"] == login_
    assert (why or "") in session.remarks.get("login-why", "")
    assert sum(octets.startswith(b"AUTH") for octets in run_said(answers)) == 1


def run_said(answers: dict[str, Any]) -> list[bytes]:
    line = offering("PLAIN", "LOGIN", "CRAM-MD5", **answers)
    login(line)
    return line.said


def test_silence_ends_it():
    session = run(offering("PLAIN", AUTH=HANG), call(user=USER), secret=Secret(PASSWORD), seconds=0.1)
    assert auth(session) == ["auth!timeout"]
    assert session.steps[-1].why == "no answer to AUTH PLAIN <redacted> before the run's end"


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2", "OAUTHBEARER", "SCRAM-SHA-256"])
def test_who_asks_without_end_is_left(mechanism):
    line = offering(mechanism, AUTH=b"334 VXNlcm5hbWU6\r\n", AUTH_more=b"334 VXNlcm5hbWU6\r\n")
    session = login(line, mechanism=mechanism)
    assert session.remarks["login"] == "failed"
    assert b"*\r\n" in line.said
    assert len(auth(session)) <= 7


@pytest.mark.parametrize("mechanism", ["LOGIN", "CRAM-MD5", "SCRAM-SHA-256"])
def test_accepted_before_anything_was_given(mechanism):
    session = login(offering(mechanism))
    assert session.remarks["login"] == "accepted"
    assert "proved nothing" in session.remarks["login-why"]


@pytest.mark.parametrize(
    ("handshake", "why"),
    [
        (
            msgspec.structs.replace(TRUSTED, trusted=False, trust_error="expired"),
            "the certificate is not trusted: expired",
        ),
        (msgspec.structs.replace(TRUSTED, trusted=None, chain=()), "not trusted: none was sent"),
        (msgspec.structs.replace(TRUSTED, chain=make("other.example.com").chain), "does not bear the name"),
        (msgspec.structs.replace(TRUSTED, version="TLSv1.1"), "TLSv1.1 is broken"),
        (msgspec.structs.replace(TRUSTED, version="TLSv1.2", cipher="NULL-SHA256"), "NULL-SHA256 does not protect"),
    ],
)
def test_no_credential_without_verified_tls(handshake, why):
    line = offering("PLAIN", handshake=handshake)
    session = login(line)
    assert session.remarks["login"] == "not-tried"
    assert why in session.remarks["login-why"]
    assert auth(session) == []
    line = offering("PLAIN", handshake=handshake)
    assert login(line, insecure_auth=True).remarks["login"] == "accepted"


def test_no_credential_in_clear():
    answers = {"EHLO": b"250-x\r\n250 AUTH PLAIN\r\n"}
    line = Scripted(**answers)
    session = login(line)
    assert "in clear" in session.remarks["login-why"]
    assert not any(octets.startswith(b"AUTH") for octets in line.said)
    assert login(Scripted(**answers), insecure_auth=True).remarks["login"] == "accepted"


@pytest.mark.parametrize(
    ("offered", "named", "why"),
    [
        (("NTLM", "GSSAPI", "X-FOO"), None, "no mechanism in common: the server offers NTLM GSSAPI X-FOO"),
        (("PLAIN",), "cram-md5", "the server does not offer CRAM-MD5: it offers PLAIN"),
        (("PLAIN",), "NTLM", "NTLM is not among the mechanisms known here"),
        ((), None, "the server offers no AUTH here"),
    ],
)
def test_no_mechanism(offered, named, why):
    session = login(offering(*offered), mechanism=named)
    assert session.remarks == {"login": "not-tried", "login-why": why}
    assert auth(session) == []


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (("PLAIN", "CRAM-MD5", "LOGIN", "XOAUTH2"), "PLAIN"),
        (("PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256"), "SCRAM-SHA-256"),
        (("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"), "SCRAM-SHA-256"),
        (("SCRAM-SHA-256-PLUS",), "SCRAM-SHA-256-PLUS"),
        (("XOAUTH2", "NTLM"), "XOAUTH2"),
        (("NTLM",), None),
    ],
)
def test_the_choice(offered, chosen):
    assert sasl.choose(offered, None, binding=True) == chosen
    assert sasl.choose(("SCRAM-SHA-1-PLUS",), None, binding=False) is None


@pytest.mark.parametrize(("user", "password", "mechanism"), [
    ("al\0ice", "x", "PLAIN"), ("alice", "x\0", "LOGIN"), ("alice", "x\1y", "XOAUTH2"), ("a\1", "x", "OAUTHBEARER"),
    ("alice", "x\udcff", "PLAIN"), ("alice", "a\u0007b", "SCRAM-SHA-256"), ("al\u0007ice", "x", "SCRAM-SHA-1"),
])  # fmt: skip
def test_what_a_mechanism_cannot_say_is_not_said(user, password, mechanism):
    line = offering(mechanism)
    session = run(line, call(user=user), secret=Secret(password))
    assert session.remarks["login"] == "not-tried"
    assert auth(session) == []


def test_scram_prepares_names_as_rfc_4013_has_it():
    exchange = sasl.exchange("SCRAM-SHA-256", "\u2168\u00ad=,", Secret("x"), host="", port=25)
    first = next(exchange)
    assert first is not None
    assert first.startswith(b"n,,n=IX=3D=2C,r=")


def test_a_certificate_that_names_no_digest_cannot_be_bound_to():
    line = offering(
        "SCRAM-SHA-256-PLUS",
        handshake=msgspec.structs.replace(TRUSTED, trusted=False, chain=make("x", kind="ed25519").chain),
    )
    session = login(line, insecure_auth=True)
    assert session.remarks["login"] == "not-tried"
    assert "RFC 5929" in session.remarks["login-why"]


def echo(octets: bytes) -> bytes:
    return (
        b"535-5.7.8 "
        + octets
        + b"\r\n535 5.7.8 "
        + base64.b64decode(octets).replace(b"\0", b" ").replace(b"\x01", b" ")
        + b"\r\n"
    )


class EchoLine(Scripted):
    """Refuses every login and says what it was sent, as it came and decoded."""

    async def send(self, octets: bytes) -> None:
        words = octets.split()
        if words[:1] == [b"AUTH"] and len(words) == 3:
            self.said.append(octets)
            self._inbox.append(echo(words[2]))
        elif words[:1] == [b"AUTH"]:
            self.said.append(octets)
            self._inbox.append(b"334 PGNoYWxsZW5nZT4=\r\n")
        elif words and words[0] not in (b"EHLO", b"STARTTLS", b"QUIT"):
            self.said.append(octets)
            self._inbox.append(
                echo(words[0]) if len(self.said) > 5 or b"CRAM" in self.said[3] else b"334 UGFzc3dvcmQ6\r\n"
            )
        else:
            await super().send(octets)


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2", "OAUTHBEARER"])
def test_what_a_server_echoes_is_not_kept(mechanism):
    line = EchoLine(TRUSTED, EHLO_tls=EHLO_TLS.replace(b"PLAIN LOGIN CRAM-MD5", mechanism.encode()))
    session = login(line)
    assert session.remarks["login"] == "refused"
    kept = msgspec.json.encode(session) + b"".join(step.said + step.reply for step in session.steps)
    sent = line.said[3].split()[2] if len(line.said[3].split()) == 3 else line.said[-2].strip()
    assert sent not in kept
    assert PASSWORD.encode() not in kept
    if mechanism == "CRAM-MD5":
        assert base64.b64decode(sent).split()[1] not in kept
    assert kept.count(b"<redacted>") >= 3


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (b'{"status":"401","scope":"' + PASSWORD.encode() + b'"}', "status 401, scope <redacted>"),
        (b'{"status":400}', None),
        (b"{" * 3000, None),
        (b'{"a":' * 700 + b"1" + b"}" * 600, None),
        (b"[1]", None),
        (b"\xff{}", None),
    ],
)
def test_an_oauth_error_is_read_with_care(error, told):
    line = offering("XOAUTH2", AUTH=b"334 " + b64(error) + b"\r\n", AUTH_more=[b"535 5.7.8 no\r\n"])
    session = login(line)
    assert session.remarks.get("oauth") == told
    assert session.remarks["login"] == "refused"
    assert PASSWORD not in str(session.remarks)
    assert all(b64(PASSWORD)[2:-4] not in step.reply for step in session.steps)
