"""check_host(): the verdict for an address, a sender and a HELO name (RFC 7208 §4)."""

from __future__ import annotations

import asyncio

import pytest

from deliverkit.evidence.recorder import Recorder
from deliverkit.facts.spf import SpfEvaluation
from deliverkit.probes.spf_check import check_host, checkable
from deliverkit.world import World

WORLD = """
$ORIGIN example.com.
@        TXT  ("v=spf1 ip4:192.0.2.0/24 ip6:2001:db8:1::/48 a:host.example.com mx "
               "include:_spf.example.net ?ip4:203.0.113.1 ~all")
@        MX   10 mail
host     A    198.51.100.1
mail     A    198.51.100.2
mail     AAAA 2001:db8::25
_spf.example.net.  TXT "v=spf1 ip4:198.51.100.128/25 -all"
"""


def verdict(
    world: str, ip: str, sender: str | None = None, helo: str | None = None, domain: str = "example.com"
) -> SpfEvaluation:
    return asyncio.run(check_host(ip, sender, helo, domain, Recorder(World(world))))


@pytest.mark.parametrize(
    ("ip", "result", "lookups"),
    [
        ("192.0.2.7", "pass", 0),
        ("2001:db8:1::9", "pass", 0),
        ("198.51.100.1", "pass", 1),
        ("198.51.100.2", "pass", 2),
        ("2001:db8::25", "pass", 2),
        ("198.51.100.200", "pass", 3),
        ("203.0.113.1", "neutral", 3),
        ("203.0.113.2", "softfail", 3),
        ("::ffff:192.0.2.7", "pass", 0),
    ],
)
def test_results_and_what_they_cost(ip: str, result: str, lookups: int):
    found = verdict(WORLD, ip)
    assert (found.result, found.lookups, found.problem) == (result, lookups, None)


def test_the_mechanism_that_matched_is_named():
    assert verdict(WORLD, "192.0.2.7").mechanism == "ip4:192.0.2.0/24"


@pytest.mark.parametrize(
    ("record", "result"),
    [
        ("v=spf1 -all", "fail"),
        ("v=spf1", "neutral"),
        ("v=spf1 +all", "pass"),
        ("v=spf1 ip4:192.0.2.300 -all", "permerror"),
        ("v=spf1 all nonsense", "permerror"),
        ("v=spf1 x=y -all", "fail"),
        ("v=spf1 include:gone.example.com -all", "permerror"),
        ("v=spf1 redirect=gone.example.com", "permerror"),
        ("v=spf1 redirect=example.com", "permerror"),
        ("v=spf1 include:example.com -all", "permerror"),
        ("v=spf10 -all", "none"),
        (" v=spf1 -all", "none"),
        ("v=spf1 a:gone1.example.com a:gone2.example.com -all", "fail"),
        ("v=spf1 a:gone1.example.com a:gone2.example.com a:gone3.example.com -all", "permerror"),
    ],
)
def test_results_of_records(record: str, result: str):
    assert verdict(f'example.com. TXT "{record}"', "203.0.113.9").result == result


def test_two_records_are_a_permerror_and_none_is_none():
    two = 'example.com. TXT "v=spf1 -all"\nexample.com. TXT "v=spf1 a -all"'
    assert verdict(two, "203.0.113.9").result == "permerror"
    assert verdict("example.com. A 192.0.2.1", "203.0.113.9").result == "none"
    assert verdict("example.net. A 192.0.2.1", "203.0.113.9").result == "none"


@pytest.mark.parametrize("fault", ["SERVFAIL", "REFUSED", "TIMEOUT", "MALFORMED", "TRUNCATED"])
@pytest.mark.parametrize(
    "world",
    [
        "example.com. TXT {}",
        'example.com. TXT "v=spf1 include:x.example.net -all"\nx.example.net. TXT {}',
        'example.com. TXT "v=spf1 a:x.example.net -all"\nx.example.net. A {}',
        'example.com. TXT "v=spf1 mx:x.example.net -all"\nx.example.net. MX {}',
    ],
)
def test_what_nobody_answers_is_a_temperror_that_names_the_question(world: str, fault: str):
    found = verdict(world.format(fault), "203.0.113.9")
    assert found.result == "temperror"
    assert "example." in found.problem


def test_a_match_before_the_trouble_stands():
    world = 'example.com. TXT "v=spf1 ip4:192.0.2.1 include:x.example.net -all"\nx.example.net. TXT SERVFAIL'
    assert verdict(world, "192.0.2.1").result == "pass"


MACROS = """
$ORIGIN example.com.
@  TXT  ("v=spf1 exists:%{ir}.%{l1r-}.%{v}._m.example.com "
         "exists:%{h}._h.example.com -all exp=why.example.com")
7.2.0.192.list.in-addr._m            A   127.0.0.2
mail.example.net._h                  A   127.0.0.2
why                                  TXT "%{i} may not send as %{s}"
"""


def test_macros_are_asked_with_the_message_at_hand():
    assert verdict(MACROS, "192.0.2.7", "list-bounce@example.com").result == "pass"
    assert verdict(MACROS, "192.0.2.7", "other@example.com").result == "fail"
    assert verdict(MACROS, "203.0.113.1", "x@example.com", "mail.example.net").result == "pass"


def test_the_explanation_is_the_domains_own():
    found = verdict(MACROS, "203.0.113.1", "x@example.com")
    assert (found.result, found.explanation) == ("fail", "203.0.113.1 may not send as x@example.com")
    assert verdict('example.com. TXT "v=spf1 -all"', "203.0.113.1").explanation is None


def test_defaults_of_sender_and_helo():
    found = verdict(WORLD, "192.0.2.7")
    assert (found.sender, found.helo) == ("postmaster@example.com", "example.com")


PTR = """
example.com.                TXT "v=spf1 ptr -all"
7.2.0.192.in-addr.arpa.     PTR mail.example.com.
8.2.0.192.in-addr.arpa.     PTR mail.example.com.
9.2.0.192.in-addr.arpa.     PTR SERVFAIL
mail.example.com.           A   192.0.2.7
"""


@pytest.mark.parametrize(("ip", "result"), [("192.0.2.7", "pass"), ("192.0.2.8", "fail"), ("192.0.2.9", "fail")])
def test_ptr_wants_the_name_confirmed_and_an_error_matches_nothing(ip: str, result: str):
    assert verdict(PTR, ip).result == result


@pytest.mark.parametrize(
    ("domain", "taken"),
    [
        ("example.com", True),
        ("example.com.", True),
        ("localhost", True),
        ("", False),
        (".", False),
        ("a..example.com", False),
        (".example.com", False),
        ("a" * 63 + ".example.com", True),
        ("a" * 64 + ".example.com", False),
        (".".join(["a" * 49] * 5), True),
        (".".join(["a" * 50] * 6), False),
        ("\u00e4" * 32 + ".example.com", False),
        ("\ud800.example.com", True),
    ],
)
def test_which_names_can_be_evaluated(domain: str, taken: bool):
    assert checkable(domain) is taken


@pytest.mark.parametrize("domain", ["", ".", "a..example.com", "a" * 64 + ".example.com", ".".join(["a" * 50] * 6)])
def test_a_malformed_domain_gives_none_and_asks_nothing(domain: str):
    port = World('example.com. TXT "v=spf1 -all"')
    assert asyncio.run(check_host("192.0.2.1", None, None, domain, port)).result == "none"
    assert not port.asked


def test_a_single_label_gives_none():
    assert verdict('host. TXT "v=spf1 +all"', "192.0.2.1", domain="host").result == "none"


def test_a_broken_record_at_a_single_label_is_said_to_be_broken():
    assert verdict('host. TXT "v=spf1 include:gone.example.com"', "192.0.2.1", domain="host").result == "permerror"


@pytest.mark.parametrize(
    ("macro", "sender"),
    [
        ("%{l}.example.com", "a" * 250 + "@example.com"),
        ("%{l}.example.com", "a." * 200 + "a@example.com"),
        ("%{l}%{l}%{l}%{l}%{l}.example.com", "x" * 60 + "@example.com"),
        ("%{l}.example.com", "a..b@example.com"),
        ("%{l}.example.com", "\u00e9\x00 @example.com"),
    ],
)
def test_expansions_that_make_no_name_are_no_crash(macro: str, sender: str):
    found = verdict(f'example.com. TXT "v=spf1 exists:{macro} -all"', "192.0.2.1", sender)
    assert found.result in {"fail", "permerror"}


def test_evaluations_side_by_side_do_not_mix():
    port = Recorder(World(WORLD + 'other.example. TXT "v=spf1 ip4:203.0.113.2 -all"\n'))

    async def both() -> list[SpfEvaluation]:
        return await asyncio.gather(
            *(check_host("203.0.113.2", None, None, name, port) for name in ["example.com", "other.example"] * 10)
        )

    assert [found.result for found in asyncio.run(both())] == ["softfail", "pass"] * 10


def test_the_library_asks_nothing_itself(monkeypatch: pytest.MonkeyPatch):
    import socket

    def refuse(*_: object) -> None:
        raise AssertionError("a query was sent")

    monkeypatch.setattr(socket.socket, "sendto", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert verdict(WORLD, "203.0.113.2").result == "softfail"


def test_questions_are_asked_once():
    port = World(WORLD)
    asyncio.run(check_host("203.0.113.2", None, None, "example.com", Recorder(port)))
    assert len(port.asked) == len(set(port.asked))
