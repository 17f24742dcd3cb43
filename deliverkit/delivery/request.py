"""What a delivery was asked to be."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from deliverkit.delivery.message import Message, read
from deliverkit.delivery.queue_item import QueueItem
from deliverkit.model import Mode, Stage
from deliverkit.records.mailbox import Mailbox, parse_mailbox, parse_sender

MOST_RECIPIENTS: Final = 10
"""Of one message: a test needs no more, and a list of strangers must not be tried."""


class SendRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message, to whom and how. Holds no secret: of a login only who and how, and where its secret is found."""

    sender: Mailbox | None
    """None is the null reverse-path `<>`."""
    recipients: tuple[Mailbox, ...]
    message: Message
    server: str | None = None
    """A host or an address that the user named; None: by MX."""
    port: int | None = None
    """Of the server; None: 465 with implicit TLS, 587 with a login, else 25."""
    mode: Mode = Mode.AUTO
    user: str | None = None
    mechanism: str | None = None
    insecure_auth: bool = False
    password_env: str | None = None
    password_file: str | None = None
    helo: str = ""
    source_address: str | None = None
    dsn: bool = False
    require_tls: bool = False
    pipelining: bool = True
    stop_after: Stage | None = None
    retry_for: float | None = None
    """Seconds for which a deferred message is tried again; None: one try."""
    connect_to: tuple[str, ...] = ()
    allow_private: bool = False
    ipv4: bool = True
    ipv6: bool = True
    dry_run: bool = False

    @property
    def everyone(self) -> tuple[str, ...]:
        """The recipients' addresses, in their order."""
        return tuple(mailbox.address for mailbox in self.recipients)


def options_of(request: SendRequest) -> dict[str, Any]:
    """The request as the queue keeps it: all but the envelope and the message, which have places of their own."""
    kept = msgspec.to_builtins(request)
    return {name: value for name, value in kept.items() if name not in ("sender", "recipients", "message", "dry_run")}


def request_of(item: QueueItem) -> SendRequest:
    """The request of a queued message. Raises ValueError where another version wrote it and it cannot be read."""
    try:
        return msgspec.convert(
            {
                **item.options,
                "sender": msgspec.to_builtins(parse_sender(item.sender)) if item.sender else None,
                "recipients": [msgspec.to_builtins(parse_mailbox(one.address)) for one in item.recipients],
                "message": msgspec.to_builtins(read(item.message), builtin_types=(bytes,)),
            },
            SendRequest,
            builtin_types=(bytes,),
        )
    except msgspec.ValidationError as error:
        raise ValueError(f"message {item.id} of the queue cannot be read: {error}") from error
