"""The live port: questions to resolvers, or straight to an authoritative server.

A reply becomes a `Lookup` here. NXDOMAIN and NODATA are final; all else that is no record is UNKNOWN.
SERVFAIL is asked again with CD, which tells a failed validation from a lame zone; a server that knows no
EDNS is asked once without it. Several resolvers are an order of preference, each further one asked
when the one before fails.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Callable, Collection, Sequence
from typing import Final

import dns.rdatatype
from msgspec.structs import replace

from deliverkit.dns.exchange import PORT, Answered, Exchange, NoReplyError, Plain
from deliverkit.dns.message import Query, Record, Reply, make_query
from deliverkit.dns.port import name_error, normal_name
from deliverkit.model import Host, Lookup, LookupOutcome, Note

BUDGET: Final = 9.5
"""Seconds for one question, whatever the number of resolvers."""
_DEAD_BUDGET: Final = 1.5
_DEAD_FOR: Final = 15.0
_STAGGER: Final = 1.8
_LOSSES: Final = 3
_UNCHECKED: Final = 50
"""Records of an answer that failed validation that are kept, for whoever mends it."""
_SERVFAIL_PATIENCE: Final = 4.0
_DNSSEC_ERRORS: Final = frozenset({"1", "2", "5", "6", "7", "8", "9", "10", "11", "12"})  # RFC 8914 §4
CHAIN: Final = 16
"""CNAMEs followed."""
# IPv4-compatible, NAT64 (RFC 6052, RFC 8215), 6to4 and Teredo: an IPv4 address stands inside.
_CARRIERS: Final = tuple(
    map(ipaddress.IPv6Network, ("::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))
)
_NO_EDNS: Final = frozenset({1, 4, 16})  # FORMERR, NOTIMP, BADVERS
_NOERROR, _SERVFAIL, _NXDOMAIN = 0, 2, 3
_CNAME, _SOA, _NS, _RRSIG = 5, 6, 2, 46

Trace = Callable[[str, str, str, str, float, str], None]
"""Called with name, type, server, transport, milliseconds, and what came."""


class _Failed(Exception):  # noqa: N818 - a state of a question
    """One server did not answer a question; the lookup says how."""

    def __init__(self, lookup: Lookup, *, final: bool = False, silent: bool = False) -> None:
        super().__init__(lookup.why)
        self.lookup = lookup
        self.final = final
        self.silent = silent


class _Health:
    """What is remembered of one resolver: whether it ever answered, and until when it counts as dead."""

    def __init__(self) -> None:
        self.answered = False
        self.losses = 0
        self.dead_until = 0.0

    def success(self) -> None:
        self.answered, self.losses, self.dead_until = True, 0, 0.0

    def loss(self) -> None:
        """Another resolver, asked later, was faster: once may be the question's fault, often is the resolver's."""
        self.losses += 1
        if not self.answered or self.losses >= _LOSSES:
            self.dead_until = time.monotonic() + _DEAD_FOR

    def silence(self) -> None:
        if not self.answered:
            self.dead_until = time.monotonic() + _DEAD_FOR

    @property
    def dead(self) -> bool:
        return time.monotonic() < self.dead_until


class Live:
    """A `Port` to real servers. It keeps nothing: wrap it in the cache."""

    def __init__(
        self, resolvers: Sequence[Exchange], *, trace: Trace | None = None, allow_private: bool = False
    ) -> None:
        self._resolvers = tuple(resolvers)
        self._health = {exchange.server: _Health() for exchange in self._resolvers}
        self._direct: dict[str, Plain] = {}
        self._trace = trace
        self._allow_private = allow_private
        self.authenticated = False
        """Whether any answer came as validated."""

    async def close(self) -> None:
        """Ends the connections that are kept open."""
        for exchange in self._resolvers:
            await exchange.close()

    async def lookup(self, name: str, rdtype: str, *, server: str | None = None) -> Lookup:
        """The final outcome, CNAMEs followed, within about `BUDGET` seconds for each name of a chain."""
        name = normal_name(name)
        started = time.monotonic()
        invalid = self._invalid(name, rdtype)
        if invalid is not None:
            return invalid
        followed: list[str] = []
        before: list[Lookup] = []
        owner = name
        while True:
            # Where a server asked directly names an alias, its target may be another server's to answer.
            lookup = await self._once(owner, rdtype, None if before else server)
            before.append(lookup)
            target = lookup.aliases[-1] if lookup.aliases else owner
            followed += lookup.aliases
            pending = lookup.outcome is LookupOutcome.UNKNOWN and lookup.why == ""
            if (
                pending
                and target not in (owner, name)
                and len(followed) <= CHAIN
                and len(set(followed)) == len(followed)
            ):
                owner = target
                continue
            if pending or Note.CNAME_LOOP in lookup.notes:
                lookup = _loop(lookup, name, rdtype)
            return _joined(before[:-1], lookup, name, tuple(followed), started)

    def _invalid(self, name: str, rdtype: str) -> Lookup | None:
        try:
            make_query(name, int(dns.rdatatype.from_text(rdtype)))
            problem = name_error(name)
        except (ValueError, dns.rdatatype.UnknownRdatatype) as error:
            problem = name_error(name) or f"cannot be asked: {error}"
        if problem is None:
            return None
        return Lookup(name=name, rdtype=rdtype, outcome=LookupOutcome.INVALID, why=f"{name} {problem}")

    async def _once(self, name: str, rdtype: str, server: str | None) -> Lookup:
        if server is None:
            return await self._resolve(name, rdtype)
        at = self._at(server)
        if isinstance(at, str):
            why = f"{server} was not asked for {name or '.'} {rdtype}: {at}"
            return Lookup(name=name, rdtype=rdtype, outcome=LookupOutcome.UNKNOWN, server=server, attempts=0, why=why)
        try:
            return await self._ask(at, name, rdtype, BUDGET, recurse=False)
        except _Failed as failed:
            return failed.lookup

    def _at(self, server: str) -> Plain | str:
        """The way to an address that the DNS named; why not, where there is none."""
        address, _, port = server.partition("#")
        try:
            parsed, number = ipaddress.ip_address(address), int(port or PORT)
        except ValueError:
            return "it is no address"
        if not (_public(parsed) or self._allow_private):
            return "it is no public address (--allow-private asks it all the same)"
        if server not in self._direct:
            self._direct[server] = Plain(address, number)
        return self._direct[server]

    async def _resolve(self, name: str, rdtype: str) -> Lookup:
        """The resolvers in order, the living first; a slow one is not waited for before the next is asked."""
        alive = [exchange for exchange in self._resolvers if not self._health[exchange.server].dead]
        order = alive or list(self._resolvers)
        budget = BUDGET if alive else _DEAD_BUDGET
        if len(order) == 1:
            try:
                lookup = await self._ask(order[0], name, rdtype, budget)
            except _Failed as failed:
                return failed.lookup
            return lookup if order[0] is self._resolvers[0] else _noted(lookup, Note.FALLBACK)
        return await self._race(order, name, rdtype, budget, 0.0 if not alive else min(_STAGGER, budget / len(order)))

    async def _race(self, order: list[Exchange], name: str, rdtype: str, budget: float, stagger: float) -> Lookup:
        end = time.monotonic() + budget
        waiting: dict[asyncio.Task[Lookup], Exchange] = {}
        failures: list[_Failed] = []
        following = iter(order)
        more = True
        try:
            while more or waiting:
                if more and (exchange := next(following, None)) is not None:
                    left = end - time.monotonic()
                    waiting[asyncio.create_task(self._ask(exchange, name, rdtype, left))] = exchange
                else:
                    more = False
                if not waiting:
                    break
                done, _ = await asyncio.wait(
                    waiting, timeout=stagger if more else None, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    exchange = waiting.pop(task)
                    try:
                        lookup = task.result()
                    except _Failed as failed:
                        failures.append(failed)
                        if failed.final:
                            return failed.lookup
                        continue
                    self._overtaken(order[: order.index(exchange)], waiting.values())
                    return lookup if exchange is self._resolvers[0] else _noted(lookup, Note.FALLBACK)
        finally:
            for task in waiting:
                task.cancel()
        first = failures[0].lookup
        if len(failures) > 1:
            others = "; ".join(failed.lookup.why for failed in failures[1:])
            first = replace(first, why=f"{first.why}; {others}")
        return first

    def _overtaken(self, before: Sequence[Exchange], waiting: Collection[Exchange]) -> None:
        for exchange in before:
            if exchange in waiting:
                self._health[exchange.server].loss()

    async def _ask(self, exchange: Exchange, name: str, rdtype: str, budget: float, *, recurse: bool = True) -> Lookup:
        """One server's outcome; raises `_Failed` where another server might know better."""
        started = time.monotonic()
        until = started + budget
        code = int(dns.rdatatype.from_text(rdtype))
        notes: tuple[Note, ...] = ()
        health = self._health.get(exchange.server)
        base = Lookup(name=name, rdtype=rdtype, outcome=LookupOutcome.UNKNOWN, server=exchange.server)
        asked = f"{name or '.'} {rdtype}"
        try:
            answered = await self._exchange(exchange, make_query(name, code, recurse=recurse), until, name, rdtype)
            if answered.reply.rcode in _NO_EDNS:
                plain = make_query(name, code, recurse=recurse, edns=False)
                again = await self._exchange(exchange, plain, until, name, rdtype)
                if again.reply.rcode not in _NO_EDNS:
                    answered, notes = again, (Note.EDNS_REFUSED,)
        except NoReplyError as error:
            elapsed = (time.monotonic() - started) * 1000
            lookup = replace(
                base,
                why=error.why(exchange.server, asked),
                notes=error.notes,
                attempts=error.attempts,
                elapsed_ms=round(elapsed, 3),
            )
            if health and Note.MALFORMED not in error.notes and not error.head.startswith("a truncated"):
                health.silence()
            raise _Failed(lookup, silent=True) from error
        if health:
            health.success()
        reply = answered.reply
        self.authenticated = self.authenticated or reply.authenticated
        base = replace(
            base,
            rcode=reply.rcode_text,
            extended=reply.extended,
            notes=(*notes, *answered.notes),
            attempts=answered.attempts,
            elapsed_ms=round((time.monotonic() - started) * 1000, 3),
        )
        if reply.rcode == _SERVFAIL and recurse:
            passed = await self._judge_servfail(exchange, base, code, until)
            if passed is not None:
                reply = passed.reply
                base = replace(base, rcode=reply.rcode_text, extended=reply.extended, notes=(*base.notes, Note.RETRIED))
        if reply.rcode not in (_NOERROR, _NXDOMAIN):
            raise _Failed(replace(base, why=f"{reply.rcode_text} from {exchange.server} for {asked}{_said(reply)}"))
        lookup = interpret(base, reply, code, asked)
        if lookup.outcome is LookupOutcome.UNKNOWN and lookup.why and Note.CNAME_LOOP not in lookup.notes:
            raise _Failed(lookup)
        return lookup

    async def _judge_servfail(self, exchange: Exchange, base: Lookup, code: int, until: float) -> Answered | None:
        """Raises the failure as bogus where the question has an answer unchecked, and only so.

        Where the failure has passed meanwhile, the answer that is there now; None where it goes on.
        """
        until = min(until, time.monotonic() + _SERVFAIL_PATIENCE)
        try:
            query = make_query(base.name, code, unchecked=True)
            unchecked = await self._exchange(exchange, query, until, base.name, base.rdtype)
            if unchecked.reply.rcode not in (_NOERROR, _NXDOMAIN):
                return None
            if not any(error.partition(" ")[0] in _DNSSEC_ERRORS for error in base.extended):
                again = await self._exchange(exchange, make_query(base.name, code), until, base.name, base.rdtype)
                if again.reply.rcode != _SERVFAIL:
                    return again
        except NoReplyError:
            return None
        asked = f"{base.name or '.'} {base.rdtype}"
        said = f" ({'; '.join(base.extended)})" if base.extended else ""
        why = f"SERVFAIL from {exchange.server} for {asked}: DNSSEC validation failed there{said}"
        seen = interpret(base, unchecked.reply, code, asked)
        bogus = replace(
            base,
            why=why,
            notes=(*base.notes, Note.BOGUS),
            unchecked=seen.records[:_UNCHECKED],
            signatures=seen.signatures,
        )
        raise _Failed(bogus, final=True)

    async def _exchange(self, exchange: Exchange, query: Query, until: float, name: str, rdtype: str) -> Answered:
        started = time.monotonic()
        outcome, over = "cancelled", ""
        try:
            answered = await exchange.ask(query, until)
            count = sum(record.rdtype != _RRSIG for record in answered.reply.answer)
            over = answered.over
            outcome = f"{answered.reply.rcode_text} {count} {'answer' if count == 1 else 'answers'}"
        except NoReplyError as error:
            outcome = error.head + error.tail
            raise
        finally:
            if self._trace:
                self._trace(name, rdtype, exchange.server, over, (time.monotonic() - started) * 1000, outcome)
        return answered


def _public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address that a stranger's records named may be asked: a public one, with no other inside it."""
    if address.is_multicast or not address.is_global:
        return False
    return isinstance(address, ipaddress.IPv4Address) or not any(address in network for network in _CARRIERS)


def interpret(base: Lookup, reply: Reply, code: int, asked: str) -> Lookup:
    """What a NOERROR or NXDOMAIN reply says of `base`'s question.

    UNKNOWN without a `why`: the aliases lead to a name the reply says nothing of.
    """
    held: dict[tuple[str, int], list[Record]] = {}
    for record in reply.answer:
        held.setdefault((record.owner, record.rdtype), []).append(record)
    owner = base.name
    aliases: list[str] = []
    while True:
        records = held.get((owner, code))
        if records and reply.rcode == _NOERROR:
            ttls = [0 if record.ttl is None else record.ttl for record in records]
            odd = (Note.TTL_INVALID,) if any(record.ttl is None for record in records) else ()
            return replace(
                base,
                outcome=LookupOutcome.FOUND,
                records=tuple(record.rdata for record in records if record.rdata is not None),
                aliases=tuple(aliases),
                ttl=min(ttls),
                authenticated=reply.authenticated,
                signatures=tuple(signature for at, signature in reply.signatures if at == owner),
                notes=(*base.notes, *odd),
            )
        alias = held.get((owner, _CNAME))
        if not alias or not isinstance(alias[0].rdata, Host):
            break
        owner = alias[0].rdata.name
        if owner == base.name or owner in aliases or len(aliases) >= CHAIN:
            return replace(base, aliases=tuple(aliases), why="a loop", notes=(*base.notes, Note.CNAME_LOOP))
        aliases.append(owner)
    base = replace(base, aliases=tuple(aliases), authenticated=reply.authenticated)
    return _without_records(base, reply, asked)


def _without_records(base: Lookup, reply: Reply, asked: str) -> Lookup:
    """A reply that holds no record of the type asked for; others in it are no relevant answer (RFC 2308 §2.2)."""
    if reply.rcode == _NXDOMAIN:
        return replace(
            base, outcome=LookupOutcome.NXDOMAIN, why=f"no such name (NXDOMAIN) from {base.server} for {asked}"
        )
    soa = any(record.rdtype == _SOA for record in reply.authority)
    if base.aliases and not soa:
        return base
    if not soa and not reply.authoritative and any(record.rdtype == _NS for record in reply.authority):
        return replace(base, why=f"a referral instead of an answer from {base.server} for {asked}")
    return replace(base, outcome=LookupOutcome.NODATA, why=f"no such record (NODATA) from {base.server} for {asked}")


def _said(reply: Reply) -> str:
    return f" ({'; '.join(reply.extended)})" if reply.extended else ""


def _noted(lookup: Lookup, note: Note) -> Lookup:
    return replace(lookup, notes=(*lookup.notes, note))


def _loop(lookup: Lookup, name: str, rdtype: str) -> Lookup:
    why = f"a CNAME loop, or a chain of more than {CHAIN}, from {lookup.server} for {name or '.'} {rdtype}"
    return replace(
        lookup,
        outcome=LookupOutcome.UNKNOWN,
        why=why,
        notes=tuple(dict.fromkeys((*lookup.notes, Note.CNAME_LOOP))),
    )


def _joined(before: list[Lookup], last: Lookup, name: str, aliases: tuple[str, ...], started: float) -> Lookup:
    """The outcome of a chain that took several questions."""
    if not before:
        return replace(last, aliases=aliases[:CHAIN]) if len(aliases) > CHAIN else last
    return replace(
        last,
        name=name,
        aliases=aliases[:CHAIN],
        authenticated=last.authenticated and all(lookup.authenticated for lookup in before),
        notes=tuple(dict.fromkeys(note for lookup in (*before, last) for note in lookup.notes)),
        attempts=sum(lookup.attempts for lookup in (*before, last)),
        elapsed_ms=round((time.monotonic() - started) * 1000, 3),
    )
