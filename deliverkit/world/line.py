"""A line in memory to a world's SMTP server: what a socket does, without one and without waiting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from deliverkit.model import Handshake, Trouble
from deliverkit.smtp.acts import STEP, BrokenError
from deliverkit.tls.verify import Anchors
from deliverkit.world.certificate import Made
from deliverkit.world.peer import NOT_TLS, Peer, Then
from deliverkit.world.section import VERSIONS, CertificateWish

_CIPHERS: Final = {
    ("TLSv1.3", False): "TLS_AES_256_GCM_SHA384",
    ("TLSv1.3", True): "TLS_AES_256_GCM_SHA384",
    ("TLSv1.2", False): "ECDHE-ECDSA-AES256-GCM-SHA384",
    ("TLSv1.2", True): "ECDHE-RSA-AES256-GCM-SHA384",
}


class Offered:
    """The TLS of one server of a world: which certificate it shows, and what it agrees to."""

    def __init__(
        self,
        *,
        certificate: CertificateWish,
        unnamed: CertificateWish | None,
        versions: tuple[str, ...],
        made: Callable[[CertificateWish], Made],
        anchors: Callable[[], Anchors],
        now: float,
        cipher: str = "",
        asks_client: bool = False,
    ) -> None:
        self._wishes = (certificate, unnamed or certificate)
        self._versions = versions
        self._made = made
        self._anchors = anchors
        self._now = now
        self._cipher = cipher
        self._asks_client = asks_client

    def shown(self, name: str) -> Made:
        """The certificate for a client that names the server so; "" names none."""
        return self._made(self._wishes[0 if name else 1])

    def handshake(self, name: str, version: str = "") -> Handshake:
        """What a client comes to that offers `version` alone, or all where none is named."""
        common = [each for each in VERSIONS if each in self._versions and version in ("", each)]
        if not common:
            return Handshake(name=name, error="the server refuses the version of TLS (alert protocol_version)")
        wish = self._wishes[0 if name else 1]
        made = self._made(wish)
        verdict = self._anchors().judge(made.sent, self._now)
        rsa = wish.key.startswith("rsa")
        cipher = self._cipher or _CIPHERS.get((common[-1], rsa)) or f"ECDHE-{'RSA' if rsa else 'ECDSA'}-AES256-SHA"
        return Handshake(
            name=name,
            version=common[-1],
            cipher=cipher,
            chain=made.sent,
            trusted=verdict.trusted,
            trust_error=verdict.error,
            trust_code=verdict.code,
            asks_client=self._asks_client,
        )


class MemoryLine:
    """A connection to a `Peer`. A `Line`."""

    def __init__(self, peer: Peer, tls: Offered, *, implicit: bool, fault: str = "", ours: str) -> None:
        self.ours = ours
        self._peer = peer
        self._tls = tls
        self._implicit = implicit
        self._fault = fault
        self._ahead = bytearray()
        self._then: Then | None = None
        self._last = "banner"
        self._encrypted = False
        self._greeted = False

    def _take(self, output: list[bytes | Then]) -> None:
        for part in output:
            if isinstance(part, bytes):
                self._ahead += part
            elif part is not Then.WAIT:
                self._then = part

    async def send(self, octets: bytes) -> None:
        """Hands the octets to the server, unless it waits for TLS or has ended."""
        self._last = octets.split(b"\r\n")[0].decode("utf-8", "replace")
        if self._last.upper().startswith("AUTH"):
            self._last = "AUTH"
        if self._implicit and not self._encrypted:
            return
        if not self._peer.over:
            self._take(self._peer.feed(octets))

    @property
    def ended(self) -> bool:
        """Whether the server has gone, and all that it said was read."""
        return self._then in (Then.CLOSE, Then.RESET) and not self._ahead

    async def receive(self) -> bytes:
        """What the server has said; where it has said all, what it does then."""
        self._greet()
        if self._ahead:
            return self.waiting()
        match self._then:
            case Then.CLOSE:
                return b""
            case Then.RESET:
                raise ConnectionResetError(104, "Connection reset by peer")
        what = "no banner" if self._last == "banner" else f"no answer to {self._last}"
        raise BrokenError(Trouble.TIMEOUT, f"{what} within {STEP:g} s")

    def waiting(self) -> bytes:
        """What the server has said."""
        octets = bytes(self._ahead)
        self._ahead.clear()
        return octets

    async def start_tls(self, name: str, version: str) -> Handshake:
        """The handshake that the world's text describes; a client that begins it too early meets plain text."""
        self._greet()
        if not self._implicit and self._then is not Then.TLS:
            return Handshake(name=name, error="what the server sent is no TLS", plaintext=self.waiting()[:512])
        self._then = None
        match self._fault:
            case "timeout":
                raise BrokenError(Trouble.TIMEOUT, "no TLS handshake within 15 s")
            case "close":
                return Handshake(name=name, error="the server closed the connection in the middle of it")
            case "reset":
                return Handshake(name=name, error="connection reset by peer")
            case "garbage":
                return Handshake(name=name, error="what the server sent is no TLS", plaintext=NOT_TLS)
        handshake = self._tls.handshake(name, version)
        if handshake.ok:
            self._encrypted = True
            self._peer.secured()
        return handshake

    def _greet(self) -> None:
        """The banner is on its way until somebody waits for it: behind the handshake where TLS comes at once."""
        if not self._greeted and (self._encrypted or not self._implicit):
            self._greeted = True
            self._take(self._peer.greet())

    async def close(self) -> None:
        """Ends it."""
