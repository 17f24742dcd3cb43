"""Every question of a run, each as the dig command that asks it again."""

from __future__ import annotations

import re
import shlex
import urllib.parse
from collections.abc import Sequence

import msgspec

from deliverkit.model import shown
from deliverkit.render.text.sheet import Sheet
from deliverkit.render.text.words import count, seconds
from deliverkit.report import QuestionReport


def write_questions(sheet: Sheet, questions: Sequence[QuestionReport] | msgspec.UnsetType) -> None:
    """The questions in the order in which they were answered."""
    if isinstance(questions, msgspec.UnsetType) or not questions:
        return
    sheet.blank()
    sheet.line((count(len(questions), "question"), "bold"))
    for question in questions:
        sheet.ends((dig(question),), ((f"{question.outcome}  {seconds(question.elapsed_ms)}", "dim"),), indent=2)
        for record in question.records:
            sheet.line((shown(record), "dim"), indent=6)


def dig(question: QuestionReport) -> str:
    """The command line; where no server was asked, as for a zone file, the question alone."""
    name = shlex.quote(f"{shown(question.name)}.")
    return " ".join(["dig", *_server(question.server), name, question.rdtype])


def _server(server: str) -> list[str]:
    if server.startswith("https://"):
        url = urllib.parse.urlsplit(server)
        path = "" if url.path in {"", "/dns-query"} else f"={shlex.quote(url.path)}"
        return [f"+https{path}", f"@{shlex.quote(url.hostname or '')}", *(["-p", str(url.port)] if url.port else [])]
    extra = []
    if server.startswith("tls://"):
        server = server.removeprefix("tls://").partition("/")[0]
        extra = ["+tls"]
    address, _, port = server.partition("#")
    if not re.fullmatch(r"[0-9a-fA-F.:]+", address) or not re.fullmatch(r"\d*", port):
        return []
    return [*extra, f"@{address}", *(["-p", port] if port else [])]
