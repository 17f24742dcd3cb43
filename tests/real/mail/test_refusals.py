"""What real servers refuse, defer and take in part: outcome, stage and exit code."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from deliver import FROM, TO, absent, arrived, handed
from postfix import DOMAIN, NAME, USER, Mail
from receiving import DELAY, SELECTORS, Keys, opendkim, postgrey, signing_keys

pytestmark = pytest.mark.real
CANARY = "Kanarienvogel+9"


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return signing_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def verifying(post: Mail, keys: Keys) -> Iterator[Mail]:
    with opendkim(post.ports["milter"], keys, DOMAIN, NAME):
        yield post


@pytest.fixture(scope="module")
def greylisting(post: Mail) -> Iterator[Mail]:
    with postgrey(post.ports["greylist"]):
        yield post


def judged(octets: bytes, word: bytes) -> bytes:
    """The value of Authentication-Results, on one line."""
    header = octets.partition(b"\r\n\r\n")[0].replace(b"\r\n\t", b" ").replace(b"\r\n ", b" ")
    (line,) = [line for line in header.split(b"\r\n") if line.startswith(b"Authentication-Results:")]
    assert word in octets
    return line


@pytest.mark.parametrize("selector", SELECTORS)
@pytest.mark.parametrize("form", ["composed", "file"])
def test_a_signature_is_verified(verifying: Mail, keys: Keys, selector: str, form: str, tmp_path: Path) -> None:
    word = uuid.uuid4().hex
    if form == "file":
        (tmp_path / "message").write_bytes(
            f"From: {FROM}\nTo: {TO}\nSubject: {word}\n\twith a fold\nMessage-ID: <{word}@{DOMAIN}>\n"
            "Date: Thu, 1 Jan 2026 12:00:00 +0000\n\n.\n..\n  blanks  \n\n\n".encode()
        )
        words: tuple[str | Path, ...] = ("--message", tmp_path / "message")
    else:
        (tmp_path / "body").write_text(f".\n{word} Gr\u00fc\u00dfe\n\n\n", "utf-8")
        words = ("--subject", f"Pr\u00fcfung {word}", "--body", f"@{tmp_path / 'body'}")
    sent = handed(verifying, "verifies", *words, "--dkim-key", keys.files[selector], "--dkim-selector", selector)
    assert sent.verdict == (0, "accepted", "eod"), sent.out
    assert sent.report["message"]["signed_by"] == [{"domain": DOMAIN, "selector": selector}]
    octets = arrived(verifying, word.encode())
    result = judged(octets, word.encode())
    assert b"dkim=pass" in result, result
    assert f"header.s={selector}".encode() in result
    assert f"a={'rsa' if selector == 'rsa' else 'ed25519'}-sha256".encode() in octets
    assert f"header.d={DOMAIN}".encode() in result


@pytest.mark.parametrize(("key", "selector"), [("other", "other"), ("rsa", "ed25519")])
def test_a_signature_by_another_key_than_the_published_one(
    verifying: Mail, keys: Keys, key: str, selector: str
) -> None:
    word = uuid.uuid4().hex
    words = ("--dkim-key", keys.files[key], "--dkim-selector", selector)
    assert handed(verifying, "verifies", "--body", word, *words).code == 0
    result = judged(arrived(verifying, word.encode()), word.encode())
    assert b"dkim=pass" not in result
    assert b"dkim=" in result


def test_a_signed_message_that_was_changed(verifying: Mail, keys: Keys, tmp_path: Path) -> None:
    """The delivered message, one letter of it changed, is sent once more as it is."""
    word = uuid.uuid4().hex
    words = ("--dkim-key", keys.files["rsa"], "--dkim-selector", "rsa")
    assert handed(verifying, "verifies", "--body", f"{word} good", *words).code == 0
    octets = arrived(verifying, word.encode())
    signed = octets[octets.index(b"DKIM-Signature:") :]
    for text, outcome in ((signed, b"dkim=pass"), (signed.replace(b" good", b" evil"), b"dkim=fail")):
        mark = uuid.uuid4().hex.encode()
        (tmp_path / "message").write_bytes(b"X-Mark: " + mark + b"\r\n" + text)
        assert handed(verifying, "verifies", "--message", tmp_path / "message").code == 0
        result = judged(arrived(verifying, mark), mark)
        assert outcome in result, result


def test_greylisted_and_given_up_at_once(greylisting: Mail) -> None:
    sent = handed(greylisting, "greylists", sender="first@example.com")
    assert sent.verdict == (3, "deferred", "rcpt")
    (recipient,) = sent.report["recipients"]
    assert recipient["reply"]["category"] == "greylisting"
    assert recipient["reply"]["wait_s"] == DELAY
    assert sent.report["retry"] is None


def test_greylisted_and_delivered(greylisting: Mail, tmp_path: Path) -> None:
    word = uuid.uuid4().hex
    env = {"XDG_STATE_HOME": str(tmp_path)}
    sent = handed(
        greylisting, "greylists", "--retry-for", "1m", "--body", word, sender="second@example.com", env=env,
    )  # fmt: skip
    assert sent.verdict == (0, "accepted", "eod"), sent.out
    assert [attempt["outcome"] for attempt in sent.report["attempts"]] == ["deferred", "accepted"]
    (recipient,) = sent.report["recipients"]
    assert recipient["delayed_by"] == "greylisting"
    assert DELAY * 1000 <= recipient["delayed_ms"] < DELAY * 1000 + 20_000
    octets = arrived(greylisting, word.encode())
    assert b"X-Greylist: delayed" in octets
    assert not (tmp_path / "deliverkit").exists() or (tmp_path / "deliverkit").stat().st_mode & 0o77 == 0


def test_in_part(post: Mail) -> None:
    word = uuid.uuid4().hex
    to = [TO, "nobody@example.com", "later@example.com", "out@example.net"]
    sent = handed(post, "judges", "--body", word, to=to)
    assert (sent.code, sent.report["outcome"]) == (1, "refused")
    assert sent.outcomes == {"bob": "accepted", "nobody": "refused", "later": "deferred", "out": "refused"}
    by_name = {one["address"].partition("@")[0]: one for one in sent.report["recipients"]}
    assert by_name["bob"]["stage"] == "eod"
    assert by_name["bob"]["queue_id"]
    assert by_name["nobody"]["reply"]["category"] == "no-such-user"
    assert by_name["out"]["reply"]["category"] == "relay"
    assert {by_name[name]["stage"] for name in ("nobody", "later", "out")} == {"rcpt"}
    assert arrived(post, word.encode())


@pytest.mark.parametrize(("to", "verdict"), [
    ("nobody@example.com", (1, "refused", "rcpt")), ("later@example.com", (3, "deferred", "rcpt")),
    ("out@example.net", (1, "refused", "rcpt")),
])  # fmt: skip
def test_no_recipient_no_data(post: Mail, to: str, verdict: tuple[int, str, str]) -> None:
    sent = handed(post, "judges", to=[to])
    assert sent.verdict == verdict
    assert not [line for line in sent.said if line.startswith("DATA")]
    assert sent.said[-1] == "QUIT"


def test_unknown_to_every_make(exim_mail: Mail, sendmail_mail: Mail) -> None:
    for mail in (exim_mail, sendmail_mail):
        sent = handed(mail, "mx", to=["nobody-here@example.com"])
        assert sent.verdict == (1, "refused", "rcpt"), sent.out


@pytest.mark.parametrize(("label", "verdict"), [("small", (1, "refused", "mail")), ("silent", (1, "refused", "eod"))])
def test_too_large(post: Mail, label: str, verdict: tuple[int, str, str], tmp_path: Path) -> None:
    """Announced, it is not even offered; where nothing was, the server says so behind the final dot."""
    word = uuid.uuid4().hex
    (tmp_path / "body").write_text(f"{word}\n" + "a line of some length\n" * 1000)
    sent = handed(post, label, "--body", f"@{tmp_path / 'body'}")
    assert sent.verdict == verdict, sent.out
    assert bool([line for line in sent.said if line.startswith("DATA")]) is (label == "silent")
    assert absent(post, word.encode())


@pytest.mark.parametrize(("label", "verdict"), [
    ("rejects", (1, "refused", "banner")), ("defers", (3, "deferred", "banner")),
])  # fmt: skip
def test_turned_away_at_the_door(post: Mail, label: str, verdict: tuple[int, str, str]) -> None:
    sent = handed(post, label)
    assert sent.verdict == verdict
    assert not [line for line in sent.said if line.startswith("MAIL")]


def test_a_login_that_is_refused(post: Mail) -> None:
    login = ("--user", USER, "--password-env", "MAIL_PASSWORD")
    sent = handed(post, "submission", *login, port=587, env={"MAIL_PASSWORD": CANARY})
    assert sent.verdict == (1, "failed", "auth")
    assert CANARY not in sent.out + sent.err
    assert not [line for line in sent.said if line.startswith("MAIL")]


def test_a_login_that_is_demanded(post: Mail) -> None:
    """Without one a submission server relays nothing, and takes what is for itself."""
    sent = handed(post, "submission", to=["out@example.net"], port=587)
    assert sent.verdict == (1, "refused", "rcpt")


@pytest.mark.parametrize("words", [("--tls", "starttls"), ("--require-tls",)])
def test_tls_that_is_demanded_and_missing(post: Mail, words: tuple[str, ...]) -> None:
    sent = handed(post, "clear", *words)
    assert (sent.code, sent.report["stage"]) == (1, "starttls"), sent.out
    assert not [line for line in sent.said if line.startswith("MAIL")]


def test_nobody_listens(post: Mail) -> None:
    sent = handed(post._replace(ports={"mx": 9}), "mx")
    assert sent.verdict == (3, "deferred", "connect")
