"""Writes docs/man/deliverkit.1 from the commands as they declare themselves.

python -m docs.man            write it
python -m docs.man --check    exit 1 where it is not what the commands say
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import typer

from deliverkit.cli.main import COMMANDS, app

PAGE: Final = Path(__file__).parent / "man" / "deliverkit.1"
_CODES: Final = (
    ("0", "nothing at or above --fail-on"),
    ("1", "a finding at or above it"),
    ("2", "the command line is wrong, or a file that it names"),
    ("3", "nothing failed, but a rule whose failure would have counted could not be determined"),
    ("4", "a bug in deliverkit"),
    ("130", "interrupted"),
)
_FILES: Final = (
    (
        "deliverkit.toml, .deliverkit.toml, pyproject.toml",
        "the configuration: in this folder, or upwards to the repository's root",
    ),
    (".deliverkit-baseline.json", "the findings that are accepted"),
)
_ENVIRONMENT: Final = (
    ("DELIVERKIT_NAME", "the option --name, for every option that a command has: DELIVERKIT_FAIL_ON for --fail-on"),
    ("NO_COLOR", "no colour"),
    ("GITHUB_STEP_SUMMARY", "with --format github: the file that the summary is appended to"),
)
_EXAMPLES: Final = (
    ("Every check of a domain:", "deliverkit check example.com"),
    ("Zone files before they are published:", "deliverkit lint zones/"),
    ("May this server send for the domain?", "deliverkit spf example.com --ip 203.0.113.7"),
    ("Why did that message come back?", "deliverkit decode '452 4.2.2 mailbox full'"),
)
_DASH: Final = re.compile(r"-")


def page() -> str:
    """The page, in the man macros that every reader of manuals knows."""
    group = typer.main.get_command(app)
    root = group.make_context("deliverkit", [], resilient_parsing=True)
    lines = [
        r".\" Written by python -m docs.man from the commands themselves; change it there.",
        '.TH DELIVERKIT 1 "" "deliverkit" "User Commands"',
        ".SH NAME",
        r"deliverkit \- email deliverability diagnostics",
        ".SH SYNOPSIS",
        ".B deliverkit",
        r".I COMMAND",
        r"[\fIARGUMENT\fR ...] [\fIOPTION\fR ...]",
        ".SH DESCRIPTION",
        _text(_help(group)),
        ".PP",
        _text(
            "A name server that fails is never taken for a record that is missing: what could not be determined is "
            "told apart from what is wrong."
        ),
        ".SH COMMANDS",
    ]
    for name in COMMANDS:
        lines += _command(name, group.get_command(root, name), root)
    lines += [".SH OPTIONS", *_options(group, root)]
    lines += [".SH EXIT STATUS", *_terms(_CODES), ".PP", _text("--format nagios has the codes of monitoring plugins.")]
    lines += [".SH ENVIRONMENT", *_terms(_ENVIRONMENT), ".SH FILES", *_terms(_FILES), ".SH EXAMPLES"]
    for about, line in _EXAMPLES:
        lines += [".PP", _text(about), ".PP", ".nf", ".RS", _text(line), ".RE", ".fi"]
    lines += [".SH SEE ALSO", ".BR dig (1),", ".BR swaks (1),", ".BR postmap (1)"]
    return "\n".join(lines) + "\n"


def _command(name: str, command: Any, root: Any) -> Iterator[str]:
    context = command.make_context(f"deliverkit {name}", [], parent=root, resilient_parsing=True)
    arguments = [each for each in command.get_params(context) if each.param_type_name == "argument"]
    named = "".join(rf" \fI{_text(each.metavar or each.name)}\fR" for each in arguments)
    yield f'.SS "{_text(name)}"'
    yield rf"\fBdeliverkit {_text(name)}\fR{named} [\fIOPTION\fR ...]"
    yield ".PP"
    yield _text(_help(command))
    for each in arguments:
        yield from _term(rf"\fI{_text(each.metavar or each.name)}\fR", getattr(each, "help", "") or "")
    yield from _options(command, context)


def _options(command: Any, context: Any) -> Iterator[str]:
    """Each group of options beneath its heading, in the order declared."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for each in command.get_params(context):
        record = each.get_help_record(context)
        if record is not None and each.param_type_name != "argument":
            groups.setdefault(getattr(each, "rich_help_panel", None) or "", []).append(record)
    for heading, records in sorted(groups.items(), key=lambda group: not group[0]):
        if heading:
            yield ".PP"
            yield rf"\fI{_text(heading)}\fR"
        for names, about in records:
            yield from _term(rf"\fB{_text(names)}\fR", about)


def _help(command: Any) -> str:
    return " ".join((command.help or "").split())


def _terms(terms: tuple[tuple[str, str], ...]) -> Iterator[str]:
    for term, about in terms:
        yield from _term(rf"\fB{_text(term)}\fR", about)


def _term(term: str, about: str) -> tuple[str, str, str]:
    return ".TP", term, _text(" ".join(about.split()))


def _text(text: str) -> str:
    """Words as roff prints them: no escape, no request, and each hyphen one that can be pasted."""
    escaped = _DASH.sub(r"\\-", text.replace("\\", r"\e"))
    escaped = escaped.replace("'", r"\(aq").replace('"', r"\(dq").replace("`", r"\(ga").replace("^", r"\(ha")
    escaped = escaped.replace("~", r"\(ti")
    return rf"\&{escaped}" if escaped.startswith(".") else escaped


def main(words: list[str]) -> int:
    """The exit code."""
    if "--check" in words:
        fresh = PAGE.exists() and PAGE.read_text("utf-8") == page()
        if not fresh:
            print("docs/man/deliverkit.1 is not what the commands say; run: make docs", file=sys.stderr)
        return 0 if fresh else 1
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
