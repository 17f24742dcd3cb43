"""Fetches one document: a request to the address it names, over TLS that was judged before anything is asked.

httpx speaks HTTP over a stream of our own: it never resolves a name, follows no redirect, knows no proxy, and its
timeouts, which are for each read, are replaced by one end for the whole.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import importlib
import os
import time
from typing import TYPE_CHECKING, Any, Final

from deliverkit.https.stream import Stream, connected
from deliverkit.model import Fetch, FetchOutcome, Handshake, Request, escaped
from deliverkit.records.certificate import bears, read_certificate
from deliverkit.tls.verify import Anchors, TrustError

if TYPE_CHECKING:
    import httpx

AGENT: Final = "deliverkit"
_FIELD: Final = 2048
"""Octets of a header field that are kept."""
_HANDSHAKE: Final = 10.0
"""Seconds for TLS; then it is tried whether the server speaks HTTP in clear."""
_PLAIN: Final = 3.0
_CHUNK: Final = 16_384
_OK: Final = 200
_CUT: Final = ("disconnected", "closed connection", "incomplete", "closed without")
"""What httpx says where the connection ended too early."""


class LiveFetcher:
    """Fetches over the network. A `Fetcher`.

    `deadline` on the clock of `time.monotonic` ends every request; `words` says whose it is
    ("within the 30 s of this domain").
    """

    def __init__(self, anchors: Anchors, *, deadline: float, words: str) -> None:
        self._anchors = anchors
        self._deadline = deadline
        self._words = words

    async def fetch(self, request: Request) -> Fetch:
        """The final outcome of one request."""
        began = time.monotonic()
        left = self._deadline - began
        seconds = min(request.seconds, max(left, 0.0))
        words = self._words if left < request.seconds else f"within {request.seconds:g} s"
        made = _Made(request, self._anchors)
        try:
            async with asyncio.timeout(seconds):
                outcome, why = await made.run()
        except TimeoutError:
            outcome, why = made.late(words)
        except OSError as error:
            outcome, why = made.broken(error)
        finally:
            await made.close()
        return Fetch(
            request=request,
            outcome=outcome,
            why=f"{request.url} at {request.address} {why}" if why else "",
            status=made.status,
            media_type=made.media_type,
            location=made.location,
            body=bytes(made.body),
            handshake=made.handshake,
            elapsed_ms=round((time.monotonic() - began) * 1000, 2),
        )


class _Made:
    """One request under way: what came of it so far."""

    def __init__(self, request: Request, anchors: Anchors) -> None:
        self.status = 0
        self.media_type = ""
        self.location = ""
        self.body = bytearray()
        self.handshake: Handshake | None = None
        self._request = request
        self._anchors = anchors
        self._stream: Stream | None = None
        self._stage = "no connection"

    async def run(self) -> tuple[FetchOutcome, str]:
        """The outcome, and why. Raises OSError where the connection fails."""
        request = self._request
        self._stream = await connected(request.address, request.port)
        self._stage = "no TLS handshake"
        # Trust anchors take long to load: that is done while the network is waited for.
        asyncio.get_running_loop().run_in_executor(None, self._anchors.prepare)
        # What is slow to import is imported while the network is waited for.
        warming = asyncio.ensure_future(asyncio.to_thread(importlib.import_module, "deliverkit.https.transport"))
        try:
            async with asyncio.timeout(_HANDSHAKE):
                self.handshake = await self._stream.start_tls(request.host, self._anchors)
        except TimeoutError:
            if not self._stream.heard and await _speaks_plainly(request):
                return FetchOutcome.TLS_FAILED, "gave no TLS: it speaks HTTP in clear"
            return self.late(f"within {_HANDSHAKE:g} s")
        except TrustError as error:
            return FetchOutcome.UNKNOWN, f"was not asked: {error}"
        if not self.handshake.ok:
            outcome = FetchOutcome.UNKNOWN if self._stream.cut else FetchOutcome.TLS_FAILED
            return outcome, f"gave no TLS: {self.handshake.error}"
        if untrusted := _untrusted(self.handshake, request.host):
            return FetchOutcome.UNTRUSTED, untrusted
        self._stage = "no answer"
        await warming
        return await self._asked(self._stream)

    async def _asked(self, stream: Stream) -> tuple[FetchOutcome, str]:
        import httpx  # noqa: PLC0415 - slow to import, and few runs fetch anything

        from deliverkit.https.transport import Over  # noqa: PLC0415 - as above

        headers = {
            "host": self._request.host,
            "user-agent": AGENT,
            "accept": "text/plain",
            "accept-encoding": "identity",
        }
        try:
            async with (
                httpx.AsyncClient(
                    transport=Over(stream), trust_env=False, follow_redirects=False, headers=headers
                ) as client,
                client.stream("GET", self._request.url) as response,
            ):
                self._head(response)
                return await self._read(response)
        except httpx.TransportError as error:
            return self._wrong(error)
        except (httpx.InvalidURL, httpx.HTTPError, ValueError, UnicodeError) as error:
            return FetchOutcome.BROKEN, f"did not answer in HTTP: {_said(error)}"

    def _head(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.media_type = _field(response, b"content-type")
        self.location = _field(response, b"location")
        self._stage = "no whole answer"

    async def _read(self, response: httpx.Response) -> tuple[FetchOutcome, str]:
        """The body, octets as they came: what is compressed though nobody asked for that is not unpacked."""
        limit = self._request.limit
        coding = _field(response, b"content-encoding").strip().lower()
        async for chunk in response.aiter_raw(_CHUNK):
            self.body += chunk
            if len(self.body) > limit or coding not in ("", "identity"):
                break
        over = len(self.body) > limit
        del self.body[limit:]
        if self.status != _OK:
            return FetchOutcome.ANSWERED, ""  # the page that says so is of no interest
        if coding not in ("", "identity"):
            self.body.clear()
            return FetchOutcome.BROKEN, f"sent the body compressed ({escaped(coding[:32])}), which was not asked for"
        if over:
            return FetchOutcome.TOO_LARGE, f"sent more than {limit // 1024} KiB"
        return FetchOutcome.ANSWERED, ""

    def _wrong(self, error: Exception) -> tuple[FetchOutcome, str]:
        said = _said(error)
        if self._stream is not None and self._stream.error is not None:
            return self.broken(self._stream.error)
        if self.status and self.status != _OK:
            return FetchOutcome.ANSWERED, ""
        if self._stream is not None and self._stream.ended and any(word in said.lower() for word in _CUT):
            return FetchOutcome.UNKNOWN, "closed the connection before the answer was whole"
        return FetchOutcome.BROKEN, f"did not answer in HTTP: {said}"

    def late(self, words: str) -> tuple[FetchOutcome, str]:
        """What a request came to that ran out of time."""
        if self.handshake is not None and self.status not in (0, _OK):
            return FetchOutcome.ANSWERED, ""
        return FetchOutcome.UNKNOWN, f"gave {self._stage} {words}"

    def broken(self, error: OSError) -> tuple[FetchOutcome, str]:
        """What a request came to whose connection failed."""
        # The event loop puts words of its own in strerror ("Connect call failed"); the number says what happened.
        number = error.errno or 0
        ours = self._stream is None and number > 0
        said = (os.strerror(number) if ours else error.strerror or str(error) or type(error).__name__).lower()
        if self._stream is None:
            # That this machine has no way there says nothing of the server.
            refused = error.errno in (errno.ECONNREFUSED, errno.ECONNRESET, errno.EHOSTUNREACH)
            return (FetchOutcome.REFUSED if refused else FetchOutcome.UNKNOWN), f"cannot be connected to: {said}"
        if self.status not in (0, _OK):
            return FetchOutcome.ANSWERED, ""
        return FetchOutcome.UNKNOWN, f"gave {self._stage}: {said}"

    async def close(self) -> None:
        """Ends the connection."""
        if self._stream is not None:
            with contextlib.suppress(OSError):
                await self._stream.aclose()


async def _speaks_plainly(request: Request) -> bool:
    """Whether a server that says nothing to TLS answers HTTP in clear; nothing of the answer is used."""
    try:
        async with asyncio.timeout(_PLAIN):
            stream = await connected(request.address, request.port)
            try:
                return await stream.spoken(b"HEAD / HTTP/1.0\r\n\r\n") == b"HTTP/"
            finally:
                await stream.aclose()
    except (OSError, TimeoutError):
        return False


def _untrusted(handshake: Handshake, host: str) -> str | None:
    """Why nothing may be asked over this handshake; None where all is well (RFC 8461 §3.3)."""
    if not handshake.trusted:
        return f"shows a certificate that is not trusted: {handshake.trust_error or 'it sent none'}"
    certificate = read_certificate(handshake.chain[0])
    if not bears(certificate, host):
        return f"shows a certificate for other names than {host}"
    return None


def _field(response: httpx.Response, name: bytes) -> str:
    raw = next((value for key, value in response.headers.raw if key.lower() == name), b"")
    return raw[:_FIELD].decode("utf-8", "backslashreplace")


def _said(error: Any) -> str:
    return escaped(" ".join(str(error).split())[:200]) or type(error).__name__
