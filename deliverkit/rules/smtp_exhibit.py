"""What a conversation showed, as evidence, and whose it is."""

from __future__ import annotations

from typing import Final

from deliverkit.facts.smtp import Endpoint
from deliverkit.model import Exhibit, Found, Inconclusive, Mark, NotApplicable, Severity, need
from deliverkit.smtp.reply import Reply, decoded

SUBMISSION_PORTS: Final = (465, 587, 2525)
"""Where mail programs and applications hand in mail: RFC 6409, RFC 8314, and 2525 by custom."""


def peer(endpoint: Endpoint, severity: Severity | None = None) -> None:
    """Stops a rule that judges the peer where there is no conversation, or where it may not be the peer's."""
    if endpoint.state != "open":
        need(endpoint.banner)  # not applicable where nothing listens, inconclusive where nobody could tell
        raise NotApplicable(endpoint.why or "no conversation")
    if endpoint.by_us is not None:
        raise Inconclusive(endpoint.by_us, severity.value if severity is not None else None)


def staying(endpoint: Endpoint) -> None:
    """Stops a rule about what is not offered where the server was about to close: it may have left things out."""
    if isinstance(endpoint.breakage, Found) and endpoint.breakage.value.why.startswith("421"):
        raise Inconclusive(f"{endpoint.where} ended the session: {endpoint.breakage.value.why}")


def not_delivered(endpoint: Endpoint) -> str:
    """What follows from there being no TLS where a policy requires it, as the end of a message; "" elsewhere."""
    if endpoint.required_by is None:
        return ""
    return f": senders that honour the policy of {endpoint.required_by}, which requires TLS, will not deliver"


def at(endpoint: Endpoint, what: str) -> str:
    """`mail.example.com [192.0.2.25] port 587, banner`: the title of a piece of evidence."""
    return f"{endpoint.host} [{endpoint.address}] port {endpoint.port}, {what}"


def said(reply: Reply) -> str:
    """A reply in one line: the code, and the text of its last line."""
    return reply.shown


def reply_exhibit(endpoint: Endpoint, what: str, reply: Reply, note: str = "") -> Exhibit:
    """A reply, `what` names what it answers; marked as a whole with `note` where there is one."""
    text = said(reply)
    return Exhibit(text, title=at(endpoint, what), marks=(Mark(0, len(text), note),) if note else ())


def octets_exhibit(title: str, octets: bytes, note: str = "") -> Exhibit:
    """Octets that a peer sent, as text."""
    text = decoded(octets[:512])
    return Exhibit(text, title=title, marks=(Mark(0, len(text), note),) if note and text else ())
