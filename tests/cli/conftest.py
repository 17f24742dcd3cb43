from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from deliverkit.__main__ import main

BROKEN = """\
$ORIGIN example.com.
@      SOA  ns1 hostmaster 1 7200 3600 1209600 3600
@      MX   10 mx
mx     CNAME web
web    A    192.0.2.1
@      TXT  "v=spf1 ip4:192.0.2.1 -all"
_dmarc TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
"""
HEALTHY = """\
$ORIGIN example.com.
@      SOA  ns1 hostmaster 1 7200 3600 1209600 3600
@      MX   10 mx1
@      MX   20 mx2
mx1    A    192.0.2.1
mx1    AAAA 2001:db8::1
mx2    A    198.51.100.1
mx2    AAAA 2001:db8:1::1
@      TXT  "v=spf1 ip4:192.0.2.1 -all"
_dmarc TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
$ORIGIN com.
@      SOA  ns1 hostmaster 1 7200 3600 1209600 3600
"""
SERVFAIL = "example.com. MX 10 mx.example.com.\nexample.com. TXT SERVFAIL\n_dmarc.example.com. SERVFAIL\n"


class Result(NamedTuple):
    code: int
    out: str
    err: str


Cli = Callable[..., Result]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Runs the command line in this process."""
    for name in ("NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: str | Path) -> Result:
        code = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return Result(code, out, err)

    return run


@pytest.fixture
def world(tmp_path: Path) -> Callable[[str], Path]:
    """A world as a file."""

    def write(text: str, name: str = "some.world") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


@pytest.fixture
def broken(world: Callable[[str], Path]) -> Path:
    return world(BROKEN, "broken.world")


@pytest.fixture
def healthy(world: Callable[[str], Path]) -> Path:
    return world(HEALTHY, "healthy.world")


@pytest.fixture
def servfail(world: Callable[[str], Path]) -> Path:
    return world(SERVFAIL, "servfail.world")
