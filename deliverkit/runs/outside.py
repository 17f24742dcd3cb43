"""The network beyond the DNS, as a run reaches it: HTTPS and SMTP, each target within its own deadline.

Both are made when they are first used: most runs dial nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from deliverkit.evidence.recorder import Dialler, Fetcher, Nowhere
from deliverkit.model import Call, Fetch, Request, Session
from deliverkit.runs.options import RunError, RunOptions
from deliverkit.tls.verify import Anchors, TrustError

if TYPE_CHECKING:
    from deliverkit.smtp.live import Limits

_OFFLINE: Final = Nowhere("nothing leaves the machine (--offline)")


class Outside:
    """Shared by all targets of a run: the trust anchors and the limits on connections.

    Raises `RunError` for anchors that cannot be read.
    """

    def __init__(self, options: RunOptions, fetcher: Fetcher | None = None, dialler: Dialler | None = None) -> None:
        self._options = options
        self._fetcher = fetcher
        self._dialler = dialler
        try:
            self._anchors = Anchors(options.dns.ca_file)
        except TrustError as error:
            raise RunError(f"--ca-file: {error}") from error
        self._limits: Limits | None = None

    @property
    def _words(self) -> str:
        return f"within the {self._options.timeout:g} s given for this target"

    def fetcher(self, deadline: float) -> Fetcher:
        """Fetches until `deadline` (on the clock of `time.monotonic`)."""
        if self._fetcher is not None:
            return self._fetcher
        return _OFFLINE if self._options.dns.offline else _Fetching(self._anchors, deadline, self._words)

    def dialler(self, deadline: float) -> Dialler:
        """Dials until `deadline`."""
        if self._dialler is not None:
            return self._dialler
        return _OFFLINE if self._options.dns.offline else _Dialling(self, deadline)

    async def session(self, call: Call, deadline: float) -> Session:
        """One conversation, its steps told to whoever watches."""
        from deliverkit.smtp.live import Limits, Live  # noqa: PLC0415 - most runs dial nobody

        if self._limits is None:
            self._limits = Limits()
        watch = self._options.watch
        live = Live(
            self._anchors,
            deadline=deadline,
            words=self._words,
            limits=self._limits,
            secret=self._options.secret,
            watch=None if watch is None else lambda words: watch(call.host, call.port, _stage(words)),
        )
        session = await live.session(call)
        if watch is not None:
            watch(call.host, call.port, session.state.value)
        return session


def _stage(words: str) -> str:
    """`mail.example.com port 587: tls` as `TLS handshake`."""
    from deliverkit.probes.smtp_told import stage_name  # noqa: PLC0415 - most runs dial nobody

    return stage_name(words.rpartition(": ")[2]).removeprefix("the ")


class _Dialling:
    """A `Dialler` of one target."""

    def __init__(self, outside: Outside, deadline: float) -> None:
        self._outside = outside
        self._deadline = deadline

    async def session(self, call: Call) -> Session:
        """One conversation as it went."""
        return await self._outside.session(call, self._deadline)


class _Fetching:
    """A `Fetcher` of one target, made for its first request."""

    def __init__(self, anchors: Anchors, deadline: float, words: str) -> None:
        self._made: Fetcher | None = None
        self._arguments = (anchors, deadline, words)

    async def fetch(self, request: Request) -> Fetch:
        """The outcome of one request."""
        if self._made is None:
            anchors, deadline, words = self._arguments
            from deliverkit.https.live import LiveFetcher  # noqa: PLC0415 - most runs fetch nothing

            self._made = LiveFetcher(anchors, deadline=deadline, words=words)
        return await self._made.fetch(request)
