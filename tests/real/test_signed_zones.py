"""DANE and DNSSEC behind a real validating resolver: signed, unsigned, bogus and expired zones."""

from __future__ import annotations

import asyncio

import pytest
from places import Real

from deliverkit.dns.build import open_port
from deliverkit.dns.options import DnsOptions
from deliverkit.evidence.recorder import Recorder
from deliverkit.facts.dane import DaneHost
from deliverkit.model import Absent, Found, Inputs, LookupOutcome, Note, Unknown
from deliverkit.probes.dane import probe_hosts
from deliverkit.report import TargetReport
from deliverkit.runs import check as runs
from deliverkit.runs.options import RunOptions

pytestmark = pytest.mark.real


def judged(domain: str, server: str, *areas: str) -> TargetReport:
    options = RunOptions(dns=DnsOptions(resolvers=(server,)))
    (target,) = runs.check((Inputs(domain=domain, areas=areas or ("dane", "dnssec")),), options).targets
    assert target.error is None
    return target


def rules(target: TargetReport) -> dict[str, str]:
    return {finding.rule: finding.severity for finding in target.findings if finding.part_of is None}


def hosts(server: str, *names: str) -> tuple[DaneHost, ...]:
    async def run() -> tuple[DaneHost, ...]:
        async with open_port(DnsOptions(resolvers=(server,))) as opened:
            return await probe_hosts("example.com", [(name, 25) for name in names], Recorder(opened.port))

    return asyncio.run(run())


def test_a_signed_domain_with_dane_has_nothing_against_it(real: Real) -> None:
    target = judged("example.com", real.udp)
    assert (target.verdict, rules(target)) == ("pass", {})
    assert target.facts.dnssec is not None
    assert target.facts.dnssec.status == "secure"
    assert len({signature.type for signature in target.facts.dnssec.signatures}) >= 5
    assert target.facts.dane is not None
    assert [(host.state, len(host.records)) for host in target.facts.dane.hosts] == [("protected", 2)]


def test_an_unsigned_domain(real: Real) -> None:
    target = judged("unsigned.example", real.udp)
    assert target.facts.dnssec is not None
    assert target.facts.dnssec.status == "insecure"
    assert rules(target) == {"dane-without-dnssec": "warning", "dnssec-unsigned": "notice"}


def test_secure_insecure_and_denied(real: Real) -> None:
    secure, denied, insecure = hosts(real.udp, "mail.example.com", "lone.example.com", "mail.unsigned.example")
    assert secure.protected
    assert isinstance(denied.records, Absent)
    assert denied.secure == Found(True)
    assert len(insecure.usable) == 2
    assert insecure.secure == Found(False)


def test_a_bogus_answer_is_told_with_what_it_hides(real: Real) -> None:
    """Only the TXT of this zone was changed after signing."""
    target = judged("bogus.example", real.udp, "mx", "spf", "dkim", "dmarc", "dane", "dnssec")
    assert target.verdict == "fail"
    (finding,) = [finding for finding in target.findings if finding.severity == "error" and finding.part_of is None]
    assert finding.rule == "dnssec-bogus"
    assert "SPF" in finding.message
    assert "MX" not in finding.message
    assert any("v=spf1 ip4:203.0.113.0/24" in text for text in finding.evidence)
    assert "spf-missing" in {entry.rule for entry in target.inconclusive}


def test_an_expired_zone_is_one_finding_that_says_so(real: Real) -> None:
    target = judged("expired.example", real.udp, "mx", "spf", "dkim", "dmarc", "dane", "dnssec")
    errors = [finding for finding in target.findings if finding.severity == "error" and finding.part_of is None]
    assert [finding.rule for finding in errors] == ["dnssec-bogus"]
    assert "its signatures have expired" in errors[0].message
    for word in ("MX", "SPF", "DMARC", "TLSA of mail.expired.example"):
        assert word in errors[0].message
    assert "dnssec-signature-expired" in {finding.rule for finding in target.findings}


def test_a_zone_whose_signatures_end_tomorrow(real: Real) -> None:
    target = judged("soon.example", real.udp)
    assert (target.verdict, rules(target)) == ("pass", {"dnssec-signature-expiring": "warning"})


@pytest.mark.parametrize("domain", ["example.com", "unsigned.example"])
def test_a_server_that_does_not_validate_is_not_believed(real: Real, domain: str) -> None:
    """NSD itself: it answers, and says nothing of DNSSEC."""
    target = judged(domain, real.nsd)
    assert target.facts.dnssec is not None
    assert target.facts.dnssec.status is None
    assert not {"dane-without-dnssec", "dnssec-unsigned", "dnssec-bogus"} & set(rules(target))
    unclear = {entry.rule: entry.why for entry in target.inconclusive}
    assert "does not validate" in unclear["dane-without-dnssec"]
    assert "does not validate" in unclear["dnssec-unsigned"]


def test_what_the_resolver_says_of_an_expired_signature(real: Real) -> None:
    async def run() -> list[object]:
        async with open_port(DnsOptions(resolvers=(real.udp,))) as opened:
            lookup = await opened.port.lookup("expired.example", "MX")
            return [lookup.outcome, Note.BOGUS in lookup.notes, lookup.unchecked, lookup.signatures, lookup.of(object)]

    outcome, bogus, unchecked, signatures, answer = asyncio.run(run())
    assert outcome is LookupOutcome.UNKNOWN
    assert bogus
    assert unchecked
    assert signatures
    assert isinstance(answer, Unknown)
