"""The report as a document (`deliverkit/report/1`)."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from deliverkit.model import location
from deliverkit.report.authentication import AuthenticationReport
from deliverkit.report.dane import DaneReport
from deliverkit.report.dkim import DkimReport
from deliverkit.report.dmarc import DmarcReport
from deliverkit.report.dns import DnsReport
from deliverkit.report.dnssec import DnssecReport
from deliverkit.report.mta_sts import MtaStsReport
from deliverkit.report.mx import MxReport
from deliverkit.report.second_opinion import SecondOpinionReport
from deliverkit.report.smtp import SmtpReport
from deliverkit.report.spf import SpfReport
from deliverkit.report.tls_rpt import TlsRptReport

SCHEMA: Final = "deliverkit/report/1"

Verdict: TypeAlias = Literal["pass", "fail", "inconclusive"]
Location: TypeAlias = location.Location


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """Who wrote the report."""

    name: str
    version: str


class ResolverReport(msgspec.Struct, frozen=True, kw_only=True):
    """A resolver that was asked. `public`, `validating`: null where it is not known."""

    address: str
    public: bool | None
    validating: bool | None


class Vantage(msgspec.Struct, frozen=True, kw_only=True):
    """From where the world was looked at."""

    resolvers: tuple[ResolverReport, ...]
    ipv4: bool | None
    ipv6: bool | None


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Rules by status; `fail` counts rules, not findings."""

    passed: int = msgspec.field(name="pass")
    fail: int
    not_applicable: int
    inconclusive: int


class MarkReport(msgspec.Struct, frozen=True, kw_only=True):
    """Characters `start` to `end` (exclusive) of an exhibit's text, and what is to be seen there."""

    start: int
    end: int
    note: str


class ExhibitReport(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of evidence with its place and its marks; `evidence` holds the bare texts."""

    title: str
    text: str
    marks: tuple[MarkReport, ...]


class ChangeReport(msgspec.Struct, frozen=True, kw_only=True):
    """The record to publish: at `name` of type `rdtype`, `before` replaced by `after` (null: delete)."""

    name: str
    rdtype: str
    before: str | None
    after: str | None


class FindingReport(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one subject."""

    rule: str
    area: str
    severity: str
    subject: str
    message: str
    evidence: tuple[str, ...]
    fix: str
    references: tuple[str, ...]
    who: str
    location: Location | None
    fingerprint: str
    part_of: str | None
    exhibits: tuple[ExhibitReport, ...]
    change: ChangeReport | None


class SuppressedReport(FindingReport, frozen=True, kw_only=True):
    """A finding that was accepted, and by what: why, and until which day, where that is said."""

    by: Literal["ignore", "baseline"]
    reason: str | None = None
    expires: str | None = None
    """YYYY-MM-DD."""


class InconclusiveReport(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that could not be decided. `severity` is what its finding would have been."""

    rule: str
    area: str
    severity: str
    why: str


class Facts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known, by area; an area that was not asked for is absent."""

    mx: MxReport | None = None
    spf: SpfReport | None = None
    dkim: DkimReport | None = None
    dmarc: DmarcReport | None = None
    mta_sts: MtaStsReport | None = None
    tls_rpt: TlsRptReport | None = None
    dane: DaneReport | None = None
    dnssec: DnssecReport | None = None
    smtp: SmtpReport | None = None
    dns: DnsReport | None = None
    delivery: AuthenticationReport | None = None
    second_opinion: SecondOpinionReport | None = None


class QuestionReport(msgspec.Struct, frozen=True, kw_only=True):
    """One DNS question, what became of it, and who was asked."""

    name: str
    rdtype: str
    outcome: str
    records: tuple[str, ...]
    server: str
    elapsed_ms: float


class TargetReport(msgspec.Struct, frozen=True, kw_only=True):
    """One target's verdict. `unicode` is the name as people write it, `role` what the domain was taken for.

    `error` is set where judging the target met a bug of ours; `questions` stands only in a verbose run. A target whose
    `about` is `config` is a file of the user's, in which the run itself found something: an ignore that has expired.
    """

    target: str
    unicode: str
    role: Literal["mail", "no-mail", "parked", "nonexistent"] | None
    verdict: Verdict
    counts: Counts
    findings: tuple[FindingReport, ...]
    inconclusive: tuple[InconclusiveReport, ...]
    suppressed: tuple[SuppressedReport, ...]
    facts: Facts
    passed: tuple[str, ...]
    """The ids of the rules that passed."""
    not_applicable: tuple[str, ...] = ()
    """The ids of the rules that had nothing to judge."""
    duration_ms: float
    error: str | None = None
    about: Literal["config"] | msgspec.UnsetType = msgspec.UNSET
    questions: tuple[QuestionReport, ...] | msgspec.UnsetType = msgspec.UNSET
    outside: tuple[InconclusiveReport, ...] | msgspec.UnsetType = msgspec.UNSET
    """Of `lint`: the rules that do not apply because they need a name outside the files."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    schema: Literal["deliverkit/report/1"]
    tool: Tool
    started_at: str
    duration_ms: float
    verdict: Verdict
    exit_code: int
    vantage: Vantage
    targets: tuple[TargetReport, ...]
