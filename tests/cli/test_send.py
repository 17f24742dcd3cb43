"""`deliverkit send` against the lab: what it prints, and the code it ends with."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from inline_snapshot import snapshot
from served_lab import served

from deliverkit.cli import terminal
from deliverkit.lab import worlds_text
from deliverkit.report.delivery import DeliveryReport

ME = ("--from", "me@healthy.example", "--helo", "client.healthy.example")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with served(worlds_text(), tmp_path_factory.mktemp("lab")) as found:
        yield found


@pytest.fixture(autouse=True)
def _pointed(lab: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in lab.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def still(text: str) -> str:
    """Without what differs from run to run: times, ids."""
    text = re.sub(r" +\+[0-9]+\.[0-9]{3} s$", "", text, flags=re.MULTILINE)
    text = re.sub(r" +[0-9.]+ m?s$", "", text, flags=re.MULTILINE)
    text = re.sub(r"<[0-9]{14}\.[0-9a-f]{16}@", "<ID@", text)
    text = re.sub(r"^(    (?:permanent|temporary) · .+\n).+$", r"\1    MEANING", text, flags=re.MULTILINE)
    return re.sub(r"queued (there )?as [0-9A-F]{10}", r"queued \1as ID", text)


def said(result) -> dict:
    return json.loads(result.out)


def test_a_refusal_from_the_way_to_the_verdict(cli):
    result = cli("send", *ME, "--to", "user-unknown@healthy.example")
    assert result.err == ""
    assert "\n\n".join(still(result.out).split("\n\n")[:2]) == snapshot("""\
route     healthy.example → mx1.healthy.example [127.0.0.1]:25
          MTA-STS enforce · DANE secured
          else mx2.healthy.example [127.0.0.1]:25
message   <ID@healthy.example>
          581 octets · MAIL FROM me@healthy.example · not signed

=== Trying mx1.healthy.example [127.0.0.1]:25                          attempt 1
=== Connected
<-  220 mx1.healthy.example ESMTP
 -> EHLO client.healthy.example
<-  250-mx1.healthy.example
<-  250-PIPELINING
<-  250-SIZE 10485760
<-  250-8BITMIME
<-  250-STARTTLS
<-  250 ENHANCEDSTATUSCODES
 -> STARTTLS
<-  220 2.0.0 ready to start TLS
=== TLS: TLSv1.3 TLS_AES_256_GCM_SHA384
 ~> EHLO client.healthy.example
<~  250-mx1.healthy.example
<~  250-PIPELINING
<~  250-SIZE 10485760
<~  250-8BITMIME
<~  250 ENHANCEDSTATUSCODES
 ~> MAIL FROM:<me@healthy.example> SIZE=581
 ~> RCPT TO:<user-unknown@healthy.example>
<~  250 2.1.0 ok
<~* 550 5.1.1 no such user here
    permanent · no-such-user · sender acts
    MEANING
 ~> RSET
<~  250 2.0.0 ok
 ~> QUIT
<~  221 2.0.0 bye\
""")
    assert (
        still(result.out)
        .split("\n\n")[2]
        .startswith(
            "✗ refused at RCPT   user-unknown@healthy.example\n"
            "    550 5.1.1 no such user here\n"
            "  permanent · no-such-user · sender acts   from mx1.healthy.example\n"
        )
    )
    assert result.code == 1


def test_several_recipients_each_with_its_fate(cli):
    result = cli("send", *ME, "--to", "a@healthy.example", "greylist@healthy.example", "mailbox-full@healthy.example")
    parts = still(result.out).split("\n\n")
    assert parts[2] == snapshot("""\
◷ deferred at RCPT   1 of 3 recipients accepted
  ✓ accepted  EOD      a@healthy.example             queued there as ID
  ◷ deferred  RCPT     greylist@healthy.example      450 greylisting
  ◷ deferred  RCPT     mailbox-full@healthy.example  452 mailbox-full\
""")
    assert [part.splitlines()[0] for part in parts[3:5]] == [
        "  For   greylist@healthy.example",
        "  For   mailbox-full@healthy.example",
    ]
    assert result.code == 3


def test_an_acceptance(cli):
    result = cli("send", *ME, "--to", "you@healthy.example", "-v")
    assert result.code == 0
    assert " ~> Subject: deliverkit test, " in result.out
    assert " ~> This is a test message." in result.out
    verdict = still(result.out).split("\n\n")[2]
    assert verdict.startswith("✓ accepted   you@healthy.example · queued there as ID")


def test_only_the_verdict(cli):
    result = cli("send", *ME, "--to", "user-unknown@healthy.example", "-q")
    assert still(result.out) == "✗ refused at RCPT   user-unknown@healthy.example · 550 no-such-user\n"
    assert (result.code, result.err) == (1, "")


def test_nothing_but_json_on_stdout(cli):
    result = cli("send", *ME, "--to", "greylist@healthy.example", "--format", "json")
    document = said(result)
    assert result.err == ""
    assert document["schema"] == "deliverkit/delivery/1"
    assert (document["outcome"], document["stage"], document["exit_code"], result.code) == ("deferred", "rcpt", 3, 3)
    (recipient,) = document["recipients"]
    assert recipient["reply"]["category"] == "greylisting"
    (attempt,) = document["attempts"]
    assert {"number", "at", "host", "address", "port", "tls", "outcome", "stage", "replies", "transcript"} <= set(
        attempt
    )
    assert attempt["tls"]["version"].startswith("TLS")
    assert {line["direction"] for line in attempt["transcript"]} == {"client", "server", "note"}
    assert [reply["stage"] for reply in attempt["replies"]][-1] == "quit"


def test_the_document_is_that_of_its_schema(cli):
    import msgspec

    result = cli("send", *ME, "--to", "a@healthy.example", "b@healthy.example", "--format", "json")
    read = msgspec.json.decode(result.out.encode(), type=DeliveryReport)
    assert read.outcome == "accepted"
    assert read.queue_id is not None
    schema = json.loads(cli("schema", "delivery").out)
    assert schema["title"] == "deliverkit/delivery/1"
    assert set(schema["$defs"]["DeliveryReport"]["properties"]) == set(json.loads(result.out))


def test_a_dry_run_connects_to_nobody(cli):
    result = cli("send", *ME, "--to", "you@healthy.example", "--dry-run", "--subject", "ünï")
    assert result.code == 0
    assert "    Subject: =?utf-8?" in result.out
    assert "=== Trying" not in result.out
    assert "· dry run: nothing was sent" in result.out
    document = said(cli("send", *ME, "--to", "you@healthy.example", "--dry-run", "--format", "json"))
    assert (document["outcome"], document["dry_run"], document["attempts"]) == (None, True, [])
    assert document["message"]["header"].startswith("From: me@healthy.example\n")
    assert [hop["host"] for hop in document["route"][0]["hops"]] == ["mx1.healthy.example", "mx2.healthy.example"]


@pytest.mark.parametrize(
    ("stage", "last"),
    [
        ("connect", "=== Connected"),
        ("ehlo", " -> EHLO"),
        ("mail", " ~> MAIL"),
        ("rcpt", " ~> RCPT"),
        ("data", " ~> DATA"),
    ],
)
def test_stopped_where_it_was_asked(cli, stage: str, last: str):
    result = cli("send", *ME, "--to", "you@healthy.example", "--stop-after", stage)
    assert result.code == 0
    assert f"· stopped after {stage.upper()}, as asked: nothing was handed over" in result.out
    talk = [line for line in result.out.splitlines() if line[:3] in (" ->", " ~>", "===")]
    left = ("QUIT", "RSET", "Stopped", "TLS:")
    assert [line for line in talk if not any(word in line for word in left)][-1].startswith(last)


def test_no_way_there(cli):
    result = cli("send", *ME, "--to", "you@parked.example")
    assert result.code == 1
    assert "route     parked.example ✗ parked.example takes no mail: its MX is null" in result.out
    assert "✗ refused at ROUTE   you@parked.example" in result.out
    assert "  deliverkit mx parked.example" in result.out


def test_nobody_answers(cli):
    result = cli("send", *ME, "--to", "you@healthy.example", "--server", "127.0.0.1:9")
    assert result.code == 3
    assert "◷ deferred at CONNECT" in result.out
    assert "Then  A mail server would retry in 5 min (--retry-for 1h does)." in result.out
    assert "deliverkit smtp 127.0.0.1:9" in result.out


def test_a_schedule(cli):
    words = ("send", *ME, "--to", "mailbox-full@healthy.example", "--simulate-schedule")
    text = cli(*words, "exim").out
    assert "  Exim would, by its documented defaults" in text
    assert "gives up and bounces" in text
    document = said(cli(*words, "postfix", "--format", "json"))
    events = document["schedule"]["events"]
    assert [event["at_s"] for event in events[:3]] == [0, 300, 600]
    assert events[-1]["kind"] == "give-up"


def test_a_schedule_of_what_was_refused_for_good(cli):
    text = cli("send", *ME, "--to", "user-unknown@healthy.example", "--simulate-schedule", "postfix").out
    assert "bounces at once: the reply is permanent" in text


def test_files_beside_the_text(cli, tmp_path: Path):
    script, report, ticket, text = (tmp_path / name for name in ("x.smtp", "x.json", "x.md", "x.txt"))
    result = cli(
        "send", *ME, "--to", "user-unknown@healthy.example", "--save", script,
        "-o", f"json={report}", "-o", f"markdown={ticket}", "-o", f"text={text}",
    )  # fmt: skip
    assert result.code == 1
    assert stat.S_IMODE(script.stat().st_mode) == 0o600
    assert "C: RCPT TO:<user-unknown@healthy.example>" in script.read_text()
    assert json.loads(report.read_text())["outcome"] == "refused"
    assert ticket.read_text().startswith("## ✗ refused at RCPT: `user-unknown@healthy.example`\n")
    assert still(text.read_text()).replace("\n\n\n", "\n\n").split() == still(result.out).split()


def test_markdown(cli):
    result = cli("send", *ME, "--to", "user-unknown@healthy.example", "--format", "markdown")
    assert result.err == ""
    assert "**permanent · no-such-user · sender acts**" in result.out
    assert result.out.count("```") == 4


def test_a_login_whose_password_is_nowhere_shown(cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    canary = "c4n4ry-Sw0rd"
    monkeypatch.setenv("PW", canary)
    script = tmp_path / "x.smtp"
    result = cli(
        "send", *ME, "--to", "you@example.org", "--server", "mail.broken.example:587", "--user", "me@broken.example",
        "--password-env", "PW", "--insecure-auth", "--save", script, "-v",
    )  # fmt: skip
    everything = result.out + result.err + script.read_text()
    assert result.code in (0, 1)
    assert "AUTH" in result.out
    assert canary not in everything
    import base64

    for octets in (canary.encode(), b"\0me@broken.example\0" + canary.encode()):
        assert base64.b64encode(octets).decode() not in everything


def test_exit_zero(cli):
    assert cli("send", *ME, "--to", "user-unknown@healthy.example", "--exit-zero", "-q").code == 0


def test_nothing_is_queued(cli):
    result = cli("send", "--resume")
    assert (result.code, result.out, result.err) == (0, "", "deliverkit: no message is queued\n")
    result = cli("send", "--resume", "7")
    assert (result.code, "no such message is queued" in result.err) == (2, True)
    assert cli("send", "--resume", "--format", "json").out == "[]\n"


def test_colour_is_ours_alone(cli):
    plain = cli("send", *ME, "--to", "user-unknown@healthy.example", "--color", "always").out
    assert "\x1b[31m550 5.1.1 no such user here" in plain


def test_a_pipe_that_is_closed_breaks_no_delivery_off(cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def closed(_: str) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(terminal, "write", closed)
    script = tmp_path / "x.smtp"
    result = cli("send", *ME, "--to", "you@healthy.example", "--save", script)
    assert result.code == 141
    assert "S: 250 2.0.0 ok: queued as" in script.read_text()
