"""MTA-STS: the TXT record and the policy document (RFC 8461 §3.1, §3.2), with positions.

    _mta-sts.example.com.  TXT  "v=STSv1; id=20260801T000000"

    version: STSv1
    mode: enforce
    mx: mx.example.com
    mx: *.example.net
    max_age: 604800

The record only says that there is a policy, and by its id that it changed. The policy's lines end in LF or CRLF;
unknown fields are passed over, of a field that stands twice the first counts, and `mx` may stand as often as needed.
Nothing here raises, and every span lies inside the text.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from deliverkit.records.names import is_hostname
from deliverkit.records.versioned import MAX_PROBLEMS, Problem, begins, parse_fields

VERSION: Final = "v=STSv1"
MODES: Final = ("enforce", "testing", "none")
LONGEST: Final = 31_557_600
"""Seconds: the most that max_age may say, a year (RFC 8461 §3.2)."""
MAX_LINES: Final = 1000
"""Lines of a policy that are read."""

_ID: Final = re.compile(r"[A-Za-z0-9]{1,32}")
_LIKE: Final = re.compile(r"(?i)\bstsv?[0-9]?\b|\bv\W{0,6}sts")
_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_AGE: Final = re.compile(r"[0-9]{1,10}")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class StsRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One record, read as far as it can be. `id` is None where it is missing or no id."""

    text: str
    id: str | None
    problems: tuple[Problem, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether senders take it for one."""
        return not any(not problem.mild for problem in self.problems)


class MxPattern(msgspec.Struct, frozen=True):
    """One `mx` line: the pattern as written, and where it stands in the policy."""

    pattern: str
    start: int
    end: int


class StsPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A policy document, read as far as it can be: what is missing or broken is None."""

    text: str
    version: str | None
    mode: str | None
    max_age: int | None
    """Seconds, as written."""
    mx: tuple[MxPattern, ...]
    """The well-formed ones."""
    unknown: tuple[str, ...] = ()
    """Names of fields that the standard does not know."""
    problems: tuple[Problem, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether senders can use it."""
        return not any(not problem.mild for problem in self.problems)


def is_sts(text: str) -> bool:
    """Whether a TXT record begins as senders recognise it; they discard others (RFC 8461 §3.1)."""
    return begins(text, VERSION)


def looks_like_sts(text: str) -> bool:
    """Whether somebody seems to have meant a record of MTA-STS."""
    return _LIKE.search(text) is not None


def parse_record(text: str) -> StsRecord:
    """A record taken apart. Never raises."""
    fields, problems = parse_fields(text, VERSION, frozenset({"id"}))
    field = next((field for field in fields if field.name == "id"), None)
    found = None
    if field is None:
        problems.append(Problem("the field id= is missing", len(text), len(text)))
    elif _ID.fullmatch(field.value):
        found = field.value
    else:
        words = (
            "id= is empty"
            if not field.value
            else "id= is longer than 32 characters"
            if field.value.isascii() and field.value.isalnum()
            else "id= may hold letters and digits alone"
        )
        problems.append(Problem(words, field.start, field.end))
    return StsRecord(text=text, id=found, problems=_sorted(problems))


def parse_policy(text: str) -> StsPolicy:
    """A policy taken apart. Never raises; linear in the length of `text`."""
    problems: list[Problem] = []
    first: dict[str, tuple[str, int, int]] = {}
    patterns: list[MxPattern] = []
    unknown: list[str] = []
    start = 0
    lines = text.split("\n")
    for number, whole in enumerate(lines):
        end = start + len(whole)
        if number >= MAX_LINES or len(problems) >= MAX_PROBLEMS:
            problems.append(Problem("too long or too broken: the rest was not read", start, len(text)))
            break
        line = whole.removesuffix("\r")
        if line.strip(" \t"):
            _line(line, start, first, patterns, unknown, problems)
        elif number < len(lines) - 1:
            problems.append(Problem("an empty line", start, end, mild=True))
        start = end + 1
    version = _version(first, problems)
    mode = _mode(first, problems)
    max_age = _max_age(first, problems)
    if mode in ("enforce", "testing") and not patterns:
        problems.append(Problem("no mx: line names a mail host", len(text), len(text)))
    return StsPolicy(
        text=text,
        version=version,
        mode=mode,
        max_age=max_age,
        mx=tuple(patterns),
        unknown=tuple(dict.fromkeys(unknown)),
        problems=_sorted(problems),
    )


def _line(
    line: str,
    start: int,
    first: dict[str, tuple[str, int, int]],
    patterns: list[MxPattern],
    unknown: list[str],
    problems: list[Problem],
) -> None:
    end = start + len(line.rstrip(" \t"))
    if bad := _CONTROL.search(line):
        problems.append(Problem("a control character", start + bad.start(), start + bad.end()))
        return
    name, mark, rest = line.partition(":")
    if not mark:
        problems.append(Problem("a line without a colon", start, max(end, start + 1)))
        return
    if not _KEY.fullmatch(name):
        problems.append(Problem(_key_problem(name), start, start + max(len(name), 1)))
        return
    value = rest.strip(" \t")
    at = start + len(name) + 1 + len(rest) - len(rest.lstrip(" \t"))
    span = (min(at, end), end) if value else (start, end)
    if not value:
        problems.append(Problem(f"{name}: has no value", *span))
    elif name == "mx":
        if wrong := _pattern_problem(value):
            problems.append(Problem(wrong, *span))
        else:
            patterns.append(MxPattern(value.lower(), *span))
    elif name in first:
        # RFC 8461 §3.2: of a field other than mx all but the first are ignored.
        problems.append(Problem(f"{name}: stands twice: the first one counts", start, end, mild=True))
    else:
        first[name] = (value, *span)
        if name not in ("version", "mode", "max_age"):
            unknown.append(name)


def _key_problem(name: str) -> str:
    if name.startswith("\ufeff"):
        return "a byte order mark stands before the first line"
    if name != name.strip(" \t") and _KEY.fullmatch(name.strip(" \t")):
        return "white space around the name of a field"
    return "not the name of a field: a letter or digit, then at most 31 of A-Z a-z 0-9 _ - ."


def _pattern_problem(value: str) -> str | None:
    host = value.removeprefix("*.")
    if not host.isascii():
        return "mx: must be in A-labels (xn--), as the MX record has it"
    if host.endswith("."):
        return "mx: ends in a dot, with which no host name is compared"
    if "*" in host:
        return "mx: a wildcard may only stand as `*.` before the rest"
    if not is_hostname(host):
        return "mx: not a host name"
    return None


def _version(first: dict[str, tuple[str, int, int]], problems: list[Problem]) -> str | None:
    if "version" not in first:
        problems.append(Problem("version: STSv1 is missing", 0, 0))
        return None
    value, start, end = first["version"]
    if value != "STSv1":
        problems.append(Problem("version: must be exactly STSv1", start, end))
        return None
    return value


def _mode(first: dict[str, tuple[str, int, int]], problems: list[Problem]) -> str | None:
    if "mode" not in first:
        problems.append(Problem("mode: is missing", 0, 0))
        return None
    value, start, end = first["mode"]
    if value not in MODES:
        problems.append(Problem("mode: must be enforce, testing or none", start, end))
        return None
    return value


def _max_age(first: dict[str, tuple[str, int, int]], problems: list[Problem]) -> int | None:
    if "max_age" not in first:
        problems.append(Problem("max_age: is missing", 0, 0))
        return None
    value, start, end = first["max_age"]
    if not _AGE.fullmatch(value):
        problems.append(Problem("max_age: must be seconds, at most ten digits", start, end))
        return None
    return int(value)


def _sorted(problems: list[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(set(problems), key=lambda problem: (problem.start, problem.end, problem.message)))


def mx_covered(pattern: str, host: str) -> bool:
    """Whether a policy's `mx` pattern covers a mail host (RFC 8461 §4.1): `*.` stands for one label."""
    pattern, host = pattern.lower().removesuffix("."), host.lower().removesuffix(".")
    if pattern.startswith("*."):
        label, _, rest = host.partition(".")
        return bool(label) and rest == pattern[2:]
    return pattern == host


def is_plain_text(media_type: str) -> bool:
    """Whether a Content-Type is text/plain, whatever its parameters (RFC 8461 §3.2)."""
    return media_type.partition(";")[0].strip(" \t").lower() == "text/plain"
