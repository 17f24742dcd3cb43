"""TLS servers that mean harm: whose certificates, handshakes and records are made to mislead, to crash or to last."""

from __future__ import annotations

import asyncio
import datetime as dt
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtensionOID, NameOID
from issued import GOOD, NOW, ROOT, Made, key, make
from OpenSSL import SSL
from scripted import stages
from server import Peer, Server, serving

from deliverkit.__main__ import main
from deliverkit.model import Call, Mode, Session
from deliverkit.records.certificate import read_certificate
from deliverkit.smtp.live import Live
from deliverkit.smtp.secret import Secret
from deliverkit.tls.verify import Anchors

ANCHORS = Anchors(extra=(ROOT.der,), system=False)
CANARY = "canary-4711"
UNKNOWN = x509.ObjectIdentifier("1.3.6.1.4.1.99999.1")


def dialled(server: Server, *, seconds: float = 10.0, user: str | None = None) -> Session:
    call = Call(
        host="mail.example.com",
        address=server.host,
        port=465,
        dial_port=server.port,
        mode=Mode.IMPLICIT,
        user=user,
        mechanism="PLAIN" if user else None,
    )

    async def session() -> Session:
        live = Live(ANCHORS, deadline=time.monotonic() + seconds, words="before the end", secret=Secret(CANARY))
        return await live.session(call)

    return asyncio.run(session())


def implicit(peer: Peer) -> None:
    peer.wrap()
    peer.talk(tls=False)


def crafted(
    *extensions: tuple[x509.ObjectIdentifier, bytes], above: tuple[bytes, ...] = (), subject: str = "x"
) -> Made:
    """A certificate of its own making, with extensions of any octets."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key("ec", "crafted").public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - dt.timedelta(days=1))
        .not_valid_after(NOW + dt.timedelta(days=9))
    )
    for oid, octets in extensions:
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, octets), critical=False)
    return Made(builder.sign(key("ec", "crafted"), hashes.SHA256()), key("ec", "crafted"), above)


@pytest.mark.parametrize("octets", [100, 70_000])
def test_somebody_else_s_chain_behind_a_leaf_of_any_size_lends_no_trust(octets: int):
    """Anybody can send the good chain of the server that he stands in for: it is no leaf of his."""
    made = crafted((UNKNOWN, bytes(octets)), above=GOOD.chain)
    with serving(implicit, made=made) as server:
        session = dialled(server, user="alice")
    assert session.handshake is not None
    assert session.handshake.chain[0] == made.der
    assert session.handshake.trusted is False
    assert session.remarks["login"] == "not-tried"
    assert not any(line.upper().startswith(b"AUTH") for line in server.heard)


def test_a_chain_of_a_hundred_certificates_is_cut():
    filler = make("filler", ca=True)
    with serving(implicit, made=Made(GOOD.certificate, GOOD.private, (*GOOD.chain[1:], *[filler.der] * 98))) as server:
        session = dialled(server)
    assert session.handshake is not None
    assert session.handshake.trusted
    assert len(session.handshake.chain) == 20


def test_a_chain_without_end_fails_the_handshake():
    filler = crafted((UNKNOWN, bytes(30_000)))
    with serving(implicit, made=Made(GOOD.certificate, GOOD.private, (filler.der,) * 4)) as server:
        session = dialled(server)
    assert stages(session) == ["tls!tls"]
    assert session.steps[0].why == "a message of the handshake is longer than any may be"


SAN = ExtensionOID.SUBJECT_ALTERNATIVE_NAME
MALFORMED = {
    "names that are no DER": crafted((SAN, b"\xff\xff\xff")).der,
    "names of no end": crafted((SAN, b"\x30\x84\xff\xff\xff\xff")).der,
    "a name of control characters": crafted((SAN, b"\x30\x0c\x82\x0a\x1b]52;c;x\x07\x0a\x0d")).der,
    "a name that is not text": crafted((SAN, b"\x30\x06\x82\x04\xff\xfe\x00\x9b")).der,
    "usage that is no DER": crafted((ExtensionOID.EXTENDED_KEY_USAGE, b"")).der,
    "constraints that are no DER": crafted((ExtensionOID.BASIC_CONSTRAINTS, b"\x30\x03\x01\x01")).der,
    "a subject of escapes and markup": crafted(subject="\x1b[31m[/]<b>\u202e::error::\r\n##[x]").der,
    "ten thousand names": crafted((SAN, b"\x30\x82\xea\x60" + b"\x82\x04a.bc" * 10_000)).der,
    "no certificate at all": b"\x1b[31m\x07\xff<b>\r\n::error::x",
    "half a certificate": GOOD.der[: len(GOOD.der) // 2],
    "nothing": b"",
}


@pytest.mark.parametrize("der", MALFORMED.values(), ids=MALFORMED)
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_malformed_certificate_is_told_and_harms_no_reader(der: bytes, form: str, capsys, monkeypatch):
    """No server that rests on OpenSSL shows such certificates, and its client may let them pass."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr("deliverkit.tls.peer.chain_of", lambda _: (der,))
    with serving(implicit) as server:
        code = main(["smtp", f"127.0.0.1:{server.port}", "--tls", "implicit", "-v", "--debug", "--format", form])
    out, err = capsys.readouterr()
    assert code == 1
    assert "tls-certificate-untrusted" in out
    assert "Traceback" not in err
    assert not [char for char in out + err if (not char.isprintable() and char != "\n") or char == "\u202e"]
    assert not [line for line in out.splitlines() if line.lstrip().startswith(("::", "##["))]
    assert len(out) < 100_000


@pytest.mark.parametrize("damage", range(0, 40, 3))
def test_a_damaged_leaf_is_no_crash(damage: int):
    octets = bytearray(GOOD.der)
    octets[damage * len(octets) // 40] ^= 0xFF
    assert not ANCHORS.judge((bytes(octets), *GOOD.chain[1:])).trusted
    read_certificate(bytes(octets))


def hello(peer: Peer) -> None:
    peer.socket.recv(4096)


def records(kind: int, *bodies: bytes) -> bytes:
    return b"".join(bytes((kind, 3, 3)) + len(body).to_bytes(2, "big") + body for body in bodies)


@pytest.mark.parametrize(
    "octets",
    [
        records(20, b"\x01"),
        records(22, b""),
        records(21, b"\x01\x5a"),
        records(22, b"\x02\xff\xff\xff" + bytes(16_000)),
        records(23, bytes(100)),
    ],
    ids=["change of cipher", "empty", "warning", "hello of 16 MiB", "data"],
)
def test_a_handshake_that_never_ends(octets: bytes):
    def handler(peer: Peer) -> None:
        hello(peer)
        while True:
            peer.say(octets * 50)

    began = time.monotonic()
    with serving(handler) as server:
        session = dialled(server, seconds=3)
    assert time.monotonic() - began < 4
    assert stages(session)[0].startswith("tls!")
    assert session.handshake is not None
    assert session.handshake.error


def test_a_handshake_octet_by_octet_ends_at_the_deadline():
    def handler(peer: Peer) -> None:
        hello(peer)
        for octet in records(22, b"\x02\x00\x10\x00" + bytes(4096)):
            peer.say(bytes((octet,)))
            time.sleep(0.02)

    began = time.monotonic()
    with serving(handler) as server:
        session = dialled(server, seconds=1)
    assert time.monotonic() - began < 2
    assert stages(session) == ["tls!timeout"]


def test_renegotiation_is_refused_and_ends():
    """A server that asks for a new handshake for ever (TLS 1.2), with a certificate that may be another's by then."""
    asked: list[int] = []

    def handler(peer: Peer) -> None:
        context = SSL.Context(SSL.TLSv1_2_METHOD)
        context.use_privatekey(GOOD.private)
        context.use_certificate(GOOD.certificate)
        peer.socket.setblocking(True)
        made = SSL.Connection(context, peer.socket)
        made.set_accept_state()
        made.do_handshake()
        made.sendall(b"220 mail.example.com ESMTP\r\n")
        made.recv(100)
        for number in range(50):
            asked.append(number)
            made.renegotiate()
            made.do_handshake()

    with serving(handler) as server:
        session = dialled(server, seconds=3)
    assert asked
    assert stages(session)[:2] == ["tls", "banner:220"]
    assert session.steps[-1].trouble is not None
    assert session.handshake is not None
    assert session.handshake.chain[0] == GOOD.der


def test_records_without_end_that_hold_nothing():
    """Session tickets, thousands of them, in place of a banner."""

    def handler(peer: Peer) -> None:
        peer.server.context.num_tickets = 5_000
        peer.wrap()
        peer.until_gone()

    began = time.monotonic()
    with serving(handler) as server:
        session = dialled(server, seconds=5)
    assert time.monotonic() - began < 6
    assert session.steps[-1].stage == "banner"
    assert session.steps[-1].trouble is not None
