"""One HTTP/1.1 exchange over a connection that stands already (RFC 9112), its syntax read by h11.

h11 does no I/O: what to send comes out of it, what arrived goes in. So no name is looked up here, no redirect is
followed and no proxy known, and the end of the whole is the caller's. It is also the part of httpx that a single GET
needs: the rest takes longer to import than the policy takes to come.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import h11

from deliverkit.https.stream import Stream

ProtocolError = h11.ProtocolError
"""What the peer sent is no HTTP, or what was to be asked cannot be."""
_CHUNK: Final = 16_384
_HEAD: Final = 102_400
"""Octets of a status line and its header fields."""


class Exchange:
    """A request sent; then the head of its answer, then the body.

    All raise OSError, or `ProtocolError`, or ValueError for what cannot be asked.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._state = h11.Connection(our_role=h11.CLIENT, max_incomplete_event_size=_HEAD)

    async def get(self, target: str, fields: dict[str, str]) -> h11.Response:
        """Asks for `target`; the final response, interim ones passed over."""
        asked = h11.Request(
            method="GET",
            target=target.encode("ascii"),
            headers=[(name.encode("ascii"), value.encode("ascii")) for name, value in fields.items()],
        )
        await self._stream.write((self._state.send(asked) or b"") + (self._state.send(h11.EndOfMessage()) or b""))
        while not isinstance(event := await self._next(), h11.Response):
            pass
        return event

    async def body(self) -> AsyncIterator[bytes]:
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


def field(response: h11.Response, name: bytes) -> bytes:
    """The first header field of this name, in lower case; b"" where there is none."""
    return next((value for key, value in response.headers if key == name), b"")
