"""Area `dmarc` as people see it."""

from __future__ import annotations

import asyncio

from deliverkit.evidence.recorder import Recorder
from deliverkit.model import Inputs
from deliverkit.probes.dmarc import probe
from deliverkit.render.text.dmarc import lines
from deliverkit.report.dmarc import DmarcReport, report
from deliverkit.world import World

BASE = "$ORIGIN example.com.\n@ MX 10 mx.example.net.\n"
REPORTS = BASE + '_dmarc TXT "v=DMARC1; p=reject; rua=mailto:a@reports.example.net"\nreports.example.net. A 192.0.2.9\n'


def report_of(world: str) -> DmarcReport:
    return report(asyncio.run(probe(Inputs(domain="example.com"), Recorder(World(world)))))


def test_the_walk_and_the_policies():
    shown = "\n".join(lines(report_of(BASE + '_dmarc TXT "v=DMARC1; p=reject; sp=none"'), ascii=False))
    assert "applied    reject; subdomains none; names that do not exist none" in shown
    assert "├─ _dmarc.example.com  a DMARC record" in shown
    assert "└─ _dmarc.com  nothing" in shown


def test_ascii_is_ascii():
    shown = "\n".join(lines(report_of(REPORTS), ascii=True))
    assert shown.isascii()
    assert "x rua mailto:a@reports.example.net  has not consented: no reports are sent" in shown


def test_a_peers_text_cannot_act():
    shown = "\n".join(lines(report_of(BASE + '_dmarc TXT "v=DMARC1; p=none; x=\\027[31m"'), ascii=False))
    assert "\x1b" not in shown
    assert "\\x1b[31m" in shown


def test_what_could_not_be_told_says_why():
    shown = "\n".join(lines(report_of(BASE + "_dmarc TXT SERVFAIL"), ascii=False))
    assert "could not be told: SERVFAIL" in shown
    assert "none applies" not in shown
