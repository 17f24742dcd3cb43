"""Facts of one endpoint, sound unless a test says otherwise."""

from __future__ import annotations

from typing import Any

from deliverkit import engine
from deliverkit.facts.smtp import Breakage, Endpoint, HostFacts, LoginFacts
from deliverkit.facts.tls import TlsFacts
from deliverkit.facts.tree import Fact
from deliverkit.model import Absent, Finding, Found, Outcome, Severity, Trouble
from deliverkit.records.certificate import Certificate
from deliverkit.rules import find_rule
from deliverkit.smtp.capabilities import Capabilities, read_capabilities
from deliverkit.smtp.reply import Reply, parse

NOW = 1_800_000_000.0
DAY = 86_400.0
HOST = "mail.example.com"


def reply(text: str) -> Reply:
    """A reply from its text, `\\n` between its lines."""
    made = parse(text.replace("\n", "\r\n").encode() + b"\r\n")
    assert made is not None
    return made


def offers(*lines: str) -> Capabilities:
    """What an answer to EHLO with these lines offers."""
    words = (HOST, *lines)
    return read_capabilities(
        reply("\n".join(f"250{' ' if n == len(words) - 1 else '-'}{word}" for n, word in enumerate(words)))
    )


def certificate(**changes: Any) -> Certificate:
    """A sound leaf."""
    sound: dict[str, Any] = {
        "subject": f"CN={HOST}", "issuer": "CN=a CA", "names": (HOST,), "not_before": NOW - 30 * DAY,
        "not_after": NOW + 60 * DAY, "key": "ec-secp256r1", "signature": "ecdsa-with-SHA256", "sha256": "aa",
        "spki_sha256": "bb",
    }  # fmt: skip
    return Certificate(**{**sound, **changes})


ISSUER = Certificate(
    subject="CN=a CA", issuer="CN=a root", not_before=0.0, not_after=NOW * 2, is_ca=True, key="ec-secp256r1"
)


def tls(leaf: Certificate | None = None, **changes: Any) -> TlsFacts:
    """Sound TLS on a submission port."""
    leaf = leaf or certificate()
    sound: dict[str, Any] = {
        "host": HOST, "address": "192.0.2.25", "port": 587, "submission": True, "implicit": False, "now": NOW,
        "version": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384", "chain": (leaf, ISSUER), "trusted": True,
        "names": (HOST,), "name_matches": HOST in leaf.names, "unnamed": Absent("not asked for"),
    }  # fmt: skip
    return TlsFacts(**{**sound, **changes})


def mx_tls(leaf: Certificate | None = None, **changes: Any) -> TlsFacts:
    """Sound TLS on an MX."""
    return tls(leaf, **{"port": 25, "submission": False, **changes})


CLEAR = ("PIPELINING", "SIZE 10485760", "8BITMIME", "ENHANCEDSTATUSCODES", "STARTTLS")
INSIDE = (*CLEAR[:4], "AUTH PLAIN LOGIN")


def endpoint(**changes: Any) -> Endpoint:
    """A sound submission port."""
    sound: dict[str, Any] = {
        "host": HOST, "address": "192.0.2.25", "port": 587, "role": "submission", "helo": "client.example",
        "state": "open", "banner": Found(reply(f"220 {HOST} ESMTP")), "extended": Found(value=True),
        "greeting": Found(reply(f"250-{HOST}\n250 STARTTLS")), "before": Found(offers(*CLEAR)),
        "after": Found(offers(*INSIDE)), "starttls": "offered",
        "mail_before_tls": Found(reply("530 5.7.0 Must issue a STARTTLS command first")), "tls": Found(tls()),
        "timings": {}, "ptr": Found((HOST,)),
    }  # fmt: skip
    return Endpoint(**{**sound, **changes})


def broken(trouble: Trouble, stage: str = "ehlo", seen: bytes = b"", why: str = "so") -> Found[Breakage]:
    """A session that ended at a stage."""
    made = Breakage(host=HOST, address="192.0.2.25", port=587, stage=stage, trouble=trouble, why=why, seen=seen)
    return Found(made)


def host(*endpoints: Endpoint, **changes: Any) -> HostFacts:
    """A host with these endpoints."""
    sound: dict[str, Any] = {"host": HOST, "addresses": Found(("192.0.2.25",)), "endpoints": endpoints}
    return HostFacts(**{**sound, **changes})


def login(**changes: Any) -> LoginFacts:
    """A login that was accepted."""
    sound: dict[str, Any] = {
        "host": HOST, "port": 587, "outcome": "accepted", "user": "alice", "mechanism": "PLAIN",
        "offered": ("PLAIN", "LOGIN"), "reply": reply("235 2.7.0 ok"), "encrypted": True, "trusted": True,
    }  # fmt: skip
    return LoginFacts(**{**sound, **changes})


def judged(fact: Fact, rule_id: str) -> Outcome:
    """What one rule comes to on a fact."""
    rule = find_rule(rule_id)
    assert rule is not None
    return engine.judge(fact, [rule])[0]


def only(outcome: Outcome) -> Finding:
    """The one finding of an outcome."""
    (finding,) = outcome.findings
    return finding


def severity(outcome: Outcome) -> Severity:
    """How hard its one finding is."""
    return only(outcome).severity or outcome.rule.severity
