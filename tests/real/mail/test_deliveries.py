"""A delivery to servers of three makes, found in the mailbox byte for byte."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from authority import Authority, Leaf
from deliver import FROM, TO, absent, arrived, handed, send
from policyhost import Site, policy, serving
from postfix import DOMAIN, NAME, PASSWORD, USER, UTF8, Mail
from signedzones import resolver

pytestmark = pytest.mark.real
BARE = "bare.example.com"
"""A host that an enforced policy covers and DANE does not."""


@pytest.fixture(scope="session")
def zones(authority: Authority, leaves: dict[str, Leaf]) -> Iterator[tuple[str, int]]:
    """The resolver, and the port of the policy host: DOMAIN has a host with DANE, sts.example one with MTA-STS."""
    pins = "".join(f"_25._tcp.mail TLSA 3 1 1 {leaves[label].spki}\n" for label in ("good", "rsa"))
    site = Site(authority.leaf("mta-sts", "mta-sts.sts.example"), policy("enforce", BARE))
    with (
        resolver({DOMAIN: f"@ MX 10 mail\nmail A 127.0.0.1\nbare A 127.0.0.1\n{pins}"}, {
            "sts.example": f'@ MX 10 {BARE}.\n_mta-sts TXT "v=STSv1; id=20260101"\nmta-sts A 127.0.0.1\n',
            "null.example": "@ MX 0 .\n",
        }) as at,
        serving({"mta-sts.sts.example": site}) as https,
    ):  # fmt: skip
        yield at, https


def written(place: Path) -> tuple[Path, bytes, bytes]:
    """A message as a file with line ends in LF, as it should arrive, and a word that no other holds.

    It has lone dots and leading ones, octets over 127, blanks at line ends, a line as long as RFC 5322 lets it be, and
    none at its end.
    """
    word = uuid.uuid4().hex.encode()
    text = (
        b"From: Alice <alice@example.com>\nTo: bob@example.com\nSubject: dots and\n\tfolds\n"
        b"Date: Thu, 1 Jan 2026 12:00:00 +0000\nMessage-ID: <" + word + b"@example.com>\nX-Odd:   three  blanks \n"
        b"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
        b".\n..\n.leading\n\n" + "Gr\u00fc\u00dfe, \u65e5\u672c\n".encode() + b"From here on  \n\ttab\n"
        b"x" * 1 + b"y" * 997 + b"\n.\n\xff\xfe no UTF-8\n\n\n.\nthe end"
    )
    file = place / "message.eml"
    file.write_bytes(text)
    return file, text.replace(b"\n", b"\r\n") + b"\r\n", word


def mailbox(request: pytest.FixtureRequest, make: str) -> Mail:
    mail: Mail = request.getfixturevalue("post" if make == "post" else f"{make}_mail")
    return mail


def test_by_mx(request: pytest.FixtureRequest, make: str, zones: tuple[str, int], tmp_path: Path) -> None:
    """Found through NSD and Unbound, over TLS that DANE holds."""
    mail = mailbox(request, make)
    file, octets, word = written(tmp_path)
    sent = send(
        "--message", file, "--connect-to", f"{NAME}:25:127.0.0.1:{mail.ports['mx']}", "--allow-private",
        resolver=zones[0], apart=True,
    )  # fmt: skip
    assert sent.verdict == (0, "accepted", "eod"), sent.out
    (attempt,) = sent.report["attempts"]
    assert (attempt["host"], attempt["tls"]["demand"], attempt["tls"]["error"]) == (NAME, "dane", None)
    assert sent.report["route"][0]["via"] == "mx"
    assert arrived(mail, word).endswith(octets)
    queue_id = sent.report["queue_id"]
    assert queue_id
    assert queue_id.encode() in arrived(mail, word).removesuffix(octets), "the server's Received names it"


@pytest.mark.parametrize(("port", "label"), [(587, "submission"), (465, "smtps")])
def test_by_a_server_with_a_login(
    request: pytest.FixtureRequest, make: str, port: int, label: str, tmp_path: Path
) -> None:
    mail = mailbox(request, make)
    file, octets, word = written(tmp_path)
    login = ("--user", USER, "--password-env", "MAIL_PASSWORD")
    sent = handed(
        mail, label, "--message", file, *login, port=port, env={"MAIL_PASSWORD": PASSWORD}, apart=True
    )  # fmt: skip
    assert sent.verdict == (0, "accepted", "eod"), sent.out
    assert PASSWORD not in sent.out + sent.err
    assert arrived(mail, word).endswith(octets)


@pytest.mark.parametrize("words", [(), ("--no-pipelining",)])
def test_one_command_at_a_time_comes_to_the_same(post: Mail, words: tuple[str, ...], tmp_path: Path) -> None:
    file, octets, word = written(tmp_path)
    sent = handed(post, "judges", "--message", file, *words, to=[TO, FROM, "nobody@example.com"])
    assert sent.code == 1
    assert sent.outcomes == {"bob": "accepted", "alice": "accepted", "nobody": "refused"}
    assert [line.split(":")[0] for line in sent.said if "EHLO" not in line][:5] == (
        ["STARTTLS", "MAIL FROM", "RCPT TO", "RCPT TO", "RCPT TO"]
    )
    assert arrived(post, word).endswith(octets)
    assert arrived(post, word, FROM).endswith(octets)


def test_an_address_of_any_script_where_none_is_taken(post: Mail) -> None:
    """This listener leaves SMTPUTF8 out of its answer."""
    sent = handed(post, "plain", to=[f"j\u00fcrgen@{UTF8}"])
    assert sent.verdict[:2] == (1, "failed"), sent.out
    assert not [line for line in sent.said if line.startswith("MAIL")]


def test_an_address_of_any_script(post: Mail, tmp_path: Path) -> None:
    file, octets, word = written(tmp_path)
    sent = handed(post, "mx", "--message", file, to=[f"j\u00fcrgen@{UTF8}"])
    assert sent.verdict == (0, "accepted", "eod"), sent.out
    assert [line for line in sent.said if line.startswith("MAIL") and "SMTPUTF8" in line]
    assert arrived(post, word, UTF8).endswith(octets)


def test_what_is_composed_arrives_as_the_dry_run_shows_it(post: Mail, tmp_path: Path) -> None:
    word = uuid.uuid4().hex
    (tmp_path / "body").write_text(".\n..\nGr\u00fc\u00dfe\n", "utf-8")
    body = ("--body", f"@{tmp_path / 'body'}")
    words = ("--subject", f"Pr\u00fcfung {word}", *body, "--header", "X-Word: " + word)
    shown = handed(post, "mx", *words, "--dry-run")
    assert shown.code == 0
    assert shown.report["outcome"] is None
    sent = handed(post, "mx", *words)
    assert sent.verdict == (0, "accepted", "eod")
    octets = arrived(post, word.encode())
    message_id = sent.report["message"]["id"]
    assert message_id.encode() in octets
    assert shown.report["message"]["id"] != message_id

    def lines(text: str) -> list[str]:
        return [line for line in text.splitlines() if not line.startswith(("Date:", "Message-ID:", "on "))]

    tail = octets[-sent.report["message"]["size"] :].decode("utf-8")
    whole = shown.report["message"]["header"] + "\n" + shown.report["message"]["body"]
    assert [line for line in lines(tail) if line] == [line for line in lines(whole) if line]


@pytest.mark.parametrize("stage", ["connect", "banner", "ehlo", "starttls", "mail", "rcpt", "data"])
def test_a_stage_to_stop_after(post: Mail, stage: str) -> None:
    word = uuid.uuid4().hex
    sent = handed(post, "mx", "--stop-after", stage, "--body", word)
    assert (sent.code, sent.report["outcome"], sent.report["stopped_after"]) == (0, None, stage)
    verbs = [line[:4] for line in sent.said]
    order = {"ehlo": "EHLO", "starttls": "STAR", "mail": "MAIL", "rcpt": "RCPT", "data": "DATA"}
    later = [verb for at, verb in order.items() if list(order).index(at) > list(order).index(stage)] if (
        stage in order
    ) else list(order.values())  # fmt: skip
    assert not set(verbs) & set(later) - {"EHLO"}
    assert absent(post, word.encode())


def test_a_notice_is_asked_for_and_comes(post: Mail) -> None:
    """Dovecot's LMTP knows no DSN: Postfix itself says that it handed the message on (RFC 3461 §5.2.2)."""
    word = uuid.uuid4().hex
    sent = handed(post, "mx", "--dsn", "--subject", word)
    assert sent.verdict == (0, "accepted", "eod")
    assert [line for line in sent.said if "RET=HDRS" in line]
    assert [line for line in sent.said if "NOTIFY=SUCCESS" in line]
    notice = arrived(post, word.encode(), FROM)
    assert b"multipart/report" in notice
    assert b"Action: relayed" in notice or b"Action: delivered" in notice


def test_a_notice_where_none_was_promised(post: Mail) -> None:
    sent = handed(post, "plain", "--dsn")
    assert sent.verdict == (0, "accepted", "eod")
    assert not [line for line in sent.said if "NOTIFY" in line]


@pytest.mark.parametrize("label", ["mx", "clear", "wrongname"])
def test_an_enforced_policy(post: Mail, zones: tuple[str, int], label: str) -> None:
    """MTA-STS: delivered where the server's certificate is right, and to nobody else."""
    word = uuid.uuid4().hex
    sent = send(
        "--connect-to", f"{BARE}:25:127.0.0.1:{post.ports[label]}", "--allow-private", "--ca-file", post.anchor,
        "--connect-to", f"mta-sts.sts.example:443:127.0.0.1:{zones[1]}", "--body", word,
        to=["bob@sts.example"], resolver=zones[0],
    )  # fmt: skip
    assert sent.report["route"][0]["mta_sts"] == "enforce"
    if label == "mx":  # the server knows no such domain: what counts is that it was asked, over TLS
        assert sent.verdict == (1, "refused", "rcpt"), sent.out
        assert sent.report["attempts"][0]["tls"]["demand"] == "mta-sts"
    else:
        assert (sent.code, sent.report["stage"]) in {(1, "starttls"), (3, "starttls")}, sent.out
        assert not [line for line in sent.said if line.startswith("MAIL")]


def test_a_domain_that_takes_no_mail(zones: tuple[str, int]) -> None:
    sent = send(to=["bob@null.example"], resolver=zones[0])
    assert sent.verdict[:1] == (1,)
    assert sent.report["stage"] == "route"
    assert not sent.report["attempts"]
