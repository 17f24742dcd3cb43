"""httpx over a connection that stands already. Imported where a request is made: httpx takes its time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from deliverkit.https import library
from deliverkit.https.stream import Stream

library.load()
import httpcore  # noqa: E402 - only then
import httpx  # noqa: E402


class Over(httpx.AsyncBaseTransport):
    """One HTTP/1.1 request over `stream`: no pool, no name looked up, no proxy."""

    def __init__(self, stream: Stream) -> None:
        self._stream: Any = stream  # what of httpcore.AsyncNetworkStream HTTP/1.1 makes use of

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The response, its body still to be read. Raises `httpx.TransportError`."""
        origin = httpcore.Origin(b"https", request.url.raw_host, request.url.port or 443)
        connection = httpcore.AsyncHTTP11Connection(origin, self._stream)
        url = httpcore.URL(
            scheme=b"https", host=request.url.raw_host, port=request.url.port, target=request.url.raw_path
        )
        try:
            answer = await connection.handle_async_request(
                httpcore.Request(method=request.method.encode("ascii"), url=url, headers=request.headers.raw)
            )
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise httpx.RemoteProtocolError(str(error), request=request) from error
        return httpx.Response(
            status_code=answer.status, headers=answer.headers, stream=_Body(answer.stream, request), request=request
        )


class _Body(httpx.AsyncByteStream):
    """The body, with httpcore's errors as httpx's."""

    def __init__(self, stream: Any, request: httpx.Request) -> None:
        self._stream = stream
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._stream:
                yield part
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise httpx.RemoteProtocolError(str(error), request=self._request) from error

    async def aclose(self) -> None:
        """Ends the response."""
        await self._stream.aclose()
