"""A web server of the lab: the resources of one host, over HTTPS alone."""

from __future__ import annotations

import re
from typing import Final

from deliverkit.lab.channel import Channel
from deliverkit.lab.contexts import server_context
from deliverkit.world.certificate import certificate
from deliverkit.world.peer import GARBAGE
from deliverkit.world.section import HttpsSection

_HEAD: Final = 8192
_REQUEST: Final = re.compile(rb"(GET|HEAD) (/[^ \r\n]*) HTTP/1\.[01]\r\n")
_HANDSHAKE_FAILURE: Final = bytes.fromhex("15030300020228")
"""A TLS alert: handshake_failure (RFC 8446 §6.2)."""


class WebServer:
    """Serves the resources of one host; its TLS and its faults are those of the first."""

    def __init__(self, pages: list[HttpsSection], now: float) -> None:
        self._pages = pages
        self._fault = pages[0].fault
        self._context = server_context(pages[0], lambda wish: certificate(wish, now), now)
        self._context.set_alpn_protocols(["http/1.1"])

    async def __call__(self, channel: Channel) -> None:
        """One connection and one response."""
        match self._fault:
            case "timeout":
                await channel.silence()
            case "reset":
                channel.reset()
            case "tls":
                await channel.raw(_HANDSHAKE_FAILURE)
            case _:
                await self._session(channel)

    async def _session(self, channel: Channel) -> None:
        await channel.handshake(self._context)
        head = b""
        while b"\r\n\r\n" not in head:
            octets = await channel.read()
            head += octets
            if not octets or len(head) > _HEAD:
                return
        if self._fault == "silent":
            await channel.silence()
        else:
            await channel.write(GARBAGE if self._fault == "garbage" else response(head, self._pages))


def response(head: bytes, pages: list[HttpsSection]) -> bytes:
    """What HTTP/1.1 says to a request (RFC 9112); the connection closes behind it."""
    match = _REQUEST.match(head)
    if match is None:
        return b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    path = match[2].decode("ascii", "replace")
    page = next((page for page in pages if page.path == path), None)
    status, kind, location, body = 404, "text/plain", "", b"not found\r\n"
    if page is not None:
        status, kind, location, body = page.status, page.type, page.location, page.body
    fields = [f"HTTP/1.1 {status} -", f"Content-Length: {len(body)}", "Connection: close"]
    fields += [f"Content-Type: {kind}"] if kind else []
    fields += [f"Location: {location}"] if location else []
    return "\r\n".join([*fields, "", ""]).encode() + (b"" if match[1] == b"HEAD" else body)
