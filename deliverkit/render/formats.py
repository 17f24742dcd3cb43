"""The formats of a report: each name, and the module that renders it, loaded when it is asked for.

A module of `MODULES` has `render(report, view)`, which gives the whole document as one string. It reads the report and
nothing else; `view` says what is the caller's to know.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Final

import msgspec

from deliverkit.render.text.sheet import Look
from deliverkit.report.document import FindingReport, Location, Report


class View(msgspec.Struct, frozen=True, kw_only=True):
    """Beside the report: how text is shown, which command ran, what failed it, and where a domain is configured."""

    look: Look = Look()
    command: str = "check"
    fail_on: str = "error"
    where: Callable[[str], Location | None] | None = None
    """The line of a domain in the configuration; None where there is no configuration."""

    def place(self, target: str, finding: FindingReport | None = None) -> Location | None:
        """Where a finding, or what concerns a target, is to be shown: its own line, else the configuration's."""
        if finding is not None and finding.location is not None:
            return finding.location
        return self.where(target) if self.where is not None else None


MODULES: Final = {
    "compact": "deliverkit.render.compact",
    "jsonl": "deliverkit.render.jsonl",
    "csv": "deliverkit.render.csv",
    "markdown": "deliverkit.render.markdown.report",
    "html": "deliverkit.render.html.page",
    "junit": "deliverkit.render.junit",
    "sarif": "deliverkit.render.sarif",
    "github": "deliverkit.render.github",
    "gitlab": "deliverkit.render.gitlab",
    "nagios": "deliverkit.render.nagios",
    "prometheus": "deliverkit.render.prometheus",
}
FORMATS: Final = ("text", "json", *MODULES)


def render(name: str, report: Report, view: View) -> str:
    """The report in the format of this name, one of `FORMATS`."""
    if name == "text":
        from deliverkit.render.text.page import render as text  # noqa: PLC0415 - loaded ahead, while answers are awaited

        return text(report, view.look, command=view.command)
    if name == "json":
        from deliverkit.render import json  # noqa: PLC0415 - only where it is asked for

        return json.render(report)
    module: Any = importlib.import_module(MODULES[name])
    made: str = module.render(report, view)
    return made
