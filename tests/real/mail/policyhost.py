"""A host of MTA-STS policies: Python's HTTPS server, whose word and certificate depend on the name it is asked by."""

from __future__ import annotations

import http.server
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from authority import Leaf


class Site(NamedTuple):
    """What one name serves."""

    leaf: Leaf
    body: bytes
    status: int = 200
    media_type: str = "text/plain"


def policy(mode: str, *hosts: str) -> bytes:
    """The text of a policy."""
    lines = ["version: STSv1", f"mode: {mode}", *(f"mx: {host}" for host in hosts), "max_age: 604800"]
    return "".join(f"{line}\r\n" for line in lines).encode()


@contextmanager
def serving(sites: dict[str, Site]) -> Iterator[int]:
    """The port that all of them are on."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site = sites.get(self.headers["Host"].partition(":")[0])
            if site is None or self.path != "/.well-known/mta-sts.txt":
                self.send_error(404)
                return
            self.send_response(site.status)
            self.send_header("Content-Type", site.media_type)
            self.send_header("Content-Length", str(len(site.body)))
            self.end_headers()
            self.wfile.write(site.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            pass

    contexts: dict[str, ssl.SSLContext] = {}
    for name, site in sites.items():
        contexts[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        contexts[name].load_cert_chain(site.leaf.file)
    outer = next(iter(contexts.values()))

    def choose(made: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        if name in contexts:
            made.context = contexts[name]

    outer.sni_callback = choose

    class Server(http.server.ThreadingHTTPServer):
        def get_request(self) -> tuple[ssl.SSLSocket, object]:
            made, address = super().get_request()
            made.settimeout(20)
            return outer.wrap_socket(made, server_side=True, do_handshake_on_connect=False), address

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that does not like a certificate hangs up."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(20)
