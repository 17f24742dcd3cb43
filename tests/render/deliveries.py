"""Deliveries, made by hand: what text and Markdown are drawn from."""

from __future__ import annotations

from typing import Any

import msgspec

from deliverkit.model import Attempt, Call, Delivered, Envelope, Hop, Result, Session, Stage, State, Step
from deliverkit.replies import Decoded, Scope
from deliverkit.report.delivery import (
    Course,
    DeliveryReport,
    MessageReport,
    SignatureReport,
    document,
    route_report,
)

SENDER = "me@example.com"
HOP = Hop(host="mx.example.net", address="192.0.2.25", preference=10)
MESSAGE = MessageReport(id="<1@example.com>", size=734, from_address=SENDER, from_domain="example.com")
SIGNED = msgspec.structs.replace(MESSAGE, signed_by=(SignatureReport(domain="example.com", selector="s1"),))


def result(outcome: str, stage: Stage, reply: str = "", to: str = "you@example.net", why: str = "") -> Result:
    octets = f"{reply}\r\n".encode() if reply else b""
    return Result(address=to, outcome=Delivered(outcome), stage=stage, reply=octets, why=why)


def attempt(*results: Result, number: int = 1, at: float = 0.0, steps: tuple[Step, ...] = (), **more: Any) -> Attempt:
    session = Session(
        call=Call(host=HOP.host, address=HOP.address, port=25, dial_port=25),
        state=State.OPEN,
        connect_ms=3.0,
        steps=steps,
        ours="192.0.2.9",
    )
    fields: dict[str, Any] = {
        "number": number,
        "at": at,
        "hop": HOP,
        "envelope": Envelope(sender=SENDER, recipients=tuple(one.address for one in results)),
        "session": session,
        "results": results,
        "outcome": results[0].outcome,
        "stage": results[0].stage,
    }
    return Attempt(**{**fields, **more})


def delivery(*attempts: Attempt, **more: Any) -> DeliveryReport:
    """The report of these attempts."""
    addresses = dict.fromkeys(one.address for each in attempts for one in each.results)
    fields: dict[str, Any] = {
        "version": "1",
        "started_at": 0.0,
        "duration_ms": 412.0,
        "envelope": Envelope(sender=SENDER, recipients=tuple(addresses) or ("you@example.net",)),
        "message": MESSAGE,
        "route": (
            route_report(
                domain="example.net", recipients=tuple(addresses), via="mx", hops=(HOP,), mta_sts="none", dane="none"
            ),
        ),
        "attempts": attempts,
    }
    return document(Course(**{**fields, **more}))


def explained(report: DeliveryReport, **more: Any) -> DeliveryReport:
    """The report with an explanation of its own under each refusal: the decoder's words are the decoder's to test."""
    reply = decoded(**more)
    return msgspec.structs.replace(
        report,
        recipients=tuple(
            one if one.reply is None or one.outcome == "accepted" else msgspec.structs.replace(one, reply=reply)
            for one in report.recipients
        ),
    )


def decoded(**more: Any) -> Decoded:
    fields: dict[str, Any] = {
        "input": "450 4.2.0 Greylisted, try again in 300 seconds",
        "code": 450,
        "enhanced": "4.2.0",
        "class_": "temporary",
        "stage": "rcpt",
        "provider": None,
        "category": "greylisting",
        "meaning": "The server wants to see you come back.",
        "cause": "It does not know you yet.",
        "action": "Come back from the same address.",
        "who": "nobody",
        "retry": True,
        "wait_s": 300,
        "scope": Scope(),
        "references": ("RFC 6647 §2",),
        "registered": True,
    }
    return Decoded(**{**fields, **more})


STEPS = (
    Step(stage="banner", reply=b"220 mx.example.net ESMTP\r\n", replied_ms=5.0),
    Step(
        stage="ehlo",
        said=b"EHLO client.example.com",
        at_ms=5.2,
        reply=b"250-mx.example.net\r\n250 PIPELINING\r\n",
        replied_ms=6.0,
    ),
    Step(stage="mail", said=b"MAIL FROM:<me@example.com>", at_ms=6.1, reply=b"250 2.1.0 ok\r\n", replied_ms=7.0),
    Step(
        stage="rcpt",
        said=b"RCPT TO:<you@example.net>",
        at_ms=7.1,
        reply=b"450 4.2.0 Greylisted, try again in 300 seconds\r\n",
        replied_ms=310.0,
    ),
    Step(stage="quit", said=b"QUIT", at_ms=310.5, reply=b"221 2.0.0 bye\r\n", replied_ms=311.0),
)
GREYLISTED = result("deferred", Stage.RCPT, "450 4.2.0 Greylisted, try again in 300 seconds")
TAKEN = result("accepted", Stage.EOD, "250 2.0.0 Ok: queued as 4ABC")
