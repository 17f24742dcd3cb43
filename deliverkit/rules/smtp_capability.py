"""Rules about what the server offers in its answer to EHLO, and how it writes it (RFC 5321 §4.1.1.1)."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.smtp import Endpoint
from deliverkit.model import Finding, Fix, Severity, Who
from deliverkit.rules.declare import rule
from deliverkit.rules.smtp_offered import each_offered, offered_lines, offered_list


@rule(Severity.WARNING, "RFC 5321 §4.1.1.1", "RFC 1869 §4.4", who=Who.MAIL_ADMIN)
def smtp_capability_conflicting(endpoint: Endpoint) -> Iterator[Finding]:
    """The server offers one keyword several times, and differently.

    One client goes by the first line and one by the last: they differ in the limit of size or the mechanisms that they
    see.

    ## Fix
    Offer each keyword once. Two filters or a proxy and a server that both add it are the usual reason.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer-tls  PIPELINING, SIZE 10485760, SIZE 52428800, 8BITMIME, ENHANCEDSTATUSCODES

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES
    """
    for when, capabilities in each_offered(endpoint):
        twice = [d.removeprefix("conflicting ") for d in capabilities.defects if d.startswith("conflicting ")]
        if twice:
            yield Finding(
                message=f"offers {' and '.join(word[:24] for word in twice[:4])} several times, and differently: "
                "clients differ in which line they go by",
                subject=endpoint.where,
                evidence=tuple(
                    exhibit for word in twice[:4] for exhibit in offered_lines(endpoint, when, capabilities, word, "")
                ),
                fix=Fix("Offer each keyword once: look for a filter or proxy that adds its own."),
            )
            return


@rule(Severity.NOTICE, "RFC 5321 §4.1.1.1", who=Who.MAIL_ADMIN)
def smtp_capability_malformed(endpoint: Endpoint) -> Iterator[Finding]:
    r"""The answer to EHLO is not written as the standard has it.

    A line is a keyword and its parameters, each behind one space. Tabs, leading spaces, empty lines and repeated ones
    are passed over by some clients, together with what they offer.

    ## Fix
    Write a keyword, then its parameters, each behind one space, and each keyword once.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer-tls  PIPELINING, PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:25]
        offer-tls  PIPELINING, SIZE 10485760, 8BITMIME, ENHANCEDSTATUSCODES
    """
    for when, capabilities in each_offered(endpoint):
        said = {
            "tab": "tabs",
            "leading-space": "spaces before a keyword",
            "empty": "empty lines",
        }
        found = [said[defect] for defect in capabilities.defects if defect in said]
        found += [
            f"{d.removeprefix('repeated ')[:24]} twice" for d in capabilities.defects if d.startswith("repeated ")
        ][:4]
        if found:
            yield Finding(
                message=f"its answer to EHLO holds {' and '.join(found)}",
                subject=endpoint.where,
                evidence=(offered_list(endpoint, when, capabilities),),
                fix=Fix("Write each keyword once, its parameters behind it, each behind one space."),
                cause="malformed",
            )
            return
