"""Worlds for the probe's tests, and what it finds in them."""

from __future__ import annotations

import asyncio

import msgspec

from deliverkit.dns import Port
from deliverkit.evidence.recorder import Recorder
from deliverkit.facts.smtp import Endpoint, SmtpFacts
from deliverkit.model import Call, Found, Inputs, Session, Sessions
from deliverkit.probes.domain import gather
from deliverkit.report import smtp as reports
from deliverkit.world import NOW, World

AREAS = ("smtp", "tls", "auth")
HOST = "mail.example.com"
ADDRESS = f"{HOST}. A 192.0.2.25\n25.2.0.192.in-addr.arpa. PTR {HOST}.\n"


class Dialler:
    """Counts what is asked of a world, and answers calls of one's own choice."""

    def __init__(self, world: World, answers: dict[tuple[str, int], Session] | None = None) -> None:
        self._world = world
        self._answers = answers or {}
        self.calls: list[Call] = []

    async def session(self, call: Call) -> Session:
        self.calls.append(call)
        made = self._answers.get((call.address, call.port))
        return msgspec.structs.replace(made, call=call) if made is not None else await self._world.session(call)


def probed(
    text: str, *, host: str = HOST, dialler: Dialler | None = None, port: Port | None = None, **options: object
) -> SmtpFacts:
    """The facts of one host's sessions; `options` are those of `Sessions` and of `Inputs`."""
    world = World(text)
    inputs = {name: options.pop(name) for name in ("allow_private", "connect_to", "ipv6", "ipv4") if name in options}
    asked = Inputs(domain=host, areas=AREAS, sessions=Sessions(**options), **inputs)
    facts = asyncio.run(gather(asked, Recorder(port or world, world, dialler or world), NOW))
    assert isinstance(facts.smtp, Found)
    # Whatever was found can be reported.
    msgspec.json.encode(reports.report(facts.smtp.value))
    return facts.smtp.value


def endpoints(facts: SmtpFacts) -> list[Endpoint]:
    assert isinstance(facts.hosts, Found)
    return [endpoint for host in facts.hosts.value for endpoint in host.endpoints]


def endpoint(text: str, port: int = 587, **options: object) -> Endpoint:
    """The one endpoint of a world with one."""
    (one,) = endpoints(probed(text, ports=(port,), **options))
    return one
