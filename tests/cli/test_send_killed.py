"""A delivery killed at any moment: nothing is lost, and nothing is sent twice but what SMTP itself cannot exclude.

Three recipients: one is accepted at once, one is greylisted, one is refused. The process is killed at a random moment,
and resumed until nothing is queued. The server counts what it was handed, and waits before it answers the final dot,
so that the kill falls there, too. `DELIVERKIT_TEST_KILLS` says how many moments are tried.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socketserver
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

KILLS = int(os.environ.get("DELIVERKIT_TEST_KILLS", "4"))
RECIPIENTS = ("at-once@example.net", "greylisted@example.net", "nobody@example.net")


class Server(socketserver.ThreadingTCPServer):
    """Accepts, greylists or refuses by the recipient's name; counts the messages whose final dot it saw."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.taken: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.first: dict[str, float] = {}


class Session(socketserver.StreamRequestHandler):
    server: Server

    def say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")
        self.wfile.flush()

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            self.talk()

    def talk(self) -> None:
        self.say("220 mx.example.net")
        recipients: list[str] = []
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb in (b"EHLO", b"MAIL", b"RSET"):
                recipients = []
                self.say("250 ok")
            elif verb == b"RCPT":
                who = line.partition(b"<")[2].partition(b">")[0].decode()
                answer = self.mood(who)
                if answer.startswith("250"):
                    recipients.append(who)
                self.say(answer)
            elif verb == b"DATA":
                self.say("354 go on")
                while (part := self.rfile.readline()) and part != b".\r\n":
                    pass
                if not part:
                    return
                self.server.taken.update(recipients)
                time.sleep(0.15)
                self.say("250 2.0.0 Ok: queued as ABCD1234")
                self.server.answered.update(recipients)
            elif verb == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say("502 no")

    def mood(self, who: str) -> str:
        if who.startswith("nobody"):
            return "550 5.1.1 no such user"
        if who.startswith("greylisted"):
            first = self.server.first.setdefault(who, time.monotonic())
            if time.monotonic() - first < 0.8:
                return "450 4.7.1 Greylisted, try again in 1 seconds"
        return "250 ok"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


def command(server: Server, *words: str) -> list[str]:
    port = server.server_address[1]
    return [
        *(sys.executable, "-m", "deliverkit", "send", *words, "--format", "json", "--resolver", "127.0.0.1#9"),
        *("--connect-to", f"mx.example.net:25:127.0.0.1:{port}"),
    ]


def settled(output: str) -> dict[str, str]:
    """Each recipient's outcome in one document or an array of them; nothing where the process was killed before."""
    if not output.strip():
        return {}
    read = json.loads(output)
    return {
        one["address"]: one["outcome"]
        for report in (read if isinstance(read, list) else [read])
        for one in report["recipients"]
    }


@pytest.mark.parametrize("seed", range(KILLS))
def test_killed_and_resumed(seed: int, server: Server, tmp_path: Path) -> None:
    chance = random.Random(seed)
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path)}
    start = [
        *("--from", "me@example.com", *(word for to in RECIPIENTS for word in ("--to", to))),
        *("--server", "mx.example.net", "--retry-for", "1m", "--tls", "none"),
    ]
    process = subprocess.Popen(
        command(server, *start), env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    time.sleep(chance.uniform(0.2, 2.6))
    process.send_signal(signal.SIGKILL)
    told = settled(process.communicate(timeout=20)[0])
    queued = (tmp_path / "deliverkit" / "queue.sqlite").exists()
    again = subprocess.run(
        command(server, "--resume"), env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert "Traceback" not in again.stderr
    told |= settled(again.stdout)
    if not queued:  # killed before it was asked to keep anything
        assert not server.taken
        return
    if not told:  # over and reported just before the kill, or killed before the message stood in the queue
        assert set(server.taken) in (set(), {"at-once@example.net", "greylisted@example.net"})
        assert max(server.taken.values(), default=0) <= 1
        return
    assert set(told) == set(RECIPIENTS)
    assert told["nobody@example.net"] == "refused"
    for who in ("at-once@example.net", "greylisted@example.net"):
        assert server.taken[who] <= 1, "sent twice"
        assert told[who] in ("accepted", "unknown")
        if told[who] == "accepted":
            assert server.taken[who] == 1, "lost"
