"""The SARIF log: one run, its results, and as notifications what could not be determined.

GitHub refuses a file with a result that has no location, or of more than 25,000 results or 10 MB. What exceeds
that is left out, the mildest first, and a notification says so.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any, Final
from urllib.parse import quote

from deliverkit.model import Severity
from deliverkit.render.anchor import located
from deliverkit.render.entries import Entry, found, gist, worst_first
from deliverkit.render.formats import View
from deliverkit.render.json import safe
from deliverkit.render.sarif.rules import LEVELS, descriptors, plain
from deliverkit.report.document import Location, Report, SuppressedReport

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT: Final = "deliverkit/v1"
MOST_RESULTS: Final = 25_000
MOST_OCTETS: Final = 10_000_000
_MOST_NOTIFICATIONS: Final = 1000
_AROUND: Final = 200_000
"""Octets kept for all but results, rules and notifications, and for the separators between them."""


def render(report: Report, view: View) -> str:
    """The log."""
    listed = worst_first(
        entry
        for target in report.targets
        for findings in (target.findings, target.suppressed)
        for entry in found(target, findings, view)
    )
    # What was accepted is shown as such; it goes first where there is too much.
    listed.sort(key=lambda entry: entry.status == "suppressed")
    unclear = [entry for entry in gist(report, view) if entry.status == "inconclusive"]
    rules = descriptors(dict.fromkeys(entry.rule for entry in (*listed, *unclear)))
    places = {rule["id"]: number for number, rule in enumerate(rules)}
    marked = any(entry.status == "suppressed" for entry in listed)
    notifications = [_notification(entry, places) for entry in unclear[:_MOST_NOTIFICATIONS]]
    room = MOST_OCTETS - _AROUND - len(_dumped(rules)) - len(_dumped(notifications))
    results: list[dict[str, Any]] = []
    for entry in listed[:MOST_RESULTS]:
        result = _result(entry, places, marked=marked)
        room -= len(_dumped(result))
        if room < 0:
            break
        results.append(result)
    notifications += _left_out(len(listed) - len(results), "result")
    notifications += _left_out(len(unclear) - _MOST_NOTIFICATIONS, "notification")
    return _dumped(_log(report, view.command, rules, results, notifications)).decode() + "\n"


def _log(
    report: Report,
    command: str,
    rules: list[dict[str, Any]],
    results: list[dict[str, Any]],
    notifications: list[dict[str, Any]],
) -> dict[str, Any]:
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": report.tool.name,
                        "version": report.tool.version,
                        "semanticVersion": report.tool.version,
                        "rules": rules,
                    }
                },
                "automationDetails": {"id": f"deliverkit/{command}/"},  # a category of its own for each command
                "columnKind": "unicodeCodePoints",
                "invocations": [
                    {
                        "executionSuccessful": all(target.error is None for target in report.targets),
                        "exitCode": report.exit_code,
                        "startTimeUtc": report.started_at,
                        "endTimeUtc": _end(report),
                        "toolExecutionNotifications": notifications,
                    }
                ],
                "results": results,
            }
        ],
    }


def _result(entry: Entry, places: dict[str, int], *, marked: bool) -> dict[str, Any]:
    finding = entry.finding
    if finding is None:
        raise ValueError(f"{entry.rule}: what is undetermined is a notification")
    said = f"{entry.subject}: {entry.message}"
    result: dict[str, Any] = {
        "ruleId": entry.rule,
        "ruleIndex": places[entry.rule],
        "kind": "fail",
        "level": LEVELS[Severity(entry.severity)],
        "message": {"text": plain("\n".join([said, "", *finding.fix.split("\n")]) if finding.fix else said)},
        "locations": [_location(entry)],
        "partialFingerprints": {FINGERPRINT: finding.fingerprint},
        "properties": {
            "target": plain(entry.target),
            "area": entry.area,
            "subject": plain(entry.subject),
            "who": finding.who,
            "evidence": [plain(text) for text in finding.evidence],
            "partOf": finding.part_of,
        },
    }
    if marked:  # on one result: on all (§3.27.23)
        result["suppressions"] = [_suppression(finding)] if isinstance(finding, SuppressedReport) else []
    return result


def _suppression(finding: SuppressedReport) -> dict[str, Any]:
    reason = plain(finding.reason) if finding.reason else f"accepted by {finding.by}"
    return {"kind": "external", "status": "accepted", "justification": reason}


def _location(entry: Entry) -> dict[str, Any]:
    return {
        "physicalLocation": _physical(located(entry)),
        "logicalLocations": [
            {"name": plain(entry.subject), "fullyQualifiedName": plain(entry.subject), "kind": "resource"}
        ],
    }


def _physical(place: Location) -> dict[str, Any]:
    region = {"startLine": place.line}
    if place.column is not None:
        region["startColumn"] = place.column
    return {"artifactLocation": {"uri": _uri(place.path)}, "region": region}


def _uri(path: str) -> str:
    """A path as a URI reference: what is absolute by its scheme, all else relative to the repository's root."""
    quoted = quote(path.encode("utf-8", "replace"), safe="/~")
    return f"file://{quoted}" if path.startswith("/") else quoted


def _notification(entry: Entry, places: dict[str, int]) -> dict[str, Any]:
    return {
        "associatedRule": {"id": entry.rule, "index": places[entry.rule]},
        "level": "warning",
        "message": {"text": plain(f"{entry.target}: not determined: {entry.message}")},
        "locations": [_location(entry)],
    }


def _left_out(number: int, what: str) -> list[dict[str, Any]]:
    if number <= 0:
        return []
    return [{"level": "warning", "message": {"text": f"left out, to stay under GitHub's limits: {what}s: {number}"}}]


def _end(report: Report) -> str:
    ended = dt.datetime.fromisoformat(report.started_at) + dt.timedelta(milliseconds=report.duration_ms)
    return ended.strftime("%Y-%m-%dT%H:%M:%SZ")


def _dumped(value: Any) -> bytes:
    return safe(json.dumps(value, ensure_ascii=False, separators=(",", ":"))).encode("utf-8")
