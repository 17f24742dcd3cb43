"""Timestamps: the one a log line begins with, and the moment it names.

Syslog writes neither year nor zone (RFC 3164 §4.1.2): the year is then the latest in which the time is not in the
future, the zone that of `now`.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

_SYSLOG: Final = re.compile(r"(?:<\d{1,3}>)?([A-Z][a-z]{2} [ 0-3]\d [0-2]\d:[0-5]\d:[0-6]\d)(?:\.\d{1,9})? ", re.ASCII)
_ISO: Final = re.compile(
    r"(?:<\d{1,3}>1? ?)?\[?(\d{4}-\d\d-\d\d[T ][0-2]\d:[0-5]\d:[0-6]\d(?:[.,]\d{1,9})?"
    r"(?: ?(?:Z|[+-]\d\d:?\d\d))?)\]?:? ",
    re.ASCII,
)
_CLOCK: Final = re.compile(r"(?:\[[0-2]?\d:[0-5]\d:[0-6]\d(?:\.\d{1,9})?\]|[0-2]?\d:[0-5]\d:[0-6]\d(?:\.\d{1,9})?) ")
_PARTS: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,]\d+)? ?(?:(Z)|([+-])(\d\d):?(\d\d))?", re.ASCII
)
_MONTHS: Final = {
    name: number
    for number, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)  # noqa: SIM905 - a line
}
_AHEAD: Final = dt.timedelta(days=1)
"""How far a clock may be wrong before a time without a year is taken for last year's."""


def split_time(line: str) -> tuple[str | None, str]:
    """The time a line begins with as it is written, and the rest; None and the line where there is none."""
    first = line[:1]
    if not (first.isdigit() or first.isupper() or first in "<["):
        return None, line
    match = _SYSLOG.match(line) or _ISO.match(line)
    if match:
        return match[1], line[match.end() :]
    match = _CLOCK.match(line)
    return None, line[match.end() :] if match else line


def moment(time: str, now: dt.datetime) -> dt.datetime | None:
    """The moment that a log's time names; None where there is none such. `now` is aware."""
    try:
        match = _PARTS.match(time)
        if match:
            year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
            zone = _zone(match, now)
            return dt.datetime(year, month, day, hour, minute, min(second, 59), tzinfo=zone)
        clock = [int(part) for part in time[7:15].split(":")]
        month, day = _MONTHS[time[:3]], int(time[4:6])
        for year in (now.year, now.year - 1):
            # 29 February: the year before may have none.
            found = dt.datetime(year, month, day, clock[0], clock[1], min(clock[2], 59), tzinfo=now.tzinfo)
            if found <= now + _AHEAD:
                return found
    except (ValueError, KeyError, IndexError):
        return None
    return None


def _zone(match: re.Match[str], now: dt.datetime) -> dt.tzinfo | None:
    if match[7]:
        return dt.UTC
    if not match[8]:
        return now.tzinfo
    away = dt.timedelta(hours=int(match[9]), minutes=int(match[10]))
    return dt.timezone(-away if match[8] == "-" else away)
