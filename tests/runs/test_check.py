"""The run: bounded, each target by itself, and a saved one judged again the same."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

import deliverkit
from deliverkit.model import Inputs, Lookup, LookupOutcome, Mx
from deliverkit.render import json
from deliverkit.report import Report
from deliverkit.rules import all_rules
from deliverkit.runs import check as runs
from deliverkit.runs.example import example_inputs, recorder_of
from deliverkit.runs.options import RunError, RunOptions
from deliverkit.runs.questions import presented
from deliverkit.world import World

WORLD = "$ORIGIN example.com.\n@ MX 10 mx\nmx CNAME web\nweb A 192.0.2.1\n@ TXT SERVFAIL\n"


def areas(*names: str) -> Inputs:
    return Inputs(domain="example.com", areas=names)


def test_targets_keep_their_order():
    names = [f"d{n}.example" for n in range(100)]
    report = runs.check(tuple(Inputs(domain=name) for name in names), RunOptions(), port=World(WORLD))
    assert [target.target for target in report.targets] == names


def test_no_more_than_some_targets_at_once():
    running, most = 0, 0

    class Slow:
        async def lookup(self, name: str, rdtype: str, *, server: str | None = None) -> Lookup:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.001)
            running -= 1
            return Lookup(name=name, rdtype=rdtype, outcome=LookupOutcome.NXDOMAIN, why="no such name")

    requests = tuple(Inputs(domain=f"d{n}.example", areas=()) for n in range(200))
    runs.check(requests, RunOptions(), port=Slow())
    assert most <= runs.AT_ONCE * 4


def test_the_deadline_is_each_targets_own():
    class Silent:
        async def lookup(self, name: str, rdtype: str, *, server: str | None = None) -> Lookup:
            await asyncio.sleep(60)
            raise AssertionError

    requests = tuple(Inputs(domain=f"d{n}.example", areas=("mx",)) for n in range(40))
    report = runs.check(requests, RunOptions(timeout=0.1), port=Silent())
    assert report.exit_code == 3
    assert all(target.duration_ms < 2000 for target in report.targets)
    assert all("0.1 s" in target.inconclusive[0].why for target in report.targets)


def test_the_time_is_one_for_all():
    report = runs.check((areas("mx"),), RunOptions(), port=World(WORLD))
    assert report.started_at.endswith("Z")


def test_progress_ends_with_all(capsys):
    seen: list[tuple[int, int]] = []
    options = RunOptions(progress=lambda done, total: seen.append((done, total)))
    runs.check((areas("mx"), areas("spf")), options, port=World(WORLD))
    assert seen[-1] == (2, 2)


EXAMPLES = [
    pytest.param(rule.area, block.world, id=f"{rule.id}-{kind}-{n}")
    for rule in all_rules()
    if rule.area != "zone"  # whose examples are files, and no world
    for kind, blocks in (("bad", rule.doc.bad), ("good", rule.doc.good))
    for n, block in enumerate(blocks)
]


@pytest.mark.parametrize(("area", "world"), EXAMPLES)
def test_every_example_judged_again_gives_the_same_report(area, world, tmp_path: Path):
    saved = tmp_path / "run.json"
    inputs = example_inputs(world, area)
    first = runs.check((inputs,), RunOptions(save_evidence=saved, questions=True), port=recorder_of(world))
    again = runs.check((), RunOptions(evidence=saved, questions=True))
    assert json.render(again) == json.render(first)
    # The document is what its own types say.
    assert msgspec.json.decode(json.render(first), type=Report) == first


def test_a_saved_run_judged_by_area(tmp_path: Path):
    saved = tmp_path / "run.json"
    runs.check((Inputs(domain="example.com"),), RunOptions(save_evidence=saved), port=World(WORLD))
    report = runs.check((), RunOptions(evidence=saved, areas=("mx",)))
    assert report.targets[0].facts.spf is None
    assert report.targets[0].facts.mx is not None


def test_evidence_that_cannot_be_written(tmp_path: Path):
    with pytest.raises(RunError):
        runs.check((areas("mx"),), RunOptions(save_evidence=tmp_path / "no" / "x"), port=World(WORLD))


def test_the_python_interface(tmp_path: Path):
    zone = tmp_path / "some.world"
    zone.write_text(WORLD)
    report = deliverkit.check("Example.COM.", zones=[zone], offline=True, areas=["mx"])
    assert report.targets[0].findings[0].rule == "mx-is-cname"
    assert report.exit_code == 1


def test_the_python_interface_in_a_loop(tmp_path: Path):
    zone = tmp_path / "some.world"
    zone.write_text(WORLD)
    report = asyncio.run(deliverkit.check_async("example.com", "example.com", zones=[zone], offline=True))
    assert len(report.targets) == 1


@pytest.mark.parametrize("name", ["", "a b", "http://example.com"])
def test_the_python_interface_refuses_what_is_no_name(name):
    with pytest.raises(deliverkit.RunError):
        deliverkit.check(name, offline=True)


def test_all_is_there_and_nothing_else():
    assert sorted(deliverkit.__all__) == deliverkit.__all__ or set(deliverkit.__all__) <= set(dir(deliverkit))
    for name in deliverkit.__all__:
        assert getattr(deliverkit, name) is not None
    with pytest.raises(AttributeError):
        deliverkit.nothing  # noqa: B018 - the access is the test


def test_records_as_dig_shows_them():
    assert presented(Mx(10, "mx.example.com")) == "10 mx.example.com."
