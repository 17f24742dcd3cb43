"""Ports that are silent, closed, refusing, of the other kind, on ::1; relays; the address we come from."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
import witness
from command import probe, smtp, to
from conftest import ALL
from daemons import free_ports, need_ipv6
from postfix import NAME, Mail

pytestmark = pytest.mark.real


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        made.listen(16)
        yield made.getsockname()[1]


def test_one_silent_port_of_four_holds_nobody_up(post: Mail, silent: int) -> None:
    """Done within the deadline and a second, with the other three told in full."""
    seconds = 6.0
    others = {port: label for port, label in ALL.items() if port != 587}
    began = time.monotonic()
    ran = smtp(
        *to(post, others), "--connect-to", f"{NAME}:587:127.0.0.1:{silent}", "-4",
        anchor=post.anchor, timeout=seconds,
    )  # fmt: skip
    assert time.monotonic() - began < seconds + 1
    for port in others:
        assert ran.endpoints[port]["tls"]["trusted"] is True
    assert ran.endpoints[587]["state"] == "open"
    assert ran.endpoints[587]["phase"] == "banner"
    assert ran.endpoints[587]["banner"] is None
    assert ran.endpoints[587]["starttls"] is None


def test_a_closed_port_is_refused(post: Mail) -> None:
    (port,) = free_ports(1)
    ran = smtp(
        *to(post, {25: "mx"}), "--connect-to", f"{NAME}:587:127.0.0.1:{port}", "--port", "25", "--port", "587",
        anchor=post.anchor,
    )  # fmt: skip
    assert ran.endpoints[587]["state"] == "refused"
    assert ran.endpoints[25]["state"] == "open"


def test_ipv6(post: Mail) -> None:
    need_ipv6()
    ran = probe(post, {25: "mx6", 587: "submission6"}, address="::1")
    for port, label in ((25, "mx6"), (587, "submission6")):
        endpoint = ran.endpoints[port]
        assert endpoint["address"] == "::1"
        seen = witness.s_client("::1", post.ports[label], NAME, post.anchor)
        assert (endpoint["tls"]["version"], endpoint["tls"]["cipher"]) == (seen.version, seen.cipher)
        assert tuple(one["sha256"] for one in endpoint["tls"]["chain"]) == seen.chain
        assert tuple(endpoint["ehlo"]["after_tls"]) == witness.swaks("::1", post.ports[label]).after


def test_ipv6_without_a_name_says_its_address(post: Mail) -> None:
    """EHLO has no name here: the literal of the address we come from (RFC 5321 §4.1.4)."""
    need_ipv6()
    helo = probe(post, {25: "mx6"}, address="::1").only["helo"]
    assert helo == "[IPv6:::1]" or "." in helo


def test_the_address_we_come_from(post: Mail) -> None:
    ran = probe(post, {25: "mx"}, "--source-address", "127.0.0.77")
    assert ran.only["state"] == "open"
    log = (post.config / "maillog").read_text()
    assert "postfix/mx/smtpd" in log
    assert "connect from unknown[127.0.0.77]" in log


@pytest.mark.parametrize(("label", "code"), [("rejects", "554"), ("defers", "450")])
def test_a_server_that_wants_nobody(post: Mail, label: str, code: str) -> None:
    endpoint = probe(post, {25: label}).only
    assert endpoint["state"] == "open"
    assert endpoint["banner"].startswith(code)
    assert endpoint["starttls"] is None
    assert endpoint["tls"] is None


def test_no_tls_at_all(post: Mail) -> None:
    endpoint = probe(post, {25: "clear"}).only
    assert endpoint["starttls"] == "missing"
    assert endpoint["tls"] is None


def test_a_port_that_offers_little(post: Mail) -> None:
    endpoint = probe(post, {25: "plain"}).only
    assert endpoint["size"] is None
    assert not {"PIPELINING", "DSN", "CHUNKING", "SMTPUTF8"} & set(endpoint["ehlo"]["after_tls"])
    assert tuple(endpoint["ehlo"]["after_tls"]) == witness.swaks("127.0.0.1", post.ports["plain"]).after


def test_the_port_for_tls_at_once_speaks_in_clear(post: Mail) -> None:
    endpoint = probe(post, {465: "submission"}).only
    assert endpoint["banner"].startswith("220 ")
    assert endpoint["starttls"] == "offered"
    assert endpoint["tls"]["trusted"] is True


def test_a_port_for_starttls_speaks_tls_at_once(post: Mail, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits for a hello as we wait for its banner: after a while the other is tried."""
    monkeypatch.setattr("deliverkit.smtp.dialog.SILENCE", 1.0)
    endpoint = probe(post, {587: "smtps"}).only
    assert endpoint["starttls"] == "implicit"
    assert endpoint["tls"]["trusted"] is True


@pytest.mark.parametrize(("label", "outcome"), [("mx", "closed"), ("relays", "possible")])
def test_a_relay(post: Mail, label: str, outcome: str) -> None:
    ran = probe(post, {25: label}, "--relay-test", "someone@example.net")
    assert ran.only["relay"] == outcome
    texts = [line["text"] for line in ran.only["transcript"] if line["direction"] == "client"]
    assert not [text for text in texts if text.upper().startswith("DATA")]


def test_no_other_make_relays(exim_mail: Mail, sendmail_mail: Mail) -> None:
    """Sendmail trusts 127.0.0.1 and no other address of this machine: the answer is one to who asks."""
    words = ("--relay-test", "someone@example.net", "--source-address")
    assert probe(exim_mail, {25: "mx"}, *words, "127.0.0.1").only["relay"] == "closed"
    assert probe(sendmail_mail, {25: "mx"}, *words, "127.0.0.1").only["relay"] == "possible"
    assert probe(sendmail_mail, {25: "mx"}, *words, "127.0.0.77").only["relay"] == "closed"
