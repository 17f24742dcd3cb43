"""httpx over a connection that stands already, its HTTP/1.1 read by h11 (RFC 9112).

httpx's own transport is httpcore, with pools, proxies and HTTP/2: one GET needs none of it, and to import it takes
longer than a policy takes to come. h11 does no I/O: what to send comes out of it, what arrived goes in. Imported where
a request is made.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import h11

from deliverkit.https import library
from deliverkit.https.stream import Stream

library.load()
import httpx  # noqa: E402 - only then

_CHUNK: Final = 16_384
_HEAD: Final = 102_400
"""Octets of a status line and its header fields."""


class Over(httpx.AsyncBaseTransport):
    """One request over `stream`: no pool, no name looked up, no proxy."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._state = h11.Connection(our_role=h11.CLIENT, max_incomplete_event_size=_HEAD)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The final response, interim ones passed over, its body still to be read.

        Raises `httpx.RemoteProtocolError` for what is no HTTP, `httpx.LocalProtocolError` for what cannot be asked.
        """
        try:
            asked = h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
            said = (self._state.send(asked) or b"") + (self._state.send(h11.EndOfMessage()) or b"")
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError(str(error), request=request) from error
        try:
            await self._stream.write(said)
            while not isinstance(event := await self._next(), h11.Response):
                pass
        except (h11.RemoteProtocolError, OSError) as error:
            raise httpx.RemoteProtocolError(str(error), request=request) from error
        return httpx.Response(
            status_code=event.status_code,
            headers=list(event.headers.raw_items()),
            stream=_Body(self._data(), request),
            request=request,
        )

    async def _data(self) -> AsyncIterator[bytes]:
        """The body in parts, its transfer coding taken off, as its content coding left it."""
        while isinstance(event := await self._next(), h11.Data):
            yield bytes(event.data)

    async def _next(self) -> type[h11.NEED_DATA | h11.PAUSED] | h11.Event:
        while (event := self._state.next_event()) is h11.NEED_DATA:
            octets = await self._stream.read(_CHUNK)
            if not octets and self._state.their_state is h11.SEND_RESPONSE:
                raise h11.RemoteProtocolError("the server disconnected without sending a response")
            self._state.receive_data(octets)
        return event


class _Body(httpx.AsyncByteStream):
    """The body, with errors as httpx has them."""

    def __init__(self, parts: AsyncIterator[bytes], request: httpx.Request) -> None:
        self._parts = parts
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._parts:
                yield part
        except (h11.RemoteProtocolError, OSError) as error:
            raise httpx.RemoteProtocolError(str(error), request=self._request) from error
