"""A secret in whatever dress a peer gives it."""

from __future__ import annotations

import base64
import html
import json
import pickle
import quopri
import time
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.smtp.secret import REDACTED, Secret

CANARY = "Kanari/vogel+7=&'ü"
OCTETS = CANARY.encode()
DRESSES = {
    "raw": OCTETS,
    "upper": OCTETS.upper(),
    "swapped": OCTETS.swapcase(),
    "reversed": OCTETS[::-1],
    "reversed text": CANARY[::-1].encode(),
    "base64": base64.b64encode(OCTETS),
    "base64 url": base64.urlsafe_b64encode(OCTETS),
    "base64 at 1": base64.b64encode(b"a" + OCTETS + b"zz"),
    "base64 at 2": base64.b64encode(b"ab" + OCTETS),
    "base64 in lower case": base64.b64encode(b"\0alice\0" + OCTETS).lower(),
    "base64 in url": urllib.parse.quote(base64.b64encode(OCTETS), safe="").encode(),
    "base64 of utf-16": base64.b64encode(CANARY.encode("utf-16-le")),
    "base32": base64.b32encode(OCTETS),
    "hex": OCTETS.hex().encode(),
    "hex upper": OCTETS.hex().upper().encode(),
    "hex spaced": OCTETS.hex(" ").encode(),
    "hex with colons": OCTETS.hex(":").encode(),
    "url": urllib.parse.quote(CANARY, safe="").encode(),
    "url plus": urllib.parse.quote_plus(CANARY).encode(),
    "url whole": "".join(f"%{octet:02X}" for octet in OCTETS).encode(),
    "quoted-printable": quopri.encodestring(OCTETS),
    "html": html.escape(CANARY).encode(),
    "html entities": "".join(f"&#{ord(mark)};" for mark in CANARY).encode(),
    "html hex": "".join(f"&#x{ord(mark):x};" for mark in CANARY).encode(),
    "json": json.dumps(CANARY).encode(),
    "escaped": "".join(f"\\x{octet:02x}" for octet in OCTETS).encode(),
    "python": repr(OCTETS).encode(),
    "utf-16": CANARY.encode("utf-16-le"),
    "utf-16 big": CANARY.encode("utf-16-be"),
    "latin-1": CANARY.encode("latin-1"),
    "stripped": OCTETS,
}


@pytest.mark.parametrize("dress", DRESSES)
def test_each_dress_is_seen_through(dress):
    given_ = DRESSES[dress]
    shown = Secret(f"{CANARY}\n" if dress == "stripped" else CANARY).redact(b"535 no: " + given_ + b" !")
    assert given_ not in shown
    assert REDACTED in shown
    assert shown.startswith(b"535 no: ")
    assert shown.endswith(b" !")


@given(st.text(min_size=6, max_size=20), st.binary(max_size=8), st.binary(max_size=8))
def test_any_secret_in_base64_at_any_place(value, before, after):
    try:
        octets = value.encode()
    except UnicodeEncodeError:
        return
    encoded = base64.b64encode(before + octets + after)
    assert encoded not in Secret(value).redact(b"535 " + encoded + b" x")
    assert octets not in Secret(value).redact(b"x" + octets + b"y").replace(REDACTED, b"")


def test_what_was_made_of_it_is_learnt():
    secret = Secret(CANARY)
    secret.redact(b"x")
    secret.learn(b"0123456789abcdef")
    assert (
        secret.redact(b"digest 0123456789ABCDEF " + base64.b64encode(b"alice 0123456789abcdef"))
        == b"digest <redacted> <redacted>"
    )
    secret.learn(b"")
    assert secret.redact(b"") == b""


def test_ordinary_words_stay():
    words = b"250-mail.example.com\r\n250-SIZE 10240000\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n"
    for value in ("a", "ab", "abc", "pass", "Tr0ub4dor&3"):
        assert Secret(value).redact(words) == words


def test_a_beginning_at_the_end_of_what_was_cut_off():
    secret = Secret(CANARY)
    assert secret.redact(b"535 got Kanari/v", cut=True) == b"535 got <redacted>"
    assert secret.redact(b"535 got Kanari/v") == b"535 got Kanari/v"
    assert secret.redact(b"535 got Kan", cut=True) == b"535 got Kan"
    assert secret.redact(b"535 got " + base64.b64encode(OCTETS)[:10], cut=True) == b"535 got <redacted>"


def test_it_is_fast_on_whatever_a_peer_sends():
    secret = Secret(CANARY)
    secret.learn(OCTETS * 20)
    began = time.process_time()
    for octets in (b"A" * 65_536, b"Kanari" * 10_000, base64.b64encode(OCTETS)[:-4] * 2000, bytes(65_536)):
        secret.redact(octets, cut=True)
    assert time.process_time() - began < 2


def test_it_is_never_shown():
    secret = Secret(CANARY)
    assert CANARY not in repr(secret) + str(secret) + f"{secret!s}{secret!r}"
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    assert secret.reveal() == CANARY
