"""What DNSSEC says of a domain: secure, insecure, bogus, and what cannot be told."""

from __future__ import annotations

import asyncio
import datetime as dt

import dns.dnssec
import dns.name
import dns.rdata
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from deliverkit import engine
from deliverkit.evidence.recorder import Recorder
from deliverkit.facts.dnssec import DnssecFacts
from deliverkit.model import Absent, Found, Inputs, Outcome, Severity, Status, Unknown
from deliverkit.probes.dnssec import probe
from deliverkit.probes.domain import gather
from deliverkit.records.dnssec import moment, names, parse_ds, parse_key
from deliverkit.render.text.dnssec import lines
from deliverkit.report.dnssec import report
from deliverkit.rules import all_rules
from deliverkit.world import NOW, World

SOA = "@ SOA ns hostmaster 1 7200 900 1209600 300\n"
ZONE = f"$ORIGIN example.com.\n{SOA}@ MX 10 mx\nmx A 192.0.2.25\n"
KEY = "257 3 13 hn4ssE9aBNy9WSUBpej+nOqvylAlVibKc2wTgEJTC6Q2t7HsDgaiebx5BzO7Cu5vqAJoPHs1UGPENOkRibDGUQ=="
DS = "18372 13 2 f8b300202c402971f48436e925a15e751000fc856bdca12d20d8e3dcb3ee5115"
OTHER_DS = "60478 13 2 9d79ba7746a3af6056d27a56c719a40eba5b4279d37c84168a9c428e7adb0dc4"


def probed(text: str, domain: str = "example.com", now: float = NOW) -> DnssecFacts:
    return asyncio.run(probe(Inputs(domain=domain), Recorder(World(text)), now))


def judged(text: str, domain: str = "example.com", areas: tuple[str, ...] = ("dnssec",)) -> dict[str, Outcome]:
    facts = asyncio.run(gather(Inputs(domain=domain, areas=areas), Recorder(World(text)), NOW))
    return {outcome.rule.id: outcome for outcome in engine.judge(facts, all_rules())}


def failed(text: str, **options: str) -> set[str]:
    return {rule for rule, outcome in judged(text, **options).items() if outcome.status is Status.FAIL}


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("AD\n" + ZONE, Found("secure")),
        ("AD\nexample.com. INSECURE\n" + ZONE, Found("insecure")),
        ("AD\nexample.com. BOGUS\n" + ZONE, Found("bogus")),
        ("AD\n" + ZONE + "_dmarc TXT BOGUS\n", Found("bogus")),
        ("example.com. BOGUS\n", Found("bogus")),
    ],
)
def test_status(text: str, status: Found[str]) -> None:
    assert probed(text).status == status


def test_behind_a_resolver_that_does_not_validate_nothing_is_told() -> None:
    signed = f"{ZONE}@ DS {DS}\n@ DNSKEY {KEY}\n"
    facts = probed(signed)
    assert (facts.status, facts.validating) == (
        Unknown("192.0.2.53 does not validate DNSSEC (--resolver ADDR names one that does)"), False,
    )  # fmt: skip
    outcomes = judged(signed)
    assert outcomes["dnssec-bogus"].status is Status.INCONCLUSIVE
    assert outcomes["dnssec-unsigned"].status is Status.INCONCLUSIVE
    assert not failed(signed)


def test_without_a_ds_record_nothing_can_be_bogus() -> None:
    """Who does not validate still sees that the parent delegates without DNSSEC: no error can lurk there."""
    assert judged(ZONE)["dnssec-bogus"].status is Status.NOT_APPLICABLE


@pytest.mark.parametrize("fault", ["SERVFAIL", "TIMEOUT", "REFUSED"])
def test_a_lame_zone_is_not_called_bogus(fault: str) -> None:
    text = f"AD\nexample.com. {fault}\n"
    assert isinstance(probed(text).status, Unknown)
    outcomes = judged(text)
    assert outcomes["dnssec-bogus"].status is Status.INCONCLUSIVE
    assert not failed(text)


def test_a_bogus_domain_is_one_finding_that_names_what_is_lost() -> None:
    text = (
        f'AD\nexample.com. BOGUS\n{ZONE}@ TXT "v=spf1 mx -all"\n_dmarc TXT "v=DMARC1; p=reject"\n'
        f"@ DS {OTHER_DS}\n@ DNSKEY {KEY}\n_25._tcp.mx TLSA 3 1 1 {'ab' * 32}\n"
    )
    outcomes = judged(text, areas=("mx", "spf", "dkim", "dmarc", "dane", "dnssec"))
    standing = [
        (outcome.rule.id, finding.message)
        for outcome in outcomes.values()
        for finding in outcome.findings
        if finding.part_of is None
    ]
    assert [rule for rule, _ in standing] == ["dnssec-bogus"]
    for word in ("MX", "SPF", "DMARC", "TLSA of mx.example.com"):
        assert word in standing[0][1]


def test_the_ds_record_to_publish_is_shown() -> None:
    # The DS record is the parent's, and validates though the zone does not.
    text = f"AD\n{ZONE}@ MX BOGUS\n@ DS {OTHER_DS}\n@ DNSKEY {KEY}\n"
    (finding,) = judged(text)["dnssec-bogus"].findings
    assert finding.fix is not None
    assert (finding.fix.rdtype, str(finding.fix.after).lower()) == ("DS", DS)
    assert "name none of its keys" in finding.message
    (mismatch,) = judged(text)["dnssec-ds-mismatch"].findings
    assert mismatch.part_of == "dnssec-bogus"


def test_a_zone_that_is_no_longer_signed() -> None:
    text = f"AD\n{ZONE}@ MX BOGUS\n@ DS {DS}\n"
    (finding,) = judged(text)["dnssec-bogus"].findings
    assert "it is not" in finding.message
    assert finding.fix is not None
    assert finding.fix.after is None


def test_a_mail_host_elsewhere_that_is_bogus() -> None:
    text = "AD\nexample.com. SOA a. b. 1 2 3 4 5\nexample.com. MX 10 mx.example.net.\nmx.example.net. BOGUS\n"
    facts = probed(text)
    assert facts.status == Found("secure")
    (finding,) = judged(text)["dnssec-bogus"].findings
    assert finding.subject == "mx.example.net"
    assert finding.who is not None
    assert finding.who.value == "provider"


@pytest.mark.parametrize(
    ("days", "life", "severity"),
    [
        (1.0, 14.0, Severity.WARNING),
        (2.9, 30.0, Severity.WARNING),
        (2.0, 14.0, Severity.NOTICE),
        (1.0, 2.0, None),  # made anew for each answer
        (5.0, 14.0, None),  # BIND's default
        (3.0, 14.0, None),  # OpenDNSSEC's
        (4.0, 90.0, None),
    ],
)
def test_about_to_expire_is_what_a_signer_would_have_replaced(
    days: float, life: float, severity: Severity | None
) -> None:
    end = NOW + days * 86_400 + 60
    text = f"AD\n{ZONE}@ RRSIG MX 13 2 3600 {at(end)} {at(end - life * 86_400)} 18372 example.com. AAAA\n"
    findings = judged(text)["dnssec-signature-expiring"].findings
    assert [finding.severity for finding in findings] == ([severity] if severity else [])


def at(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y%m%d%H%M%S")


def test_one_signature_that_lasts_is_enough() -> None:
    old = f"@ RRSIG MX 13 2 3600 {at(NOW + 3600)} {at(NOW - 30 * 86_400)} 1 example.com. AAAA\n"
    new = f"@ RRSIG MX 13 2 3600 {at(NOW + 10 * 86_400)} {at(NOW - 3600)} 2 example.com. AAAA\n"
    assert "dnssec-signature-expiring" in failed("AD\n" + ZONE + old)
    assert "dnssec-signature-expiring" not in failed("AD\n" + ZONE + old + new)


def test_expired_signatures_tell_why_a_zone_is_bogus() -> None:
    expired = f"@ RRSIG MX 13 2 3600 {at(NOW - 3600)} {at(NOW - 30 * 86_400)} 1 example.com. AAAA\n"
    outcomes = judged(f"AD\n{ZONE}@ MX BOGUS\n{expired}")
    assert "its signatures have expired" in outcomes["dnssec-bogus"].findings[0].message
    assert outcomes["dnssec-signature-expired"].findings[0].part_of == "dnssec-bogus"
    # And where nobody validates, the dates alone tell.
    alone = judged(f"{ZONE}@ DS {DS}\n@ DNSKEY {KEY}\n{expired}")["dnssec-signature-expired"].findings
    assert [finding.part_of for finding in alone] == [None]


def test_signatures_of_others_are_theirs() -> None:
    foreign = f"@ RRSIG MX 13 2 3600 {at(NOW + 3600)} {at(NOW - 30 * 86_400)} 1 example.net. AAAA\n"
    assert probed("AD\n" + ZONE + foreign).signatures == ()


@pytest.mark.parametrize("domain", ["sub.example.com", "a.b.example.com"])
def test_a_name_within_a_zone_has_the_zones_keys(domain: str) -> None:
    facts = probed(f"AD\n{ZONE}@ DS {DS}\n@ DNSKEY {KEY}\nsub MX 10 mx\na.b MX 10 mx\n", domain)
    assert facts.zone == Found("example.com")
    assert facts.named == (True,)


def test_a_name_whose_zone_is_not_found_is_no_traceback() -> None:
    assert isinstance(probed("AD\nexample.com. MX 10 mx.example.com.\n").zone, Absent)


@pytest.mark.parametrize("algorithm", ["ECDSAP256SHA256", "RSASHA256", "RSASHA1"])
def test_tags_and_digests_are_those_that_dnspython_computes(algorithm: str) -> None:
    private = ec.generate_private_key(ec.SECP256R1()) if "EC" in algorithm else rsa.generate_private_key(65537, 2048)
    made = dns.dnssec.make_dnskey(private.public_key(), algorithm, flags=257)
    key = parse_key(made.to_text())
    assert key is not None
    assert key.tag == dns.dnssec.key_id(made)
    assert key.bits == (None if "EC" in algorithm else 2048)
    for kind in ("SHA1", "SHA256", "SHA384"):
        policy = dns.dnssec.allow_all_policy
        ds = parse_ds(dns.dnssec.make_ds(dns.name.from_text("Example.COM."), made, kind, policy=policy).to_text())
        assert ds is not None
        assert names(ds, key, "example.com") is True
        assert names(ds, key, "example.net") is False


@given(st.text(max_size=120))
def test_any_text_is_a_record_or_none(text: str) -> None:
    for found in (parse_ds(text), parse_key(text)):
        if found is not None and hasattr(found, "words"):
            assert found.words


@pytest.mark.parametrize("text", ["257 3 8", "257 3 8 AA==", "257 3 8 AAAA", "256 3 1 AwE=", "1 1 1", "0 0 0 "])
def test_short_keys_are_no_traceback(text: str) -> None:
    key = parse_key(text)
    assert key is None or key.words
    parse_ds(text)


@given(st.integers(0, 2**32 - 1), st.floats(0, 2**34))
def test_a_moment_is_the_nearest(serial: int, now: float) -> None:
    """RFC 4034 §3.1.5, RFC 1982."""
    found = moment(serial, now)
    assert abs(found - now) <= 2**31 + 1
    assert round(found - (now - int(now)) + (now - int(now))) % 2**32 in {
        serial,
        (serial + 1) % 2**32,
        (serial - 1) % 2**32,
    }


def test_a_moment_beyond_2038() -> None:
    assert moment(100, float(2**32 - 1000)) == 2**32 + 100
    assert moment(2**32 - 100, 2.0**32) == 2**32 - 100


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"AD\n{ZONE}@ DS {DS}\n@ DNSKEY {KEY}\n", "signed, and validated"),
        ("AD\nexample.com. INSECURE\n" + ZONE, "not signed"),
        (f"AD\nexample.com. INSECURE\n{ZONE}@ DNSKEY {KEY}\n", "not delegated"),
        ("AD\nexample.com. BOGUS\n" + ZONE, "validation fails"),
        (ZONE, "does not validate"),
        ("AD\nexample.com. TIMEOUT\n", "could not be told"),
    ],
)
def test_the_view_of_the_command(text: str, words: str) -> None:
    facts = report(probed(text))
    assert words in "\n".join(lines(facts, ascii=False))
    assert "\n".join(lines(facts, ascii=True)).isascii()
