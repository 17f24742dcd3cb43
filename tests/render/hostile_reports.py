"""Reports in which every text is a peer's, and the peer is hostile: what every format has to hold against."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st

from deliverkit.render.formats import View
from deliverkit.report import Counts, FindingReport, InconclusiveReport, Report, SuppressedReport, TargetReport, Tool
from deliverkit.report.document import SCHEMA, ExhibitReport, Facts, Location, Vantage

EVIL: Final = (
    "", " ", "\x00", "\x1b[31mred\x1b[0m", "\x1b]8;;http://x.example\x07", "\x9b31m", "\u202egnp.exe", "\u2028",
    "\ufffe", "\ud800", "\U000e0041", "a\u0300\u0301\u0302\u0303", "::error::x", "  ::set-output name=a::b",
    "##[error]x", "##vso[task.x]y", "a\r\n::stop-commands::x", "x\n::error::y", "=1+1", "+1", "-1", "@SUM(A1)",
    "\t=1", "\r=1", '=HYPERLINK("http://x.example","y")', " =1", "＝1+1", "]]>", "<script>alert(1)</script>",
    "&amp;&#0;", '"><x y="', "' or '", 'a"b\\"c', "\\", "\\n", '{x="y"}', "a|b", "| x", "`x`", "``` x",
    "[x](http://x.example)", "![x](y)", "@someone", "#1", "<details>", "%0A::error::x", "%25", "a,b:c", "[red]x[/]",
    "{0}", "${x}", "$(x)", "x" * 5000, "é" * 600, "a\nb\nc", "\n", ";;;", "../../etc/passwd",
    "https://x.example/?a=1&b=2", "bücher.example", "почта", "日本語", "😀",
)  # fmt: skip
TEXTS: Final = st.one_of(
    st.sampled_from(EVIL),
    st.text(st.characters(exclude_categories=()), max_size=40),
    st.builds("".join, st.lists(st.sampled_from(EVIL), max_size=4)),
)
RULES: Final = (
    "mx-is-cname", "spf-missing", "spf-too-many-lookups", "dmarc-missing", "tls-rpt-missing", "dkim-none-published",
    "tls-certificate-expired", "config-ignore-expired", "zone-not-a-rule-of-this-version",
)  # fmt: skip
SEVERITIES: Final = ("error", "warning", "notice")
LOCATIONS: Final = st.none() | st.builds(
    Location, path=TEXTS, line=st.integers(1, 10**7), column=st.none() | st.integers(1, 10**5)
)
EXHIBITS: Final = st.builds(ExhibitReport, title=TEXTS, text=TEXTS, marks=st.just(()))


def _fields() -> dict[str, Any]:
    return {
        "rule": st.sampled_from(RULES),
        "area": st.sampled_from(("mx", "spf", "dmarc", "tls-rpt")),
        "severity": st.sampled_from(SEVERITIES),
        "subject": TEXTS,
        "message": TEXTS,
        "evidence": st.lists(TEXTS, max_size=3).map(tuple),
        "fix": TEXTS,
        "references": st.just(("RFC 7208 §4.6.4", "Somebody's page")),
        "who": st.just("dns-admin"),
        "location": LOCATIONS,
        "fingerprint": st.sampled_from(("00112233445566778899", "aabbccddeeff00112233")),
        "part_of": st.none() | st.sampled_from(RULES),
        "exhibits": st.lists(st.builds(ExhibitReport, title=TEXTS, text=TEXTS, marks=st.just(())), max_size=2).map(
            tuple
        ),
        "change": st.none(),
    }


FINDINGS: Final = st.builds(FindingReport, **_fields())
SUPPRESSED: Final = st.builds(SuppressedReport, by=st.sampled_from(("ignore", "baseline")), **_fields())
UNCLEAR: Final = st.builds(
    InconclusiveReport,
    rule=st.sampled_from(RULES),
    area=st.just("spf"),
    severity=st.sampled_from(SEVERITIES),
    why=TEXTS,
)
COUNTS: Final = st.builds(
    Counts,
    passed=st.integers(0, 99),
    fail=st.integers(0, 99),
    not_applicable=st.integers(0, 99),
    inconclusive=st.integers(0, 99),
)
TARGETS: Final = st.builds(
    TargetReport,
    target=TEXTS,
    unicode=TEXTS,
    role=st.none(),
    verdict=st.sampled_from(("pass", "fail", "inconclusive")),
    counts=COUNTS,
    findings=st.lists(FINDINGS, max_size=4).map(tuple),
    inconclusive=st.lists(UNCLEAR, max_size=4).map(tuple),
    suppressed=st.lists(SUPPRESSED, max_size=2).map(tuple),
    facts=st.just(Facts()),
    passed=st.just(("spf-no-all", "mx-is-ip")),
    not_applicable=st.just(("dane-mismatch",)),
    duration_ms=st.floats(0, 1e6),
    error=st.none() | TEXTS,
)


def _report(targets: list[TargetReport], code: int) -> Report:
    verdicts = {target.verdict for target in targets}
    return report_of(
        *targets,
        verdict=next((word for word in ("fail", "inconclusive") if word in verdicts), "pass"),
        exit_code=code,
    )


def report_of(*targets: TargetReport, **more: Any) -> Report:
    """A report of these targets."""
    fields: dict[str, Any] = {
        "schema": SCHEMA,
        "tool": Tool(name="deliverkit", version="0.1.0"),
        "started_at": "2026-11-26T12:00:00Z",
        "duration_ms": 412.0,
        "verdict": "fail",
        "exit_code": 1,
        "vantage": Vantage(resolvers=(), ipv4=True, ipv6=False),
        "targets": targets,
    }
    return Report(**{**fields, **more})


REPORTS: Final = st.builds(_report, st.lists(TARGETS, max_size=3), st.sampled_from((0, 1, 3, 4)))
VIEWS: Final = st.builds(
    View,
    fail_on=st.sampled_from(("error", "warning", "notice", "never")),
    where=st.none() | st.builds(lambda place: lambda _target: place, LOCATIONS),
)


def finding(rule: str = "spf-missing", **more: Any) -> FindingReport:
    """A finding, like one of `check`'s."""
    fields: dict[str, Any] = {
        "rule": rule,
        "area": "spf",
        "severity": "error",
        "subject": "example.com",
        "message": "no SPF record",
        "evidence": (),
        "fix": "Publish one.",
        "references": ("RFC 7208 §4.5",),
        "who": "dns-admin",
        "location": None,
        "fingerprint": "00112233445566778899",
        "part_of": None,
        "exhibits": (),
        "change": None,
    }
    return FindingReport(**{**fields, **more})


def accepted(by: str = "baseline", **more: Any) -> SuppressedReport:
    """A finding that was accepted."""
    plain = finding(**more)
    return SuppressedReport(**{name: getattr(plain, name) for name in plain.__struct_fields__}, by=by)


def unclear(rule: str = "dmarc-missing", severity: str = "error", why: str = "SERVFAIL") -> InconclusiveReport:
    """A rule that could not be decided."""
    return InconclusiveReport(rule=rule, area=rule.partition("-")[0], severity=severity, why=why)


def target(name: str = "example.com", *findings: FindingReport, **more: Any) -> TargetReport:
    """A target with these findings."""
    fields: dict[str, Any] = {
        "target": name,
        "unicode": name,
        "role": "mail",
        "verdict": "fail" if findings else "pass",
        "counts": Counts(passed=2, fail=len(findings), not_applicable=1, inconclusive=0),
        "findings": findings,
        "inconclusive": (),
        "suppressed": (),
        "facts": Facts(),
        "passed": ("spf-no-all", "mx-is-ip"),
        "not_applicable": ("dane-mismatch",),
        "duration_ms": 200.0,
    }
    return TargetReport(**{**fields, **more})
