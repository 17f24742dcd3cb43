"""A mail server of a few lines on loopback, a thread a connection, for what needs a socket."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from issued import GOOD, ROOT, Made

Handler = Callable[["Peer"], None]


class Peer:
    """One connection, from the server's end."""

    def __init__(self, made: socket.socket, server: Server) -> None:
        self.socket: Any = made
        self.server = server
        self.left = False
        self._buffer = b""
        made.settimeout(10)

    def say(self, octets: bytes) -> None:
        self.socket.sendall(octets)

    def hear(self) -> bytes:
        """A line; b"" at the end."""
        while b"\n" not in self._buffer:
            octets = self.socket.recv(4096)
            if not octets:
                return b""
            self._buffer += octets
        line, _, self._buffer = self._buffer.partition(b"\n")
        self.server.heard.append(line)
        return line.strip()

    def wrap(self) -> None:
        self.socket = self.server.context.wrap_socket(self.socket, server_side=True)

    def talk(self, banner: bytes = b"220 mail.example.com ESMTP\r\n", *, tls: bool = True) -> None:
        """A conversation in good order."""
        self.say(banner)
        offer = b"250-mail.example.com\r\n250 STARTTLS\r\n" if tls else b"250-mail.example.com\r\n250 AUTH PLAIN\r\n"
        while line := self.hear():
            verb = line.split()[0].upper()
            if verb == b"EHLO":
                self.say(offer)
            elif verb == b"STARTTLS":
                self.say(b"220 go\r\n")
                self.wrap()
                offer = b"250-mail.example.com\r\n250 AUTH PLAIN\r\n"
            elif verb == b"QUIT":
                self.server.leave(self)  # the client may be back before this thread runs again
                self.say(b"221 bye\r\n")
                return
            else:
                self.say(b"250 ok\r\n")

    def until_gone(self) -> bool:
        """Whether the client hung up within ten seconds."""
        try:
            while self.socket.recv(4096):
                pass
        except TimeoutError:
            return False
        except OSError:
            pass
        return True


class Server:
    """Listens on a port of its own; counts who is there at a time."""

    def __init__(self, handler: Handler, *, host: str = "127.0.0.1", made: Made = GOOD, **context: Any) -> None:
        self.handler = handler
        self.context = server_context(made, **context)
        self.heard: list[bytes] = []
        self.count = self.now = self.most = 0
        self.gone = threading.Event()
        self._lock = threading.Lock()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.bind((host, 0))
        self._socket.listen(16)
        self.host, self.port = host, self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                made, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(made,), daemon=True).start()

    def _serve(self, made: socket.socket) -> None:
        with self._lock:
            self.count += 1
            self.now += 1
            self.most = max(self.most, self.now)
        peer = Peer(made, self)
        try:
            with contextlib.suppress(OSError, ssl.SSLError):
                self.handler(peer)
        finally:
            self.leave(peer)
            with contextlib.suppress(OSError):
                peer.socket.close()
            self.gone.set()

    def leave(self, peer: Peer) -> None:
        """Counts a connection no longer."""
        with self._lock:
            self.now -= not peer.left
            peer.left = True

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def server_context(
    made: Made, *, lowest: Any = None, highest: Any = None, ciphers: str = "ALL", clients: bool = False
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    context.load_cert_chain(made.file)
    if lowest is not None:
        context.minimum_version = lowest
    if highest is not None:
        context.maximum_version = highest
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=ROOT.certificate.public_bytes(Encoding.PEM).decode())
    return context


@contextlib.contextmanager
def serving(handler: Handler, **options: Any) -> Iterator[Server]:
    server = Server(handler, **options)
    try:
        yield server
    finally:
        server.close()


def pause(seconds: float) -> None:
    """A peer that takes its time."""
    time.sleep(seconds)
