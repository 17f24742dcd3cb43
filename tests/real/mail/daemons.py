"""Programs of Debian's, found, started and ended by their process id, each in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

UNPACKED = Path(__file__).parents[3] / ".servers"
"""Where .ci/run unpacks mail servers that Debian lets nobody install side by side."""
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"
PATIENCE = 30.0
"""Seconds that a loaded machine may take for a start or an end."""


def program(name: str, package: str, *, unpacked: str = "") -> str:
    """Where `name` lies; skips the test where it does not. `unpacked`: its place below UNPACKED, looked at first."""
    if unpacked and (UNPACKED / unpacked).exists():
        return str(UNPACKED / unpacked)
    found = shutil.which(name, path=_PATH)
    if found is None:
        pytest.skip(f"{name} is not here (.ci/run installs it from the package {package})")
    return found


def need_root() -> None:
    """Skips where the servers cannot be started: they take the rights of their own users."""
    if os.geteuid() != 0:
        pytest.skip("mail servers are started as root alone")


def has_ipv6() -> bool:
    """Whether the machine has ::1."""
    try:
        with socket.socket(socket.AF_INET6) as made:
            made.bind(("::1", 0))
    except OSError:
        return False
    return True


def need_ipv6() -> None:
    """Skips where the machine has no ::1."""
    if not has_ipv6():
        pytest.skip("no IPv6 loopback address")


def user(name: str) -> pwd.struct_passwd:
    """A user of the system's; skips where it is not there."""
    try:
        return pwd.getpwnam(name)
    except KeyError:
        pytest.skip(f"no user {name}")


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that every user may enter, with a path short enough for a Unix socket."""
    made = Path(tempfile.mkdtemp(prefix="dk-"))
    made.chmod(0o755)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def free_ports(count: int) -> list[int]:
    """Ports that are free on both loopback addresses, all different."""
    with contextlib.ExitStack() as held:
        ports: list[int] = []
        while len(ports) < count:
            made = held.enter_context(socket.socket())
            made.bind(("127.0.0.1", 0))
            port = made.getsockname()[1]
            if socket.has_ipv6:
                six = held.enter_context(socket.socket(socket.AF_INET6))
                try:
                    six.bind(("::1", port))
                except OSError as error:
                    if error.errno != 99:  # EADDRNOTAVAIL: no IPv6 here
                        continue
            ports.append(port)
        return ports


def _listening(port: int, address: str) -> bool:
    try:
        with socket.create_connection((address, port), 1):
            return True
    except OSError:
        return False


@contextmanager
def running(
    command: list[str], log: Path, ports: list[int], *, env: Mapping[str, str] | None = None, sign: Path | None = None,
    address: str = "127.0.0.1",
) -> Iterator[int]:  # fmt: skip
    """The process id of a server in the foreground, up once its `ports` (or its socket `sign`) answer."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
            env={"PATH": _PATH, "LC_ALL": "C", **(env or {})},
        )  # fmt: skip
    try:
        end = time.monotonic() + PATIENCE
        waiting = list(ports)
        while waiting or (sign is not None and not sign.exists()):
            if process.poll() is not None or time.monotonic() > end:
                words = log.read_text("utf-8", "replace")[-3000:]
                pytest.fail(f"{command[0]} did not come up ({process.returncode}): {words}")
            waiting = [port for port in waiting if not _listening(port, address)]
            time.sleep(0.02)
        yield process.pid
    finally:
        # Its whole session: a mail server has children that outlive a killed parent.
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(PATIENCE)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
