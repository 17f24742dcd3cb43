"""Probes areas `smtp`, `tls` and `auth`: dials hosts and reads what the sessions showed.

All places are dialled side by side, within the dialler's limits; the PTR and TLSA records and the MTA-STS policy are
asked for meanwhile. Logins alone follow one another, so that a password which was refused is not tried again.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterable

import msgspec

from deliverkit.evidence.recorder import Recorder
from deliverkit.facts.dane import DaneHost
from deliverkit.facts.smtp import Endpoint, HostFacts, SmtpFacts
from deliverkit.model import Absent, Answer, Found, Host, Inputs, Session, Sessions, State, Unknown
from deliverkit.probes import dane, mta_sts, smtp_read, smtp_tls, smtp_where
from deliverkit.probes.smtp_calls import (
    MX_PORT,
    Dialled,
    Place,
    closing,
    follow_ups,
    in_clear,
    login_rank,
    logs_in,
    named,
    other_mode,
    probe_call,
    role_of,
    settled,
)
from deliverkit.probes.smtp_ours import by_us, no_route
from deliverkit.probes.smtp_tls import Policy
from deliverkit.records.names import is_address


async def probe(inputs: Inputs, port: Recorder, now: float) -> SmtpFacts:
    """Gather the facts of every endpoint that `inputs.sessions` asks for."""
    sessions = inputs.sessions or Sessions()
    held_to, (hosts, seen) = await asyncio.gather(_policy(inputs, sessions, port), _visited(inputs, sessions, port))
    if not isinstance(hosts, Found):
        return SmtpFacts(target=inputs.domain, by_mx=sessions.by_mx, hosts=hosts)
    every = [one for visit in seen for one in visit.dialled]
    ours = by_us(every)
    words = {id(one): ours.get(place) for place, one in enumerate(every)}
    return SmtpFacts(
        target=inputs.domain,
        by_mx=sessions.by_mx,
        hosts=Found(tuple(_facts(sessions, visit, held_to, words, now) for visit in seen)),
        skipped=hosts.value[smtp_where.MOST_HOSTS :],
    )


async def _visited(inputs: Inputs, sessions: Sessions, port: Recorder) -> tuple[Answer[tuple[str, ...]], list[_Visit]]:
    """The hosts of the target, and what the first of them showed."""
    hosts: Answer[tuple[str, ...]] = Found((inputs.domain,))
    if sessions.by_mx:
        hosts = await smtp_where.mail_hosts(inputs.domain, port)
    chosen = hosts.value[: smtp_where.MOST_HOSTS] if isinstance(hosts, Found) else ()
    return hosts, list(await asyncio.gather(*(_host(inputs, sessions, host, port) for host in chosen)))


class _Visit:
    """What one host showed."""

    def __init__(self, host: str, where: smtp_where.Where) -> None:
        self.host = host
        self.where = where
        self.dialled: list[Dialled] = []
        self.ptr: dict[str, Answer[tuple[str, ...]]] = {}
        self.dane: dict[int, DaneHost] = {}


async def _policy(inputs: Inputs, sessions: Sessions, port: Recorder) -> Policy:
    """The policy of the domain whose mail the hosts take."""
    domain = inputs.domain if sessions.by_mx else sessions.as_mx_of
    if domain is None:
        return Policy()
    facts = await mta_sts.probe(msgspec.structs.replace(inputs, domain=domain), port)
    return Policy(
        domain=domain,
        mta_sts=facts.policy.value if isinstance(facts.policy, Found) else None,
        unknown=facts.policy.why if isinstance(facts.policy, Unknown) else None,
    )


async def _host(inputs: Inputs, sessions: Sessions, host: str, port: Recorder) -> _Visit:
    where = await smtp_where.places(inputs, sessions, host, port)
    visit = _Visit(host, where)
    places = sorted(where.places, key=lambda place: login_rank(place.port)) if sessions.user else where.places
    logins = _Logins()
    ports = sorted({place.port for place in places})
    domain = inputs.domain if sessions.by_mx else sessions.as_mx_of or host
    records, ptr, dialled = await asyncio.gather(
        _tlsa(domain, host, ports, port),
        _ptr(places, port),
        asyncio.gather(*(_dial(sessions, place, logins, port) for place in places)),
    )
    visit.dane = {found.port: found for found in records}
    visit.ptr = ptr
    visit.dialled = sorted(dialled, key=lambda one: where.places.index(one.place))
    return visit


async def _tlsa(domain: str, host: str, ports: Iterable[int], port: Recorder) -> tuple[DaneHost, ...]:
    """The TLSA records of each port; an address has none."""
    if is_address(host):
        return ()
    return await dane.probe_hosts(domain, [(host, number) for number in ports], port)


async def _ptr(places: Iterable[Place], port: Recorder) -> dict[str, Answer[tuple[str, ...]]]:
    addresses = sorted({place.address for place in places if not place.redirected})
    found = await asyncio.gather(*(_names(address, port) for address in addresses))
    return dict(zip(addresses, found, strict=True))


async def _names(address: str, port: Recorder) -> Answer[tuple[str, ...]]:
    answer = (await port.lookup(ipaddress.ip_address(address).reverse_pointer, "PTR")).of(Host)
    if not isinstance(answer, Found):
        return answer
    return Found(tuple(sorted({record.name for record in answer.value})))


class _Logins:
    """One login a port and none after a refusal, in turn: a wrong password must not lock an account."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self._tried: set[int] = set()
        self._refused: int | None = None

    def against(self, port: int) -> str | None:
        """Why there is to be no login on this port now."""
        if self._refused is not None:
            return f"it was refused on port {self._refused} already: a wrong password is not tried twice"
        return "it was tried at another address of this port" if port in self._tried else None

    def saw(self, session: Session) -> None:
        """Remembers what became of one."""
        outcome = session.remarks.get("login")
        if outcome in ("accepted", "refused", "failed"):
            self._tried.add(session.call.port)
        if outcome == "refused":
            self._refused = session.call.port


async def _dial(sessions: Sessions, place: Place, logins: _Logins, port: Recorder) -> Dialled:
    if sessions.user is None:
        dialled = await _conversed(sessions, place, port, login=False)
    elif not logs_in(sessions, place.port):
        dialled = await _conversed(sessions, place, port, login=False, why="port 25 was not named for it")
    else:
        async with logins.turn:
            why = logins.against(place.port)
            dialled = await _conversed(sessions, place, port, login=why is None, why=why)
            logins.saw(dialled.session)
    return await _followed(sessions, dialled, port)


async def _conversed(
    sessions: Sessions, place: Place, port: Recorder, *, login: bool, why: str | None = None
) -> Dialled:
    """The conversation at one place, and a second where the port speaks otherwise than its number says."""
    session = await port.session(probe_call(sessions, place, login=login))
    if sessions.tls == "implicit" and in_clear(session):
        return Dialled(place=place, session=session, wrong_mode="clear", no_login=why)
    again = other_mode(session)
    if again is not None:
        other = await port.session(again)
        wrong_mode = settled(session, other)
        if wrong_mode is not None:
            if login and again.user is None:
                why = "TLS comes at once here, and --tls starttls was typed"
            return Dialled(place=place, session=other, wrong_mode=wrong_mode, mistaken=session, no_login=why)
        return Dialled(place=place, session=session, mistaken=other, no_login=why)
    return Dialled(place=place, session=session, no_login=why)


async def _followed(sessions: Sessions, dialled: Dialled, port: Recorder) -> Dialled:
    """With the handshakes that follow: one after another, since a port takes one connection at a time."""
    session = dialled.session
    if session.state is not State.OPEN:
        return dialled
    calls, left_out = follow_ups(sessions, session, 1 if dialled.mistaken is None else 2)
    scan: list[tuple[str, Session | str]] = []
    for call in calls:
        made = await port.session(call)
        if not call.version:
            return msgspec.structs.replace(dialled, unnamed=made)
        scan.append((call.version, made))
        if closing(made):
            break
    scan.extend((version, "not tried: four connections to a port are the most") for version in left_out)
    return msgspec.structs.replace(dialled, scan=tuple(scan))


def _facts(
    sessions: Sessions,
    visit: _Visit,
    policy: Policy,
    words: dict[int, str | None],
    now: float,
) -> HostFacts:
    reached = any(one.session.state is State.OPEN for one in visit.dialled)
    endpoints: list[Endpoint] = []
    for one in visit.dialled:
        place = one.place
        records = visit.dane.get(place.port)
        tls = smtp_tls.facts(
            one,
            submission=role_of(sessions, place.port) == "submission",
            policy=policy,
            dane=records,
            expected=sessions.certificate,
            now=now,
        )
        required = policy.covers(visit.host, "enforce")
        if required is None and records is not None and records.protected:
            required = policy.domain or visit.host
        setting = smtp_read.Setting(
            sessions=sessions,
            tls=tls,
            ptr=visit.ptr.get(place.address, Absent("not asked for")),
            required_by=required,
            idle=reached and ((not named(sessions) and place.port != MX_PORT) or no_route(one)),
            by_us=words[id(one)],
        )
        endpoints.append(smtp_read.read(one, setting))
    where = visit.where
    return HostFacts(
        host=visit.host,
        addresses=where.addresses,
        refused_addresses=where.refused,
        skipped_addresses=where.skipped,
        endpoints=tuple(endpoints),
        undialled=_undialled(where),
        mx=sessions.by_mx or sessions.as_mx_of is not None,
        uncovered_by=smtp_tls.uncovered(policy, visit.host) if sessions.as_mx_of else Absent("it is no candidate"),
    )


def _undialled(where: smtp_where.Where) -> Absent | Unknown:
    """Why a host, or a part of it, could not be dialled at all."""
    if isinstance(where.addresses, Unknown):
        return where.addresses
    if where.refused and not where.places:
        refused = ", ".join(where.refused)
        return Unknown(f"not connected to {refused}: no stranger can reach it (--allow-private connects all the same)")
    return Unknown(where.missing) if where.missing is not None else Absent("every address was dialled")
