"""The last stop of the tour: three deliveries to mailboxes of the lab's that have a mood of their own."""

from __future__ import annotations

import time
from typing import Final

import msgspec

from deliverkit.delivery.message import compose
from deliverkit.delivery.request import SendRequest
from deliverkit.records.mailbox import parse_mailbox
from deliverkit.render.text import delivery as text
from deliverkit.render.text.sheet import Look, Sheet
from deliverkit.report.delivery import DeliveryReport
from deliverkit.runs.options import RunOptions
from deliverkit.runs.send import send

SENDER: Final = "me@healthy.example"
HELO: Final = "client.healthy.example"


class Letter(msgspec.Struct, frozen=True):
    """A delivery on the tour; `whole`: with its conversation."""

    to: str
    before: str
    whole: bool = False

    @property
    def typed(self) -> str:
        """The command that does the same, less where to ask."""
        return f"deliverkit send --from {SENDER} --to {self.to}{'' if self.whole else ' -q'}"


LETTERS: Final = (
    Letter("greylist@healthy.example", "A server that has never seen you tells you to come back.", whole=True),
    Letter("user-unknown@healthy.example", "A mailbox that does not exist."),
    Letter("mailbox-full@healthy.example", "A mailbox without room."),
)
TITLE: Final = "A message on its way"
BEFORE: Final = (
    "A test message goes out as a mail server would hand it over: by the domain's MX hosts, held to its DANE records. "
    "Each reply that is no yes is explained: what it means, and whose move it is."
)
AFTER: Final = (
    "--retry-for 1h waits, and goes again as a mail server does; deliverkit decode explains a reply from a log."
)


async def deliver(letter: Letter, connect_to: tuple[str, ...], options: RunOptions) -> DeliveryReport:
    """One delivery to the lab."""
    sender, recipient = parse_mailbox(SENDER), parse_mailbox(letter.to)
    message = compose(
        sender=sender, recipients=(recipient,), subject=None, body=None, headers=(), now=time.time(), host=HELO
    )
    request = SendRequest(sender=sender, recipients=(recipient,), message=message, helo=HELO, connect_to=connect_to)
    return await send(request, options)


def shown(letter: Letter, report: DeliveryReport, look: Look) -> str:
    """The command, and what it printed."""
    sheet = Sheet(look)
    sheet.prose(letter.before)
    sheet.blank()
    sheet.line("$ ", (letter.typed, "bold"))
    quiet = msgspec.structs.replace(look, quiet=not letter.whole)
    return f"{sheet.render()}\n{text.render([report], quiet)}\n"
