"""What a rule is, and what it says."""

from __future__ import annotations

import enum
import hashlib
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from deliverkit.model.source import Place

AREAS: Final = (
    "mx", "spf", "dkim", "dmarc", "mta-sts", "tls-rpt", "bimi", "dane", "dnssec", "dns", "ptr", "blocklist",
    "smtp", "tls", "auth", "delivery", "requirements", "zone", "config",
)  # fmt: skip


def area_of(rule: str) -> str:
    """The area a rule id begins with; the longest wins (`tls-rpt-missing` is of `tls-rpt`, not `tls`)."""
    matching = [area for area in AREAS if rule.startswith(f"{area}-")]
    if not matching:
        raise ValueError(f"{rule} begins with no known area")
    return max(matching, key=len)


class Severity(enum.StrEnum):
    """A norm's MUST is an error, its SHOULD a warning, good advice a notice."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return ("error", "warning", "notice").index(self.value)


class Status(enum.StrEnum):
    """What became of a rule on one target."""

    PASS = "pass"  # noqa: S105 - a status
    FAIL = "fail"
    NOT_APPLICABLE = "not-applicable"
    INCONCLUSIVE = "inconclusive"


class Who(enum.StrEnum):
    """Who can mend it."""

    DNS_ADMIN = "dns-admin"
    MAIL_ADMIN = "mail-admin"
    HOSTER = "hoster"
    SENDER = "sender"
    RECIPIENT = "recipient"
    RECIPIENT_ADMIN = "recipient-admin"
    PROVIDER = "provider"
    NOBODY = "nobody"


class Mark(msgspec.Struct, frozen=True):
    """A place in an exhibit's text: characters start to end (exclusive), and what is to be seen there."""

    start: int
    end: int
    note: str = ""


class Exhibit(msgspec.Struct, frozen=True):
    """A piece of evidence as it stands in the world: `title` says where ("example.com TXT"), `text` what."""

    text: str
    title: str = ""
    marks: tuple[Mark, ...] = ()


class Fix(msgspec.Struct, frozen=True):
    """How to mend it: in words, and where the evidence allows it the record before and after.

    `name` and `rdtype` say where the record goes. `after` None with a `before`: delete it.
    """

    text: str
    name: str = ""
    rdtype: str = ""
    before: str | None = None
    after: str | None = None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one subject.

    `message` holds no volatile value (address, TTL, serial, time): those go in evidence. `severity`
    None means the rule's own; it may be weaker, never stronger. `part_of` names the rule whose finding
    explains this one. `cause` refines the fingerprint; by default it is the message without its numbers.
    """

    message: str
    subject: str = ""
    evidence: tuple[Exhibit, ...] = ()
    fix: Fix | None = None
    severity: Severity | None = None
    who: Who | None = None
    part_of: str | None = None
    cause: str | None = None
    place: Place | None = None
    """Where in a file it stands, where the rule knows; never part of the fingerprint."""

    def fingerprint(self, rule: str, domain: str) -> str:
        """Stable over TTLs, the order of answers and line numbers: rule, domain, subject, cause."""
        cause = self.cause if self.cause is not None else re.sub(r"\d+", "#", self.message)
        text = f"{rule}\x00{domain}\x00{self.subject}\x00{cause}"
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:20]


class Example(msgspec.Struct, frozen=True):
    """A `.world` block of a rule's documentation."""

    world: str


class RuleDoc(msgspec.Struct, frozen=True):
    """A rule's page, read from its docstring: `summary`, `why`, `fix` in Markdown, examples as worlds."""

    summary: str
    why: str
    fix: str
    bad: tuple[Example, ...]
    good: tuple[Example, ...]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule: what it judges, how hard, on whose authority, and the function that does it."""

    id: str
    area: str
    severity: Severity
    references: tuple[str, ...]
    who: Who
    subject: type[Any]
    page: Callable[[], RuleDoc]
    """Its page, read when it is asked for: most runs show a few of hundreds."""
    judge: Callable[[Any], Iterator[Finding]]

    @property
    def doc(self) -> RuleDoc:
        """Its page."""
        return self.page()


class Undetermined(msgspec.Struct, frozen=True):
    """Why a rule could not be decided, and how hard its finding would have been."""

    why: str
    severity: Severity


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule came to on one target."""

    rule: Rule
    status: Status
    findings: tuple[Finding, ...] = ()
    unknown: tuple[Undetermined, ...] = ()
    """What could not be determined; a rule that fails on one subject may still be unclear on another."""
