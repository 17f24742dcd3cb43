"""The same report, whichever way the answers came."""

from __future__ import annotations

import pytest
from places import Real

from deliverkit.dns.options import DnsOptions
from deliverkit.model import Inputs
from deliverkit.runs.check import check
from deliverkit.runs.options import RunOptions

pytestmark = pytest.mark.real


def judged(real: Real, server: str, domain: str) -> tuple[list[str], list[str], list[str]]:
    """What failed and in which words, what could not be told and why, what passed."""
    options = RunOptions(dns=DnsOptions(resolvers=(server,), ca_file=real.ca_file))
    (target,) = check((Inputs(domain=domain),), options).targets
    assert target.error is None
    failed = [f"{finding.rule} {finding.severity} {finding.message}" for finding in target.findings]
    unclear = [str(unclear).replace(server, "SERVER") for unclear in target.inconclusive]
    return failed, unclear, list(target.passed)


@pytest.mark.parametrize("domain", ["example.com", "unsigned.example", "bogus.example"])
def test_every_transport_gives_the_same_report(real: Real, domain: str) -> None:
    expected = judged(real, real.udp, domain)
    assert judged(real, real.tls, domain) == expected
    assert judged(real, real.https, domain) == expected


def test_a_zone_that_fails_validation_is_never_called_empty(real: Real) -> None:
    failed, unclear, _ = judged(real, real.udp, "bogus.example")
    assert not [line for line in failed if line.startswith("spf-missing ")]
    assert unclear
