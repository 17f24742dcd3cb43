"""Probes areas `smtp`, `tls` and `auth`: dials hosts and reads what the sessions showed."""

from __future__ import annotations

from deliverkit.evidence.recorder import Recorder
from deliverkit.facts.smtp import SmtpFacts
from deliverkit.model import Absent, Inputs


async def probe(inputs: Inputs, port: Recorder, now: float) -> SmtpFacts:
    """Gather the facts of every endpoint that `inputs.sessions` asks for."""
    return SmtpFacts(target=inputs.domain, hosts=Absent("no host"))
