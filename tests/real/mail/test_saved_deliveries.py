"""A session with a real server, saved and played back in memory: it goes as it went."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path

import pytest
from deliver import FROM, TO, handed
from postfix import NAME, PASSWORD, USER, Mail

from deliverkit.delivery.message import from_file, stuffed
from deliverkit.delivery.outcome import attempt_of
from deliverkit.model import Call, Envelope, Hop, Session
from deliverkit.smtp.driver import converse
from deliverkit.smtp.line import Limit
from deliverkit.smtp.script import Script, read, write
from deliverkit.smtp.secret import Secret
from deliverkit.smtp.transaction import Handover, transaction
from deliverkit.world.playback import Playback

pytestmark = pytest.mark.real
MESSAGE = (
    b"From: alice@example.com\nMessage-ID: <saved@example.com>\n\n.\n..\nGr\xc3\xbc\xc3\x9fe\\x\n.\n" + b"line\n" * 3000
)
HELO = "client.example.com"


def played(script: Script, handover: Handover, *, user: str | None) -> Session:
    call = Call(
        host=NAME, address="127.0.0.1", port=script.port, dial_port=script.port, helo=HELO, user=user,
        mechanism="PLAIN" if user else None, insecure_auth=True,
    )  # fmt: skip
    secret = Secret("another password")

    async def main() -> Session:
        limit = Limit(time.monotonic() + 20, "before the end")
        return await converse(call, transaction(call, HELO, handover, secret), Playback(script), limit, secret=secret)

    return asyncio.run(main())


def untimed(text: str) -> list[str]:
    return [line for line in text.splitlines() if not re.match(r"# (\+|session )", line)]


@pytest.mark.parametrize("words", [(), ("--no-pipelining",)])
@pytest.mark.parametrize(("label", "port", "to"), [
    ("judges", 25, (TO, FROM, "nobody@example.com", "later@example.com")), ("submission", 587, (TO,)),
    ("silent", 25, (TO,)), ("defers", 25, (TO,)),
])  # fmt: skip
def test_played_back(
    post: Mail, label: str, port: int, to: tuple[str, ...], words: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "message").write_bytes(MESSAGE)
    user = USER if label == "submission" else None
    login = ("--user", user, "--mechanism", "PLAIN", "--password-env", "MAIL_PASSWORD") if user else ()
    saved = tmp_path / "session.smtp"
    sent = handed(
        post, label, "--message", tmp_path / "message", "--save", saved, "--helo", HELO, *login, *words,
        port=port, to=to, env={"MAIL_PASSWORD": PASSWORD},
    )  # fmt: skip
    assert saved.stat().st_mode & 0o77 == 0
    text = saved.read_text("utf-8")
    assert PASSWORD not in text
    (script,) = read(text)
    message = from_file(MESSAGE)
    envelope = Envelope(sender=FROM, recipients=to, size=len(message.octets), eight_bit=True)
    session = played(
        script, Handover(envelope=envelope, body=stuffed(message.octets), pipelining=not words), user=user
    )  # fmt: skip
    assert untimed(write([session])) == untimed(text)
    attempt = attempt_of(1, 0.0, Hop(host=NAME, address="127.0.0.1"), envelope, session)
    assert [result.outcome for result in attempt.results] == [one["outcome"] for one in sent.report["recipients"]]
    assert [result.stage for result in attempt.results] == [one["stage"] for one in sent.report["recipients"]]
    assert attempt.queue_id == sent.report["queue_id"]
