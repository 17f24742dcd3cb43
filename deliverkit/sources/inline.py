"""Ignores that stand in a file's comments: `deliverkit: ignore[RULE] until=2027-01-31 reason`."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from deliverkit.model.source import InlineIgnore, Place

_IGNORE: Final = re.compile(r"\bdeliverkit:\s*ignore\b\s*(?:\[(?P<rules>[^\]]{0,400})\])?(?P<rest>.*)", re.IGNORECASE)
_UNTIL: Final = re.compile(r"(?:^|\s)until=(?P<date>\S+)", re.IGNORECASE)


def ignores_in(comment: str, place: Place, first: int, last: int) -> tuple[InlineIgnore, ...]:
    """The ignores of one comment, which cover the lines `first` to `last`; most comments hold none."""
    match = _IGNORE.search(comment)
    if match is None:
        return ()
    rest = match["rest"]
    until = _UNTIL.search(rest)
    expires, problem = None, None
    if until is not None:
        rest = rest[: until.start()] + rest[until.end() :]
        try:
            expires = dt.date.fromisoformat(until["date"])
        except ValueError:
            problem = f"until={until['date']} is no date such as 2027-01-31"
    rules = [rule.strip() for rule in (match["rules"] or "").split(",") if rule.strip()]
    if not rules:
        problem = "ignore[] names no rule"
    return tuple(
        InlineIgnore(
            rule=rule,
            place=place,
            first=first,
            last=last,
            reason=rest.strip(" \t:-") or None,
            expires=expires,
            problem=problem,
        )
        for rule in rules or [""]
    )
