"""Three answers, never two.

NXDOMAIN and NODATA are `Absent`: the authority said that there is nothing. SERVFAIL, REFUSED, a
timeout or a malformed answer are `Unknown`: nobody said anything. A rule reads an answer through
`known` or `need`, so that what could not be told stops it as *inconclusive* and can never be
taken for absence.
"""

from __future__ import annotations

from typing import Generic, TypeAlias, TypeVar

import msgspec

T = TypeVar("T")


class Found(msgspec.Struct, Generic[T], frozen=True):
    """The world answered, and this is what it said."""

    value: T


class Absent(msgspec.Struct, frozen=True):
    """The authority answered that there is nothing here.

    `nxdomain` tells "the name does not exist" from "the name has no such record".
    """

    why: str
    nxdomain: bool = False


class Unknown(msgspec.Struct, frozen=True):
    """Nobody could tell. `why` names the question and the server."""

    why: str


Answer: TypeAlias = Found[T] | Absent | Unknown


class Inconclusive(Exception):  # noqa: N818 - a state of a rule, not an error of ours
    """Stops a rule: what it asks about lies behind an unanswered question.

    `severity` is what the finding would have been, where that is weaker than the rule's own
    (a `Severity` value; None: the rule's own).
    """

    def __init__(self, why: str, severity: str | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.severity = severity


class NotApplicable(Exception):  # noqa: N818 - a state of a rule, not an error of ours
    """Stops a rule: what it judges is not there."""

    def __init__(self, why: str = "") -> None:
        super().__init__(why)
        self.why = why


def known(answer: Answer[T]) -> T | None:
    """The value, None where it is absent; stops the rule as inconclusive where nobody could tell."""
    match answer:
        case Found(value):
            return value
        case Absent():
            return None
        case Unknown(why):
            raise Inconclusive(why)


def need(answer: Answer[T]) -> T:
    """The value; stops the rule as not applicable where it is absent, as inconclusive where unknown."""
    match answer:
        case Found(value):
            return value
        case Absent(why):
            raise NotApplicable(why)
        case Unknown(why):
            raise Inconclusive(why)
