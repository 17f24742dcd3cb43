"""DANE and MTA-STS of real mail servers: records that DNSSEC secures, policies that a real HTTPS host serves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from authority import Authority, Leaf
from command import Ran, probe, smtp, to
from policyhost import Site, policy, serving
from postfix import NAME, Mail
from signedzones import resolver

from deliverkit.rules import all_rules

pytestmark = pytest.mark.real
BUILT = any(rule.area == "mta-sts" for rule in all_rules())
MODES = ("good", "testing", "misnamed", "missing", "refusing", "mismatching", "oversized", "untrusted", "bare")


class Domains(NamedTuple):
    """Where names are asked for, and the port of the policy host."""

    resolver: str
    https: int


@pytest.fixture(scope="session")
def domains(authority: Authority, leaves: dict[str, Leaf]) -> Iterator[Domains]:
    """A signed zone with hosts that have TLSA records of each kind, one that is not signed, and policies."""
    good = leaves["good"]
    wrong = "0" * 64
    hosts = {"mail": f"3 1 1 {good.spki}", "whole": f"3 0 1 {good.sha256}", "mismatch": f"3 1 1 {wrong}", "bare": None}
    signed = "".join(
        f"{host} A 127.0.0.1\n" + (f"_25._tcp.{host} TLSA {data}\n_587._tcp.{host} TLSA {data}\n" if data else "")
        for host, data in hosts.items()
    )
    policies = "".join(
        f'{mode} MX 10 mail.example.com.\n_mta-sts.{mode} TXT "v=STSv1; id=20260101"\nmta-sts.{mode} A 127.0.0.1\n'
        for mode in MODES
    )
    unsigned = f"mail A 127.0.0.1\n_25._tcp.mail TLSA 3 1 1 {good.spki}\n"

    def leaf(mode: str) -> Leaf:
        name = "other.example.net" if mode == "misnamed" else f"mta-sts.{mode}.sts.example"
        return authority.leaf(f"policy-{mode}", name, self_signed=mode == "untrusted")

    bodies = {
        "good": policy("enforce", NAME), "testing": policy("testing", NAME), "misnamed": policy("enforce", NAME),
        "untrusted": policy("enforce", NAME), "mismatching": policy("enforce", "mx.example.org"),
        "bare": policy("enforce", "bare.example.com"),
        "oversized": policy("enforce", NAME) + b"note: padding\r\n" * 8000,
        "missing": b"", "refusing": b"",
    }  # fmt: skip
    status = {"missing": 404, "refusing": 503}
    sites = {f"mta-sts.{mode}.sts.example": Site(leaf(mode), bodies[mode], status.get(mode, 200)) for mode in MODES}
    with (
        resolver(
            {"example.com": signed + "@ MX 10 mail\n", "sts.example": policies}, {"unsigned.example": unsigned}
        ) as at,
        serving(sites) as https,
    ):
        yield Domains(at, https)


@pytest.mark.parametrize("port", [25, 587])
@pytest.mark.parametrize(("host", "verdict"), [
    ("mail.example.com", "match"), ("whole.example.com", "match"), ("mismatch.example.com", "mismatch"),
    ("bare.example.com", "none"),
])  # fmt: skip
def test_dane(post: Mail, domains: Domains, host: str, verdict: str, port: int) -> None:
    ran = probe(post, {port: "mx" if port == 25 else "submission"}, resolver=domains.resolver, host=host)
    assert ran.only["tls"]["dane"] == verdict
    sent_to = {rule for rule, severity in ran.failed.items() if severity == "error"}
    # Who submits looks at the name, whatever DANE says, and this certificate bears two of these four alone.
    named = port == 25 or host in post.leaves["good"].names
    assert bool(sent_to) is (verdict == "mismatch" or not named), ran.failed


def test_records_that_no_signature_secures_bind_nobody(post: Mail, domains: Domains) -> None:
    ran = probe(post, {25: "mx"}, resolver=domains.resolver, host="mail.unsigned.example")
    assert ran.only["tls"]["dane"] == "unsigned"


def test_records_nobody_answered_for_are_unknown(post: Mail) -> None:
    assert probe(post, {25: "mx"}).only["tls"]["dane"] == "unknown"


def test_a_certificate_that_was_renewed_without_its_record(post: Mail, domains: Domains) -> None:
    """Another key than the record's is served: the mail of everyone who honours DANE stops."""
    ran = probe(post, {25: "selfsigned"}, resolver=domains.resolver)
    assert ran.only["tls"]["dane"] == "mismatch"
    assert ran.code == 1


@pytest.mark.parametrize("label", ["mx", "expired", "wrongname"])
def test_dane_counts_neither_names_nor_dates(post: Mail, leaves: dict[str, Leaf], label: str) -> None:
    """RFC 7672 §3.1.1: the key is all that DANE-EE asks for."""
    leaf = leaves["good" if label == "mx" else label]
    with resolver({"example.com": f"mail A 127.0.0.1\n_25._tcp.mail TLSA 3 1 1 {leaf.spki}\n"}, {}) as at:
        ran = probe(post, {25: label}, resolver=at)
    assert ran.only["tls"]["dane"] == "match"
    assert ran.code == 0, ran.failed


def by_mx(post: Mail, domains: Domains, mode: str, label: str = "mx") -> Ran:
    domain = f"{mode}.sts.example"
    return smtp(
        "--mx", domain, *to(post, {25: label}), "--connect-to", f"mta-sts.{domain}:443:127.0.0.1:{domains.https}",
        "--ignore", "mx-private-address", anchor=post.anchor, resolver=domains.resolver, host=None,
    )  # fmt: skip


FETCHED = {
    # what became of the fetch, its status, the mode of the policy, whether it covers the host
    "good": ("answered", 200, "enforce", True),
    "testing": ("answered", 200, "testing", True),
    "mismatching": ("answered", 200, "enforce", False),
    "missing": ("answered", 404, None, None),
    "refusing": ("answered", 503, None, None),
    "oversized": ("too-large", 200, None, None),
    "misnamed": ("untrusted", None, None, None),
    "untrusted": ("untrusted", None, None, None),
}


@pytest.mark.parametrize("mode", FETCHED)
def test_a_policy_and_the_host_it_covers(post: Mail, domains: Domains, mode: str) -> None:
    outcome, status, stated, covered = FETCHED[mode]
    ran = by_mx(post, domains, mode)
    facts = ran.target["facts"]["mta_sts"]
    (fetch,) = facts["fetches"]
    assert fetch["url"] == f"https://mta-sts.{mode}.sts.example/.well-known/mta-sts.txt"
    assert (fetch["outcome"], fetch["status"]) == (outcome, status)
    assert fetch["certificate"]["trusted"] is (mode != "untrusted")
    assert fetch["certificate"]["name_matches"] is (mode != "misnamed")
    assert (facts["id"], facts["mode"], facts["valid"]) == ("20260101", stated, stated is not None)
    assert facts["hosts"] == [{"host": NAME, "covered": covered}]
    assert ran.only["host"] == NAME
    assert ran.only["tls"]["mta_sts"] == (stated if covered else None)
    assert ran.only["tls"]["dane"] == "match"
    if BUILT:
        errors = {rule for rule, severity in ran.failed.items() if severity == "error"}
        assert bool(errors) is (covered is not True), ran.failed


@pytest.mark.parametrize("label", ["mx", "wrongname", "expired", "clear"])
def test_what_an_enforced_policy_makes_of_a_host(post: Mail, domains: Domains, label: str) -> None:
    """What is no error of a plain MX is one under the policy, where no DANE outranks it."""
    domain, host = "bare.sts.example", "bare.example.com"
    connect = ("--connect-to", f"mta-sts.{domain}:443:127.0.0.1:{domains.https}")
    plain = probe(post, {25: label}, host=host, resolver=domains.resolver)
    held = smtp(
        "--as-mx-of", domain, *connect, *to(post, {25: label}, host),
        anchor=post.anchor, resolver=domains.resolver, host=host,
    )  # fmt: skip
    errors = {rule for rule, severity in plain.failed.items() if severity == "error"}
    assert errors == ({"smtp-starttls-missing"} if label == "clear" else set())
    assert ("error" in held.failed.values()) is (label != "mx"), held.failed
