"""checkdmarc judges the answers at hand, and asks nothing of its own."""

from __future__ import annotations

import asyncio
import socket

import pytest

from deliverkit.evidence.recorder import Recorder
from deliverkit.facts.second_opinion import SecondOpinionFacts
from deliverkit.model import Absent, Found, Inputs, Unknown
from deliverkit.probes import second_opinion
from deliverkit.world import World

BASE = "$ORIGIN example.com.\n@ MX 10 mx.example.net.\n"


def opinion_on(world: World, *areas: str) -> SecondOpinionFacts:
    return asyncio.run(second_opinion.probe(Inputs(domain="example.com", areas=areas), Recorder(world)))


def test_verdicts(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the second opinion opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    world = World(
        BASE + '@ TXT "v=spf1 include:a.example.net mx -all"\na.example.net. TXT "v=spf1 include:b.example.net ~all"\n'
        'b.example.net. TXT "v=spf1 ip4:192.0.2.0/24 ~all"\nmx.example.net. A 192.0.2.1\n'
        '_dmarc TXT "v=DMARC1; p=reject; rua=mailto:a@example.com"'
    )
    seen = opinion_on(world, "spf", "dmarc")
    assert isinstance(seen.spf, Found)
    assert (seen.spf.value.valid, seen.spf.value.lookups) == (True, 3)
    assert isinstance(seen.dmarc, Found)
    assert (seen.dmarc.value.valid, seen.dmarc.value.policy, seen.dmarc.value.location) == (
        True,
        "reject",
        "example.com",
    )


def test_errors_are_verdicts():
    seen = opinion_on(
        World(BASE + '@ TXT "v=spf1 ipv4:192.0.2.1 -all"\n_dmarc TXT "v=DMARC1; p=wrong"'), "spf", "dmarc"
    )
    assert isinstance(seen.spf, Found)
    assert (seen.spf.value.valid, seen.spf.value.error) == (False, "SPFSyntaxError")
    assert isinstance(seen.dmarc, Found)
    assert not seen.dmarc.value.valid
    assert seen.dmarc.value.error is not None


def test_areas_not_asked_for_are_absent():
    seen = opinion_on(World(BASE), "dmarc")
    assert isinstance(seen.spf, Absent)
    assert isinstance(seen.dmarc, Found)
    assert seen.dmarc.value.error == "DMARCRecordNotFound"


def test_an_unanswered_question_is_no_verdict():
    assert isinstance(opinion_on(World(BASE + "_dmarc TXT SERVFAIL"), "dmarc").dmarc, Unknown)


def test_its_appetite_is_bounded():
    includes = "".join(
        f'i{n} TXT "v=spf1 {" ".join(f"include:i{n}-{m}.example.com" for m in range(9))} ~all"\n' for n in range(9)
    )
    world = World(BASE + f'@ TXT "v=spf1 {" ".join(f"include:i{n}.example.com" for n in range(9))} ~all"\n' + includes)
    opinion_on(world, "spf")
    assert len(world.asked) <= second_opinion.MAX_FETCHED


def test_the_same_answers_give_the_same_verdict():
    text = BASE + '@ TXT "v=spf1 mx include:gone.example.net -all"\n_dmarc TXT "v=DMARC1; p=none"'
    assert opinion_on(World(text), "spf", "dmarc") == opinion_on(World(text), "spf", "dmarc")
