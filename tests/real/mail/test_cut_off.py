"""A session that is cut off at each of its phases: how far it came, and what may have become of the message."""

from __future__ import annotations

from pathlib import Path

import pytest
from authority import Authority, Leaf
from cutting import PHASES, cutting
from deliver import FROM, Sent, send
from postfix import NAME, PASSWORD, USER

pytestmark = pytest.mark.real
STAGES = {"tls": "starttls", "body": "data", "quit": "eod"}
OUTCOMES = {"eod": (3, "unknown"), "quit": (0, "accepted")}
LOGIN = ("--user", USER, "--password-env", "MAIL_PASSWORD", "--tls", "starttls")


LARGE = 4_000_000
"""Octets that no socket takes at once: the server has hung up before the final dot is on its way."""


def to(port: int, authority: Authority, *words: str | Path) -> Sent:
    return send(
        "--server", f"{NAME}:587", "--connect-to", f"{NAME}:587:127.0.0.1:{port}", "--ca-file", authority.anchor,
        *words, env={"MAIL_PASSWORD": PASSWORD},
    )  # fmt: skip


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize("phase", PHASES)
def test_cut_off(
    authority: Authority, leaves: dict[str, Leaf], phase: str, tmp_path: Path, *, pipelining: bool
) -> None:
    text = "a line of text, again and again\n" * (LARGE // 32 if phase == "body" else 1)
    (tmp_path / "message").write_text(f"From: {FROM}\nMessage-ID: <1@example.com>\n\n{text}")
    with cutting(phase, leaves["good"], pipelining=pipelining) as server:
        sent = to(server.server_address[1], authority, *LOGIN, "--message", tmp_path / "message")
        taken, asked = len(server.taken), list(server.asked)
    code, outcome = OUTCOMES.get(phase, (3, "deferred"))
    assert sent.verdict == (code, outcome, STAGES.get(phase, phase)), sent.out
    assert taken == (phase in ("eod", "quit"))
    assert asked.count("data") <= 1, "never sent again by itself"
    assert PASSWORD not in sent.out + sent.err
    (recipient,) = sent.report["recipients"]
    assert (recipient["why"] is None) is (phase == "quit")
    assert recipient["queue_id"] == ("ABCD1234" if phase == "quit" else None)
