"""Which sessions are opened, and what all of them together tell."""

from __future__ import annotations

import pytest
from smtp_rules.build import judged, only

from deliverkit.model import Absent, Call, Found, Mode, Purpose, Session, State, Step, Trouble, Unknown
from deliverkit.probes.smtp_calls import other_mode
from deliverkit.report.smtp import report
from deliverkit.world import World
from smtp_area.worlds import ADDRESS, HOST, Dialler, endpoint, endpoints, probed

FOUR = "".join(f"\n[smtp {HOST}:{port}]\n" for port in (25, 465, 587, 2525))
ENFORCE = """
[https mta-sts.example.com]
body
  version: STSv1
  mode: enforce
  mx: mx.example.com
  max_age: 604800
"""


def dialled(text: str, **options: object) -> tuple[list[Call], object]:
    dialler = Dialler(World(text))
    return dialler.calls, probed(text, dialler=dialler, **options)


def states(facts) -> dict[int, str]:
    return {one.port: one.state for one in endpoints(facts)}


def test_four_ports_without_a_name_and_one_handshake_more_each():
    calls, facts = dialled(ADDRESS + FOUR)
    assert states(facts) == {25: "open", 465: "open", 587: "open", 2525: "open"}
    assert sorted(call.port for call in calls if call.purpose is Purpose.PROBE) == [25, 465, 587, 2525]
    assert sorted(call.port for call in calls if call.purpose is Purpose.NO_NAME) == [25, 465, 587, 2525]
    assert len(calls) == 8
    assert {call.port for call in calls if call.try_mail} == {465, 587, 2525}


def test_ports_that_nobody_named_may_be_silent():
    text = ADDRESS + FOUR.replace(":2525]", ":2525]\nfault CONNECT timeout").replace(
        ":25]", ":25]\nfault CONNECT timeout"
    )
    found = {one.port: one for one in endpoints(probed(text))}
    assert isinstance(found[2525].banner, Absent)
    assert not found[2525].named
    # Port 25 is another matter: this network may block it, so that nobody can tell.
    assert isinstance(found[25].banner, Unknown)
    assert "port 25" in found[25].by_us
    (named,) = endpoints(probed(text, ports=(2525,)))
    assert isinstance(named.banner, Unknown)


def test_the_scan_keeps_to_four_connections():
    calls, facts = dialled(f"{ADDRESS}\n[smtp {HOST}:587]\nversions TLSv1.2 TLSv1.3\n", ports=(587,), tls_scan=True)
    assert [call.version for call in calls] == ["", "TLSv1", "TLSv1.1", "TLSv1.2"]
    (one,) = endpoints(facts)
    accepted = {scan.version: isinstance(scan.accepted, Found) for scan in one.tls.value.scan}
    assert accepted == {"TLSv1": False, "TLSv1.1": False, "TLSv1.2": True, "TLSv1.3": True}


def test_a_scan_without_room_says_so():
    _, facts = dialled(f"{ADDRESS}\n[smtp {HOST}:587]\nmode implicit\n", ports=(587,), tls_scan=True)
    (one,) = endpoints(facts)
    assert one.wrong_mode == "implicit"
    assert [scan.version for scan in one.tls.value.scan if isinstance(scan.accepted, Unknown)] == ["TLSv1.2"]


def test_tls_at_once_on_a_port_for_starttls():
    calls, facts = dialled(f"{ADDRESS}\n[smtp {HOST}:587]\nmode implicit\n", ports=(587,))
    (one,) = endpoints(facts)
    assert [call.mode for call in calls[:2]] == [Mode.AUTO, Mode.IMPLICIT]
    assert (one.wrong_mode, one.starttls) == ("implicit", "implicit")
    assert one.tls.value.implicit


def test_clear_text_on_the_port_for_tls():
    calls, facts = dialled(f"{ADDRESS}\n[smtp {HOST}:465]\nmode starttls\n", ports=(465,))
    (one,) = endpoints(facts)
    assert [call.mode for call in calls[:2]] == [Mode.AUTO, Mode.STARTTLS]
    assert (one.wrong_mode, one.starttls) == ("clear", "offered")


@pytest.mark.parametrize("port", [465, 587, 2626])
def test_starttls_that_was_typed_for_a_port_with_tls_at_once(port):
    text = f"{ADDRESS}\n[smtp {HOST}:{port}]\nmode implicit\n"
    calls, facts = dialled(text, ports=(port,), tls="starttls", user="alice", relay_to="you@example.net")
    assert [call.mode for call in calls[:2]] == [Mode.STARTTLS, Mode.IMPLICIT]
    # It is looked at, and what was asked for is not done another way than was typed.
    assert (calls[1].user, calls[1].relay_to) == (None, None)
    (one,) = endpoints(facts)
    assert (one.wrong_mode, one.starttls) == ("implicit", "implicit")
    assert one.login == Absent("TLS comes at once here, and --tls starttls was typed")
    outcome = judged(one, "smtp-tls-at-once-unexpected")
    assert ("--tls implicit" in only(outcome).fix.text) == (port != 587)


@pytest.mark.parametrize(
    ("port", "rule", "words"),
    [
        (465, "smtp-tls-at-once-missing", "wrappermode=yes"),
        (587, "tls-handshake-failed", "--tls starttls"),
        (2626, "tls-handshake-failed", "--tls starttls"),
    ],
)
def test_tls_at_once_that_was_typed_for_a_port_in_clear(port, rule, words):
    calls, facts = dialled(f"{ADDRESS}\n[smtp {HOST}:{port}]\nmode starttls\n", ports=(port,), tls="implicit")
    assert len(calls) == 1
    (one,) = endpoints(facts)
    assert (one.wrong_mode, one.starttls) == ("clear", "failed")
    failing = [name for name in ("tls-handshake-failed", "smtp-tls-at-once-missing") if judged(one, name).findings]
    assert failing == [rule]
    finding = only(judged(one, rule))
    assert words in finding.fix.text
    assert [exhibit.text for exhibit in finding.evidence] == [f"220 {HOST} ESMTP"]


@pytest.mark.parametrize(("tls", "port"), [("none", 465), ("none", 587), ("starttls", 25)])
def test_other_modes_that_were_typed_are_not_doubted(tls, port):
    calls, _ = dialled(f"{ADDRESS}\n[smtp {HOST}:{port}]\nmode implicit\n", ports=(port,), tls=tls)
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("port", "trouble", "seen", "mode"),
    [
        (587, Trouble.TIMEOUT, b"", Mode.IMPLICIT),
        (25, Trouble.TIMEOUT, b"", None),
        (25, Trouble.NOT_SMTP, b"\x15\x03\x01\x00\x02\x02\n", Mode.IMPLICIT),
        (587, Trouble.TIMEOUT, b"220-half", None),
        (587, Trouble.CLOSED, b"", None),
        (587, Trouble.NOT_SMTP, b"HTTP/1.1 400", None),
    ],
)
def test_what_makes_a_port_look_like_tls(port, trouble, seen, mode):
    call = Call(host=HOST, address="192.0.2.25", port=port, dial_port=port)
    step = Step(stage="banner", trouble=trouble, reply=seen)
    again = other_mode(Session(call=call, state=State.OPEN, steps=(step,)))
    assert (again.mode if again is not None else None) == mode


def test_none_after_a_421():
    calls, _ = dialled(f"{ADDRESS}\n[smtp {HOST}:587]\non-tls EHLO 421 4.3.2 busy\n", ports=(587,))
    assert len(calls) == 1


def test_one_login_a_port_and_none_after_a_refusal():
    text = ADDRESS + "".join(f"\n[smtp {HOST}:{port}]\non-tls AUTH 535 5.7.8 no\n" for port in (465, 587, 2525))
    calls, facts = dialled(text, user="alice")
    assert [call.port for call in calls if call.user is not None] == [587]
    found = {one.port: one.login for one in endpoints(facts)}
    assert found[587].value.outcome == "refused"
    assert "refused on port 587" in found[465].why


def test_logins_leave_port_25_alone_unless_it_is_named():
    calls, _ = dialled(ADDRESS + FOUR, user="alice")
    assert {call.port for call in calls if call.user is not None} == {465, 587, 2525}
    calls, _ = dialled(ADDRESS + FOUR, user="alice", ports=(25,))
    assert [call.user for call in calls if call.purpose is Purpose.PROBE] == ["alice"]


def test_a_port_with_two_addresses_has_one_login():
    text = f"{HOST}. A 192.0.2.25\n{HOST}. A 192.0.2.26\n[smtp {HOST}:587]\n"
    calls, facts = dialled(text, user="alice", ports=(587,))
    assert [call.address for call in calls if call.user is not None] == ["192.0.2.25"]
    assert "another address" in endpoints(facts)[1].login.why


def test_addresses_are_dialled_apart():
    text = f"{HOST}. A 192.0.2.25\n{HOST}. AAAA 2001:db8::25\n[smtp {HOST}:25]\n"
    assert [one.address for one in endpoints(probed(text, ports=(25,)))] == ["192.0.2.25", "2001:db8::25"]
    assert [one.address for one in endpoints(probed(text, ports=(25,), ipv6=False))] == ["192.0.2.25"]
    assert [one.address for one in endpoints(probed(text, ports=(25,), ipv4=False))] == ["2001:db8::25"]
    found = endpoints(probed(text, ports=(25,), source_address="192.0.2.1"))
    assert [one.address for one in found] == ["192.0.2.25"]


def test_no_more_than_four_addresses_of_a_family():
    text = "".join(f"{HOST}. A 192.0.2.{number}\n" for number in range(1, 8)) + f"[smtp {HOST}:25]\n"
    (host,) = probed(text, ports=(25,)).hosts.value
    assert len(host.endpoints) == 4
    assert len(host.skipped_addresses) == 3


@pytest.mark.parametrize(("zone", "kind"), [(f"{HOST}. SERVFAIL\n", Unknown), ("other.example. A 192.0.2.1\n", Absent)])
def test_a_host_whose_addresses_are_not_told(zone, kind):
    (host,) = probed(zone).hosts.value
    assert isinstance(host.addresses, kind)
    assert isinstance(host.undialled, kind)
    assert host.endpoints == ()


def test_one_family_that_is_not_told():
    text = f"{HOST}. A 192.0.2.25\n{HOST}. AAAA SERVFAIL\n[smtp {HOST}:25]\n"
    (host,) = probed(text, ports=(25,)).hosts.value
    assert len(host.endpoints) == 1
    assert isinstance(host.undialled, Unknown)


def test_a_typed_address_is_dialled_whatever_it_is():
    text = "[smtp 10.1.2.3:587]\ncertificate names=x.example\n"
    (one,) = endpoints(probed(text, host="10.1.2.3", ports=(587,)))
    assert one.state == "open"
    assert not one.tls.value.name_matches


def test_localhost_is_not_asked_for():
    world = World("[smtp localhost:25]\n")
    facts = probed("[smtp localhost:25]\n", host="localhost", ports=(25,), dialler=Dialler(world))
    assert [one.address for one in endpoints(facts)] == ["127.0.0.1", "::1"]


def test_connect_to_is_always_followed():
    dialler = Dialler(World(f"{ADDRESS}\n[smtp {HOST}:25]\n"))
    facts = probed(
        f"{ADDRESS}\n[smtp {HOST}:25]\n", ports=(25,), dialler=dialler, connect_to=(f"{HOST}:25:127.0.0.1:2500",)
    )
    (one,) = endpoints(facts)
    assert (dialler.calls[0].address, dialler.calls[0].port, dialler.calls[0].dial_port) == ("127.0.0.1", 25, 2500)
    assert one.host == HOST
    assert isinstance(one.ptr, Absent)


MX = "example.com. MX 10 mx.example.com.\nmx.example.com. A {address}\n[smtp mx.example.com:25]\n"


def test_every_mx():
    text = (
        "example.com. MX 20 b.example.com.\nexample.com. MX 10 a.example.com.\n"
        "a.example.com. A 192.0.2.1\nb.example.com. A 192.0.2.2\n[smtp a.example.com:25]\n[smtp b.example.com:25]\n"
    )
    facts = probed(text, host="example.com", by_mx=True)
    assert [one.host for one in endpoints(facts)] == ["a.example.com", "b.example.com"]
    assert {one.role for one in endpoints(facts)} == {"mx"}


def test_private_addresses_of_an_mx_are_not_connected_to():
    dialler = Dialler(World(MX.format(address="10.0.0.1")))
    facts = probed(MX.format(address="10.0.0.1"), host="example.com", by_mx=True, dialler=dialler)
    (host,) = facts.hosts.value
    assert dialler.calls == []
    assert host.refused_addresses == ("10.0.0.1",)
    assert isinstance(host.undialled, Unknown)
    allowed = probed(MX.format(address="10.0.0.1"), host="example.com", by_mx=True, allow_private=True)
    assert endpoints(allowed)[0].state == "open"


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "169.254.169.254", "192.168.1.1", "100.64.0.1", "0.0.0.0"],
)
def test_no_special_address_is_reached_through_an_mx(address):
    dialler = Dialler(World(MX.format(address=address)))
    probed(MX.format(address=address), host="example.com", by_mx=True, dialler=dialler)
    assert dialler.calls == []


@pytest.mark.parametrize("address", ["::1", "::ffff:127.0.0.1", "fe80::1", "fc00::1", "64:ff9b::7f00:1"])
def test_no_special_ipv6_address_either(address):
    text = f"example.com. MX 10 mx.example.com.\nmx.example.com. AAAA {address}\n[smtp mx.example.com:25]\n"
    dialler = Dialler(World(text))
    probed(text, host="example.com", by_mx=True, dialler=dialler)
    assert dialler.calls == []


@pytest.mark.parametrize(("first", "second"), [("192.0.2.1", "127.0.0.1"), ("127.0.0.1", "192.0.2.1")])
def test_an_mx_whose_address_flips_is_dialled_at_the_one_that_was_vetted(first, second):
    """DNS rebinding: whoever asks a second time, to connect, gets loopback."""
    worlds = [World(MX.format(address=address)) for address in (first, second)]
    asked = []

    class Flipping:
        async def lookup(self, name, rdtype, *, server=None):
            asked.append((name, rdtype))
            number = asked.count((name, rdtype)) - 1
            return await worlds[min(number, 1)].lookup(name, rdtype, server=server)

    dialler = Dialler(worlds[0])
    probed("", host="example.com", by_mx=True, dialler=dialler, port=Flipping())
    assert ("mx.example.com", "A") in asked
    assert {call.address for call in dialler.calls} == ({first} if first != "127.0.0.1" else set())


@pytest.mark.parametrize("host", ["192.0.2.1", "localhost"])
def test_an_mx_that_is_no_name_is_not_dialled(host):
    text = f"example.com. MX 10 {host}.\n"
    dialler = Dialler(World(text))
    facts = probed(text, host="example.com", by_mx=True, dialler=dialler)
    assert dialler.calls == []
    assert isinstance(facts.hosts.value[0].addresses, Absent)


@pytest.mark.parametrize(
    ("zone", "kind"),
    [
        ("example.com. MX 0 .\n", Absent),
        ("example.com. MX SERVFAIL\n", Unknown),
        ("example.com. TXT hello\n", Absent),
    ],
)
def test_domains_without_mail_hosts(zone, kind):
    assert isinstance(probed(zone, host="example.com", by_mx=True).hosts, kind)


def test_the_implicit_mx():
    facts = probed("example.com. A 192.0.2.1\n[smtp example.com:25]\n", host="example.com", by_mx=True)
    assert [one.host for one in endpoints(facts)] == ["example.com"]


def test_ports_25_that_go_nowhere_are_ours():
    text = (
        "example.com. MX 10 a.example.com.\nexample.com. MX 20 b.example.net.\na.example.com. A 192.0.2.1\n"
        "b.example.net. A 198.51.100.1\n[smtp a.example.com:25]\nfault CONNECT {fault}\n"
        "[smtp b.example.net:25]\nfault CONNECT {fault}\n"
    )
    for fault in ("timeout", "refused", "unreachable"):
        found = endpoints(probed(text.format(fault=fault), host="example.com", by_mx=True))
        assert all("port 25" in one.by_us for one in found), fault
        assert all(isinstance(one.before, Unknown) for one in found), fault
    mixed = text.replace("fault CONNECT {fault}\n[smtp b", "[smtp b").format(fault="timeout")
    assert endpoints(probed(mixed, host="example.com", by_mx=True))[0].by_us is None


def test_a_middlebox_is_named():
    stripped = endpoint(f"{ADDRESS}\n[smtp {HOST}:25]\noffer XXXXXXXA, PIPELINING\n", 25)
    assert stripped.stripped
    assert stripped.starttls == "missing"
    assert "XXXXXXXA" in stripped.by_us
    masked = endpoint(f"{ADDRESS}\n[smtp {HOST}:25]\nbanner 220 ************0******\n", 25)
    assert "asterisks" in masked.by_us


def test_the_same_banner_everywhere():
    text = (
        "example.com. MX 10 a.example.org.\nexample.com. MX 20 b.example.net.\na.example.org. A 192.0.2.1\n"
        "b.example.net. A 198.51.100.1\n[smtp a.example.org:25]\nbanner 220 proxy ESMTP\n"
        "[smtp b.example.net:25]\nbanner 220 proxy ESMTP\n"
    )
    assert all("same banner" in one.by_us for one in endpoints(probed(text, host="example.com", by_mx=True)))
    own = text.replace("b.example.net", "b.example.org")
    assert all(one.by_us is None for one in endpoints(probed(own, host="example.com", by_mx=True)))


def test_the_expected_certificate():
    other = World("[smtp x.example:25]\n").certificate("x.example", 25).leaf
    found = endpoint(f"{ADDRESS}\n[smtp {HOST}:25]\n", 25, certificate=other)
    assert found.tls.value.expected.sha256 != found.tls.value.leaf.sha256


def test_helo_is_what_was_asked_for():
    assert endpoint(f"{ADDRESS}\n[smtp {HOST}:25]\n", 25, helo="me.example.org").helo == "me.example.org"
    assert endpoint(f"{ADDRESS}\n[smtp {HOST}:25]\n", 25).helo.startswith("[")


@pytest.mark.parametrize("mode", ["enforce", "testing"])
def test_a_policy_that_does_not_cover_the_host(mode):
    text = (
        MX.format(address="192.0.2.1") + ENFORCE.replace("mx.example.com", "other.example.net").replace("enforce", mode)
    ).replace("[smtp", '_mta-sts.example.com. TXT "v=STSv1; id=1"\nmta-sts.example.com. A 192.0.2.80\n[smtp', 1)
    (one,) = endpoints(probed(text, host="example.com", by_mx=True))
    assert (one.tls.value.missed_by, one.tls.value.missed_mode) == ("example.com", mode)
    assert one.tls.value.enforced_by is None


def test_what_is_not_there_is_not_unknown():
    for zone in ("example.com. MX 0 .\n", "example.com. TXT hello\n"):
        made = report(probed(zone, host="example.com", by_mx=True))
        assert made.unknown == ()
        assert len(made.absent) == 1
        assert made.absent[0].startswith("example.com takes no mail: ")
    made = report(probed("example.com. TXT hello\n"))
    assert made.unknown == ()
    assert made.absent[0].startswith(HOST)
