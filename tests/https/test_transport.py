"""One exchange of HTTP/1.1, its connection a list of octets."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.https.transport import Over, httpx

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


def got(*parts: bytes) -> tuple[int, str, bytes]:
    async def run() -> tuple[int, str, bytes]:
        stream: Any = Fed(*parts)
        async with (
            httpx.AsyncClient(
                transport=Over(stream), trust_env=False, headers={"accept-encoding": "identity"}
            ) as client,
            client.stream("GET", "https://mta-sts.example.com/policy") as response,
        ):
            body = b"".join([part async for part in response.aiter_raw()])
        assert stream.sent.startswith(b"GET /policy HTTP/1.1\r\nHost: mta-sts.example.com\r\n")
        return response.status_code, response.headers.get("content-type", ""), body

    return asyncio.run(run())


def test_octets_may_come_one_by_one():
    octets = b"HTTP/1.1 200 OK\r\nCONTENT-type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    assert got(*(octets[at : at + 1] for at in range(len(octets)))) == (200, "text/plain", b"abc")


def test_interim_responses_are_passed_over():
    octets = b"HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
    assert got(octets) == (200, "", b"abc")


def test_what_follows_the_body_is_not_of_it():
    assert got(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\n\r\n") == (200, "", b"abc")


@pytest.mark.parametrize(
    "octets", [b"", b"HTTP/1.1 200 OK\r\nContent-", b"HTTP/1.1 101 Switching\r\n\r\n", b"SSH-2.0-x\r\n"]
)
def test_what_is_no_answer_is_an_error(octets: bytes):
    with pytest.raises(httpx.RemoteProtocolError):
        got(octets)


@given(st.lists(st.one_of(st.sampled_from(LINES), st.binary(max_size=20)), max_size=12))
def test_any_octets_come_to_an_answer_or_to_a_protocol_error(parts: list[bytes]):
    try:
        status, _, body = got(*parts)
    except httpx.RemoteProtocolError:
        return
    assert 200 <= status <= 999
    assert len(body) <= sum(map(len, parts))
