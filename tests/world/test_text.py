"""A world's text: what it says, what it leaves to a sound server, and what is no world."""

from __future__ import annotations

import pytest

from deliverkit.world import NOW, World, WorldError, read_world
from deliverkit.world.section import CertificateWish


def test_a_section_that_says_nothing_is_a_sound_submission_server():
    (section,) = read_world("[smtp Mail.Example.com:587]\n").smtp
    assert (section.host, section.port, section.mode) == ("mail.example.com", 587, "starttls")
    assert section.banner == b"220 mail.example.com ESMTP"
    assert section.offer == ("PIPELINING", "SIZE 10485760", "8BITMIME", "STARTTLS", "ENHANCEDSTATUSCODES")
    assert section.offer_tls == ("PIPELINING", "SIZE 10485760", "8BITMIME", "ENHANCEDSTATUSCODES", "AUTH PLAIN LOGIN")
    assert section.certificate == CertificateWish(names=("mail.example.com",))
    assert section.users == {"alice": "secret"}
    assert section.domains == ("mail.example.com", "example.com")


@pytest.mark.parametrize(
    ("port", "mode", "login"),
    [(25, "starttls", False), (465, "implicit", True), (587, "starttls", True), (2525, "starttls", True)],
)
def test_the_port_says_how_tls_comes_and_who_logs_in(port: int, mode: str, login: bool):
    (section,) = read_world(f"[smtp mail.example.com:{port}]\n").smtp
    assert section.mode == mode
    assert any(line.startswith("AUTH") for line in section.offer_tls) is login
    assert not any(line.startswith("AUTH") for line in section.offer)
    assert ("STARTTLS" in section.offer) is (mode == "starttls")


def test_what_is_offered_in_clear_is_offered_inside_tls_unless_that_is_said():
    (section,) = read_world("[smtp mx.example.com:25]\noffer STARTTLS, DSN, AUTH PLAIN\n").smtp
    assert section.offer_tls == ("DSN", "AUTH PLAIN")
    (section,) = read_world("[smtp mx.example.com:25]\noffer STARTTLS\noffer-tls CHUNKING\n").smtp
    assert section.offer_tls == ("CHUNKING",)


def test_all_lines_of_an_smtp_section():
    (section,) = read_world("""
mx.example.com. A 192.0.2.25
[smtp mx.example.com:25]            ; a comment
  certificate  names=a.test,192.0.2.25 cn=b.test days=-1.5 age=400 key=rsa-2048 signature=sha1 issuer=self send=leaf
  unnamed      names=other.example purpose=client
  versions     TLSv1.2 TLSv1
  cipher       RC4-SHA
  asks-client
  name         other.example
  domains      example.com, example.net
  banner       220-one\\n220 two
  on EHLO      502 5.5.1 not here   ; and so on
  on-tls RCPT  550 5.7.1 no
  on-clear MAIL
  fault STARTTLS  close
  inject       250 injected
  user         bob pass word
""").smtp
    assert section.certificate == CertificateWish(
        names=("a.test", "192.0.2.25"),
        cn="b.test",
        days=-1.5,
        age=400,
        key="rsa-2048",
        signature="sha1",
        issuer="self",
        send="leaf",
    )
    assert section.unnamed == CertificateWish(names=("other.example",), purpose="client")
    assert section.versions == ("TLSv1", "TLSv1.2")
    assert (section.cipher, section.asks_client, section.name) == ("RC4-SHA", True, "other.example")
    assert section.domains == ("example.com", "example.net")
    assert section.banner == b"220-one\r\n220 two"
    assert section.scripted("EHLO", tls=True) == b"502 5.5.1 not here"
    assert section.scripted("RCPT", tls=True) == b"550 5.7.1 no"
    assert section.scripted("RCPT", tls=False) is None
    assert section.scripted("MAIL", tls=False) == b""
    assert section.faults == {"STARTTLS": "close"}
    assert (section.inject, section.users) == (b"250 injected", {"bob": "pass word"})


def test_octets_of_every_kind_can_be_written():
    (section,) = read_world("[smtp a.example:25]\nbanner 220 \\xff\\x0a\\0\\\\ a\\*600\\;x\n").smtp
    assert section.banner == b"220 \xff\n\0\\ " + b"a" * 600 + b";x"


def test_all_lines_of_an_https_section():
    (section,) = read_world("""
[https mta-sts.example.com:8443]
path      /a
status    301
type      text/html; charset=utf-8
location  https://www.example.com/a
certificate days=1
versions  TLSv1.3
fault     silent
body
    one

      two
pad 3
""").https
    assert (section.host, section.port, section.path, section.status) == ("mta-sts.example.com", 8443, "/a", 301)
    assert section.type == "text/html; charset=utf-8"
    assert section.location == "https://www.example.com/a"
    assert section.body == b"one\r\n\r\n  two\r\n###"
    assert (section.fault, section.versions, section.certificate.days) == ("silent", ("TLSv1.3",), 1)


def test_an_https_host_that_says_nothing_serves_an_empty_policy():
    (section,) = read_world("[https mta-sts.example.com]\n").https
    assert (section.port, section.path, section.status) == (443, "/.well-known/mta-sts.txt", 200)
    assert (section.type, section.body) == ("text/plain", b"")


def test_zone_data_goes_on_behind_a_section():
    text = read_world("a.example. A 192.0.2.1\n[smtp a.example:25]\nuser a b\n[zone]\nb.example. A 192.0.2.2\n")
    assert text.zone == "a.example. A 192.0.2.1\n\n\n\nb.example. A 192.0.2.2\n"


def test_an_address_may_have_a_section_of_its_own():
    sections = read_world("[smtp [2001:DB8::25]:25]\n[smtp 192.0.2.25:25]\n").smtp
    assert [(section.host, section.port) for section in sections] == [("2001:db8::25", 25), ("192.0.2.25", 25)]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[ftp a.example]", 1),
        ("[smtp]", 1),
        ("[smtp a.example]", 1),
        ("[smtp a.example:0]", 1),
        ("[smtp a.example:70000]", 1),
        ("[zone a.example]", 1),
        ("[smtp a.example:25", 1),
        ("\n[smtp a.example:25]\nfrobnicate yes", 3),
        ("[smtp a.example:25]\n\n; word\nmode sometimes", 4),
        ("[smtp a.example:25]\nversions SSLv3", 2),
        ("[smtp a.example:25]\nfault EHLO refused", 2),
        ("[smtp a.example:25]\nfault CONNECT garbage", 2),
        ("[smtp a.example:25]\nfault DANCE close", 2),
        ("[smtp a.example:25]\non DANCE 250 ok", 2),
        ("[smtp a.example:25]\nuser alice", 2),
        ("[smtp a.example:25]\ncertificate days=soon", 2),
        ("[smtp a.example:25]\ncertificate days=nan", 2),
        ("[smtp a.example:25]\ncertificate key=rsa-512", 2),
        ("[smtp a.example:25]\ncertificate colour=blue", 2),
        ("[smtp a.example:25]\ncertificate names", 2),
        ("[https a.example]\nstatus many", 2),
        ("[https a.example]\nstatus 99", 2),
        ("[https a.example]\nfault close", 2),
        ("[https a.example]\nbody\n  text\nbanner 220", 4),
        ("[https a.example]\npad 99999999", 2),
    ],
)
def test_what_is_no_world_is_said_with_its_line(text: str, line: int):
    with pytest.raises(WorldError, match=f"^world:{line}: "):
        read_world(text)


def test_two_servers_at_one_place_are_none():
    with pytest.raises(WorldError, match="twice"):
        read_world("[smtp a.example:25]\n[smtp A.example:25]\n")


def test_an_error_in_the_zone_keeps_its_line():
    with pytest.raises(WorldError, match="world:4"):
        World("a.example. A 192.0.2.1\n[smtp a.example:25]\n[zone]\nb.example. A nothing\n")


async def _record(text: str) -> str:
    (record,) = (await World(text).lookup("_25._tcp.a.example", "TLSA")).records
    return record.text


@pytest.mark.parametrize("what", ["cert", "spki", "issuer", "issuer-spki"])
def test_digests_of_certificates_stand_in_zone_data(what: str):
    import asyncio
    import hashlib

    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    text = f"_25._tcp.a.example. TLSA 3 1 1 ${what}(a.example:25)\n[smtp a.example:25]\n"
    made = World(text).certificate("a.example", 25)
    octets = made.issuer if what.startswith("issuer") else made.leaf
    if what.endswith("spki"):
        public = x509.load_der_x509_certificate(octets).public_key()
        octets = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert asyncio.run(_record(text)) == f"3 1 1 {hashlib.sha256(octets).hexdigest()}"


@pytest.mark.parametrize("where", ["b.example:25", "a.example:587", "a.example"])
def test_a_digest_of_nothing_is_said(where: str):
    with pytest.raises(WorldError, match=r"world:2: .*no such endpoint"):
        World(f"\n_25._tcp.a.example. TLSA 3 1 1 $cert({where})\n[smtp a.example:25]\n", now=NOW)
