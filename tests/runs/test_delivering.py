"""Deliveries through worlds in memory: the way, hop after hop, and what became of each recipient."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from deliverkit.model import Mode, Stage
from deliverkit.report.delivery import DeliveryReport
from deliverkit.runs.options import RunOptions
from deliverkit.runs.send import Watcher, send
from deliverkit.world import World
from tests.runs.sending import requested, two


def sent(text: str, *to: str, watcher: Watcher | None = None, **words: Any) -> DeliveryReport:
    return asyncio.run(send(requested(*to, **words), RunOptions(timeout=5), watcher=watcher, network=World(text)))


def told(report: DeliveryReport) -> tuple[str | None, str, int]:
    return report.outcome, report.stage, report.exit_code


def hosts(report: DeliveryReport) -> list[str]:
    return [attempt.host for attempt in report.attempts]


def test_accepted_by_the_preferred_host() -> None:
    report = sent(two())
    assert told(report) == ("accepted", "eod", 0)
    assert hosts(report) == ["mx1.example.net"]
    assert report.queue_id


@pytest.mark.parametrize(
    "first", ["fault CONNECT refused", "fault BANNER close", "fault EHLO reset", "banner 421 4.3.2 busy"]
)
def test_the_next_host_where_the_first_judged_nothing(first: str) -> None:
    report = sent(two(first))
    assert told(report)[0] == "accepted"
    assert hosts(report) == ["mx1.example.net", "mx2.example.net"]


@pytest.mark.parametrize(
    ("first", "outcome", "stage", "code"),
    [
        ("on MAIL 550 5.7.1 no", "refused", "mail", 1),
        ("on RCPT 550 5.1.1 no", "refused", "rcpt", 1),
        ("on RCPT 450 4.2.0 greylisted", "deferred", "rcpt", 3),
        ("on DATA 554 5.7.1 no", "refused", "data", 1),
        ("on EOD 554 5.7.1 spam", "refused", "eod", 1),
        ("on EOD 451 4.3.0 later", "deferred", "eod", 3),
        ("fault EOD close", "unknown", "eod", 3),
        ("fault QUIT close", "accepted", "eod", 0),
        ("banner 554 5.7.1 not you", "refused", "banner", 1),
    ],
)
def test_a_host_that_judged_decides(first: str, outcome: str, stage: str, code: int) -> None:
    report = sent(two(first))
    assert told(report) == (outcome, stage, code)
    assert hosts(report) == ["mx1.example.net"]


def test_all_hosts_down_is_deferred() -> None:
    report = sent(two("fault CONNECT refused", "fault CONNECT timeout"))
    assert told(report) == ("deferred", "connect", 3)
    assert len(report.attempts) == 2


@pytest.mark.parametrize(
    ("zone", "outcome", "code"),
    [
        ("example.net. MX 0 .", "refused", 1),
        ("example.net. TXT x", "refused", 1),
        ("other.net. TXT x", "refused", 1),
        ("example.net. MX SERVFAIL", "deferred", 3),
        ("example.net. MX 10 mx.example.net.\nmx.example.net. A SERVFAIL", "deferred", 3),
        ("example.net. MX 10 mx.example.net.\nmx.example.net. A 127.0.0.1", "failed", 1),
        ("example.net. MX 10 mx.example.net.\nmx.example.net. A 10.0.0.1", "failed", 1),
    ],
)
def test_no_way_there(zone: str, outcome: str, code: int) -> None:
    report = sent(zone)
    assert told(report) == (outcome, "route", code)
    assert report.attempts == ()
    assert report.recipients[0].why


def test_an_address_is_the_mail_host_where_there_is_no_mx() -> None:
    report = sent("example.net. A 192.0.2.9\n[smtp example.net:25]\ndomains example.net\n")
    assert told(report)[0] == "accepted"
    assert report.route[0].via == "implicit-mx"


def test_each_recipient_has_an_outcome_and_the_worst_counts() -> None:
    report = sent(two(), "you@example.net", "user-unknown@example.net", "greylist@example.net")
    assert {one.address: one.outcome for one in report.recipients} == {
        "you@example.net": "accepted",
        "user-unknown@example.net": "refused",
        "greylist@example.net": "deferred",
    }
    assert told(report) == ("refused", "rcpt", 1)


def test_recipients_of_two_domains_are_two_transactions() -> None:
    text = two() + "[zone]\nexample.org. A 192.0.2.99\n[smtp example.org:25]\ndomains example.org\n"
    report = sent(text, "you@example.net", "her@example.org")
    assert told(report)[0] == "accepted"
    assert hosts(report) == ["mx1.example.net", "example.org"]


def test_a_failed_handshake_is_tried_again_in_clear() -> None:
    report = sent(two("fault TLS reset"))
    assert told(report)[0] == "accepted"
    assert hosts(report) == ["mx1.example.net", "mx1.example.net"]
    assert report.attempts[1].tls is None


def test_demanded_tls_is_never_given_up() -> None:
    report = sent(two("fault TLS reset", "fault TLS reset"), mode=Mode.STARTTLS)
    assert told(report)[0] in ("failed", "deferred")
    assert len(report.attempts) == 2
    assert not any(line.text.startswith("MAIL") for attempt in report.attempts for line in attempt.transcript)


STS = """
_mta-sts.example.net. TXT "v=STSv1; id=1;"
mta-sts.example.net. A 192.0.2.80
"""
POLICY = """
[https mta-sts.example.net]
body
  version: STSv1
  mode: {mode}
  mx: {mx}
  max_age: 604800
"""


def held(mode: str, mx: str, certificate: str) -> str:
    return STS + two(certificate, certificate) + POLICY.format(mode=mode, mx=mx)


def test_enforce_delivers_over_verified_tls() -> None:
    report = sent(held("enforce", "*.example.net", ""))
    assert told(report)[0] == "accepted"
    assert report.route[0].mta_sts == "enforce"
    assert report.route[0].hops[0].demand == "MTA-STS enforce"


@pytest.mark.parametrize("certificate", ["certificate names=other.example", "certificate issuer=self", "mode clear"])
def test_enforce_refuses_anything_less(certificate: str) -> None:
    report = sent(held("enforce", "*.example.net", certificate))
    assert told(report) == ("failed", "starttls", 1)
    assert not any(line.text.startswith("MAIL") for attempt in report.attempts for line in attempt.transcript)


def test_testing_delivers_all_the_same() -> None:
    report = sent(held("testing", "*.example.net", "certificate names=other.example"))
    assert told(report)[0] == "accepted"


def test_enforce_leaves_out_a_host_it_does_not_cover() -> None:
    report = sent(held("enforce", "mx2.example.net", ""))
    assert told(report)[0] == "accepted"
    assert hosts(report) == ["mx2.example.net"]
    assert "mx1.example.net is left out" in report.route[0].notes[0]


def test_clear_text_that_was_typed_sets_the_policy_aside_and_says_so() -> None:
    report = sent(held("enforce", "*.example.net", ""), mode=Mode.NONE)
    assert told(report)[0] == "accepted"
    assert any("sets MTA-STS enforce" in note for note in report.route[0].notes)


PINNED = """
AD
$ORIGIN example.net.
@            MX    10 mx
mx           A     192.0.2.25
_25._tcp.mx  {tlsa}

[smtp mx.example.net:25]
domains example.net
{line}
"""
OTHER = "TLSA  3 1 1 " + "ab" * 32
MATCHING = "TLSA  3 1 1 $spki(mx.example.net:25)"


def pinned(tlsa: str, line: str = "") -> DeliveryReport:
    return sent(PINNED.format(tlsa=tlsa, line=line))


def test_dane_takes_the_key_for_enough() -> None:
    report = pinned(MATCHING, "certificate names=other.example issuer=self")
    assert told(report)[0] == "accepted"
    assert report.route[0].dane == "secured"
    assert report.route[0].hops[0].demand == "DANE (1 TLSA record)"


@pytest.mark.parametrize(("tlsa", "line"), [(OTHER, ""), (MATCHING, "mode clear")])
def test_dane_refuses_another_key_and_clear_text(tlsa: str, line: str) -> None:
    report = pinned(tlsa, line)
    assert told(report) == ("failed", "starttls", 1)


def test_a_host_whose_tlsa_records_cannot_be_told_is_left_out_for_now() -> None:
    report = pinned("SERVFAIL")
    assert told(report) == ("deferred", "route", 3)


def test_unusable_records_demand_tls_alone() -> None:
    report = pinned("TLSA  1 1 1 " + "ab" * 32, "certificate names=other.example")
    assert told(report)[0] == "accepted"
    assert "no usable TLSA record" in (report.route[0].hops[0].demand or "")


def test_tlsa_records_that_nothing_secures_count_for_nothing() -> None:
    report = sent(PINNED.replace("\nAD\n", "\n").format(tlsa=OTHER, line=""))
    assert told(report)[0] == "accepted"
    assert report.route[0].hops[0].demand is None


def test_a_dry_run_connects_to_nobody() -> None:
    report = sent(two(), dry_run=True)
    assert report.attempts == ()
    assert report.exit_code == 0
    assert report.route[0].hops[0].host == "mx1.example.net"
    assert report.message.header is not None
    assert "Subject: a test" in report.message.header


@pytest.mark.parametrize("stage", [Stage.BANNER, Stage.EHLO, Stage.STARTTLS, Stage.MAIL, Stage.RCPT, Stage.DATA])
def test_stops_where_it_was_told_to(stage: Stage) -> None:
    report = sent(two(), stop_after=stage)
    assert report.exit_code == 0
    assert report.stopped_after == stage.value
    assert report.queue_id is None


def test_a_named_server_takes_every_domain() -> None:
    text = "relay.example. A 192.0.2.7\n[smtp relay.example:25]\ndomains example.net example.org\n"
    report = sent(text, "you@example.net", "her@example.org", server="relay.example")
    assert told(report)[0] == "accepted"
    assert len(report.attempts) == 1
    assert report.route[0].via == "server"


def test_the_watcher_is_told_in_order() -> None:
    seen: list[str] = []

    class Noting(Watcher):
        def routed(self, routes: Any) -> None:
            seen.append("routed")

        def dialling(self, number: int, hop: Any) -> None:
            seen.append(f"dialling {number} {hop.host}")

        def said(self, event: Any) -> None:
            seen.append(event.direction)

        def attempted(self, attempt: Any) -> None:
            seen.append(f"attempted {attempt.outcome}")

    sent(two(), watcher=Noting())
    assert seen[:2] == ["routed", "dialling 1 mx1.example.net"]
    assert seen[-1] == "attempted accepted"
    assert {"client", "server"} <= set(seen)


def test_requiretls_wants_an_mx_that_nobody_forged() -> None:
    assert told(sent(two(), require_tls=True)) == ("failed", "route", 1)
    text = held("enforce", "*.example.net", "offer-tls REQUIRETLS, SIZE 1000000")
    assert told(sent(text, require_tls=True))[0] == "accepted"


def test_a_family_that_is_left_out_is_no_fault_of_the_domain() -> None:
    report = sent(two(), ipv4=False)
    assert told(report) == ("failed", "route", 1)
    assert "leaves the other out" in (report.recipients[0].why or "")
