"""SMTP sessions beside posttls-finger's and swaks's, against the Postfix that tests/real starts."""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.measure import DELIVERKIT, ENVIRONMENT, Row, medians, run

LATENCY_MS = 30
AT_ONCE = 200
MOST_MIB = 20
LOADED = (
    "import cryptography.x509, cryptography.hazmat.primitives.serialization, OpenSSL.crypto;"
    "from deliverkit.__main__ import process; process()"
)
ENVELOPE = ("--from", "a@example.net", "--to", "alice@example.com")
SLOW_MS = 500
"""So slow that all connections are held at a time."""
_REAL = Path(__file__).parents[1] / "tests" / "real" / "mail"


class Route:
    """A path that runs: its port, and how often its clients waited."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self._process = process
        self.port = int(process.stdout.readline())

    def waits(self) -> int:
        """Since last asked."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@contextmanager
def path(port: int, latency: int) -> Iterator[Route]:
    """A path to 127.0.0.1:`port` with a round trip of `latency` ms."""
    command = [sys.executable, "-m", "benchmarks.path", str(port), str(latency)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Route(process)
        finally:
            process.terminate()


def missing() -> str | None:
    """Why there is no Postfix to measure against."""
    if os.geteuid() != 0:
        return "Postfix is started as root alone"
    names = [
        name for name in ("posttls-finger", "swaks", "dovecot") if shutil.which(name, path="/usr/sbin:/usr/bin") is None
    ]
    return f"{' and '.join(names)} not installed (.ci/run installs them)" if names else None


def rows(resolver: str) -> list[Row]:
    """Round trips, time less start-up, memory; one row that says why where nothing can be measured."""
    why = missing()
    if why is not None:
        return [Row(f"SMTP sessions: not measured, {why}")]
    sys.path.insert(0, str(_REAL))
    from authority import Authority  # noqa: PLC0415 - of the tests
    from daemons import free_ports  # noqa: PLC0415
    from postfix import certificates, postfix  # noqa: PLC0415

    with ExitStack() as stack:
        authority = Authority(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        mail = stack.enter_context(postfix(authority, certificates(authority), six=False))
        port = mail.ports["mx"]
        far = stack.enter_context(path(port, LATENCY_MS))
        (closed,) = free_ports(1)
        finger = ("posttls-finger", "-c", "-o", "inet_protocols=ipv4", "-l", "may", "-L", "summary")

        def idle() -> float:
            """Start-up: a port that refuses, with what a handshake needs loaded, as swaks loads it at once."""
            return ours(closed, program=(sys.executable, "-c", LOADED))

        def ours(at: int, program: Sequence[str] = DELIVERKIT) -> float:
            where = f"127.0.0.1:25:127.0.0.1:{at}"
            words = ("smtp", "127.0.0.1", "--port", "25", "--connect-to", where, "--resolver", resolver)
            return run(*program, *words, "--ca-file", str(mail.anchor), "--inconclusive", "pass")

        def theirs(at: int) -> float:
            return run(*finger, f"[127.0.0.1]:{at}", env={**ENVIRONMENT, "MAIL_CONFIG": str(mail.config)})

        def swaks(at: int, code: int = 0) -> float:
            return run("swaks", "--server", "127.0.0.1", "--port", str(at), "--ehlo", "client.example.com", "--tls",
                       "--quit-after", "EHLO", code=code)  # fmt: skip

        def delivered(at: int, program: Sequence[str] = DELIVERKIT, code: int = 0) -> float:
            where = f"127.0.0.1:25:127.0.0.1:{at}"
            words = ("send", "--server", "127.0.0.1", "--connect-to", where, "--resolver", resolver, *ENVELOPE)
            return run(*program, *words, "--helo", "client.example.com", "--format", "json", code=code)

        def their_delivery(at: int, code: int = 0) -> float:
            return run("swaks", "--server", "127.0.0.1", "--port", str(at), "--ehlo", "client.example.com", "--tls",
                       *ENVELOPE, code=code)  # fmt: skip

        def waited(call: Callable[[int], float]) -> float:
            far.waits()
            call(far.port)
            return far.waits()

        trips, their_trips, ours_ms, ours_idle, swaks_ms, swaks_idle = medians(
            lambda: waited(ours), lambda: waited(theirs),
            lambda: ours(port), idle, lambda: swaks(port), lambda: swaks(closed, 2),
        )  # fmt: skip
        send_ms, send_idle, swaks_send_ms, swaks_send_idle = medians(
            lambda: delivered(far.port), lambda: delivered(closed, (sys.executable, "-c", LOADED), 3),
            lambda: their_delivery(far.port), lambda: their_delivery(closed, 2),
        )  # fmt: skip
        slow = stack.enter_context(path(port, SLOW_MS))
        few, many = (held(slow.port, count, mail.anchor) for count in (1, AT_ONCE + 1))
    session, their_session = ours_ms - ours_idle, swaks_ms - swaks_idle
    delivery, their_delivery_ms = send_ms - send_idle, swaks_send_ms - swaks_send_idle
    each = (many - few) / AT_ONCE / 1024
    return [
        Row("waits of a session for the other side, after its banner: EHLO, STARTTLS, TLS, EHLO, QUIT", f"{trips:.0f}"),
        Row("posttls-finger, the same steps", f"{their_trips:.0f}"),
        Row("the first to the second", f"{trips - their_trips:+.0f}", "at most +0", fine=trips <= their_trips),
        Row("`smtp` of one port, STARTTLS, EHLO, QUIT", f"{ours_ms:.0f} ms"),
        Row("swaks, the same", f"{swaks_ms:.0f} ms"),
        Row("`smtp` less start-up (a port that refuses, the libraries of TLS loaded)", f"{session:.0f} ms"),
        Row("swaks less start-up", f"{their_session:.0f} ms"),
        Row("the first to the second", f"{session / their_session:.2f}", "at most 1.0", fine=session <= their_session),
        Row(f"`send` less start-up, STARTTLS, {LATENCY_MS} ms", f"{delivery:.0f} ms"),
        Row("swaks, the same message, less start-up", f"{their_delivery_ms:.0f} ms"),
        Row(
            "the first to the second",
            f"{delivery / their_delivery_ms:.2f}",
            "at most 1.0",
            fine=delivery <= their_delivery_ms,
        ),
        Row("memory a connection holds", f"{each:.2f} MiB", f"less than {MOST_MIB} MiB", fine=each < MOST_MIB),
    ]


def held(port: int, count: int, anchor: Path) -> float:
    """KiB that a process holds with so many sessions side by side: the median of three."""
    command = [sys.executable, "-m", "benchmarks.held", str(port), str(count), str(anchor)]
    found: list[int] = []
    for _ in range(3):
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT)
        match = re.fullmatch(r"(\d+) (\d+)\n", done.stdout)
        if match is None or int(match[2]) != count:
            raise SystemExit(f"{' '.join(command)}: {done.stdout}{done.stderr}")
        found.append(int(match[1]))
    return statistics.median(found)


if __name__ == "__main__":
    began = time.monotonic()
    for row in rows("127.0.0.1#9"):
        print(row)
    print(f"{time.monotonic() - began:.0f} s")
