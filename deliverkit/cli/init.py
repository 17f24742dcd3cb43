"""`deliverkit init`."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Final

import msgspec
from typer import Option

from deliverkit.cli import terminal
from deliverkit.cli.declare import application
from deliverkit.cli.errors import UsageError
from deliverkit.cli.launch import checked_timeout, dns_options
from deliverkit.cli.options import Network, Painting, Targets
from deliverkit.cli.outputs import known_format
from deliverkit.cli.targets import domains, reason
from deliverkit.config import values
from deliverkit.config.draft import Draft, written
from deliverkit.config.find import NAMES, find
from deliverkit.model import Inputs, shown
from deliverkit.render import json
from deliverkit.render.text.sheet import Sheet
from deliverkit.runs import init as runs
from deliverkit.runs.options import CHECK_AREAS, RunError, RunOptions
from deliverkit.runs.timeouts import TIMEOUT

PATH: Final = Path(NAMES[0])
_UNDETERMINED: Final = 3


def init(
    *,
    targets: Targets,
    yes: Annotated[bool, Option("--yes", "-y", help="Ask nothing: write what is found.")] = False,
    force: Annotated[bool, Option("--force", help="Replace a configuration that is there.")] = False,
    timeout: Annotated[float, Option("--timeout", metavar="SECONDS", help="For the whole of one domain.")] = TIMEOUT,
    network: Network,
    painting: Painting,
) -> int:
    """Write a configuration from what is published."""
    form = known_format(painting.format)
    if not force:
        _free()
    asks = not yes and _sits_there()
    words = targets.domains or (_asked("Which domains? ").replace(",", " ").split() if asks else [])
    if not words:
        raise UsageError("init: which domain? (deliverkit init example.com)")
    names = domains(words)
    options = RunOptions(
        dns=dns_options(network), timeout=checked_timeout(timeout), progress=terminal.progress(quiet=False)
    )
    try:
        drafts = runs.drafted(tuple(_request(name, network) for name in names), options)
    except runs.UndeterminedError as error:
        terminal.say(f"deliverkit: {shown(str(error), 2000)}")
        return _UNDETERMINED
    except RunError as error:
        raise UsageError(str(error)) from error
    if asks:
        drafts = tuple(_with_senders(draft) for draft in drafts)
        if _asked(f"Write {PATH}? [Y/n] ").lower() not in ("", "y", "yes"):
            terminal.say("nothing was written")
            return 0
    _write(written(drafts), force=force)
    if form == "json":
        terminal.write(json.render({"path": str(PATH), "domains": drafts}))
        return 0
    sheet = Sheet(terminal.look(painting.color.value))
    sheet.line((str(PATH), "bold"))
    for draft in drafts:
        sheet.line(f"{draft.domain}   {' · '.join(runs.summary(draft))}", indent=2)
    sheet.blank()
    sheet.line("Next  deliverkit check")
    terminal.write(sheet.render())
    return 0


def _request(name: str, network: Network) -> Inputs:
    return Inputs(
        domain=name,
        areas=CHECK_AREAS,
        connect_to=tuple(network.connect_to),
        allow_private=network.allow_private,
        ipv4=not network.ipv6,
        ipv6=not network.ipv4,
    )


def _free() -> None:
    """Refuses to write where this folder has a configuration. Raises `UsageError`."""
    there = next((name for name in NAMES[:2] if os.path.lexists(name)), None)
    if there is None:
        found = find(Path())
        there = found.name if found is not None and found.parent == Path.cwd() else None
    if there is not None:
        raise UsageError(f"{there}: there is a configuration already; --force writes {PATH} all the same")


def _sits_there() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _asked(question: str) -> str:
    """One line of whoever sits there."""
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline(4096).strip()


def _with_senders(draft: Draft) -> Draft:
    """Asks for the one thing that nobody publishes. Raises `UsageError` for what is no address or network."""
    terminal.say(f"{shown(draft.domain)}: {' · '.join(runs.summary(draft)) or 'nothing is published'}")
    if draft.role == "parked":
        return draft
    typed = _asked("  Addresses or networks that send its mail (empty: none for now)? ").replace(",", " ").split()
    try:
        return msgspec.structs.replace(draft, senders=tuple(dict.fromkeys(values.network(word) for word in typed)))
    except ValueError as error:
        raise UsageError(str(error)) from error


def _write(text: str, *, force: bool) -> None:
    """Whole or not at all. Raises `UsageError`."""
    try:
        if not force:
            with PATH.open("x", encoding="utf-8") as file:
                file.write(text)
            return
        handle, name = tempfile.mkstemp(prefix=f".{PATH.name}.", dir=".")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            mask = os.umask(0)
            os.umask(mask)
            Path(name).chmod(0o666 & ~mask)
            Path(name).replace(PATH)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(f"{PATH}: {reason(error)}") from error


app = application(init, name="init")
