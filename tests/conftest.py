"""What holds for every test: the same environment everywhere, and nothing beyond loopback."""

from __future__ import annotations

import errno
import ipaddress
import os
import signal
import socket
import time
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest

# A busy machine is slow, not wrong; and what fails here fails for everyone.
hypothesis.settings.register_profile("project", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("project")

# A shell's background job ignores SIGINT, and its children with it: tests of interruption need it as usual.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_UNSET = ("NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "PYTHONWARNINGS", "HTTP_PROXY", "HTTPS_PROXY")


class BeyondLoopbackError(OSError):
    """A test tried to reach another machine."""


def _refuse(address: Any) -> None:
    host = address[0] if isinstance(address, tuple) and address else None
    if host is None:
        return  # a Unix socket's path
    try:
        inside = ipaddress.ip_address(str(host).partition("%")[0]).is_loopback
    except ValueError:
        inside = host == "localhost"
    if not inside:
        raise BeyondLoopbackError(errno.ENETUNREACH, f"tests never reach beyond loopback: {host}")


@pytest.fixture(autouse=True)
def _loopback_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuses every socket that leaves the machine, as a machine without a network does."""
    for name, place in (("connect", 0), ("connect_ex", 0), ("sendto", -1), ("sendmsg", 3)):
        original = getattr(socket.socket, name)

        def guarded(self: socket.socket, *args: Any, _original: Any = original, _place: int = place) -> Any:
            if self.family in {socket.AF_INET, socket.AF_INET6} and len(args) > max(_place, 0):
                _refuse(args[_place])
            return _original(self, *args)

        monkeypatch.setattr(socket.socket, name, guarded)


@pytest.fixture(autouse=True)
def _same_everywhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One width, one time zone, no colour, no option from outside."""
    for name in [*_UNSET, *(name for name in os.environ if name.startswith("DELIVERKIT_"))]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
