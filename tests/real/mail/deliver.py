"""`deliverkit send`, run here or as a process, and what came into a mailbox."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from postfix import DOMAIN, NAME, Mail

from deliverkit.__main__ import main

WAIT = 10.0
"""Seconds for a message on its way into a mailbox."""
FROM, TO = f"alice@{DOMAIN}", f"bob@{DOMAIN}"


class Sent(NamedTuple):
    """A run of the command."""

    code: int
    report: dict[str, Any]
    out: str
    err: str

    @property
    def verdict(self) -> tuple[int, str | None, str]:
        """The exit code, the outcome, and the stage where it was decided."""
        return self.code, self.report["outcome"], self.report["stage"]

    @property
    def outcomes(self) -> dict[str, str]:
        """By recipient's local part."""
        return {one["address"].partition("@")[0]: one["outcome"] for one in self.report["recipients"]}

    @property
    def said(self) -> list[str]:
        """What the client said in the last attempt, without the message."""
        lines = self.report["attempts"][-1]["transcript"]
        return [line["text"] for line in lines if line["direction"] == "client"]


def send(
    *words: str | Path, to: Sequence[str] = (TO,), sender: str = FROM, resolver: str = "127.0.0.1#9",
    env: dict[str, str] | None = None, timeout: float = 60, apart: bool = False,
) -> Sent:  # fmt: skip
    """Runs `deliverkit send … --format json`; `apart`: as a process of its own."""
    command = [
        "send", "--from", sender, *(word for one in to for word in ("--to", one)),
        "--format", "json", "--resolver", resolver, "--timeout", str(timeout), *map(str, words),
    ]  # fmt: skip
    with patch.dict(os.environ, env or {}):
        if apart:
            run = subprocess.run(
                [sys.executable, "-m", "deliverkit", *command], capture_output=True, check=False, timeout=2 * timeout
            )
            code, out, err = run.returncode, run.stdout.decode(), run.stderr.decode()
        else:
            code, out, err = _here(command)
    assert "Traceback" not in err
    try:
        return Sent(code, json.loads(out), out, err)
    except ValueError as error:
        raise AssertionError(f"{error}, exit {code}: {out}{err}") from None


def _here(command: list[str]) -> tuple[int, str, str]:
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(command)
    out.seek(0)
    return code, out.read(), err.getvalue()


def handed(mail: Mail, label: str, *words: str | Path, port: int = 25, **more: Any) -> Sent:
    """To the listener `label`, as the server NAME on this port."""
    return send(
        "--server", f"{NAME}:{port}", "--connect-to", f"{NAME}:{port}:127.0.0.1:{mail.ports[label]}",
        "--ca-file", mail.anchor, *words, **more,
    )  # fmt: skip


def arrived(mail: Mail, text: bytes, address: str = TO) -> bytes:
    """The one message in this mailbox that holds `text`, its lines ended in CRLF; fails where none comes."""
    assert mail.mail is not None
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        found = [file for file in (mail.mail / address).glob("new/*") if text in file.read_bytes()]
        if found:
            (file,) = found
            octets = file.read_bytes()
            return octets if b"\r\n" in octets else octets.replace(b"\n", b"\r\n")
        time.sleep(0.02)
    raise AssertionError(f"nothing with {text!r} for {address}")


def absent(mail: Mail, text: bytes) -> bool:
    """No mailbox of this server has it."""
    assert mail.mail is not None
    return not [file for file in mail.mail.glob("*/new/*") if text in file.read_bytes()]
