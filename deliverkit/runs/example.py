"""A rule's example, run: its world asked as a port, the whole of its area judged."""

from __future__ import annotations

import argparse
import asyncio
import base64
import re
import shlex

from deliverkit import engine
from deliverkit.dns.world import World
from deliverkit.evidence.recorder import Recorder
from deliverkit.model import Expected, Inputs, Outcome
from deliverkit.probes.domain import gather
from deliverkit.records.dkim_key import ED25519_PREFIX
from deliverkit.rules import all_rules

NOW = 1_800_000_000.0
"""The time examples are judged at (2027-01-15T08:00:00Z)."""

_DIRECTIVE = re.compile(r"(?m)^; check (.+)$")


def example_inputs(world: str, area: str) -> Inputs:
    """What an example asks: `example.com` and the rule's area, or what its line `; check …` says.

    The line takes the words of the command line: a domain, `--selector`, `--ip`, `--sender`, `--helo`,
    `--areas` (comma-separated), and the expected state as `--role`, `--mx` (comma-separated), `--dmarc`,
    `--dkim-cname SELECTOR=NAME`; `--key` (a raw Ed25519 public key in base64) and `--second-opinion`.
    """
    parser = argparse.ArgumentParser(exit_on_error=False, add_help=False)
    parser.add_argument("domain", nargs="?", default="example.com")
    for name in ("--selector", "--ip", "--dkim-cname"):
        parser.add_argument(name, action="append", default=[])
    for name in ("--sender", "--helo", "--areas", "--role", "--mx", "--dmarc", "--key"):
        parser.add_argument(name)
    parser.add_argument("--second-opinion", action="store_true")
    directive = _DIRECTIVE.search(world)
    words = parser.parse_args(shlex.split(directive[1]) if directive else [])
    return Inputs(
        domain=words.domain,
        areas=tuple(words.areas.split(",")) if words.areas else (area,),
        selectors=tuple(words.selector),
        senders=tuple(words.ip),
        sender=words.sender,
        helo=words.helo,
        key=ED25519_PREFIX + base64.b64decode(words.key) if words.key else None,
        second_opinion=words.second_opinion,
        expected=Expected(
            role=words.role,
            mx=tuple(words.mx.split(",")) if words.mx else None,
            dmarc=words.dmarc,
            dkim_cnames=dict(pair.split("=", 1) for pair in words.dkim_cname),
        ),
    )


def judge_world(text: str, area: str) -> tuple[Outcome, ...]:
    """The outcome of every rule over one example."""
    facts = asyncio.run(gather(example_inputs(text, area), Recorder(World(text)), NOW))
    return engine.judge(facts, all_rules())
