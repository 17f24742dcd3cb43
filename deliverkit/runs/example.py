"""A rule's example, run: its world asked as a port, the whole of its area judged."""

from __future__ import annotations

import argparse
import asyncio
import base64
import re
import shlex
from pathlib import Path
from typing import Final

import msgspec

from deliverkit import engine
from deliverkit.config.read import parse
from deliverkit.evidence.recorder import Recorder
from deliverkit.model import DeliveryInputs, Expected, Inputs, Outcome, Sessions, SignedBy
from deliverkit.probes import zone
from deliverkit.probes.domain import gather
from deliverkit.records.dkim_key import ED25519_PREFIX
from deliverkit.report.asked import Asked
from deliverkit.report.baseline import NAME, decode
from deliverkit.report.fold import fold_target
from deliverkit.report.suppress import suppress
from deliverkit.rules import all_rules, rules_of
from deliverkit.runs.accepting import accepted, facts_of
from deliverkit.runs.lint_facts import files_alone
from deliverkit.runs.options import SESSION_AREAS
from deliverkit.sources import read_text
from deliverkit.sources.answers import Published
from deliverkit.world import NOW, World, WorldText, endpoint, read_world

__all__ = ["NOW", "example_inputs", "judge_world", "recorder_of"]

HOST: Final = "mail.example.com"
"""The host that examples about sessions are about."""

FILE: Final = Path("example.com.zone")
"""The file that examples about files are."""

_AREA: Final = {"config": "mx"}
"""The area in which an example of another is judged."""
_FILE: Final = re.compile(r"(?m)^\[(deliverkit\.toml|\.deliverkit-baseline\.json)\]\n")
_DIRECTIVE = re.compile(r"(?m)^; check (.+)$")


def example_inputs(world: str, area: str) -> Inputs:
    """What an example asks: `example.com` and the rule's area, or what its lines `; check …` say.

    They take the words of the command line: a domain, `--selector`, `--ip`, `--sender`, `--helo`,
    `--areas` (comma-separated), and the expected state as `--role`, `--mx` (comma-separated), `--dmarc`,
    `--mta-sts`, `--dkim-cname SELECTOR=NAME`; `--key` (a raw Ed25519 public key in base64) and `--second-opinion`.
    `--policy` takes the body of the first [https] section for the file.

    In the areas of sessions the target is `mail.example.com` with the ports that its sections have, and the words
    are `--port`, `--user`, `--mechanism`, `--insecure-auth`, `--relay-test`, `--mx`, `--as-mx-of`, `--tls`,
    `--tls-scan` and `--expect-certificate HOST:PORT` (of whom the certificate is expected). In the other areas
    `--port`, `--as-mx-of`, `--user`, `--relay-test` and `--by-mx` ask for sessions too.

    In area `delivery` the words are `--from DOMAIN` (example.com), `--sender ADDRESS` (me at the From domain; `<>` is
    the null one), `--ip` (192.0.2.25), `--helo` (mail.example.com), `--signature SELECTOR@DOMAIN[=KEY]` (a raw Ed25519
    public key in base64) and `--login SERVER`.

    In area `config` the world's MX records are judged, and after it stand the user's files, `[deliverkit.toml]` and
    `[.deliverkit-baseline.json]`.
    """
    world = _parts(world)[0]
    typed = shlex.split(" ".join(_DIRECTIVE.findall(world)))
    sessions = area in SESSION_AREAS
    words = _parser(sessions=sessions).parse_args(typed)
    if area == "delivery":
        return _delivery(words)
    sessions = sessions or bool(words.port or words.as_mx_of or words.user or words.relay_test or words.by_mx)
    text = read_world(world)
    inputs = Inputs(
        domain=words.domain or (HOST if sessions and not words.by_mx else "example.com"),
        areas=tuple(words.areas.split(",")) if words.areas else SESSION_AREAS if sessions else (_AREA.get(area, area),),
        selectors=tuple(words.selector),
        senders=tuple(words.ip),
        sender=words.sender,
        helo=None if sessions else words.helo,
        key=ED25519_PREFIX + base64.b64decode(words.key) if words.key else None,
        second_opinion=words.second_opinion,
        expected=Expected(
            role=words.role,
            mx=tuple(words.mx.split(",")) if words.mx else None,
            dmarc=words.dmarc,
            mta_sts=words.mta_sts,
            dkim_cnames=dict(pair.split("=", 1) for pair in words.dkim_cname),
        ),
        policy=text.https[0].body if words.policy else None,
    )
    if not sessions:
        return inputs
    return msgspec.structs.replace(inputs, sessions=_sessions(world, text, inputs.domain, words))


def _delivery(words: argparse.Namespace) -> Inputs:
    """A delivery: unless the example says otherwise, by me@example.com from mail.example.com."""
    domain = words.from_domain or "example.com"
    return Inputs(
        domain=domain,
        areas=("delivery",),
        delivery=DeliveryInputs(
            sender="" if words.sender == "<>" else words.sender or f"me@{domain}",
            from_domain=domain,
            sources=tuple(words.ip) or ("192.0.2.25",),
            helo=words.helo or HOST,
            signatures=tuple(_signed_by(each) for each in words.signature),
            authenticated=words.login is not None,
            server=words.login,
        ),
    )


def _signed_by(text: str) -> SignedBy:
    name, _, key = text.partition("=")
    selector, _, domain = name.partition("@")
    return SignedBy(domain=domain, selector=selector, key=ED25519_PREFIX + base64.b64decode(key) if key else None)


def _parser(*, sessions: bool) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(exit_on_error=False, add_help=False, allow_abbrev=False)
    parser.add_argument("domain", nargs="?")
    for name in ("--selector", "--ip", "--dkim-cname", "--signature"):
        parser.add_argument(name, action="append", default=[])
    for name in ("--sender", "--helo", "--areas", "--role", "--dmarc", "--mta-sts", "--key", "--login"):
        parser.add_argument(name)
    parser.add_argument("--from", dest="from_domain")
    if sessions:
        parser.add_argument("--mx", dest="by_mx", action="store_true")
        parser.set_defaults(mx=None)
    else:
        parser.add_argument("--mx")
        parser.add_argument("--by-mx", action="store_true")
    parser.add_argument("--port", type=int, action="append", default=[])
    for name in ("--user", "--mechanism", "--relay-test", "--as-mx-of", "--expect-certificate"):
        parser.add_argument(name)
    parser.add_argument("--tls", default="auto")
    for name in ("--second-opinion", "--tls-scan", "--insecure-auth", "--policy"):
        parser.add_argument(name, action="store_true")
    return parser


def _sessions(world: str, text: WorldText, host: str, words: argparse.Namespace) -> Sessions:
    """The sessions of an example: the ports that are named, else those that the world has sections for."""
    there = sorted({section.port for section in text.smtp if section.host == host})
    usual = (25,) if words.by_mx or words.as_mx_of else tuple(there or sorted({each.port for each in text.smtp}))
    expected = None
    if words.expect_certificate:
        expected = World(world).certificate(*endpoint(words.expect_certificate)).leaf
    return Sessions(
        ports=tuple(words.port) or usual or Sessions().ports,
        by_mx=words.by_mx,
        tls=words.tls,
        helo=words.helo or "",
        user=words.user,
        mechanism=words.mechanism,
        insecure_auth=words.insecure_auth,
        relay_to=words.relay_test,
        as_mx_of=words.as_mx_of,
        certificate=expected,
        tls_scan=words.tls_scan,
    )


def recorder_of(text: str) -> Recorder:
    """A recorder that has one world for everything."""
    world = World(_parts(text)[0])
    return Recorder(world, world, world)


def judge_world(text: str, area: str) -> tuple[Outcome, ...]:
    """The outcome of every rule over one example.

    Of area `config`: of its own rules, over what a run says. Of area `zone`: over a file, `example.com.zone`.
    """
    if area == "zone":
        return _judge_file(text)
    facts = asyncio.run(gather(example_inputs(text, area), recorder_of(text), NOW))
    outcomes = engine.judge(facts, all_rules())
    if area != "config":
        return outcomes
    asked = Asked(areas=facts.inputs.areas)
    target = fold_target(facts, outcomes, asked.gate, duration_ms=0.0)
    files = _parts(text)[1]
    toml, json = files.get("deliverkit.toml", ""), files.get(NAME, "")
    told = accepted(
        parse(toml.encode(), "deliverkit.toml"),
        NOW,
        baseline=decode(json.encode(), NAME) if json else None,
        baseline_path=Path(NAME),
    )
    done = suppress((target,), told.acceptance, asked)
    return engine.judge(facts_of(done, told), rules_of("config"))


def _parts(text: str) -> tuple[str, dict[str, str]]:
    """An example's world, and the files that stand after it, by name."""
    world, *rest = _FILE.split(text)
    return world, dict(zip(rest[::2], rest[1::2], strict=True))


def _judge_file(text: str) -> tuple[Outcome, ...]:
    source = read_text(text, FILE)
    published = Published((source,))
    facts = zone.probe(published, (source,), published.zones)
    return engine.judge(files_alone("example.com", facts["example.com"], NOW), all_rules())
