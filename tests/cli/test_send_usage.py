"""What `send` refuses, in one line and before anything is connected to; and how its words become a request."""

from __future__ import annotations

import io
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.cli.errors import UsageError
from deliverkit.cli.options import Asking
from deliverkit.cli.send import spelled
from deliverkit.cli.send_options import Addressing, Conversing, OneLogin, Retrying, Server, Writing
from deliverkit.cli.send_request import requested, resumed
from deliverkit.model import Mode, Stage

FROM = ("--from", "me@example.com")
TO = ("--to", "you@example.net")
KEY = "-----BEGIN PRIVATE KEY-----\nno key at all\n-----END PRIVATE KEY-----\n"


@pytest.fixture(autouse=True)
def _connects_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("a usage error comes before any connection")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refused)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "from whom?"),
        (TO, "from whom?"),
        (FROM, "to whom?"),
        ((*FROM, "--to", "nobody"), "--to: 'nobody' is not a mail address"),
        (("--from", "a b@example.com", *TO), "--from: "),
        (("--from", "me@-oProxy", *TO), "--from: "),
        ((*FROM, "--to", "you@http://example.net"), "--to: "),
        ((*FROM, "--to", "you@../x"), "--to: "),
        ((*FROM, "--to", f"you@{'x' * 300}"), "--to: "),
        ((*FROM, "--to", "you@paypal\u202e.example"), "--to: "),
        ((*FROM, *TO, "--subject", "x\r\nBcc: z@example.org"), "control character"),
        (("--from", "me@example.com\n", *TO), "control character"),
        ((*FROM, *TO, "--helo", "x\x7f"), "control character"),
        ((*FROM, *TO, "--helo", "not a name"), "neither a host name"),
        ((*FROM, *TO, "--header", "no colon"), "--header: "),
        ((*FROM, *TO, "--header", "Bad Name: x"), "--header: "),
        ((*FROM, *TO, "--header", "Bcc: z@example.org"), "Bcc"),
        ((*FROM, *TO, "--server", "mail.example.com:0"), "is no port"),
        ((*FROM, *TO, "--server", "smtp://x"), "expected HOST, HOST:PORT"),
        ((*FROM, *TO, "--tls", "maybe"), "auto, starttls, implicit or none"),
        ((*FROM, *TO, "--require-tls", "--tls", "none"), "exclude each other"),
        ((*FROM, *TO, "--stop-after", "rctp"), "did you mean rcpt?"),
        ((*FROM, *TO, "--stop-after", "xyz"), "there are connect, banner, ehlo"),
        ((*FROM, *TO, "--retry-for", "soon"), "--retry-for: "),
        ((*FROM, *TO, "--retry-for", "0"), "longer than nothing"),
        ((*FROM, *TO, "--retry-for", "1h", "--stop-after", "rcpt"), "--stop-after and --retry-for exclude"),
        ((*FROM, *TO, "--retry-for", "1h", "--dry-run"), "--dry-run and --retry-for exclude"),
        ((*FROM, *TO, "--simulate-schedule", "exim", "--dry-run"), "--dry-run and --simulate-schedule exclude"),
        ((*FROM, *TO, "--simulate-schedule", "qmail"), "postfix, exim or exchange"),
        ((*FROM, *TO, "--dry-run", "--stop-after", "rcpt"), "connects to nobody"),
        ((*FROM, *TO, "--user", "me"), "--user needs --server"),
        ((*FROM, *TO, "--password-env", "X"), "needs --user"),
        ((*FROM, *TO, "--mechanism", "PLAIN"), "needs --user"),
        ((*FROM, *TO, "--server", "x.example", "--user", "me"), "needs a password"),
        ((*FROM, *TO, "--dkim-selector", "s1"), "needs --dkim-key"),
        ((*FROM, *TO, "--dkim-domain", "example.com"), "needs --dkim-key"),
        ((*FROM, *TO, "--dkim-key", "/no/such/key", "--dkim-selector", "s1"), "no such file"),
        ((*FROM, *TO, "--message", "/no/such/file"), "no such file"),
        ((*FROM, *TO, "--body", "@/no/such/file"), "no such file"),
        ((*FROM, "--to", "@/no/such/file"), "no such file"),
        ((*FROM, *TO, "--format", "yaml"), "no such format"),
        ((*FROM, *TO, "--format", "junit"), "not of this command"),
        ((*FROM, *TO, "-o", "markdown"), "expected FORMAT=PATH"),
        ((*FROM, *TO, "--save", "/no/such/folder/x.smtp"), "no such directory"),
        ((*FROM, *TO, "--timeout", "0"), "--timeout 0"),
        ((*FROM, *TO, "--select", "nothing-such"), "no such rule"),
        (("--resume", "--from", "me@example.com"), "--from cannot be given with it"),
        (("--resume", "--retry-for", "1h"), "--retry-for cannot be given with it"),
        (("--resume", "x1"), "not the number of a queued message"),
        (("--resume", "9" * 40), "not the number of a queued message"),
        ((*FROM, *TO, "--password", "x"), "no such option"),
    ],
)
def test_one_line_and_exit_2(cli, words, says):
    result = cli("send", *words)
    assert result.code == 2
    assert result.out == ""
    assert says.lower() in result.err.lower()
    assert result.err.count("\n") == 1


def test_ten_recipients_at_most(cli, tmp_path: Path):
    many = [f"r{number}@example.net" for number in range(11)]
    result = cli("send", *FROM, "--to", *many)
    assert (result.code, "10 recipients at most" in result.err) == (2, True)
    listed = tmp_path / "list"
    listed.write_text("\n".join(f"r{number}@example.net" for number in range(10_000)))
    result = cli("send", *FROM, "--to", f"@{listed}")
    assert result.code == 2
    assert result.err.count("\n") == 1


def test_a_key_that_is_none(cli, tmp_path: Path):
    path = tmp_path / "key.pem"
    path.write_text(KEY)
    assert "needs --dkim-selector" in cli("send", *FROM, *TO, "--dkim-key", path).err
    result = cli("send", *FROM, *TO, "--dkim-key", path, "--dkim-selector", "s1")
    assert result.code == 2
    assert result.err.startswith("deliverkit: --dkim-key: the DKIM key is PEM, but holds no key")


@pytest.mark.parametrize("option", ["--subject", "--body", "--header"])
def test_a_file_is_sent_as_it_is(cli, tmp_path: Path, option: str):
    path = tmp_path / "message.eml"
    path.write_bytes(b"From: me@example.com\r\n\r\nhello\r\n")
    result = cli("send", *FROM, *TO, "--message", path, option, "X: y")
    assert result.code == 2
    assert f"{option} and --message exclude each other" in result.err


def test_a_file_that_is_no_message(cli, tmp_path: Path):
    path = tmp_path / "message.eml"
    path.write_bytes(b"no header, no message")
    result = cli("send", *FROM, *TO, "--message", path)
    assert result.code == 2
    assert result.err.startswith(f"deliverkit: --message {path}: ")


def test_standard_input_is_read_once(cli):
    result = cli("send", *FROM, "--to", "@-", "--message", "-")
    assert "--to @- and --message -: standard input can be read once" in result.err


def asked(**more):
    bundles = {
        "addressing": Addressing(from_="me@example.com", to=["you@example.net"]),
        "writing": Writing(),
        "conversing": Conversing(),
        "retrying": Retrying(),
        "login": OneLogin(),
        "asking": Asking(),
        **more,
    }
    return requested(**bundles)


def test_the_request_of_the_fewest_words():
    request, secret = asked()
    assert secret is None
    assert request.sender is not None
    assert request.sender.address == "me@example.com"
    assert request.everyone == ("you@example.net",)
    assert (request.server, request.port, request.mode, request.retry_for) == (None, None, Mode.AUTO, None)
    assert request.message.from_domain == "example.com"
    assert request.pipelining


def test_the_request_of_many_words(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PW", "s3cret")
    request, secret = asked(
        addressing=Addressing(
            from_="<>", to=["a@example.net, b@EXAMPLE.net", "a@example.net"], server="mail.example:2525"
        ),
        conversing=Conversing(helo="client.example.com", dsn=True, no_pipelining=True, stop_after="tls"),
        login=OneLogin(user="me", password_env="PW"),
        asking=Asking(ipv4=True, allow_private=True),
    )
    assert secret is not None
    assert secret.reveal() == "s3cret"
    assert request.sender is None
    assert request.everyone == ("a@example.net", "b@example.net")
    assert (request.server, request.port, request.helo) == ("mail.example", 2525, "client.example.com")
    assert (request.dsn, request.pipelining, request.stop_after) == (True, False, Stage.STARTTLS)
    assert (request.ipv4, request.ipv6, request.allow_private) == (True, False, True)
    assert (request.user, request.password_env) == ("me", "PW")


def test_a_comma_inside_quotes_parts_nothing():
    request, _ = asked(addressing=Addressing(from_="me@example.com", to=['"a, b"@example.net,c@example.net']))
    assert request.everyone == ('"a, b"@example.net', "c@example.net")


def test_recipients_and_body_from_files(tmp_path: Path):
    listed = tmp_path / "list"
    listed.write_text("# who\na@example.net\n\nb@example.net\n")
    text = tmp_path / "body"
    text.write_text("one\ntwo\n")
    request, _ = asked(
        addressing=Addressing(from_="me@example.com", to=[f"@{listed}"]), writing=Writing(body=f"@{text}")
    )
    assert request.everyone == ("a@example.net", "b@example.net")
    assert b"\r\n\r\none\r\ntwo\r\n" in request.message.octets


def test_a_message_from_standard_input(monkeypatch: pytest.MonkeyPatch):
    stdin = io.TextIOWrapper(io.BytesIO(b"From: me@example.com\n\nbare\n.\n"))
    monkeypatch.setattr("sys.stdin", stdin)
    request, _ = asked(writing=Writing(message=Path("-")))
    assert request.message.octets == b"From: me@example.com\r\n\r\nbare\r\n.\r\n"


def test_a_look_alike_is_warned_of(capsys: pytest.CaptureFixture[str]):
    request, _ = asked(addressing=Addressing(from_="me@example.com", to=["you@p\u0430ypal.example"]))
    assert request.everyone[0].startswith("you@xn--")
    assert "mixes scripts" in capsys.readouterr().err


def test_a_dry_run_asks_for_no_password():
    request, secret = asked(
        addressing=Addressing(from_="me@example.com", to=["you@example.net"], server="mail.example"),
        conversing=Conversing(dry_run=True),
        login=OneLogin(user="me"),
    )
    assert request.dry_run
    assert secret is None


def test_how_long_to_try_again():
    request, _ = asked(retrying=Retrying(retry_for="1h30m", simulate_schedule=Server.EXIM))
    assert request.retry_for == 5400.0


@pytest.mark.parametrize(("word", "number"), [("all", None), ("", None), ("12", 12)])
def test_what_is_resumed(word: str, number: int | None):
    assert resumed(Addressing(), Writing(), Conversing(), Retrying(resume=word), OneLogin()) == number


@pytest.mark.parametrize(
    ("words", "spelled_out"),
    [
        (["--resume"], ["--resume=all"]),
        (["--resume", "7"], ["--resume", "7"]),
        (["--resume", "-q"], ["--resume=all", "-q"]),
        (["--to", "a", "b", "-v"], ["--to", "a", "--to", "b", "-v"]),
        (["--to", "-v"], ["--to", "-v"]),
        (["--to=a", "-v"], ["--to=a", "-v"]),
        (["--to"], ["--to"]),
    ],
)
def test_words_that_the_parser_is_spared(words: list[str], spelled_out: list[str]):
    assert spelled(words) == spelled_out


@given(st.text(max_size=40))
def test_any_address_is_read_or_refused_in_one_line(text: str):
    said = ""
    try:
        request, _ = asked(addressing=Addressing(from_="me@example.com", to=[text]))
        said = "".join(request.everyone)
    except UsageError as error:
        said = str(error)
    assert said.isprintable() or not said.isascii()
    assert not set(said) & set("\r\n\0")
