"""The tour: domains and a mail server of the lab's, asked over loopback and judged as `check` and `smtp` do it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from deliverkit.dns.options import DnsOptions
from deliverkit.lab import serving, worlds_text
from deliverkit.model import Inputs, Sessions
from deliverkit.render import json, text
from deliverkit.render.text.sheet import Look, Sheet
from deliverkit.report import Report
from deliverkit.runs.check import run
from deliverkit.runs.options import SESSION_AREAS, SESSIONS_TIMEOUT, RunError, RunOptions

_REPORT: Final = "report"


class Stop(msgspec.Struct, frozen=True):
    """A domain or a mail server on the tour, and what is said before and after its report."""

    domain: str
    title: str
    before: str
    after: str
    selectors: tuple[str, ...] = ()
    sessions: Sessions | None = None
    """Of a mail server: `smtp` in place of `check`."""

    @property
    def typed(self) -> str:
        """The command that does the same, less where to ask."""
        words = [f"--selector {name}" for name in self.selectors]
        return " ".join((f"deliverkit {self.command}", self.domain, *words))

    @property
    def command(self) -> str:
        """`check` or `smtp`."""
        return "check" if self.sessions is None else "smtp"


STOPS: Final = (
    Stop(
        "healthy.example",
        "A domain in order",
        "Two mail hosts in two networks, an SPF record that names its senders, two DKIM keys, DMARC at reject.",
        "Nothing to do. The exit code is 0: in CI this passes.",
        ("s1", "s2"),
    ),
    Stop(
        "broken.example",
        "A domain whose mail gets lost",
        "It grew for years: services came and one went, a host became an alias, keys went through a form. Each "
        "finding says what is wrong, shows where, and gives the record that mends it.",
        "The exit code is 1. `deliverkit explain RULE` tells more about any of these.",
        ("s1", "s2", "k1"),
    ),
    Stop(
        "spoofable.example",
        "A domain that anybody can forge",
        "It delivers, so nobody noticed: its SPF record lets the world in, and no DMARC record asks receivers to look.",
        "Two records close this hole; both stand above, ready to publish.",
    ),
    Stop(
        "mail.broken.example",
        "A submission server that gives passwords away",
        "Applications hand in their mail here. Each port is opened, its TLS judged, and what it allows before and "
        "after TLS compared.",
        "With --user it tries a login too; with --mx the targets are the mail hosts of a domain.",
        sessions=Sessions(),
    ),
)


def demo(output_dir: Path | None, *, look: Look, write: Callable[[str], None]) -> int:
    """Walks the tour and writes it as it goes; 0. Leaves report.txt and report.json in `output_dir`.

    Raises `RunError` where the directory cannot be written.
    """
    asyncio.run(_tour(output_dir, look, write))
    return 0


async def _tour(output_dir: Path | None, look: Look, write: Callable[[str], None]) -> None:
    if output_dir is not None:
        _writable(output_dir)
    async with serving(worlds_text()) as lab:
        with tempfile.TemporaryDirectory(prefix="deliverkit-demo-") as folder:
            authority = Path(folder) / "ca.pem"
            authority.write_bytes(lab.ca)
            dns = DnsOptions(resolvers=(lab.resolver,), ca_file=authority, connect_to=lab.connect_to)
            options = RunOptions(dns=dns, timeout=SESSIONS_TIMEOUT)
            write(_opening(lab.resolver, look))
            for number, stop in enumerate(STOPS, 1):
                report = await run((_inputs(stop, lab.connect_to),), options)
                write(_stop(number, stop, report, look))
            if output_dir is not None:
                whole = await run(tuple(_inputs(stop, lab.connect_to) for stop in STOPS), options)
                _leave(output_dir, whole)
    write(_closing(output_dir, look))


def _inputs(stop: Stop, connect_to: tuple[str, ...]) -> Inputs:
    if stop.sessions is not None:
        return Inputs(domain=stop.domain, areas=SESSION_AREAS, sessions=stop.sessions, connect_to=connect_to)
    return Inputs(domain=stop.domain, selectors=stop.selectors, connect_to=connect_to)


def _writable(folder: Path) -> None:
    """Makes the directory, so that what is wrong with it is said before the tour and not after."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{_REPORT}.json").touch()
    except OSError as error:
        raise RunError(f"{folder}: {error.strerror or error}") from error


def _leave(folder: Path, report: Report) -> None:
    try:
        (folder / f"{_REPORT}.json").write_text(json.render(report), "utf-8")
        (folder / f"{_REPORT}.txt").write_text(text.render(report, Look(verbose=True, wrap=False)), "utf-8")
    except OSError as error:
        raise RunError(f"{folder}: {error.strerror or error}") from error


def _opening(resolver: str, look: Look) -> str:
    sheet = Sheet(look)
    sheet.line(("deliverkit demo", "bold"))
    sheet.prose(
        f"A name server on {resolver}, with mail and web servers beside it, now serves a small internet of examples; "
        "nothing leaves this machine. Three of its domains and a mail server are checked, as you would check yours."
    )
    return sheet.render() + "\n"


def _stop(number: int, stop: Stop, report: Report, look: Look) -> str:
    head = Sheet(look)
    head.line((f"── {number} of {len(STOPS)}: {stop.title} ", "bold cyan"))
    head.blank()
    head.prose(stop.before)
    head.blank()
    head.line("$ ", (stop.typed, "bold"))
    foot = Sheet(look)
    foot.prose(stop.after)
    return f"{head.render()}\n{text.render(report, look, command=stop.command)}\n{foot.render()}\n"


def _closing(output_dir: Path | None, look: Look) -> str:
    sheet = Sheet(look)
    sheet.line(("── What next ", "bold cyan"))
    sheet.blank()
    if output_dir is not None:
        sheet.line(f"The report is in {output_dir / _REPORT}.json and {output_dir / _REPORT}.txt.")
        sheet.blank()
    rows = (
        ("deliverkit check YOUR-DOMAIN", "the same, for a domain of yours"),
        ("deliverkit smtp YOUR-MAIL-SERVER", "the same, for a mail server of yours"),
        ("deliverkit explain spf-too-many-lookups", "why a rule is there, with examples"),
        ("deliverkit rules", "everything that is checked"),
        ("deliverkit lab", "keep this small internet up, and try things on it"),
    )
    wide = max(len(typed) for typed, _ in rows)
    for typed, what in rows:
        sheet.line((typed.ljust(wide), "bold"), f"   {what}", indent=2)
    return sheet.render()
