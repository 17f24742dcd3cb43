"""A report to one HTML page, by Jinja2 with autoescape on.

One choke point: whatever a template prints goes through the sanitiser first (`finalize`), and then through the escaping
of HTML. The page holds its style, no script, and loads nothing: its own policy (CSP) forbids it. Its only links are its
own anchors and RFC pages.
"""

from __future__ import annotations

import functools
import re
from importlib import resources
from typing import Any, Final

import jinja2
from markupsafe import Markup

from deliverkit.model import escaped
from deliverkit.render import overview
from deliverkit.render.formats import View
from deliverkit.render.html import content
from deliverkit.report import Report

_COMMAND: Final = re.compile(r"(?m)^([^\S\n]*):(?=:)")
_OBEYED: Final = re.compile(r"#(?=#(?:\[|[A-Za-z]{1,32}\[))")


def render(report: Report, view: View) -> str:
    """The whole page."""
    page = _environment().get_template("report.html").render(run=content.run(report, view))
    return _defused(page)


@functools.cache
def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        autoescape=True,
        loader=jinja2.FunctionLoader(_source),
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["ticked"] = content.ticked
    made.filters["sentence"] = overview.sentence
    made.filters["newline"] = Markup
    return made


def _source(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")


def _shown(value: Any) -> Any:
    """What a template prints, on one line and without what acts on its reader; markup of ours as it stands."""
    if isinstance(value, Markup):
        return value
    if value is None:
        raise TypeError("a template printed nothing where something was meant")
    return escaped(str(value))


def _defused(page: str) -> str:
    """Without what a CI runner obeys in a log: `::` where a line begins, `##[` and `##vso[` anywhere."""
    return _OBEYED.sub("&#35;", _COMMAND.sub(r"\1&#58;", page))
