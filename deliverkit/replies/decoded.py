"""What a reply comes to: one record, whole whatever came.

`class_` is `class` in JSON. `retry` follows the class alone: whether a standard mail server would try the
same message again, unchanged (RFC 5321 §4.2.1); what the cause makes of that stands in `action`.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

Class = Literal["permanent", "temporary", "success", "intermediate", "unknown"]
Who = Literal["dns-admin", "mail-admin", "hoster", "sender", "recipient", "recipient-admin", "provider", "nobody"]

STAGES: Final = ("route", "connect", "banner", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "eod", "quit")
"""Where in a delivery a reply may come; `eod` is the reply to the final dot."""

CATEGORIES: Final = (
    "success", "no-such-user", "recipient-disabled", "recipient-blocked", "mailbox-full", "recipient-domain",
    "sender-rejected", "sender-domain", "auth-spf", "auth-dkim", "auth-dmarc", "auth-any", "ptr", "helo", "blocklist",
    "reputation", "rate-limit", "greylisting", "content", "virus", "message-format", "size", "recipients-limit",
    "policy", "relay", "smtp-auth", "tls", "protocol", "network", "loop", "remote-temporary", "other",
)  # fmt: skip


class Scope(msgspec.Struct, frozen=True):
    """Whom or what the reply speaks of, as far as its text names it; `url` is one that it blames."""

    ip: str | None = None
    domain: str | None = None
    url: str | None = None


class Decoded(msgspec.Struct, frozen=True, kw_only=True):
    """A reply, explained. `meaning`, `cause` and `action` are whole sentences and never empty."""

    input: str
    """The text as it came, cut at 8,192 characters; octets that were no text as `\\xNN`."""
    code: int | None
    """The basic code of the last line that has one (RFC 5321 §4.2.1)."""
    enhanced: str | None
    """The enhanced status code (RFC 3463), `5.7.26`."""
    class_: Class = msgspec.field(name="class")
    stage: str | None
    provider: str | None
    """The slug of the provider that speaks (`gmail`), where text, host or caller tells it."""
    provider_name: str | None = None
    category: str
    detail: str | None = None
    meaning: str
    cause: str
    action: str
    who: Who
    retry: bool
    wait_s: int | None = None
    """Seconds to wait before the next try, where the reply or the provider's page says so."""
    scope: Scope
    list: str | None = None
    """The name of the block list the reply goes by."""
    ticket_url: str | None = None
    """The page of the reply that explains the refusal or takes a request."""
    references: tuple[str, ...]
    registered: bool
    """Whether basic and enhanced code are both registered, with IANA or by an RFC."""
    disagreement: str | None = None
    """What is said where the codes differ in class; the basic code decides."""
