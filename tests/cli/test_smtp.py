"""`deliverkit smtp`: what it takes, what it refuses, and that no secret leaves it."""

from __future__ import annotations

import base64
import io
import json
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deliverkit.cli import terminal
from deliverkit.cli.errors import UsageError
from deliverkit.cli.sessions import host_of

CANARY = "c4n4ry/Sw0rd+fish é"
ZONE = "$ORIGIN example.com.\n@ SOA ns1 hostmaster 1 7200 3600 1209600 3600\nmail A 127.0.0.1\n"


class Server:
    """A server of one script: what it says at first, and what to each word."""

    def __init__(self, banner: bytes, replies: dict[bytes, bytes], address: str = "127.0.0.1") -> None:
        self.heard: list[bytes] = []
        self.opened = 0
        self._banner = banner
        self._replies = replies
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._listening = socket.create_server((address, 0), family=family)
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                made, _ = self._listening.accept()
            except OSError:
                return
            self.opened += 1
            threading.Thread(target=self._talk, args=(made,), daemon=True).start()

    def _talk(self, made: socket.socket) -> None:
        try:
            with made, made.makefile("rb") as lines:
                made.sendall(self._banner)
                for line in lines:
                    self.heard.append(line.strip())
                    word = line.split()[0].upper() if line.split() else b""
                    made.sendall(self._replies.get(word, b"500 5.5.1 what?\r\n"))
                    if word == b"QUIT":
                        return
        except OSError:
            return

    def close(self) -> None:
        self._listening.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    made: list[Server] = []

    def start(
        banner: bytes = b"220 mail.example.com ESMTP\r\n", address: str = "127.0.0.1", **replies: bytes
    ) -> Server:
        told = {
            b"EHLO": b"250-mail.example.com\r\n250-SIZE 1000\r\n250 AUTH PLAIN LOGIN\r\n",
            b"QUIT": b"221 2.0.0 bye\r\n",
            b"MAIL": b"250 2.1.0 fine\r\n",
            b"RCPT": b"550 5.7.1 relaying denied\r\n",
            b"RSET": b"250 2.0.0 fine\r\n",
            **{word.encode(): reply for word, reply in replies.items()},
        }
        made.append(Server(banner, told, address))
        return made[-1]

    yield start
    for server in made:
        server.close()


@pytest.fixture
def zone(tmp_path) -> Path:
    path = tmp_path / "zone"
    path.write_text(ZONE)
    return path


def said(result) -> dict:
    return json.loads(result.out)["targets"][0]["facts"]["smtp"]["endpoints"][0]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "which host?"),
        (["mail.example.com:0"], "is no port"),
        (["mail.example.com:99999"], "is no port"),
        (["mail.example.com:25:25"], "expected HOST, HOST:PORT"),
        (["https://mail.example.com"], "expected HOST, HOST:PORT"),
        (["me@example.com"], "part after the @"),
        (["-4", "::1"], "-4 leaves it out"),
        (["-6", "127.0.0.1:25"], "-6 leaves it out"),
        (["mail.example.com", "--port", "0"], "not a port"),
        (["mail.example.com", "--tls", "maybe"], "auto, starttls, implicit or none"),
        (["mail.example.com", "--helo", "a b"], "neither a host name"),
        (["mail.example.com", "--mechanism", "PLIAN", "--user", "me"], "did you mean PLAIN?"),
        (["mail.example.com", "--mechanism", "PLAIN"], "needs --user"),
        (["mail.example.com", "--password-env", "X"], "needs --user"),
        (["mail.example.com", "--user", "me"], "needs a password"),
        (["mail.example.com", "--user", "me", "--password-env", "NO_SUCH_ONE"], "no environment variable"),
        (["mail.example.com", "--user", "me", "--password-file", "/no/such"], "no such file"),
        (["mail.example.com", "--user", "me", "--password-env", "A", "--password-file", "B"], "exclude each other"),
        (["mail.example.com", "--user", "", "--password-env", "A"], "empty"),
        (["--mx", "example.com", "--user", "me"], "--mx and --user"),
        (["--mx", "example.com", "--port", "26"], "--mx and --port"),
        (["--mx", "192.0.2.1"], "it is an address"),
        (["mail.example.com", "--relay-test", "nobody"], "not an address"),
        (["mail.example.com", "--relay-test", "a>b@example.net"], "not an address"),
        (["mail.example.com", "--relay-test", "é@example.net"], "SMTPUTF8"),
        (["mail.example.com", "--source-address", "nowhere"], "not an IP address"),
        (["mail.example.com", "--source-address", "192.0.2.1"], "--source-address 192.0.2.1"),
        (["mail.example.com", "--expect-certificate", "/no/such"], "no such file"),
        (["mail.example.com", "--as-mx-of", "a..b"], "empty label"),
        (["@/no/such"], "no such file"),
    ],
)
def test_what_cannot_be_done_is_one_line(cli, words, says):
    result = cli("smtp", *words)
    assert result.code == 2
    assert result.out == ""
    assert says in result.err
    assert result.err.count("\n") == 1


def test_a_password_on_the_command_line_is_neither_taken_nor_shown(cli):
    for words in (["--password", CANARY], [f"--password={CANARY}"]):
        result = cli("smtp", "mail.example.com", "--user", "me", *words)
        assert result.code == 2
        assert CANARY not in result.err
    result = cli("smtp", "mail.example.com", "--user", "me", "--password-env", CANARY)
    assert result.code == 2
    assert CANARY not in result.err


def test_a_certificate_that_is_none(cli, tmp_path):
    path = tmp_path / "x.pem"
    path.write_text("-----BEGIN CERTIFICATE-----\nnothing\n")
    assert "not a certificate" in cli("smtp", "mail.example.com", "--expect-certificate", path).err


@pytest.mark.parametrize(
    ("word", "host", "port"),
    [
        ("mail.example.com", "mail.example.com", None),
        ("MAIL.example.com.:587", "mail.example.com", 587),
        ("192.0.2.1", "192.0.2.1", None),
        ("192.0.2.1:25", "192.0.2.1", 25),
        ("2001:DB8::1", "2001:db8::1", None),
        ("[2001:db8::1]", "2001:db8::1", None),
        ("[2001:db8::1]:465", "2001:db8::1", 465),
        ("bücher.example:25", "xn--bcher-kva.example", 25),
        ("localhost", "localhost", None),
    ],
)
def test_hosts(word, host, port):
    assert host_of(word) == (host, port)


@pytest.mark.parametrize(
    "word", ["[mail.example.com]:25", "mail.example.com:", ":25", "[::1", "2001:db8::1:port", "a b"]
)
def test_what_is_no_host(word):
    with pytest.raises(UsageError):
        host_of(word)


def test_a_session(cli, serve):
    server = serve()
    result = cli("smtp", f"127.0.0.1:{server.port}", "--format", "json", "--timeout", "10")
    one = said(result)
    assert (one["state"], one["starttls"], one["size"]) == ("open", "missing", 1000)
    assert one["banner"] == "220 mail.example.com ESMTP"
    assert one["auth"]["before_tls"] == ["PLAIN", "LOGIN"]
    assert server.heard[-1] == b"QUIT"
    assert server.opened == 1


def test_ipv6(cli, serve):
    try:
        server = serve(address="::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    one = said(cli("smtp", f"[::1]:{server.port}", "--format", "json", "--timeout", "10"))
    assert (one["address"], one["state"]) == ("::1", "open")
    one = said(cli("smtp", "localhost", "--port", str(server.port), "-6", "--format", "json", "--timeout", "10"))
    assert (one["host"], one["address"], one["state"]) == ("localhost", "::1", "open")


def test_ports_of_one_host_are_one_target(cli, serve):
    first, second = serve(), serve()
    words = [f"127.0.0.1:{first.port}", f"127.0.0.1:{second.port}", "--format", "json", "--timeout", "10"]
    report = json.loads(cli("smtp", *words).out)
    (target,) = report["targets"]
    assert sorted(one["port"] for one in target["facts"]["smtp"]["endpoints"]) == sorted([first.port, second.port])


def test_hosts_from_a_file(cli, serve, tmp_path):
    server = serve()
    (tmp_path / "hosts").write_text(f"# mine\n127.0.0.1:{server.port}\n")
    assert said(cli("smtp", f"@{tmp_path / 'hosts'}", "--format", "json", "--timeout", "10"))["state"] == "open"


def test_connect_to_and_a_zone(cli, serve, zone):
    server = serve()
    words = ["mail.example.com:587", "--connect-to", f"mail.example.com:587:127.0.0.1:{server.port}", "--zone", zone]
    one = said(cli("smtp", *words, "--format", "json", "--timeout", "10"))
    assert (one["host"], one["port"], one["state"]) == ("mail.example.com", 587, "open")


def test_offline_dials_nobody(cli, serve, zone):
    server = serve()
    result = cli("smtp", f"mail.example.com:{server.port}", "--offline", "--zone", zone, "--format", "json")
    assert result.code == 3
    assert server.opened == 0
    assert "offline" in said(result)["why"]


def test_a_host_that_the_dns_does_not_tell_is_undetermined(cli):
    result = cli("smtp", "mail.example.com", "--offline", "--format", "json")
    assert result.code == 3
    assert json.loads(result.out)["targets"][0]["facts"]["smtp"]["unknown"]


def test_credentials_are_kept_back_in_clear(cli, serve, monkeypatch):
    monkeypatch.setenv("CANARY", CANARY)
    server = serve()
    result = cli(
        "smtp", f"127.0.0.1:{server.port}", "--user", "me", "--password-env", "CANARY", "--format", "json",
        "--timeout", "10",
    )  # fmt: skip
    assert said(result)["auth"]["login"] == "not-tried"
    assert not any(line.upper().startswith(b"AUTH") for line in server.heard)


def forms(secret: str) -> list[str]:
    raw = secret.encode()
    encoded = [base64.b64encode(b"\0" * shift + raw).decode()[4 if shift else 0 : -4] for shift in range(3)]
    return [secret, raw.hex(), ascii(secret)[1:-1], *encoded]


@pytest.mark.parametrize("source", ["env", "file", "stdin"])
def test_the_secret_is_in_nothing_that_is_written(cli, serve, monkeypatch, tmp_path, source):
    echoed = base64.b64encode(b"\0me\0" + CANARY.encode())
    refusal = b"535 5.7.8 no: " + CANARY.encode() + b" " + echoed + b" " + CANARY.encode().hex().encode() + b"\r\n"
    server = serve(AUTH=refusal)
    words = ["--password-env", "CANARY"]
    monkeypatch.setenv("CANARY", CANARY)
    if source == "file":
        (tmp_path / "pw").write_text(CANARY + "\n")
        words = ["--password-file", str(tmp_path / "pw")]
    elif source == "stdin":
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(CANARY.encode() + b"\r\nmore\n"), "utf-8"))
        words = ["--password-file", "-"]
    kept = tmp_path / "evidence.json"
    result = cli(
        "smtp", f"127.0.0.1:{server.port}", "--user", "me", *words, "--insecure-auth", "--save-evidence", kept,
        "--format", "json", "-o", f"text={tmp_path / 'text'}", "-v", "--debug", "--timeout", "10", "--trace",
    )  # fmt: skip
    assert said(result)["auth"]["login"] == "refused"
    (attempt,) = [line for line in server.heard if line.upper().startswith(b"AUTH")]
    assert base64.b64decode(attempt.split()[-1]) == b"\0me\0" + CANARY.encode()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    for text in (result.out, result.err, kept.read_text(), (tmp_path / "text").read_text()):
        for form in forms(CANARY):
            assert form not in text


def test_saved_sessions_are_judged_the_same_again(cli, serve, tmp_path):
    server = serve()
    kept = tmp_path / "evidence.json"
    host = f"127.0.0.1:{server.port}"
    live = cli("smtp", host, "--relay-test", "me@example.net", "--save-evidence", kept, "--format", "json")
    opened = server.opened
    again = cli("smtp", "--evidence", kept, "--format", "json")
    assert json.loads(again.out) == json.loads(live.out)
    assert (again.code, server.opened) == (live.code, opened)
    assert said(live)["relay"] == "closed"
    assert json.loads(cli("smtp", "127.0.0.1", "--evidence", kept, "--format", "json").out) == json.loads(live.out)
    assert cli("smtp", "192.0.2.1", "--evidence", kept).code == 2
    assert "holds evidence of smtp" in cli("mx", "--evidence", kept).err


def test_a_server_that_says_nothing_ends_in_time(cli, serve):
    silent, loud = serve(banner=b""), serve()
    began = time.monotonic()
    words = [f"127.0.0.1:{silent.port}", f"127.0.0.1:{loud.port}"]
    report = json.loads(cli("smtp", *words, "--timeout", "2", "--format", "json").out)
    assert time.monotonic() - began < 3
    found = {one["port"]: one for one in report["targets"][0]["facts"]["smtp"]["endpoints"]}
    assert found[silent.port]["phase"] == "banner"
    assert found[loud.port]["phase"] is None


def test_421_ends_it(cli, serve):
    server = serve(banner=b"421 4.3.2 busy\r\n")
    result = cli("smtp", f"127.0.0.1:{server.port}", "--format", "json", "--timeout", "5", "--tls-scan")
    assert server.opened == 1
    assert server.heard == []
    assert said(result)["phase"] == "banner"


class _Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_progress_is_told_after_a_second(monkeypatch):
    stderr = _Terminal()
    monkeypatch.setattr("sys.stderr", stderr)
    now = iter([0.0, 0.5, 2.0, 3.0])
    monkeypatch.setattr("deliverkit.cli.terminal.time.monotonic", lambda: next(now))
    show, watch = terminal.watching(quiet=False)
    watch("mail.example.com", 25, "open")
    watch("mail.example.com", 587, "TLS handshake")
    show(0, 1)
    assert stderr.getvalue() == ""
    show(0, 1)
    assert "25 open · 587 TLS handshake, 2 s" in stderr.getvalue()
    show(1, 1)
    assert stderr.getvalue().endswith("\r\x1b[K")
    assert terminal.watching(quiet=True) == (None, None)


def test_anchors_that_are_none(cli, tmp_path):
    (tmp_path / "ca.pem").write_text("nothing\n")
    result = cli("smtp", "127.0.0.1:25", "--ca-file", tmp_path / "ca.pem")
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "--ca-file" in result.err
