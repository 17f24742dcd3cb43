"""What a reply names: addresses, domains, pages, block lists, and waits."""

from __future__ import annotations

import pytest

from deliverkit.replies import decode
from deliverkit.replies.wait import LONGEST_S, asked


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("please try again in 300 seconds", 300),
        ("come back in 5 minutes", 300),
        ("come back in 00:05:00", 300),
        ("try again after 1 hour", 3600),
        ("retry in 10m", 600),
        ("greylisted for 60s", 60),
        ("bitte in 2 stunden wieder", 7200),
        ("reessayer dans 10 minutes", 600),
        ("riprova tra 5 minuti", 300),
        ("wait half an hour", 1800),
        ("try again in a few minutes", 300),
        ("greylisted, retry in 90", 90),
        ("try again later", None),
        ("try again in 99999999 days", None),
        ("try again in 0 seconds", None),
        ("message 12345 refused", None),
        ("too many messages in 2 recipients", None),
    ],
)
def test_how_long_to_wait(text: str, seconds: int | None) -> None:
    assert asked(text) == seconds


def test_only_what_may_be_tried_again_has_a_wait() -> None:
    assert decode("450 4.7.1 Greylisted, try again in 120 seconds").wait_s == 120
    assert decode("550 5.7.1 Blocked, try again in 120 seconds").wait_s is None
    assert decode(f"450 wait {LONGEST_S + 1} seconds").wait_s is None


def test_greylisting_that_names_no_time_leaves_it_to_the_schedule() -> None:
    assert decode("450 4.2.0 Greylisted").wait_s is None


@pytest.mark.parametrize(
    ("text", "ip"),
    [
        ("550 5.7.1 Client host [192.0.2.1] refused", "192.0.2.1"),
        ("550 5.7.1 Mail from 192.0.2.1 - 4.16.55.1 deferred", "192.0.2.1"),
        ("550 5.7.1 host 198.51.100.9 [192.0.2.1] refused", "192.0.2.1"),
        ("550 5.7.1 [2001:db8::1] refused", "2001:db8::1"),
        ("550 5.7.1 IPv6:2001:DB8:0:0:0:0:0:1 refused", "2001:db8::1"),
        ("550 5.7.1 999.1.2.3 refused", None),
        ("550 5.7.1 at 12:30:45 refused", None),
    ],
)
def test_the_address(text: str, ip: str | None) -> None:
    assert decode(text).scope.ip == ip


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("550 5.7.1 refused by example.com's DMARC policy", "example.com"),
        ("550 5.7.509 sending domain [mail.example.com] does not pass DMARC", "mail.example.com"),
        ("550 5.7.1 Unauthenticated email from example.com is not accepted", "example.com"),
        ("450 4.1.8 <a@example.com>: Sender address rejected: Domain not found", "example.com"),
        ("554 Sender address [a@example.com] blocked using dbl.example.net", "example.com"),
        ("550 no domain here", None),
    ],
)
def test_the_domain(text: str, domain: str | None) -> None:
    assert decode(text).scope.domain == domain


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("554 5.7.1 Client host [192.0.2.1] blocked using zen.spamhaus.org", "Spamhaus ZEN"),
        ("554 listed in pbl.spamhaus.org", "Spamhaus PBL"),
        ("554 blocked by Spamhaus", "Spamhaus"),
        ("554 see https://www.spamcop.net/", "SpamCop"),
        ("550 blocked using b.barracudacentral.org", "Barracuda Reputation Block List"),
        ("550 dnsbl.sorbs.net", "SORBS"),
        ("550 dnsbl-1.uceprotect.net", "UCEPROTECT"),
        ("550 listed at combined.mail.abusix.zone", "Abusix"),
        ("550 ivmSIP by invaluement", "Invaluement"),
        ("550 psbl.surriel.com", "PSBL"),
        ("550 bl.mailspike.net", "Mailspike"),
        ("550 csi.cloudmark.com", "Cloudmark CSI"),
        ("550 see https://ipcheck.proofpoint.com/?ip=192.0.2.1", "Proofpoint Dynamic Reputation"),
        ("550 blocked using Trend Micro RBL+", "Trend Micro ERS"),
        ("554 see https://talosintelligence.com/", "Cisco Talos"),
    ],
)
def test_the_list(text: str, name: str) -> None:
    decoded = decode(text)
    assert decoded.list == name
    assert decoded.ticket_url is not None


def test_the_page_of_the_reply_is_the_ticket_and_ends_where_it_ends() -> None:
    decoded = decode("554 5.7.1 Blocked, see (https://lists.example.net/q?ip=192.0.2.1).")
    assert decoded.ticket_url == "https://lists.example.net/q?ip=192.0.2.1"


def test_a_link_that_is_blamed_is_no_ticket() -> None:
    decoded = decode("554 5.7.1 The URL http://bad.example/x is listed; see https://lists.example.net/")
    assert decoded.category == "content"
    assert decoded.scope.url == "http://bad.example/x"
    assert decoded.ticket_url == "https://lists.example.net/"


def test_an_accepted_message_names_no_list() -> None:
    decoded = decode("250 2.0.0 Ok, see https://spamhaus.example/ for spamhaus")
    assert (decoded.list, decoded.ticket_url) == (None, None)
