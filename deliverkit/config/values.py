"""The values of a configuration, each checked: ValueError says what is wrong with it, in words that need no key."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from collections.abc import Iterable
from typing import Final

from deliverkit.model import AREAS, shown
from deliverkit.model.near import nearest
from deliverkit.records.names import is_address, parse_domain

_KINDS: Final = (
    (bool, "true or false"),
    (int, "a number"),
    (float, "a number"),
    (str, "a string"),
    (list, "an array"),
    (dict, "a table"),
    (dt.datetime, "a date with a time"),
    (dt.date, "a date"),
    (dt.time, "a time"),
)
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_RULE: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LONGEST: Final = 4096
_MOST_DAYS: Final = 36_500


def kind_of(value: object) -> str:
    """What a value is, in a word."""
    return next((word for kind, word in _KINDS if isinstance(value, kind)), "something else")


def expected(wanted: str, value: object) -> ValueError:
    """A value of the wrong type; it is not shown, for it might be a secret."""
    return ValueError(f"expected {wanted}, found {kind_of(value)}")


def text(value: object) -> str:
    """A string without control characters."""
    if not isinstance(value, str):
        raise expected("a string", value)
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in value):  # noqa: PLR2004 - C0, DEL
        raise ValueError("holds a control character")
    if len(value) > _LONGEST:
        raise ValueError(f"longer than {_LONGEST} characters")
    return value


def filled(value: object) -> str:
    """A string that is not empty."""
    found = text(value)
    if not found.strip():
        raise ValueError("is empty")
    return found


def word(value: object, words: Iterable[str]) -> str:
    """One of these words."""
    known = list(words)
    wanted = f"{', '.join(known[:-1])} or {known[-1]}"
    if not isinstance(value, str):
        raise expected(wanted, value)
    if value not in known:
        raise ValueError(f"{quoted(value)}: expected {wanted}{nearest(value, known)}")
    return value


def days(value: object) -> int:
    """A number of days."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise expected("a number of days", value)
    if not 1 <= value <= _MOST_DAYS:
        raise ValueError(f"expected 1 to {_MOST_DAYS} days")
    return value


def date(value: object) -> dt.date:
    """A day, written bare (2027-01-31) or as a string."""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    if not isinstance(value, str):
        raise expected("a date, as in 2027-01-31", value)
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
            return dt.date.fromisoformat(value)
    except ValueError:
        pass
    raise ValueError(f"{quoted(value)}: no such day; expected one as in 2027-01-31")


def domain(value: object) -> str:
    """A domain in A-labels."""
    return parse_domain(text(value)).ascii


def pattern(value: object) -> str:
    """A domain in A-labels, or `*.` and one: all that lies below it."""
    found = text(value)
    below = found.startswith("*.")
    return f"{'*.' if below else ''}{domain(found.removeprefix('*.') if below else found)}"


def selector(value: object) -> str:
    """A DKIM selector (RFC 6376 §3.1)."""
    found = text(value).removesuffix(".").lower()
    if not all(_LABEL.fullmatch(label) for label in found.split(".")):
        raise ValueError(f"{quoted(found)}: not a selector")
    return found


def network(value: object) -> str:
    """An IP address or a network in CIDR form."""
    found = text(value).strip()
    if is_address(found) and "%" not in found:
        return str(ipaddress.ip_address(found))
    try:
        if "%" in found:
            raise ValueError("a zone index holds on one machine alone")  # noqa: TRY301 - told below
        made = ipaddress.ip_network(found, strict=False)
    except ValueError:
        raise ValueError(f"{quoted(found)}: neither an IP address nor a network (CIDR)") from None
    if "/" not in found or str(made) != str(ipaddress.ip_interface(found)):
        raise ValueError(f"{quoted(found)}: has bits set beyond its prefix; the network is {made}")
    return str(made)


def variable(value: object) -> str:
    """The name of an environment variable."""
    found = text(value)
    if not _VARIABLE.fullmatch(found):
        raise ValueError('expected the name of an environment variable, as in "SMTP_PASSWORD"')
    return found


def rule(value: object) -> str:
    """A rule's id or an area, as far as its form tells: which there are is known to who has the rules."""
    found = text(value)
    if not _RULE.fullmatch(found):
        raise ValueError(f"{quoted(found)}: no such rule or area")
    return found


def area(value: str) -> str:
    """An area, or `default`."""
    if value not in AREAS and value != "default":
        raise ValueError(f"no such area{nearest(value, (*AREAS, 'default'))}")
    return value


def quoted(value: str) -> str:
    """A value as an error shows it."""
    return f'"{shown(value, 80)}"'
