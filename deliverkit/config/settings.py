"""What a configuration says, once it was read and every value checked."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Final

import msgspec

from deliverkit.model.location import Location

Keys = tuple[str | int, ...]
"""The way to a value: `("domains", "example.com", "mx", 0)`, the names as they are written in the file."""

MAX_IGNORE_DAYS: Final = 365


class ConfigError(Exception):
    """The configuration cannot be used; the message is one clear line, with path and line where there is one."""


class Ignore(msgspec.Struct, frozen=True, kw_only=True):
    """A finding that is accepted. `rule` is a rule's id or an area's name; `domain` None: of any domain.

    `domain` is in A-labels; `*.example.com` stands for all that lies below. `path` and `line` say where it is written.
    """

    rule: str
    domain: str | None = None
    reason: str | None = None
    expires: dt.date | None = None
    path: str
    line: int


class DomainConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The state a domain is meant to be in; None or empty: nothing is expected.

    Names are in A-labels, lower case, without the trailing dot.
    """

    name: str
    written: str
    """The name as the file spells it."""
    line: int
    dkim_selectors: tuple[str, ...] = ()
    senders: tuple[str, ...] = ()
    """Addresses and networks (CIDR) that send for it: each has to pass SPF."""
    mx: tuple[str, ...] | None = None
    """The mail hosts; an empty tuple: none is expected."""
    mta_sts: str | None = None
    """`enforce`, `testing` or `none`."""
    dmarc: str | None = None
    """`reject`, `quarantine` or `none`."""
    zone: str | None = None
    """Its zone file, as it can be opened from the working directory."""
    dkim_cnames: dict[str, str] = {}
    """By selector: where its CNAME has to lead."""
    requirements: tuple[str, ...] = ()
    role: str | None = None
    """`mail`, `send-only`, `receive-only` or `parked`; None: to be recognised."""


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration file, read; by itself: the defaults.

    The command line merges flags and environment into `fail_on`, `inconclusive` and `resolvers`.
    """

    path: str | None = None
    """Relative to the working directory; None: there is no file."""
    fail_on: str = "error"
    inconclusive: str | dict[str, str] = "report"
    """One word for all areas, or a word by area and `default`."""
    resolvers: tuple[str, ...] = ("system",)
    baseline: str | None = None
    """The baseline's path, as it can be opened from the working directory."""
    max_ignore_days: int = MAX_IGNORE_DAYS
    password_env: str | None = None
    """The name of the environment variable that holds the password of a login."""
    rules: dict[str, str] = {}
    """By rule id: `error`, `warning`, `notice` or `off`."""
    domains: dict[str, DomainConfig] = {}
    ignores: tuple[Ignore, ...] = ()
    lines: dict[Keys, tuple[int, int]] = {}
    """Line and column of every key in the file, both from 1."""
    warnings: tuple[str, ...] = ()
    """What is odd about the file, a line each."""

    @property
    def folder(self) -> Path:
        """Where the file lies: its paths are relative to this."""
        return Path(self.path).parent if self.path is not None else Path()

    def says(self, *keys: str | int) -> bool:
        """Whether the file has this key."""
        return keys in self.lines

    def line(self, *keys: str | int) -> int:
        """The line of a key; of one that is not written, of the table that it would be in, or of the whole."""
        while keys:
            if keys in self.lines:
                return self.lines[keys][0]
            keys = keys[:-1]
        return self.lines.get((), (1, 1))[0]

    def where(self, domain: str) -> Location:
        """Where to put what is wrong with a domain: its line, or else the file's first."""
        entry = self.domains.get(domain)
        return Location(path=self.path or "deliverkit.toml", line=entry.line if entry is not None else self.line())
