"""Requests and worlds that tests of deliveries share."""

from __future__ import annotations

from typing import Any

from deliverkit.delivery.message import compose
from deliverkit.delivery.request import SendRequest
from deliverkit.records.mailbox import parse_mailbox

TWO = """
example.net.      MX   10 mx1.example.net.
example.net.      MX   20 mx2.example.net.
mx1.example.net.  A    192.0.2.25
mx2.example.net.  A    192.0.2.26
"""
SERVERS = "[smtp mx1.example.net:25]\n{first}\n[smtp mx2.example.net:25]\n{second}\n"


def two(first: str = "", second: str = "") -> str:
    return TWO + SERVERS.format(first=f"domains example.net\n{first}", second=f"domains example.net\n{second}")


def requested(*to: str, sender: str = "me@example.com", **words: Any) -> SendRequest:
    mailboxes = tuple(parse_mailbox(text) for text in to or ("you@example.net",))
    author = parse_mailbox(sender)
    message = compose(
        sender=author,
        recipients=mailboxes,
        subject="a test",
        body="hello",
        headers=[],
        now=1.7e9,
        host="client.example",
    )
    return SendRequest(**({"sender": author, "recipients": mailboxes, "message": message} | words))
