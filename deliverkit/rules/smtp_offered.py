"""What a server offers, in clear and inside TLS, and the lines that show it."""

from __future__ import annotations

from deliverkit.facts.smtp import Endpoint
from deliverkit.model import Absent, Exhibit, Found, Mark, NotApplicable, known, need
from deliverkit.rules.smtp_exhibit import at, peer
from deliverkit.smtp.capabilities import Capabilities


def last_offered(endpoint: Endpoint) -> tuple[str, Capabilities]:
    """What counts in the end: inside TLS where there is TLS, else in clear. Stops the rule where there is neither."""
    peer(endpoint)
    if known(endpoint.extended) is False:
        raise NotApplicable("EHLO is refused")
    if endpoint.after_refused is not None:
        raise NotApplicable("EHLO is refused inside TLS")
    if endpoint.starttls == "failed":
        raise NotApplicable("TLS failed, and what is offered behind it was not seen")
    if isinstance(endpoint.after, Absent):
        return "EHLO", need(endpoint.before)
    return "EHLO inside TLS", need(endpoint.after)


def each_offered(endpoint: Endpoint) -> tuple[tuple[str, Capabilities], ...]:
    """Both lists, in clear and inside TLS, as far as they came."""
    peer(endpoint)
    found = tuple(
        (when, answer.value)
        for when, answer in (("EHLO", endpoint.before), ("EHLO inside TLS", endpoint.after))
        if isinstance(answer, Found)
    )
    if not found:
        need(endpoint.before)
        need(endpoint.after)
    return found


def offered_lines(
    endpoint: Endpoint, when: str, capabilities: Capabilities, keyword: str, note: str
) -> tuple[Exhibit, ...]:
    """The lines of one keyword."""
    return tuple(
        Exhibit(line, title=at(endpoint, f"offered after {when}"), marks=(Mark(0, len(line), note),) if note else ())
        for line in capabilities.lines
        if (line.split() or [""])[0].upper().partition("=")[0] == keyword
    )[:4]


def offered_list(endpoint: Endpoint, when: str, capabilities: Capabilities) -> Exhibit:
    """All of the lines, as one."""
    return Exhibit(", ".join(capabilities.lines) or "nothing", title=at(endpoint, f"offered after {when}"))
