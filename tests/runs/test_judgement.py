"""A delivery judged as its receiver will: what is certain, what cannot be told, and what hangs on what."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given, settings
from hypothesis import strategies as st

from deliverkit.delivery.message import read
from deliverkit.delivery.sign import signed, signer
from deliverkit.model import (
    Call,
    DeliveryInputs,
    Finding,
    Inputs,
    Outcome,
    Session,
    Severity,
    SignedBy,
    State,
    Status,
    Step,
)
from deliverkit.model.gate import Gate
from deliverkit.probes.dkim_verifier import verifies
from deliverkit.records.mailbox import parse_mailbox
from deliverkit.rules import all_rules, rules_of
from deliverkit.runs.example import NOW, judge_world, recorder_of
from deliverkit.runs.judgement import inputs_of, judged, seen_as
from tests.runs.sending import requested

KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
SIGNED = f"--signature s1@example.com={KEY}"
BASE = {
    "mx": "@ MX 10 mail",
    "spf": '@ TXT "v=spf1 ip4:192.0.2.25 -all"',
    "mail": "mail A 192.0.2.25",
    "dmarc": '_dmarc TXT "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"',
    "key": f's1._domainkey TXT "v=DKIM1; k=ed25519; p={KEY}"',
    "ptr": "25.2.0.192.in-addr.arpa. PTR mail.example.com.",
}


def outcomes(words: str = SIGNED, more: str = "", **changed: str | None) -> dict[str, Outcome]:
    lines = [line for line in (BASE | changed).values() if line]
    world = "\n".join([f"; check {words}", "$ORIGIN example.com.", *lines, more, ""])
    return {one.rule.id: one for one in judge_world(world, "delivery") if one.rule.area == "delivery"}


def failed(words: str = SIGNED, more: str = "", **changed: str | None) -> set[str]:
    return {name for name, one in outcomes(words, more, **changed).items() if one.status is Status.FAIL}


def only(found: dict[str, Outcome], name: str) -> Finding:
    (finding,) = found[name].findings
    return finding


def test_the_domains_own_server_is_found_sound():
    found = outcomes()
    assert {one.status for one in found.values()} <= {Status.PASS, Status.NOT_APPLICABLE}
    assert found["delivery-alignment-fails"].status is Status.PASS
    assert found["delivery-not-production-sender"].status is Status.PASS


@pytest.mark.parametrize(
    "question", ["@ TXT", "s1._domainkey TXT", "_dmarc TXT", "25.2.0.192.in-addr.arpa. PTR", "mail A"]
)
def test_what_nobody_answered_is_never_found_missing(question: str):
    replaced = {"@ TXT": "spf", "s1._domainkey TXT": "key", "_dmarc TXT": "dmarc", "mail A": "mail"}.get(
        question, "ptr"
    )
    found = outcomes(**{replaced: f"{question} SERVFAIL"})
    assert not [name for name, one in found.items() if one.status is Status.FAIL]
    assert [name for name, one in found.items() if one.status is Status.INCONCLUSIVE]


def test_spf_that_cannot_be_told_does_not_matter_to_dmarc_where_a_signature_verifies():
    found = outcomes(spf="@ TXT SERVFAIL")
    assert found["delivery-alignment-fails"].status is Status.PASS
    assert found["delivery-not-production-sender"].status is Status.INCONCLUSIVE


@pytest.mark.parametrize("address", ["192.168.1.5", "127.0.0.1", "100.64.0.9", "fd00::1", "fe80::1%eth0"])
def test_behind_a_private_address_nothing_about_the_address_is_told(address: str):
    found = outcomes(f"--ip {address}", key=None)
    for name in ("alignment-fails", "not-production-sender", "spf-fails", "without-ptr", "helo-not-our-address"):
        assert found[f"delivery-{name}"].status is Status.INCONCLUSIVE, name
    assert outcomes(f"--ip {address} {SIGNED}")["delivery-alignment-fails"].status is Status.PASS


def test_with_a_login_spf_is_the_servers():
    found = outcomes("--login smtp.example.net --ip 198.51.100.7 --helo pc", key=None)
    for name in ("not-production-sender", "spf-fails", "without-ptr", "helo-not-fqdn", "unsigned"):
        assert found[f"delivery-{name}"].status is Status.NOT_APPLICABLE, name
    (reason,) = found["delivery-alignment-fails"].unknown
    assert "smtp.example.net with a login" in reason.why


def test_a_strangers_address_is_warned_of_with_the_record_that_would_let_it():
    found = outcomes(f"--ip 198.51.100.7 --ip 2001:db8::7 {SIGNED}", spf='@ TXT "v=spf1 mx ~all"')
    finding = only(found, "delivery-not-production-sender")
    assert finding.fix is not None
    assert (finding.fix.name, finding.fix.before) == ("example.com", "v=spf1 mx ~all")
    assert finding.fix.after == "v=spf1 ip4:198.51.100.7 ip6:2001:db8::7 mx ~all"
    assert "198.51.100.7" not in finding.message


def test_a_mapped_address_is_the_one_on_the_wire():
    assert "delivery-not-production-sender" not in failed(f"--ip ::ffff:192.0.2.25 {SIGNED}")


def test_nothing_passes_and_the_policy_decides_how_bad_that_is():
    assert only(outcomes("--ip 198.51.100.7", key=None), "delivery-alignment-fails").severity is None
    weak = outcomes("--ip 198.51.100.7", key=None, dmarc='_dmarc TXT "v=DMARC1; p=none; rua=mailto:d@example.com"')
    assert only(weak, "delivery-alignment-fails").severity is Severity.WARNING
    assert only(weak, "delivery-unsigned").part_of == "delivery-alignment-fails"


def test_one_address_of_two_is_enough_to_fail():
    assert "delivery-alignment-fails" in failed("--ip 192.0.2.25 --ip 198.51.100.7", key=None)


def test_without_dmarc_it_is_another_rule():
    found = outcomes("--ip 198.51.100.7", key=None, dmarc=None)
    assert found["delivery-alignment-fails"].status is Status.NOT_APPLICABLE
    assert only(found, "delivery-no-dmarc").part_of == "delivery-unauthenticated"


def test_the_null_reverse_path_is_checked_by_helo():
    words = "--sender <> --helo mail.example.com"
    assert "delivery-alignment-fails" in failed(words, key=None)
    assert "delivery-alignment-fails" not in failed(words, 'mail TXT "v=spf1 a -all"', key=None)
    found = outcomes(words, 'mail TXT "v=spf1 a -all"')
    assert found["delivery-sender-cannot-receive"].status is Status.NOT_APPLICABLE


def test_alignment_is_relaxed_unless_the_record_says_strict():
    words = "--sender bounce@news.example.com"
    more = 'news MX 10 mail\nnews TXT "v=spf1 ip4:192.0.2.25 -all"'
    assert "delivery-alignment-fails" not in failed(words, more, key=None)
    strict = '_dmarc TXT "v=DMARC1; p=reject; aspf=s; rua=mailto:dmarc@example.com"'
    assert "delivery-alignment-fails" in failed(words, more, key=None, dmarc=strict)


def test_a_domain_of_another_organisation_is_not_aligned_though_it_ends_alike():
    more = 'notexample.com. TXT "v=spf1 ip4:192.0.2.25 -all"\nnotexample.com. MX 10 mail'
    assert "delivery-alignment-fails" in failed("--sender me@notexample.com", more, key=None)


@pytest.mark.parametrize(
    ("record", "rule"),
    [
        (None, "missing"),
        (f"v=DKIM1; k=ed25519; p={'A' * 43}=", "unusable"),
        ("v=DKIM1; k=ed25519; p=", "unusable"),
        (f"v=DKIM1; k=ed25519; s=other; p={KEY}", "unusable"),
        (f"v=DKIM1; k=ed25519; h=sha1; p={KEY}", "unusable"),
        ("v=DKIM1; k=ed25519; p=U8E49LfLQASE6gVQzqkZSlSZzwXaBarjnbS+QZQWtHE=", "mismatch"),
    ],
)
def test_a_key_that_no_verifier_takes(record: str | None, rule: str):
    found = failed(key=f's1._domainkey TXT "{record}"' if record else None)
    assert found == {f"delivery-dkim-key-{rule}"}


def test_the_key_to_publish_is_printed():
    fix = only(outcomes(key=None), "delivery-dkim-key-missing").fix
    assert fix is not None
    assert (fix.name, fix.after) == ("s1._domainkey.example.com", f"v=DKIM1; k=ed25519; p={KEY}")


# The whole way: a request with a message that was signed, to findings.

_OURS = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
_PEM = _OURS.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
_PUBLIC = base64.b64encode(_OURS.public_key().public_bytes_raw()).decode()
ZONE = "\n".join(["$ORIGIN example.com.", *BASE.values(), ""])


def report(zone: str, *, source: str = "192.0.2.25", **words: Any):
    request = requested(helo="mail.example.com")
    message = signed(request.message, signer(_PEM, "example.com", "s1"))
    request = msgspec.structs.replace(request, **({"message": message} | words))
    recorder = recorder_of(zone)

    async def run():
        inputs = await inputs_of(request, (source,) if source else (), recorder)
        return inputs, await judged(inputs, recorder, NOW, Gate())

    return asyncio.run(run())


def test_our_own_signature_is_verified_beforehand():
    inputs, found = report(ZONE.replace(KEY, _PUBLIC))
    assert [one.verified for one in inputs.delivery.signatures] == [True]
    assert (found.target, found.findings, found.inconclusive, found.verdict) == ("example.com", (), (), "pass")


def test_a_key_that_does_not_fit_is_found_though_the_private_one_is_not_at_hand():
    _, found = report(ZONE)
    assert [one.rule for one in found.findings] == ["delivery-dkim-key-mismatch"]


def test_a_message_that_was_changed_since_does_not_verify():
    message = signed(requested().message, signer(_PEM, "example.com", "s1"))
    changed = read(message.octets.replace(b"hello", b"hullo"))
    _, found = report(ZONE.replace(KEY, _PUBLIC), message=changed)
    assert [one.rule for one in found.findings] == ["delivery-dkim-key-mismatch"]


def test_findings_have_the_shape_of_every_report():
    _, found = report(ZONE.replace(KEY, _PUBLIC), source="198.51.100.7")
    rules = {one.rule: one for one in found.findings}
    assert rules["delivery-spf-fails"].part_of == "delivery-not-production-sender"
    assert rules["delivery-not-production-sender"].change is not None
    assert {one.area for one in found.findings} == {"delivery"}
    assert all(name.startswith("delivery-") for name in found.passed)


def test_where_the_address_is_not_known_nothing_is_said_of_it():
    _, found = report(ZONE.replace(KEY, _PUBLIC), source="")
    assert not found.findings
    assert {one.why for one in found.inconclusive} == {"the address that the receiver sees is not known"}


def test_without_a_helo_the_address_is_said_in_brackets():
    inputs, _ = report(ZONE, source="2001:db8::5", helo="")
    assert inputs.delivery.helo == "[IPv6:2001:db8::5]"


def test_a_sender_with_an_address_literal_has_no_domain_to_check():
    _, found = report(ZONE.replace(KEY, _PUBLIC), sender=parse_mailbox("me@[192.0.2.25]"))
    assert {one.rule for one in found.findings} <= {"delivery-spf-unaligned"}


@given(st.binary(max_size=300), st.text(max_size=80))
@settings(deadline=None)
def test_no_message_and_no_record_brings_the_verifier_down(octets: bytes, text: str):
    message = b"DKIM-Signature: v=1; a=rsa-sha256; d=a.example; s=s; h=from; bh=; b=" + octets + b"\r\n\r\n"
    assert verifies(message, 0, "s._domainkey.a.example", text) in (None, False)
    assert verifies(octets, 0, "s._domainkey.a.example", text) in (None, False)


ODD = st.text(max_size=300) | st.sampled_from(
    ["", ".", "..", "a..b", "é.example", "\x00", "x" * 300, "[", "a b.example", "localhost"]
)


@given(ODD, ODD, ODD, ODD, st.sampled_from(["192.0.2.25", "2001:db8::1", "fe80::1%eth0", "127.0.0.1"]))
@settings(deadline=None, max_examples=60)
def test_names_that_are_none_bring_nothing_down(sender: str, author: str, helo: str, signature: str, source: str):
    delivery = DeliveryInputs(
        sender=f"me@{sender}" if sender else "",
        from_domain=author or None,
        sources=(source,),
        helo=helo,
        signatures=(SignedBy(domain=signature, selector=sender),),
    )
    inputs = Inputs(domain=author or "example.com", areas=("delivery",), delivery=delivery)
    found = asyncio.run(judged(inputs, recorder_of(ZONE), NOW, Gate()))
    assert found.counts.passed >= 0


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        (b"250-mx.google.example at your service, [203.0.113.9]\r\n250 SIZE 1\r\n", "203.0.113.9"),
        (b"250-mx.example.net Hello client.example [203.0.113.9]\r\n250 HELP\r\n", "203.0.113.9"),
        (b"250-mx.example.net Hello client.example [2001:db8::9], pleased\r\n250 HELP\r\n", "2001:db8::9"),
        (b"250 mx.example.net Hello (203.0.113.9)\r\n", "203.0.113.9"),
        (b"250 mx.example.net\r\n", "192.168.1.5"),
        (b"250 mx.example.net [192.0.2.1] at your service\r\n", "192.168.1.5"),
        (b"250 mx.example.net Hello [10.1.2.3]\r\n", "192.168.1.5"),
        (b"250 mx.example.net version 8.7.6.5 at 12:30:00:11\r\n", "192.168.1.5"),
        (b"250 \xff\xfe [::::::::] [1.2.3.999]\r\n", "192.168.1.5"),
    ],
)
def test_the_receiver_tells_who_we_are_from_behind_nat(said: bytes, seen: str):
    session = Session(
        call=Call(host="mx.example.net", address="192.0.2.1", port=25, dial_port=25),
        state=State.OPEN,
        steps=(Step(stage="banner", reply=b"220 mx\r\n"), Step(stage="ehlo", said=b"EHLO x", reply=said)),
        ours="192.168.1.5",
    )
    assert seen_as(session) == (seen,)


def test_what_passes_is_said_too():
    _, found = report(ZONE.replace(KEY, _PUBLIC), source="198.51.100.7")
    said = found.facts.delivery
    assert said is not None
    assert [(one.result, one.aligned, one.ptr) for one in said.spf] == [("fail", True, ())]
    assert [(one.domain, one.result, one.aligned) for one in said.dkim] == [("example.com", "pass", True)]
    assert (said.dmarc.policy, said.dmarc.result) == ("reject", "pass")


def test_the_rules_of_the_area_stand_in_modules_that_bear_its_name():
    assert rules_of("delivery") == tuple(rule for rule in all_rules() if rule.area == "delivery")
