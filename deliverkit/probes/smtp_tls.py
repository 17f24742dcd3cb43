"""What the handshakes at one place come to: the chain, its name, DANE, the policy, the versions offered alone."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec.structs import replace

from deliverkit.facts.dane import DaneHost
from deliverkit.facts.mta_sts import PolicyFacts
from deliverkit.facts.tls import ScanFacts, TlsFacts
from deliverkit.model import Absent, Answer, Found, Handshake, Session, State, Trouble, Unknown
from deliverkit.probes.smtp_calls import Dialled
from deliverkit.records.certificate import Certificate, bears, read_certificate
from deliverkit.records.names import is_subdomain
from deliverkit.records.tlsa import Match, match

_OURS: Final = "this machine's OpenSSL"


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The policies that a session is held to. `domain` is the one whose mail the host takes; "" for none."""

    domain: str = ""
    mta_sts: PolicyFacts | None = None
    unknown: str | None = None
    """Why the policy could not be told."""

    def covers(self, host: str, mode: str) -> str | None:
        """The domain whose MTA-STS policy of this mode covers the host (RFC 8461 §4.1), None where none does."""
        policy = self.mta_sts
        if policy is None or not policy.valid or policy.mode != mode:
            return None
        return policy.domain if policy.covers(host) else None

    def misses(self, host: str) -> tuple[str | None, str]:
        """The domain whose MTA-STS policy does not cover the host, and the policy's mode; None where none misses it."""
        policy = self.mta_sts
        if policy is None or not policy.valid or policy.mode not in ("enforce", "testing") or policy.covers(host):
            return None, ""
        return policy.domain, policy.mode


def uncovered(policy: Policy, host: str) -> Answer[tuple[str, str]]:
    """The domain and the mode of a policy that does not cover the host; Absent where it does or there is none."""
    if policy.unknown is not None:
        return Unknown(policy.unknown)
    domain, mode = policy.misses(host)
    if domain is not None:
        return Found((domain, mode))
    return Absent("no policy" if policy.mta_sts is None or policy.mta_sts.mode == "none" else "covered")


def facts(
    dialled: Dialled, *, submission: bool, policy: Policy, dane: DaneHost | None, expected: bytes | None, now: float
) -> Answer[TlsFacts]:
    """The TLS of one endpoint; Absent where there is none, or it failed."""
    session, place = dialled.session, dialled.place
    handshake = session.handshake
    if handshake is None:
        return Absent("there is no TLS")
    if not handshake.ok:
        return Absent(f"TLS failed: {handshake.error}")
    chain = tuple(read_certificate(der) for der in handshake.chain)
    names = (place.host, policy.domain, *(dane.aliases[-1:] if dane else ()))
    missed_by, missed_mode = policy.misses(place.host) if not submission else (None, "")
    status, made = _dane(dane, handshake, tuple(name for name in names if name), now)
    return Found(
        TlsFacts(
            host=place.host,
            address=place.address,
            port=place.port,
            submission=submission,
            implicit=bool(session.steps) and session.steps[0].stage == "tls",
            now=now,
            version=handshake.version,
            cipher=handshake.cipher,
            chain=chain,
            trusted=bool(handshake.trusted),
            trust_error=handshake.trust_error if chain else "the server sent no certificate",
            trust_code=handshake.trust_code,
            names=(place.host,),
            name_matches=bool(chain) and bears(chain[0], place.host),
            asks_client=handshake.asks_client,
            expected=read_certificate(expected) if expected is not None else None,
            unnamed=_unnamed(dialled.unnamed),
            scan=_scan(dialled, handshake),
            dane=status,
            dane_ee=status == "match" and made.ee,
            dane_outcome=made.outcome,
            dane_name=dane.name if dane else "",
            dane_foreign=dane is not None and not is_subdomain(place.host, dane.domain),
            dane_records=tuple(record.text for record in dane.published) if dane else (),
            dane_why=made.why,
            enforced_by=policy.covers(place.host, "enforce"),
            testing_by=policy.covers(place.host, "testing"),
            policy_unknown=policy.unknown,
            missed_by=missed_by,
            missed_mode=missed_mode,
        )
    )


def _dane(dane: DaneHost | None, handshake: Handshake, names: tuple[str, ...], now: float) -> tuple[str, Match]:
    """What the chain comes to against the TLSA records where DNSSEC secures them, and where it does not."""
    if dane is None or isinstance(dane.records, Absent):
        return "none", Match(outcome="")
    if isinstance(dane.records, Unknown):
        return "unknown", Match(outcome="", why=dane.records.why)
    made = match(dane.records.value, handshake.chain, names, now)
    if isinstance(dane.secure, Unknown):
        return "unknown", made if made.outcome == "match" else replace(made, why=dane.secure.why)
    if dane.secure != Found(value=True):
        return "unsigned", made
    return "none" if made.outcome == "unusable" else made.outcome, made


def _unnamed(session: Session | None) -> Answer[Certificate]:
    if session is None:
        return Absent("not asked for")
    handshake = session.handshake
    if handshake is not None and handshake.ok:
        if handshake.chain:
            return Found(read_certificate(handshake.chain[0]))
        return Absent("no certificate was sent")
    if handshake is not None and not _timed_out(session):
        return Absent(f"the handshake without a server name failed: {handshake.error}")
    return Unknown(_why(session))


def _scan(dialled: Dialled, handshake: Handshake) -> tuple[ScanFacts, ...]:
    if not dialled.scan:
        return ()
    found = {handshake.version: ScanFacts(version=handshake.version, accepted=Found(handshake.cipher))}
    for version, session in dialled.scan:
        found[version] = ScanFacts(version=version, accepted=_accepted(session))
    return tuple(found[version] for version in sorted(found))


def _accepted(session: Session | str) -> Answer[str]:
    if isinstance(session, str):
        return Unknown(session)
    handshake = session.handshake
    if handshake is None or _timed_out(session):
        return Unknown(_why(session))
    if handshake.ok:
        return Found(handshake.cipher)
    if handshake.error is not None and handshake.error.startswith(_OURS):
        return Unknown(handshake.error)
    return Absent(handshake.error or "refused")


def _timed_out(session: Session) -> bool:
    return any(step.stage == "tls" and step.trouble is Trouble.TIMEOUT for step in session.steps)


def _why(session: Session) -> str:
    if session.state is not State.OPEN:
        return session.why
    broken = next((step for step in session.steps if step.trouble is not None), None)
    where = f"{session.call.host} port {session.call.port}"
    return f"{where}: {broken.why}" if broken is not None else f"{where}: the session did not come to TLS"
