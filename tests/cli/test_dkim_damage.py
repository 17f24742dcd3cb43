"""Each zone of fixtures/dkim-damage is one good key, damaged: the record printed in its place passes."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

import deliverkit
from deliverkit.report import Report

ZONES = Path(__file__).parents[2] / "fixtures" / "dkim-damage"
DAMAGED = sorted(path for path in ZONES.glob("*.zone") if path.stem != "sound")
HEAD = """$ORIGIN example.com.
@  3600 IN SOA ns1 hostmaster 1 7200 900 1209600 300
@  NS 192.0.2.53.example.net.
@  MX 10 mx1
mx1 A 192.0.2.1
"""


def judged(zone: Path) -> Report:
    return deliverkit.check("example.com", selectors=["s1"], areas=["dkim"], zones=[str(zone)], offline=True)


def test_there_are_six_kinds():
    assert len(DAMAGED) == 6


def test_the_sound_key_passes():
    assert judged(ZONES / "sound.zone").targets[0].findings == ()


@pytest.mark.parametrize("zone", DAMAGED, ids=lambda path: path.stem)
def test_the_record_printed_in_its_place_passes(zone: Path, tmp_path: Path):
    findings = judged(zone).targets[0].findings
    cause = [finding for finding in findings if finding.part_of is None and finding.change is not None]
    assert len(cause) == 1, msgspec.json.encode(findings)
    change = cause[0].change
    assert change is not None
    assert change.after is not None
    assert change.after in cause[0].fix
    assert change.name == "s1._domainkey.example.com"
    strings = " ".join(f'"{change.after[n : n + 255]}"' for n in range(0, len(change.after), 255))
    mended = tmp_path / "mended.zone"
    mended.write_text(f"{HEAD}s1._domainkey TXT ( {strings} )\n")
    report = judged(mended)
    assert report.targets[0].findings == ()
    assert report.verdict == "pass"
    sound = judged(ZONES / "sound.zone").targets[0].facts.dkim
    now = report.targets[0].facts.dkim
    assert sound is not None
    assert now is not None
    assert now.selectors[0].record == sound.selectors[0].record
