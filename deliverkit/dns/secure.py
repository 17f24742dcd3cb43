"""Resolvers over TLS: DNS over TLS (RFC 7858) and DNS over HTTPS (RFC 8484).

Both keep one connection and put many questions on it. The certificate is always verified, by the name
or the address the user typed.
"""

from __future__ import annotations

import asyncio
import ssl
import struct
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from deliverkit.dns.exchange import PATIENCE, Answered, NoReplyError, reason
from deliverkit.dns.message import MalformedError, Query, belongs, read_reply
from deliverkit.dns.options import DnsOptionsError
from deliverkit.model import Note

if TYPE_CHECKING:
    import httpx

_MAX_MESSAGE: Final = 65_535
_IDS: Final = 65_536
_OK: Final = 200
_MEDIA: Final = "application/dns-message"


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """The system's trust anchors and those of `ca_file`. Raises `DnsOptionsError`."""
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:
            words = error.strerror or str(error)
            raise DnsOptionsError(f"--ca-file {ca_file}: {words.lower()}") from error
    return context


def _read(wire: bytes, query: Query, over: str, attempts: int) -> Answered:
    try:
        reply = read_reply(wire, query) if belongs(wire, query) else None
    except MalformedError:
        reply = None
    if reply is None or reply.truncated:
        raise NoReplyError("a malformed answer", notes=(Note.MALFORMED,), attempts=attempts)
    return Answered(reply, over, (), attempts)


class _Connection:
    """One TLS connection, its questions told apart by ids of its own."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._next = 0
        self._reading = asyncio.create_task(self._read(reader))

    @property
    def closed(self) -> bool:
        return self._reading.done()

    async def ask(self, wire: bytes) -> bytes:
        """The answer, bearing the id of the question."""
        if self.closed:
            raise EOFError
        while self._next in self._waiting:
            self._next = (self._next + 1) % _IDS
        ident = self._next
        self._next = (self._next + 1) % _IDS
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[ident] = future
        try:
            self._writer.write(struct.pack("!HH", len(wire), ident) + wire[2:])
            return wire[:2] + (await future)[2:]
        finally:
            self._waiting.pop(ident, None)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                (length,) = struct.unpack("!H", await reader.readexactly(2))
                wire = await reader.readexactly(length)
                future = self._waiting.get(int.from_bytes(wire[:2], "big"))
                if future is not None and not future.done():
                    future.set_result(wire)
        except (OSError, EOFError):
            pass
        finally:
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(EOFError())

    async def close(self) -> None:
        self._reading.cancel()
        self._writer.transport.abort()
        await asyncio.gather(self._reading, return_exceptions=True)


class Tls:
    """DNS over TLS: an `Exchange`."""

    def __init__(self, server: str, address: tuple[str, int], name: str, context: ssl.SSLContext) -> None:
        self.server = server
        self._address = address
        self._name = name
        self._context = context
        self._connection: _Connection | None = None
        self._opening = asyncio.Lock()

    async def ask(self, query: Query, until: float) -> Answered:
        """The answer; a connection that the server had closed meanwhile is opened again once."""
        left = min(until - time.monotonic(), PATIENCE)
        attempts = 0
        try:
            async with asyncio.timeout(max(0.0, left)):
                while True:
                    attempts += 1
                    connection = await self._open()
                    try:
                        wire = await connection.ask(query.wire)
                        break
                    except (OSError, EOFError):
                        if attempts > 1:
                            raise
        except (OSError, EOFError) as error:
            raise NoReplyError("no answer", f": {reason(error)}", attempts=attempts) from error
        return _read(wire, query, "tls", attempts)

    async def _open(self) -> _Connection:
        async with self._opening:
            if self._connection is None or self._connection.closed:
                if self._connection is not None:
                    await self._connection.close()
                reader, writer = await asyncio.open_connection(
                    *self._address, ssl=self._context, server_hostname=self._name, limit=_MAX_MESSAGE + 2
                )
                self._connection = _Connection(reader, writer)
            return self._connection

    async def close(self) -> None:
        """Ends the connection."""
        if self._connection is not None:
            await self._connection.close()


class Https:
    """DNS over HTTPS: an `Exchange`. `address` is where `url`'s host is found."""

    def __init__(self, url: str, address: tuple[str, int], context: ssl.SSLContext) -> None:
        self.server = url
        self._url = url
        self._address = address
        self._context = context
        self._client: httpx.AsyncClient | None = None

    def _open(self) -> httpx.AsyncClient:
        import httpx  # noqa: PLC0415 - slow to import, and most runs do not need it

        if self._client is None:
            limits = httpx.Limits(max_connections=2, max_keepalive_connections=2)
            self._client = httpx.AsyncClient(
                http2=True,
                verify=self._context,
                trust_env=False,
                follow_redirects=False,
                limits=limits,
                timeout=PATIENCE,
            )
        return self._client

    async def ask(self, query: Query, until: float) -> Answered:
        """The answer to a POST of the question (RFC 8484 §4.1)."""
        import httpx  # noqa: PLC0415 - as above

        left = min(until - time.monotonic(), PATIENCE)
        try:
            async with asyncio.timeout(max(0.0, left)):
                wire = await self._post(query.wire)
        except (OSError, httpx.HTTPError, httpx.InvalidURL) as error:
            raise NoReplyError("no answer", f": {reason(error)}") from error
        return _read(wire, query, "https", 1)

    async def _post(self, wire: bytes) -> bytes:
        import httpx  # noqa: PLC0415 - as above

        named = httpx.URL(self._url)
        # The connection goes to the address already found; name and certificate stay the user's.
        target = named.copy_with(host=self._address[0], port=self._address[1])
        headers = {"host": named.netloc.decode("ascii"), "content-type": _MEDIA, "accept": _MEDIA}
        client = self._open()
        async with client.stream(
            "POST", target, content=wire, headers=headers, extensions={"sni_hostname": named.host}
        ) as response:
            if response.status_code != _OK:
                raise httpx.HTTPError(f"HTTP status {response.status_code}")
            if response.headers.get("content-type", "").partition(";")[0].strip().lower() != _MEDIA:
                raise httpx.HTTPError("not a DNS message")
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _MAX_MESSAGE:
                    raise httpx.HTTPError("a body larger than any DNS message")
        return bytes(body)

    async def close(self) -> None:
        """Ends the connection."""
        if self._client is not None:
            await self._client.aclose()
