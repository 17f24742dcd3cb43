"""`deliverkit schema`."""

from __future__ import annotations

from typing import Annotated

from typer import Argument

from deliverkit.cli import terminal
from deliverkit.cli.declare import application
from deliverkit.cli.errors import UsageError, nearest
from deliverkit.cli.options import Painting
from deliverkit.config import document as configuration
from deliverkit.evidence import saved as evidence
from deliverkit.model import escaped
from deliverkit.render import json
from deliverkit.replies import document as reply
from deliverkit.replies.document import ReplyReport
from deliverkit.replies.summary import SCHEMA as SUMMARY_SCHEMA
from deliverkit.replies.summary import Summary
from deliverkit.report import Report, delivery, diff, document

_DOCUMENTS = {
    "report": (Report, document.SCHEMA),
    "delivery": (delivery.DeliveryReport, delivery.SCHEMA),
    "diff": (diff.DiffReport, diff.SCHEMA),
    "evidence": (evidence.Evidence, evidence.SCHEMA),
    "reply": (ReplyReport, reply.SCHEMA),
    "reply-summary": (Summary, SUMMARY_SCHEMA),
    "config": (configuration.Document, configuration.SCHEMA),
}
_THERE = f"{', '.join([*_DOCUMENTS][:-1])} and {[*_DOCUMENTS][-1]}"


def schema(
    *,
    document: Annotated[
        str, Argument(metavar="DOCUMENT", help="report, delivery, diff, evidence, reply, reply-summary or config.")
    ],
    painting: Painting,
) -> int:
    """Print the JSON Schema of a document."""
    del painting  # a schema is JSON whatever is asked
    if document not in _DOCUMENTS:
        hint = nearest(document, _DOCUMENTS) or f"; there are {_THERE}"
        raise UsageError(f"no such document: {escaped(document)}{hint}")
    kind, name = _DOCUMENTS[document]
    terminal.write(json.schema(kind, name))
    return 0


app = application(schema, name="schema")
