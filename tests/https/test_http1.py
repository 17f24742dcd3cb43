"""One exchange of HTTP/1.1, its connection a list of octets."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.https.http1 import Exchange, ProtocolError, field

LINES = [
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.0 404 \r\n", b"HTTP/1.1 101 Switching\r\n\r\n",
    b"Content-Length: 5\r\n", b"Content-Length: -1\r\n", b"Transfer-Encoding: chunked\r\n", b"Content-Type: a/b\r\n",
    b" folded\r\n", b"\r\n", b"5\r\nabcde\r\n", b"0\r\n\r\n", b"abcde", b"\x00", b"\xff: \x80\r\n",
]  # fmt: skip


class Fed:
    """A stream whose peer says these parts, then closes."""

    def __init__(self, *parts: bytes) -> None:
        self.parts = [part for part in parts if part]
        self.sent = b""

    async def read(self, most: int) -> bytes:
        return self.parts.pop(0) if self.parts else b""

    async def write(self, octets: bytes) -> None:
        self.sent += octets


def got(*parts: bytes) -> tuple[int, bytes, bytes]:
    async def run() -> tuple[int, bytes, bytes]:
        stream: Any = Fed(*parts)
        exchange = Exchange(stream)
        response = await exchange.get("/policy", {"host": "mta-sts.example.com"})
        assert stream.sent == b"GET /policy HTTP/1.1\r\nhost: mta-sts.example.com\r\n\r\n"
        return (
            response.status_code,
            field(response, b"content-type"),
            b"".join([part async for part in exchange.body()]),
        )

    return asyncio.run(run())


def test_octets_may_come_one_by_one():
    octets = b"HTTP/1.1 200 OK\r\nCONTENT-type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    assert got(*(octets[at : at + 1] for at in range(len(octets)))) == (200, b"text/plain", b"abc")


def test_what_follows_the_body_is_not_of_it():
    assert got(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\n\r\n") == (200, b"", b"abc")


@pytest.mark.parametrize("name", ["mta-sts.example.com\r\nx: y", "mta-sts.exämple.com"])
def test_a_host_that_cannot_stand_in_a_request_is_an_error_before_anything_is_said(name: str):
    stream: Any = Fed()
    with pytest.raises((ProtocolError, ValueError)):
        asyncio.run(Exchange(stream).get("/", {"host": name}))
    assert stream.sent == b""


@given(st.lists(st.one_of(st.sampled_from(LINES), st.binary(max_size=20)), max_size=12))
def test_any_octets_come_to_an_answer_or_to_a_protocol_error(parts: list[bytes]):
    try:
        status, _, body = got(*parts)
    except ProtocolError:
        return
    assert 200 <= status <= 999
    assert len(body) <= sum(map(len, parts))
