"""A server that speaks TLS and knows a login, and that hangs up at one phase of the session."""

from __future__ import annotations

import contextlib
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from authority import Leaf

PHASES = ("banner", "ehlo", "starttls", "tls", "auth", "mail", "rcpt", "data", "body", "eod", "quit")


class Cutter(socketserver.ThreadingTCPServer):
    """`phase`: where it hangs up. `taken`: the messages whose final dot it saw; `asked`: all commands."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, phase: str, leaf: Leaf, *, pipelining: bool) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.phase = phase
        self.keywords = ["STARTTLS", "AUTH PLAIN", "SIZE 10000000", *(["PIPELINING"] if pipelining else [])]
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(leaf.file)
        self.taken: list[bytes] = []
        self.asked: list[str] = []


class Session(socketserver.BaseRequestHandler):
    server: Cutter

    def handle(self) -> None:
        self.lines = self.request.makefile("rb")
        with contextlib.suppress(OSError):
            if self.server.phase != "banner":
                self.say("220 mail.example.com ESMTP")
                while (line := self.lines.readline()) and self.answer(line.decode("utf-8", "replace").strip()):
                    pass
        with contextlib.suppress(OSError):
            self.request.close()

    def say(self, text: str) -> None:
        self.request.sendall(text.encode() + b"\r\n")

    def answer(self, line: str) -> bool:
        """Whether the session goes on."""
        verb = line.split(":", maxsplit=1)[0].split(" ", maxsplit=1)[0].lower()
        self.server.asked.append(verb)
        if verb == self.server.phase:
            return False
        if verb == "ehlo":
            words = ["mail.example.com", *self.server.keywords]
            self.say("\r\n".join(f"250{'-' if word != words[-1] else ' '}{word}" for word in words))
        elif verb == "starttls":
            self.say("220 go on")
            if self.server.phase == "tls":
                return False
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
            self.lines = self.request.makefile("rb")
        elif verb == "auth":
            self.say("235 2.7.0 welcome")
        elif verb == "data":
            self.say("354 go on")
            return self.message()
        elif verb == "quit":
            self.say("221 bye")
            return False
        else:
            self.say("250 2.0.0 ok")
        return True

    def message(self) -> bool:
        octets = b""
        while line := self.lines.readline():
            if self.server.phase == "body":
                return False
            if line == b".\r\n":
                self.server.taken.append(octets)
                if self.server.phase == "eod":
                    return False
                self.say("250 2.0.0 Ok: queued as ABCD1234")
                return True
            octets += line
        return False


@contextmanager
def cutting(phase: str, leaf: Leaf, *, pipelining: bool = True) -> Iterator[Cutter]:
    """The server, until it is not needed any more."""
    with Cutter(phase, leaf, pipelining=pipelining) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(20)
