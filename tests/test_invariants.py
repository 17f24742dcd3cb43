"""What holds for the whole of the project."""

from __future__ import annotations

import ast
import asyncio
import importlib
import pkgutil
import re
import sys
from pathlib import Path

import pytest

import deliverkit
from deliverkit import engine
from deliverkit.evidence import saved as evidence
from deliverkit.evidence.recorder import Recorder
from deliverkit.model import Outcome, Rule
from deliverkit.probes.domain import gather
from deliverkit.rules import all_rules
from deliverkit.runs.example import NOW, example_inputs, recorder_of

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "deliverkit"
ROOMS = {
    "cli", "runs", "render", "lab", "report", "rules", "probes", "facts", "evidence", "world", "smtp", "https", "dns",
    "tls", "records", "replies", "model", "delivery", "config", "sources",
}  # fmt: skip
LONGEST = 420
RULES = {rule.id: rule for rule in all_rules()}
MODULES = sorted(PACKAGE.rglob("*.py"))

PROMISED = {
    "error": """
        mx-is-cname mx-is-ip mx-unresolvable mx-private-address mx-null-with-others mx-domain-nonexistent
        mx-not-as-expected spf-missing spf-multiple-records spf-syntax spf-too-many-lookups spf-too-many-voids
        spf-include-loop spf-include-without-record spf-permissive-all spf-sender-not-authorized dkim-missing
        dkim-key-syntax dkim-key-revoked dkim-key-too-short dkim-multiple-records dkim-key-mismatch
        dkim-cname-not-as-expected dmarc-missing dmarc-multiple-records dmarc-syntax dmarc-not-as-expected
        dane-mismatch dnssec-bogus
        delivery-alignment-fails config-ignore-without-reason
        auth-login-refused smtp-service-refused smtp-starttls-missing smtp-auth-before-tls smtp-starttls-injection
        tls-certificate-expired tls-certificate-name-mismatch tls-certificate-untrusted tls-certificate-not-as-expected
    """,
    "warning": """
        mx-missing mx-null-absent spf-no-all spf-neutral-all spf-ptr-mechanism spf-lookups-near-limit
        spf-include-unregistered dkim-none-published dkim-key-testing dmarc-policy-none dmarc-report-missing
        dmarc-report-unauthorized dmarc-subdomain-weaker dane-without-dnssec dnssec-signature-expiring
        smtp-relay-possible tls-certificate-expiring tls-protocol-obsolete config-ignore-expired
    """,
    "notice": """
        dkim-selector-unknown dkim-key-below-recommended dmarc-removed-tag smtp-banner-not-fqdn config-ignore-unused
    """,
}
PROMISES = [(severity, rule) for severity, ids in PROMISED.items() for rule in ids.split()]
EXAMPLES = [
    pytest.param(rule, block.world, id=f"{rule.id}-{kind}-{number}")
    for rule in RULES.values()
    if rule.area != "zone"  # a file, of which nobody is asked
    for kind, blocks in (("bad", rule.doc.bad), ("good", rule.doc.good))
    for number, block in enumerate(blocks)
]


@pytest.mark.parametrize(("severity", "rule"), PROMISES)
def test_the_ids_that_users_rely_on_are_there(severity: str, rule: str):
    assert RULES[rule].severity.value == severity


def test_sixty_rules_and_more():
    assert len(RULES) >= 60


def test_ids_are_unique_and_begin_with_their_area():
    rules = all_rules()
    assert len({rule.id for rule in rules}) == len(rules)
    assert all(rule.id.startswith(f"{rule.area}-") for rule in rules)


def test_the_rooms_are_those_documented():
    found = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert found == ROOMS
    plan = (ROOT / "docs" / "architecture.md").read_text()
    assert {room for room in ROOMS if f"`{room}/`" in plan} == ROOMS


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_is_too_long(path: Path):
    """Rules' pages stand in docstrings, and are not counted."""
    text = path.read_text()
    pages = sum(
        node.body[0].end_lineno - node.body[0].lineno
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and ast.get_docstring(node) is not None
        and node.body[0].end_lineno is not None
    )
    assert text.count("\n") - pages <= LONGEST


@pytest.mark.parametrize("name", [info.name for info in pkgutil.walk_packages(deliverkit.__path__, "deliverkit.")])
def test_all_names_what_is_there(name: str):
    module = importlib.import_module(name)
    listed = getattr(module, "__all__", [])
    assert len(set(listed)) == len(listed)
    assert [word for word in listed if not hasattr(module, word)] == []


def test_the_public_names_are_there():
    assert [name for name in deliverkit.__all__ if not hasattr(deliverkit, name)] == []


def test_the_version_is_one():
    assert re.fullmatch(r"\d+\.\d+\.\d+", deliverkit.__version__)


@pytest.mark.parametrize(("rule", "world"), [one for one in EXAMPLES if one.values[0].area != "zone"])
def test_saved_evidence_judged_again_gives_the_same_outcomes(rule: Rule, world: str):
    inputs = example_inputs(world, rule.area)

    def judged(recorder: Recorder) -> tuple[Outcome, ...]:
        return engine.judge(asyncio.run(gather(inputs, recorder, NOW)), RULES.values())

    recorder = recorder_of(world)
    live = judged(recorder)
    target = evidence.TargetEvidence(
        inputs=inputs,
        now=NOW,
        lookups=evidence.asked_of(recorder),
        fetches=evidence.fetched_of(recorder),
        sessions=evidence.sessions_of(recorder),
    )
    octets = evidence.encode(
        evidence.Evidence(version="0", started_at=NOW, options={}, vantage=evidence.Vantage(), targets=(target,))
    )
    (saved,) = evidence.decode(octets).targets
    recorded = evidence.Recorded(saved.lookups, saved.fetches, saved.sessions)
    assert judged(Recorder(recorded, recorded, recorded)) == live


def test_the_rules_pages_are_fresh(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT))
    sys.modules.pop("docs", None)
    assert importlib.import_module("docs.generate").stale() == [], "run: make docs"
