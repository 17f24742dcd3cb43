"""Postfix, Exim and Sendmail: every field of the facts is right, and what other programs see is the same."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

import pytest
import witness
from authority import Leaf
from conftest import ALL, Server
from postfix import NAME

pytestmark = pytest.mark.real
PORTS = pytest.mark.parametrize("port", ALL)
POSTFIX = (
    "PIPELINING",
    "SIZE 10240000",
    "VRFY",
    "ETRN",
    "ENHANCEDSTATUSCODES",
    "8BITMIME",
    "DSN",
    "SMTPUTF8",
    "CHUNKING",
)
DOVECOT = ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER"]
EXIM = ("SIZE 20971520", "8BITMIME", "PIPELINING", "PIPECONNECT", "CHUNKING", "SMTPUTF8", "HELP")
SENDMAIL = ("ENHANCEDSTATUSCODES", "PIPELINING", "EXPN", "VERB", "8BITMIME", "SIZE", "DSN", "DELIVERBY", "HELP")
CYRUS = ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"]
UNPLAIN = ["CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"]


class Made(NamedTuple):
    """What a make was configured to be."""

    banner: str
    offers: tuple[str, ...]
    size: int | None
    auth: dict[int, tuple[list[str], list[str]]]
    """By port: mechanisms before and after TLS."""
    leaf: dict[int, str]
    clear: dict[int, int]
    """By port: the code that MAIL in clear meets."""


MAKES = {
    "post": Made(
        f"220 {NAME} ESMTP Postfix", POSTFIX, 10_240_000,
        {25: ([], []), 465: ([], DOVECOT), 587: ([], DOVECOT), 2525: (DOVECOT, DOVECOT)},
        {25: "good", 465: "good", 587: "good", 2525: "rsa"}, {587: 530, 2525: 250},
    ),
    "exim": Made(
        f"220 {NAME} ESMTP Exim 4.", EXIM, 20_971_520,
        {25: ([], ["PLAIN", "LOGIN", "CRAM-MD5"]), 465: ([], ["PLAIN", "LOGIN", "CRAM-MD5"]),
         587: ([], ["PLAIN", "LOGIN", "CRAM-MD5"]),
         2525: (["PLAIN", "LOGIN", "CRAM-MD5"], ["PLAIN", "LOGIN", "CRAM-MD5"])},
        dict.fromkeys(ALL, "good"), {587: 530, 2525: 250},
    ),
    "sendmail": Made(
        f"220 {NAME} ESMTP Sendmail 8.", SENDMAIL, None,
        {25: ([], []), 465: ([], CYRUS), 587: (UNPLAIN, CYRUS), 2525: (UNPLAIN, CYRUS)},
        dict.fromkeys(ALL, "rsa"), {587: 530, 2525: 250},
    ),
}  # fmt: skip


@PORTS
def test_what_it_says_and_offers(server: Server, make: str, port: int) -> None:
    made, endpoint = MAKES[make], server.ran.endpoints[port]
    assert endpoint["host"] == NAME
    assert endpoint["address"] == "127.0.0.1"
    assert endpoint["role"] == ("mx" if port == 25 else "submission")
    assert endpoint["state"] == "open"
    assert [endpoint[field] for field in ("why", "phase", "by_us", "tls_error")] == [None] * 4
    assert endpoint["banner"].startswith(made.banner)
    assert endpoint["helo"] == "client.example.com"
    assert endpoint["esmtp"] is True
    assert endpoint["size"] == made.size
    assert endpoint["starttls"] == ("implicit" if port == 465 else "offered")
    before, after = made.auth[port]
    assert endpoint["auth"]["before_tls"] == before
    assert endpoint["auth"]["after_tls"] == after
    assert (endpoint["auth"]["login"], endpoint["auth"]["mechanism"]) == ("not-tried", None)
    assert endpoint["relay"] == "not-tried"
    assert endpoint["ptr"] == []
    offered = set(made.offers) | ({"ETRN"} if make == "sendmail" and port in (25, 465) else set())
    clear = {"STARTTLS", *offered, *([f"AUTH {' '.join(before)}"] if before else [])}
    assert set(endpoint["ehlo"]["before_tls"]) == (set() if port == 465 else clear)
    assert set(endpoint["ehlo"]["after_tls"]) == {*offered, *([f"AUTH {' '.join(after)}"] if after else [])}


@PORTS
def test_what_it_lets_do_in_clear(server: Server, make: str, port: int) -> None:
    lines = [line["text"] for line in server.ran.endpoints[port]["transcript"] if not line["tls"]]
    if port not in MAKES[make].clear:
        assert "MAIL FROM:<>" not in lines
        return
    reply = lines[lines.index("MAIL FROM:<>") + 1]
    assert reply.startswith(str(MAKES[make].clear[port])), reply


@PORTS
def test_its_tls_and_certificate(server: Server, make: str, port: int) -> None:
    tls = server.ran.endpoints[port]["tls"]
    leaf = server.mail.leaves[MAKES[make].leaf[port]]
    assert (tls["version"], tls["cipher"]) == ("TLSv1.3", "TLS_AES_256_GCM_SHA384")
    assert (tls["trusted"], tls["trust_error"], tls["name_matches"]) == (True, None, True)
    assert tls["asks_client_certificate"] is False
    assert tls["mta_sts"] is None
    assert tls["scan"] == []
    certificate = tls["certificate"]
    assert certificate == tls["chain"][0]
    assert certificate["names"] == list(leaf.names)
    assert certificate["subject"] == f"CN={leaf.names[0]}"
    assert certificate["issuer"] == "CN=deliverkit test CA 1"
    assert certificate["not_after"] == leaf.not_after.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert certificate["days_left"] == (leaf.not_after - dt.datetime.now(dt.UTC)).days
    assert certificate["sha256"] == leaf.sha256
    assert certificate["spki_sha256"] == leaf.spki
    assert certificate["key"] == ("rsa-2048" if leaf.key == "rsa-2048" else "ec-secp256r1")
    assert certificate["signature"] == "ecdsa-with-SHA256"
    assert [one["issuer"] for one in tls["chain"]] == ["CN=deliverkit test CA 1", "CN=deliverkit test root"]
    assert tls["certificate_without_sni"] is None


@PORTS
def test_its_times_and_transcript(server: Server, port: int) -> None:
    endpoint = server.ran.endpoints[port]
    times = endpoint["timings_ms"]
    expected = {"connect", "banner", "ehlo", "starttls", "tls", "ehlo_tls"}
    assert set(times) == ({"connect", "tls", "banner", "ehlo_tls"} if port == 465 else expected)
    assert all(time >= 0 for time in times.values())
    transcript = endpoint["transcript"]
    assert [line["at_ms"] for line in transcript] == sorted(line["at_ms"] for line in transcript)
    assert transcript[-1]["direction"] == "server"
    assert transcript[-1]["text"].startswith("221")
    assert {line["direction"] for line in transcript} == {"server", "client", "note"}


@PORTS
def test_openssl_sees_the_same(server: Server, port: int) -> None:
    seen = witness.s_client("127.0.0.1", server.mail.ports[ALL[port]], NAME, server.mail.anchor, implicit=port == 465)
    tls = server.ran.endpoints[port]["tls"]
    assert (tls["version"], tls["cipher"]) == (seen.version, seen.cipher)
    assert tuple(certificate["sha256"] for certificate in tls["chain"]) == seen.chain
    assert tls["trusted"] is seen.trusted


@PORTS
def test_posttls_finger_sees_the_same(server: Server, post: Any, port: int) -> None:
    seen = witness.finger(
        "127.0.0.1", server.mail.ports[ALL[port]], post.config, server.mail.anchor, implicit=port == 465
    )
    tls = server.ran.endpoints[port]["tls"]
    assert (tls["version"], tls["cipher"], tls["trusted"]) == (seen.version, seen.cipher, seen.trusted)
    assert (tls["certificate"]["sha256"],) == seen.chain
    assert tls["certificate"]["spki_sha256"] == seen.spki


@PORTS
def test_swaks_sees_the_same(server: Server, port: int) -> None:
    seen = witness.swaks("127.0.0.1", server.mail.ports[ALL[port]], implicit=port == 465)
    endpoint = server.ran.endpoints[port]
    assert endpoint["banner"].partition(";")[0] == seen.banner.partition(";")[0]
    assert tuple(endpoint["ehlo"]["before_tls"]) == seen.before
    assert tuple(endpoint["ehlo"]["after_tls"]) == seen.after
    assert (endpoint["tls"]["version"], endpoint["tls"]["cipher"]) == (seen.version, seen.cipher)


def test_a_leaf_is_whole(leaves: dict[str, Leaf]) -> None:
    """The certificates of these tests are what they are called."""
    assert len(leaves["good"].chain) == 2
    assert len(leaves["incomplete"].chain) == 1
    assert leaves["expired"].not_after < dt.datetime.now(dt.UTC) < leaves["early"].not_after
