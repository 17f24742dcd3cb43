"""`deliverkit smtp`, run in this process, with the standard ports of a host led to where a server listens."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from postfix import NAME, Mail

from deliverkit.__main__ import main

STANDARD = {25: "mx", 465: "smtps", 587: "submission", 2525: "alternative"}
"""Which listener stands for which port."""
NOWHERE = "127.0.0.1#9"
"""A resolver that is not there: what the DNS says plays no part."""


class Ran(NamedTuple):
    """A run of the command."""

    code: int
    target: dict[str, Any]
    out: str
    err: str

    @property
    def endpoints(self) -> dict[int, dict[str, Any]]:
        """By port; of several addresses the last."""
        return {endpoint["port"]: endpoint for endpoint in self.target["facts"]["smtp"]["endpoints"]}

    @property
    def only(self) -> dict[str, Any]:
        """The one endpoint."""
        (endpoint,) = self.target["facts"]["smtp"]["endpoints"]
        return endpoint

    @property
    def failed(self) -> dict[str, str]:
        """Severity by rule, of the findings."""
        return {finding["rule"]: finding["severity"] for finding in self.target["findings"]}


def to(mail: Mail, ports: dict[int, str], host: str = NAME, address: str = "127.0.0.1") -> list[str]:
    """The `--connect-to` options for listeners by port."""
    shown = f"[{address}]" if ":" in address else address
    return [
        word for port, label in ports.items() for word in ("--connect-to", f"{host}:{port}:{shown}:{mail.ports[label]}")
    ]


def smtp(
    *words: str | Path, anchor: Path, resolver: str = NOWHERE, host: str | None = NAME, timeout: float = 60
) -> Ran:
    """Runs `deliverkit smtp HOST … --format json`."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    command = [
        "smtp", *([host] if host else []), "--format", "json", "--resolver", resolver,
        "--ca-file", str(anchor), "--timeout", str(timeout),
        *map(str, words),
    ]  # fmt: skip
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(command)
    out.seek(0)
    said = out.read()
    try:
        document = json.loads(said)
    except ValueError as error:
        raise AssertionError(f"{error}, exit {code}: {said}{err.getvalue()}") from None
    (target,) = document["targets"]
    return Ran(code, target, said, err.getvalue())


def probe(
    mail: Mail, ports: dict[int, str], *words: str | Path, resolver: str = NOWHERE, host: str = NAME,
    address: str = "127.0.0.1",
) -> Ran:  # fmt: skip
    """The listeners that stand for these ports, and no others."""
    named: Iterable[str] = [word for port in ports for word in ("--port", str(port))]
    return smtp(*named, *to(mail, ports, host, address), *words, anchor=mail.anchor, resolver=resolver, host=host)
