"""Saved runs: what goes in comes out, and nothing else is let in."""

from __future__ import annotations

import asyncio
import json
import re
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.evidence.recorder import Recorder
from deliverkit.evidence.saved import (
    Evidence,
    EvidenceError,
    Recorded,
    TargetEvidence,
    asked_of,
    decode,
    encode,
    load,
    save,
)
from deliverkit.model import Inputs, LookupOutcome
from deliverkit.world import World

WORLD = """$ORIGIN example.com.
@ MX 10 mail
@ TXT "v=spf1 -all" "\\255\\000"
mail A 192.0.2.1
@ SOA ns h 1 2 3 4 5
x SERVFAIL
"""


def evidence() -> Evidence:
    recorder = Recorder(World(WORLD))

    async def run() -> None:
        for name, rdtype in (
            ("example.com", "TXT"),
            ("example.com", "MX"),
            ("mail.example.com", "A"),
            ("x.example.com", "A"),
        ):
            await recorder.lookup(name, rdtype)
        await recorder.lookup("example.com", "SOA", server="192.0.2.53")

    asyncio.run(run())
    target = TargetEvidence(inputs=Inputs(domain="example.com"), now=1.5, lookups=asked_of(recorder), duration=0.25)
    return Evidence(version="1", started_at=1.25, options={"ip": ("192.0.2.1",)}, targets=(target,))


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text("old")
    save(path, evidence())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load(path) == evidence()
    assert encode(load(path)) == path.read_bytes()
    assert list(tmp_path.iterdir()) == [path]


def test_recorded_answers_as_the_world_did() -> None:
    saved = decode(encode(evidence())).targets[0]
    port, world = Recorded(saved.lookups), World(WORLD)

    async def run() -> None:
        for name, rdtype in (("Example.com.", "TXT"), ("example.com", "MX"), ("x.example.com", "A")):
            assert await port.lookup(name, rdtype) == await world.lookup(name, rdtype)
        missing = await port.lookup("other.example.com", "TXT")
        assert missing.outcome is LookupOutcome.UNKNOWN
        assert missing.why == "not in the saved evidence: other.example.com TXT"
        assert (await port.lookup("example.com", "SOA")).outcome is LookupOutcome.UNKNOWN
        assert (await port.lookup("example.com", "SOA", server="192.0.2.53")).outcome is LookupOutcome.FOUND

    asyncio.run(run())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("deliverkit/evidence/1", "deliverkit/evidence/2"),
        ('"192.0.2.1"', '"not an address"'),
        ('"preference": 10', '"preference": -1'),
        ('"ttl": 3600', '"ttl": 99999999999999999999'),
        ('"found"', '"perhaps"'),
    ],
)
def test_a_tampered_file_is_refused_in_one_line(old: str, new: str) -> None:
    text = encode(evidence()).decode().replace(old, new)
    with pytest.raises(EvidenceError) as caught:
        decode(text.encode(), "run.json")
    assert str(caught.value).startswith("run.json: ")
    assert "\n" not in str(caught.value)


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(EvidenceError):
        decode(b'{"options":' + b"[" * 100_000)
    with pytest.raises(EvidenceError):
        load(Path("/nonexistent/run.json"))


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.text(), lambda s: st.dictionaries(st.text(), s)).map(lambda v: json.dumps(v).encode())
)
def test_any_octets_are_refused_by_name(octets: bytes) -> None:
    with pytest.raises(EvidenceError):
        decode(octets)


def test_a_key_of_a_later_version_is_passed_over() -> None:
    text = encode(evidence()).decode().replace('"started_at"', '"later": 1, "started_at"', 1)
    assert decode(text.encode()) == evidence()


@pytest.mark.parametrize("time", ["1e30", "-1", "1e308"])
def test_a_time_that_is_none_is_refused(time: str) -> None:
    text = re.sub(r'"started_at": [0-9.e]+', f'"started_at": {time}', encode(evidence()).decode())
    with pytest.raises(EvidenceError):
        decode(text.encode())
