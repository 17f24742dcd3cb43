"""Prometheus' text format (0.0.4), for node_exporter's textfile collector or a push gateway.

Gauges, each family once, no sample twice. What says how an alert is to be written stands in docs/formats.md.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from deliverkit.render.entries import line
from deliverkit.render.formats import View
from deliverkit.report.document import Report, TargetReport

Sample: TypeAlias = tuple[tuple[tuple[str, str], ...], float]
"""Its labels, and its value."""
_LONGEST: Final = 256
_SEVERITIES: Final = ("error", "warning", "notice")


def render(report: Report, view: View) -> str:  # noqa: ARG001 - every format's signature
    """The families."""
    targets = report.targets
    return "".join(
        (
            _family("build_info", "Which deliverkit made this.", [((("version", report.tool.version),), 1)]),
            _family("run_timestamp_seconds", "When the run began.", [((), _seconds(report.started_at))]),
            _family("run_duration_seconds", "How long the run took.", [((), report.duration_ms / 1000)]),
            _family("run_exit_code", "The run's exit code.", [((), report.exit_code)]),
            _family("verdict", "1 for the verdict that a target has, 0 for the others.", _verdicts(targets)),
            _family("rules", "Rules of a target by status.", _rules(targets)),
            _family("findings", "Findings of a target by severity.", _severities(targets)),
            _family("finding", "Findings of a target by rule.", _findings(targets)),
            _family("suppressed_findings", "Findings of a target that were accepted.", _suppressed(targets)),
            _family("inconclusive", "1 for a rule that could not be determined.", _unclear(targets)),
            _family("target_duration_seconds", "How long a target took.", _durations(targets)),
            _family("spf_lookups", "DNS lookups that the SPF record takes; receivers stop at 10.", _lookups(targets)),
            _family(
                "certificate_not_after_seconds", "When the certificate of an endpoint expires.", _expiries(targets)
            ),
        )
    )


def label(text: str) -> str:
    """A label's value, quoted and escaped."""
    safe = line(text, _LONGEST).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{safe}"'


def _family(name: str, says: str, samples: Sequence[Sample]) -> str:
    """A family with each set of labels once; nothing where it has no sample."""
    if not samples:
        return ""
    name = f"deliverkit_{name}"
    once: dict[str, float] = {}
    for labels, value in samples:
        once.setdefault(",".join(f"{key}={label(text)}" for key, text in labels), value)
    lines = [f"# HELP {name} {says}", f"# TYPE {name} gauge"]
    for told, value in sorted(once.items()):
        lines.append(f"{name}{{{told}}} {_number(value)}" if told else f"{name} {_number(value)}")
    return "".join(f"{each}\n" for each in lines)


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.6g}" if abs(value) < 1e6 else f"{value:.3f}"  # noqa: PLR2004 - digits


def _seconds(time: str) -> float:
    return dt.datetime.fromisoformat(time).timestamp()


def _verdicts(targets: Sequence[TargetReport]) -> list[Sample]:
    verdicts = ("pass", "fail", "inconclusive")
    return [
        ((("target", target.target), ("verdict", verdict)), int(target.verdict == verdict))
        for target in targets
        for verdict in verdicts
    ]


def _rules(targets: Sequence[TargetReport]) -> list[Sample]:
    return [
        ((("target", target.target), ("status", status)), number)
        for target in targets
        for status, number in (
            ("pass", target.counts.passed),
            ("fail", target.counts.fail),
            ("not-applicable", target.counts.not_applicable),
            ("inconclusive", target.counts.inconclusive),
        )
    ]


def _severities(targets: Sequence[TargetReport]) -> list[Sample]:
    return [
        (
            (("target", target.target), ("severity", severity)),
            sum(finding.severity == severity for finding in target.findings),
        )
        for target in targets
        for severity in _SEVERITIES
    ]


def _findings(targets: Sequence[TargetReport]) -> list[Sample]:
    found = Counter(
        (("target", target.target), ("rule", each.rule), ("area", each.area), ("severity", each.severity))
        for target in targets
        for each in target.findings
    )
    return list(found.items())


def _suppressed(targets: Sequence[TargetReport]) -> list[Sample]:
    return [((("target", target.target),), len(target.suppressed)) for target in targets]


def _unclear(targets: Sequence[TargetReport]) -> list[Sample]:
    return [
        ((("target", target.target), ("rule", each.rule), ("area", each.area), ("severity", each.severity)), 1)
        for target in targets
        for each in target.inconclusive
    ]


def _durations(targets: Sequence[TargetReport]) -> list[Sample]:
    return [((("target", target.target),), target.duration_ms / 1000) for target in targets]


def _lookups(targets: Sequence[TargetReport]) -> list[Sample]:
    return [
        ((("target", target.target),), target.facts.spf.lookups)
        for target in targets
        if target.facts.spf is not None and target.facts.spf.lookups is not None
    ]


def _expiries(targets: Sequence[TargetReport]) -> list[Sample]:
    return list(_endpoints(targets))


def _endpoints(targets: Sequence[TargetReport]) -> Iterator[Sample]:
    for target in targets:
        for endpoint in target.facts.smtp.endpoints if target.facts.smtp is not None else ():
            if endpoint.tls is not None and endpoint.tls.certificate is not None:
                yield (
                    (
                        ("target", target.target),
                        ("host", endpoint.host),
                        ("address", endpoint.address or ""),
                        ("port", str(endpoint.port)),
                    ),
                    _seconds(endpoint.tls.certificate.not_after),
                )
