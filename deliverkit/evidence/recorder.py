"""Keeps everything that was asked and its outcome: the evidence of one target."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Hashable
from typing import Any, Protocol, TypeVar

from deliverkit.dns.port import Port, normal_name
from deliverkit.model import Call, Fetch, FetchOutcome, Lookup, Request, Session, State

T = TypeVar("T")


class Fetcher(Protocol):
    """A source of HTTPS responses."""

    async def fetch(self, request: Request) -> Fetch:
        """The final outcome of one request. Never raises, and returns within the request's seconds."""
        ...


class Dialler(Protocol):
    """A source of SMTP sessions."""

    async def session(self, call: Call) -> Session:
        """One conversation as it went. Never raises, and returns within the dialler's deadline."""
        ...


class Nowhere:
    """Fetches nothing and dials nobody: a `Fetcher` and a `Dialler` for runs that ask the DNS alone."""

    def __init__(self, why: str = "nothing is connected to in this run") -> None:
        self._why = why

    async def fetch(self, request: Request) -> Fetch:
        """UNKNOWN, always."""
        return Fetch(request=request, outcome=FetchOutcome.UNKNOWN, why=f"{request.url} was not fetched: {self._why}")

    async def session(self, call: Call) -> Session:
        """ERROR, always."""
        return Session(
            call=call, state=State.ERROR, why=f"{call.host} port {call.port} was not connected to: {self._why}"
        )


class Recorder:
    """A port for DNS, HTTPS and SMTP that remembers what went through it, each question once."""

    def __init__(self, port: Port, fetcher: Fetcher | None = None, dialler: Dialler | None = None) -> None:
        self._port = port
        self._fetcher = fetcher or Nowhere()
        self._dialler = dialler or Nowhere()
        self.lookups: dict[tuple[str, str, str | None], Lookup] = {}
        """By (name, rdtype, server asked directly or None), in the order first answered."""
        self.fetches: dict[Request, Fetch] = {}
        self.sessions: dict[Call, Session] = {}
        self._under_way: dict[Hashable, asyncio.Future[Any]] = {}

    async def lookup(self, name: str, rdtype: str, *, server: str | None = None) -> Lookup:
        """The port's outcome, remembered; a question asked again gets the same outcome."""
        key = (normal_name(name), rdtype, server)
        if key in self.lookups:
            return self.lookups[key]
        lookup = await self._port.lookup(name, rdtype, server=server)
        return self.lookups.setdefault(key, lookup)

    async def fetch(self, request: Request) -> Fetch:
        """The fetcher's outcome, remembered; a request under way is waited for, not made twice."""
        if request not in self.fetches:
            self.fetches[request] = await self._once(request, self._fetcher.fetch(request))
        return self.fetches[request]

    async def session(self, call: Call) -> Session:
        """The dialler's session, remembered, likewise."""
        if call not in self.sessions:
            self.sessions[call] = await self._once(call, self._dialler.session(call))
        return self.sessions[call]

    async def _once(self, key: Hashable, made: Awaitable[T]) -> T:
        """What `made` comes to, or what another one under way for the same key does."""
        under_way = self._under_way.get(key)
        if under_way is not None:
            if asyncio.iscoroutine(made):
                made.close()
            shared: T = await asyncio.shield(under_way)
            return shared
        task: asyncio.Future[T] = asyncio.ensure_future(made)
        self._under_way[key] = task
        try:
            return await task
        finally:
            del self._under_way[key]
