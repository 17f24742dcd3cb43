"""Facts of areas `smtp` and `auth`: what one endpoint says, allows and refuses."""

from __future__ import annotations

from deliverkit.facts.tls import TlsFacts
from deliverkit.facts.tree import Fact
from deliverkit.model import Absent, Answer, Step, Trouble
from deliverkit.smtp.capabilities import Capabilities
from deliverkit.smtp.reply import Reply


class Breakage(Fact, frozen=True, kw_only=True):
    """Where a session ended that did not end with QUIT. `stage` is that of `Step`; `seen` what came last."""

    host: str
    address: str
    port: int
    stage: str
    trouble: Trouble
    why: str
    seen: bytes = b""
    mx: bool = False


class OddReply(Fact, frozen=True, kw_only=True):
    """A reply that breaks RFC 5321 and could be read all the same. `reply.defects` says how."""

    host: str
    port: int
    stage: str
    reply: Reply


class LoginFacts(Fact, frozen=True, kw_only=True):
    """The one login that was tried, or why none was."""

    host: str
    port: int
    outcome: str
    """`accepted`, `refused` (the server's answer to these credentials), `failed` (it broke off) or `not-tried`."""
    user: str
    mechanism: str | None
    """The one that was tried; None: none."""
    asked_for: str | None = None
    """The mechanism the user named."""
    offered: tuple[str, ...] = ()
    """Inside TLS; in clear where there is no TLS."""
    heard: bool = False
    """What the server offers was heard to its end: nothing offered means that there is no login."""
    why: str = ""
    """Why it was not tried, or how it broke, in words."""
    reply: Reply | None = None
    """The last answer."""
    detail: str | None = None
    """What the server said in its OAuth error (RFC 7628 §3.2.2), as `status invalid_token, scope mail`."""
    encrypted: bool = False
    trusted: bool = False
    """The certificate was verified before."""
    insecure: bool = False
    """`--insecure-auth` was typed."""
    protocol_fault: bool = False
    """It failed since the server broke the protocol of the mechanism: a challenge that is not base64, or one too many,
    a proof that is wrong. False where it timed out, was cut off or put off."""


class RelayFacts(Fact, frozen=True, kw_only=True):
    """What came of offering a recipient outside (`--relay-test`), without a login. Nothing was sent."""

    host: str
    port: int
    recipient: str
    outcome: str
    """`closed`, `possible` (RCPT was accepted, which proves nothing) or `not-tried`."""
    tried: tuple[tuple[str, Reply], ...] = ()
    """Each form of the recipient and its reply, three at most."""
    why: str = ""


class Endpoint(Fact, frozen=True, kw_only=True):
    """One address and port of a host, and the conversation there.

    An answer is `Absent` where the conversation never asks (STARTTLS on 465) and `Unknown` where it broke off before:
    a 421, a timeout and a lost connection say nothing about what the server offers.
    """

    host: str
    address: str
    port: int
    role: str
    """`mx` (25, or any port of a host that takes a domain's mail) or `submission` (all others)."""
    helo: str
    """What we said in EHLO."""
    state: str
    """`open`, `refused`, `timeout`, `unreachable` or `error`."""
    why: str = ""
    named: bool = False
    """The user named this port: it is not one of the four that are tried where none is named."""
    by_us: str | None = None
    """Why this may be our network and not the peer: a port 25 that goes nowhere, a middlebox, in words."""
    asked_starttls: bool = False
    """`--tls starttls` was typed, or a policy requires TLS."""
    banner: Answer[Reply]
    banner_ms: float | None = None
    early: bytes = b""
    """What the server said before it was asked, behind its banner or another reply."""
    extended: Answer[bool]
    """Whether EHLO was accepted; False: HELO alone."""
    greeting: Answer[Reply]
    """The reply to EHLO, or to HELO where EHLO was refused: in clear, or inside TLS where TLS came at once."""
    before: Answer[Capabilities]
    """In clear; Absent on a port with TLS at once."""
    after: Answer[Capabilities]
    """Inside TLS; Absent where there is none."""
    after_refused: Reply | None = None
    """The reply to EHLO inside TLS, where it was refused."""
    banner_again: Reply | None = None
    """A banner that came once more inside TLS, which no server sends."""
    starttls: str | None
    """`offered` (and it worked), `missing`, `failed` or `implicit`; None: not known."""
    starttls_reply: Reply | None = None
    """The refusal, where STARTTLS was offered and refused."""
    stripped: bool = False
    """`XXXXXXXA` stood in place of STARTTLS: a middlebox on the way took it out."""
    wrong_mode: str | None = None
    """`implicit` where a port that ought to speak in clear speaks TLS at once, `clear` the other way round."""
    in_clear: bytes = b""
    """What it said in clear where TLS was begun at once."""
    injected: bytes = b""
    """Plain octets behind the reply to STARTTLS, dropped before the handshake (CVE-2011-0411)."""
    mail_before_tls: Answer[Reply]
    """The reply to MAIL FROM:<> in clear, where STARTTLS is offered; Absent: not asked."""
    tls: Answer[TlsFacts]
    """Unknown where the handshake could not be told (a timeout); Absent where there is none or it failed."""
    tls_error: str | None = None
    """Why the handshake failed, in words."""
    demands_client: bool = False
    """The server asked for a client certificate, and ended the handshake or the session since none came."""
    login: Answer[LoginFacts] = Absent("not asked for")
    relay: Answer[RelayFacts] = Absent("not asked for")
    breakage: Answer[Breakage] = Absent("the session ended in order")
    odd: tuple[OddReply, ...] = ()
    ptr: Answer[tuple[str, ...]] = Absent("not asked for")
    """The names that the PTR of the address gives."""
    required_by: str | None = None
    """The domain whose MTA-STS policy or DANE record requires TLS of this host."""
    timings: dict[str, float]
    """ms for `connect banner ehlo starttls tls ehlo_tls auth`, as far as each came."""
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()
    ours: str = ""

    @property
    def where(self) -> str:
        """`mail.example.com port 587`."""
        return f"{self.host} port {self.port}"


class HostFacts(Fact, frozen=True, kw_only=True):
    """One host and every endpoint of it that was dialled. `addresses` Unknown: the DNS would not tell."""

    host: str
    addresses: Answer[tuple[str, ...]]
    refused_addresses: tuple[str, ...] = ()
    """Addresses that the DNS named, no stranger can reach, and that were not connected to."""
    skipped_addresses: tuple[str, ...] = ()
    """Addresses beyond the four of each family that are dialled."""
    endpoints: tuple[Endpoint, ...] = ()
    undialled: Answer[Endpoint] = Absent("every address was dialled")
    """Unknown where endpoints could not be dialled: the DNS would not name them, or nobody may connect to them."""
    mx: bool = False
    uncovered_by: Answer[tuple[str, str]] = Absent("not to become the MX of a domain")
    """Found: the domain whose MX it is to become, and the mode of the MTA-STS policy there that does not cover it."""


class SmtpFacts(Fact, frozen=True, kw_only=True):
    """Every host of one target."""

    target: str
    by_mx: bool = False
    hosts: Answer[tuple[HostFacts, ...]]
    """Unknown: the MX could not be told. Absent: there is none (a null MX)."""
    skipped: tuple[str, ...] = ()
    """Mail hosts beyond the ten that are dialled."""
