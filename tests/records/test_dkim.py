"""Key records, their keys, and the damage done to them."""

from __future__ import annotations

import base64
import hashlib
import html
import time
import urllib.parse

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deliverkit.records.dkim import looks_like_key, parse_key_record, written
from deliverkit.records.dkim_damage import Kind, diagnose
from deliverkit.records.dkim_key import ED25519_PREFIX, decode_key, key_of_spki, public_spki

ED = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="


def integer(value: int) -> bytes:
    body = value.to_bytes(value.bit_length() // 8 + 1, "big")
    return tlv(2, body)


def tlv(tag: int, body: bytes) -> bytes:
    if len(body) < 128:
        return bytes((tag, len(body))) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size))) + size + body


def pkcs1(bits: int, exponent: int = 65537) -> bytes:
    """Not a sound modulus, but one of the right size whose octets do not repeat."""
    modulus = (1 << (bits - 1)) | (
        int.from_bytes(hashlib.shake_128(b"deliverkit").digest(bits // 8), "big") * 2 + 1
    ) % (1 << (bits - 1))
    return tlv(0x30, integer(modulus) + integer(exponent))


def spki(bits: int, exponent: int = 65537) -> bytes:
    algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    return tlv(0x30, algorithm + tlv(3, b"\x00" + pkcs1(bits, exponent)))


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


RSA = f"v=DKIM1; k=rsa; p={b64(spki(2048))}"
LONG = f"v=DKIM1; k=rsa; p={b64(spki(4096))}"


@pytest.mark.parametrize("bits", [384, 512, 768, 1024, 2048, 4096, 8192, 16384])
def test_size_of_an_rsa_key(bits: int):
    key = decode_key("rsa", b64(spki(bits)))
    assert (key.bits, key.exponent, key.form, key.problem) == (bits, 65537, "spki", None)


def test_pkcs1_is_the_same_key():
    bare, wrapped = decode_key("rsa", b64(pkcs1(1024))), decode_key("rsa", b64(spki(1024)))
    assert bare.problem is None
    assert bare.form == "pkcs1"
    assert bare.identity == wrapped.identity
    assert bare.proper == b64(spki(1024))


def test_ed25519():
    assert decode_key("ed25519", ED).problem is None
    wrapped = decode_key("ed25519", b64(ED25519_PREFIX + base64.b64decode(ED)))
    assert wrapped.problem is not None
    assert wrapped.proper == ED
    assert wrapped.identity == decode_key("ed25519", ED).identity
    assert decode_key("ed25519", b64(b"x" * 31)).problem
    assert decode_key("ed25519", b64(bytes(32))).problem
    assert decode_key("rsa", ED).problem


@pytest.mark.parametrize(
    "p",
    [
        "!!!not base64!!!",
        b64(b"hello" * 50),
        b64(b"\x30\x84\xff\xff\xff\xff\x02\x84\x7f\xff\xff\xff" + b"A" * 60),
        b64(b"\x30\x80" * 3000),
        "A" * 60_000,
        "A",
        "====",
    ],
)
def test_hostile_keys_are_refused_at_once(p: str):
    begin = time.perf_counter()
    key = decode_key("rsa", p)
    assert key.problem
    assert time.perf_counter() - begin < 1


def test_a_cut_key_knows_what_is_missing():
    key = decode_key("rsa", b64(spki(2048))[:200])
    assert key.bits == 2048
    assert key.missing == len(spki(2048)) - 150


def test_record_with_everything():
    record = parse_key_record(f"v=DKIM1; k=ed25519; h=sha256; s=email:*; t=y:s; n=a note; p={ED}")
    assert record.errors == ()
    assert record.testing
    assert record.strict
    assert record.hashes == ("sha256",)
    assert record.services == ("email", "*")
    assert record.notes == "a note"


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("v=DKIM1; k=rsa", 14),
        (f"v=DKIM2; k=ed25519; p={ED}", 2),
        (f"v=dkim1; k=ed25519; p={ED}", 2),
        (f"v=DKIM1; k=ed25519; p={ED[:5]}!{ED[5:]}", 27),
        (f"v=DKIM1; k=ed25519; p={ED}; p={ED}", 68),
        (f"v=DKIM1;; k=ed25519; p={ED}", 8),
        (f"v=DKIM1; k=ed25519; what; p={ED}", 20),
    ],
)
def test_an_error_points_at_its_place(text: str, at: int):
    assert [error.start for error in parse_key_record(text).errors][:1] == [at]


@pytest.mark.parametrize("text", ["p=", "v=DKIM1; p=", "v=DKIM1; k=rsa; p= ;"])
def test_revoked_is_no_error(text: str):
    record = parse_key_record(text)
    assert record.revoked
    assert record.errors == ()


@pytest.mark.parametrize(
    "text", ["n=gr\u00fcn; " + RSA[9:], RSA, RSA + ";", RSA + "; ", RSA[9:], RSA.replace("; ", ";")]
)
def test_what_verifiers_take_is_no_error(text: str):
    assert parse_key_record(text).errors == ()
    assert diagnose((text,)) is None


DAMAGED = {
    "quoted": f'"{RSA}"',
    "halves": f'"{RSA[:255]}" "{RSA[255:]}"',
    "seam": f'{RSA[:255]}" "{RSA[255:]}',
    "seam without space": f'{RSA[:255]}""{RSA[255:]}',
    "escaped": RSA.replace(";", "\\;"),
    "escaped twice": RSA.replace(";", "\\\\;"),
    "escaped quotes": f'\\"{RSA}\\"',
    "decimal": RSA.replace(";", "\\059"),
    "space": f"{RSA[:255]} {RSA[255:]}",
    "newline": f"{RSA[:100]}\r\n{RSA[100:255]}\t{RSA[255:]}",
    "every space": " ".join(RSA),
    "space in version": RSA.replace("DKIM1", "DK IM1"),
    "html quotes": html.escape(f'"{RSA}"'),
    "html signs": RSA.replace(";", "&semi;").replace("+", "&#43;").replace("/", "&#x2F;").replace("=", "&equals;"),
    "html twice": html.escape(html.escape(f'"{RSA}"')),
    "url": urllib.parse.quote(RSA),
    "form": urllib.parse.quote_plus(RSA),
    "plus": RSA.replace("+", "%2B"),
    "all at once": html.escape(f'"{RSA[:255]}" "{RSA[255:]}"'.replace(";", "\\;")),
    "smart": f"\u201c{RSA}\u201d",
    "lower": RSA.replace("DKIM1", "dkim1"),
    "no semicolons": RSA.replace(";", ""),
    "commas": RSA.replace(";", ","),
    "armour": RSA.replace("p=", "p=-----BEGIN PUBLIC KEY-----\n") + "\n-----END PUBLIC KEY-----",
    "no p": RSA.replace("p=", ""),
    "zone line": f's1._domainkey IN TXT ( "{RSA[:255]}" "{RSA[255:]}" ) ; ----- DKIM key s1 for example.com',
    "version last": f"{RSA[9:]}; v=DKIM1",
    "url alphabet": RSA[:18] + RSA[18:].replace("+", "-").replace("/", "_"),
    "zero width": f"{RSA[:60]}\u200b{RSA[60:]}",
}


@pytest.mark.parametrize("damaged", DAMAGED.values(), ids=DAMAGED.keys())
def test_damage_is_undone(damaged: str):
    diagnosis = diagnose((damaged,))
    assert diagnosis is not None
    assert diagnosis.corrected == RSA
    assert diagnose((diagnosis.corrected,)) is None
    assert looks_like_key(damaged)


@pytest.mark.parametrize("record", [RSA, LONG])
@pytest.mark.parametrize("backwards", [False, True])
def test_a_key_in_two_records_is_put_together(record: str, backwards: bool):
    parts = (record[:255], record[255:])
    diagnosis = diagnose(parts[::-1] if backwards else parts)
    assert diagnosis is not None
    assert diagnosis.has(Kind.SPLIT)
    assert diagnosis.corrected == record
    assert diagnosis.merged == parts


def test_a_key_in_three_records_is_put_together():
    diagnosis = diagnose((LONG[255:510], LONG[510:], LONG[:255]))
    assert diagnosis is not None
    assert diagnosis.corrected == LONG


def test_a_cut_key_is_mended_from_the_key_alone():
    diagnosis = diagnose((RSA[:255],))
    assert diagnosis is not None
    assert diagnosis.has(Kind.CUT)
    assert diagnosis.corrected is None
    assert diagnosis.missing > 100
    again = diagnose((RSA[:255],), key_of_spki(spki(2048)))
    assert again is not None
    assert again.corrected == RSA


def test_a_private_key_is_not_put_right():
    diagnosis = diagnose(("v=DKIM1; p=-----BEGIN RSA PRIVATE KEY-----MIIB",))
    assert diagnosis is not None
    assert diagnosis.has(Kind.PRIVATE)
    assert diagnosis.corrected is None


@given(st.lists(st.text(max_size=200), max_size=4))
@settings(max_examples=60, deadline=None)
def test_whatever_is_published_nothing_raises(texts: list[str]):
    for text in texts:
        record = parse_key_record(text)
        for error in record.errors:
            assert 0 <= error.start <= error.end <= len(text)
        if record.p is not None:
            written(record, record.p)
    diagnose(tuple(texts))


@given(st.integers(1, 254), st.sampled_from(['" "', " ", "\n", '""', "\t"]), st.booleans())
@settings(max_examples=60, deadline=None)
def test_wherever_the_seam_is_the_key_is_found_again(at: int, seam: str, escape: bool):
    at = max(at, 19)  # white space before a value belongs to no value
    text = f"{RSA[:at]}{seam}{RSA[at:]}"
    diagnosis = diagnose((text.replace(";", "\\;") if escape else text,))
    assert diagnosis is not None
    assert diagnosis.corrected == RSA


def test_public_half_of_a_key_file():
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519

    private = ed25519.Ed25519PrivateKey.generate()
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert public_spki(pem) == public_spki(public)
    assert key_of_spki(public_spki(pem)).kind == "ed25519"
    locked = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
    )
    with pytest.raises(ValueError, match="encrypted"):
        public_spki(locked)


@pytest.mark.parametrize("data", [b"", b"nonsense", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_a_file_without_a_key_is_refused(data: bytes):
    with pytest.raises(ValueError, match="PEM"):
        public_spki(data)
