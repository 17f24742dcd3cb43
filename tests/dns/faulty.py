"""A name server on loopback that misbehaves on request: the first label of the question says how."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

DATA = {
    "A": "192.0.2.1",
    "AAAA": "2001:db8::1",
    "MX": "10 mail.example.com.",
    "TXT": '"v=spf1 -all"',
    "NS": "ns.example.com.",
    "SOA": "ns.example.com. hostmaster.example.com. 1 2 3 4 5",
    "TLSA": "3 1 1 " + "ab" * 32,
    "PTR": "host.example.com.",
    "CNAME": "www.example.net.",
}
Reply = list[bytes | float]


class Server:
    """What was asked, and the answers to give. `port` is the same for UDP and TCP."""

    def __init__(self) -> None:
        self.port = 0
        self.asked: Counter[tuple[str, str, str]] = Counter()
        self.odd: dict[str, Callable[[dns.message.Message, str], Reply]] = {}

    def answer(self, wire: bytes, over: str) -> Reply:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name, rdtype = question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)
        self.asked[name, rdtype, over] += 1
        word = name.split(".")[0].lower()
        if word in self.odd:
            return self.odd[word](query, over)
        return behave(word, query, over, self.asked[name, rdtype, over])


def good(query: dns.message.Message, *texts: str, ttl: int = 300) -> dns.message.Message:
    """The record of the type asked for."""
    response = dns.message.make_response(query, our_payload=1232)
    question = query.question[0]
    rdtype = dns.rdatatype.to_text(question.rdtype)
    response.answer.append(dns.rrset.from_text(question.name, ttl, "IN", rdtype, *(texts or (DATA[rdtype],))))
    return response


def failing(query: dns.message.Message, rcode: int) -> bytes:
    response = dns.message.make_response(query, our_payload=1232)
    response.set_rcode(dns.rcode.Rcode(rcode))
    return response.to_wire()


def truncated(query: dns.message.Message, *texts: str) -> bytes:
    response = good(query, *texts) if texts else dns.message.make_response(query, our_payload=1232)
    response.flags |= dns.flags.TC
    return response.to_wire()


RCODES = {
    "servfail": 2,
    "notimp": 4,
    "refused": 5,
    "yxdomain": 6,
    "notauth": 9,
    "rcode11": 11,
    "rcode15": 15,
    "formerr": 1,
}


def behave(word: str, query: dns.message.Message, over: str, times: int) -> Reply:  # noqa: C901, PLR0911, PLR0912
    wire = good(query).to_wire()
    if word in RCODES:
        return [failing(query, RCODES[word])]
    match word:
        case "silent":
            return []
        case "udpsilent":
            return [wire] if over == "tcp" else []
        case "lossy":
            return [wire] if times > 1 else []
        case "tcpclosed":
            return [truncated(query)] if over == "udp" else []
        case "tcpgood":
            return [truncated(query, DATA["TXT"])] if over == "udp" else [good(query, '"a"', '"b"').to_wire()]
        case "tcpshort":
            return [truncated(query)] if over == "udp" else [b"\0\xffab"]
        case "forged":
            return [struct.pack("!H", query.id ^ 1) + wire[2:], wire]
        case "forgedtc":
            return [truncated(query), 0.02, wire]
        case "garbage":
            return [wire[:15], wire]
        case "malformed":
            return [wire[:-1]]
        case "trailing":
            return [wire + b"junk"]
        case "loop":
            return [wire[: -len(wire) + 12] + wire[12:29] + b"\xc0\x1d"]
        case "noedns":
            return [failing(query, 1)] if query.edns >= 0 else [wire]
        case "bogus":
            return [wire] if query.flags & dns.flags.CD else [failing(query, 2)]
        case "passing":
            return [wire] if times > 1 else [failing(query, 2)]
        case "nxdomain":
            return [failing(query, 3)]
        case "nodata":
            return [failing(query, 0)]
        case "oldttl":
            place = wire.index(struct.pack("!I", 300))
            return [wire[:place] + b"\xff\xff\xff\xff" + wire[place + 4 :]]
        case "other":
            other = dns.message.make_response(query)
            other.answer.append(dns.rrset.from_text("elsewhere.example.", 1, "IN", "TXT", '"x"'))
            return [other.to_wire()]
        case "referral":
            other = dns.message.make_response(query)
            other.flags &= ~dns.flags.AA
            other.authority.append(dns.rrset.from_text("example.com.", 1, "IN", "NS", "ns.example.net."))
            return [other.to_wire()]
        case "self" | "ping" | "pong" | "alias":
            target = {"self": "self", "ping": "pong", "pong": "ping", "alias": "target"}[word]
            other = dns.message.make_response(query)
            other.answer.append(dns.rrset.from_text(query.question[0].name, 1, "IN", "CNAME", f"{target}.example.com."))
            return [other.to_wire()]
    if word.startswith("chain"):
        other = dns.message.make_response(query)
        following = f"chain{int(word[5:]) + 1}.example.com."
        other.answer.append(dns.rrset.from_text(query.question[0].name, 1, "IN", "CNAME", following))
        return [other.to_wire()]
    return [wire]


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: Server) -> None:
        self.server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        delay = 0.0
        for part in self.server.answer(data, "udp"):
            if isinstance(part, float):
                delay += part
            else:
                asyncio.get_running_loop().call_later(delay, self._send, part, addr)

    def _send(self, data: bytes, addr: tuple[str, int]) -> None:
        self.transport.sendto(data, addr)  # type: ignore[attr-defined]


@asynccontextmanager
async def serving(*, tcp: bool = True) -> AsyncIterator[Server]:
    """The server, on a free port of 127.0.0.1."""
    server = Server()
    loop = asyncio.get_running_loop()

    async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, EOFError):
            (length,) = struct.unpack("!H", await reader.readexactly(2))
            for part in server.answer(await reader.readexactly(length), "tcp"):
                if isinstance(part, bytes):
                    short = part.startswith(b"\0\xff")
                    writer.write(part if short else struct.pack("!H", len(part)) + part)
            await writer.drain()
        writer.close()

    while True:  # a port that is free for TCP may be taken for UDP
        listener = await asyncio.start_server(stream, "127.0.0.1", 0)
        server.port = listener.sockets[0].getsockname()[1]
        try:
            transport, _ = await loop.create_datagram_endpoint(
                lambda: _Datagrams(server), local_addr=("127.0.0.1", server.port)
            )
        except OSError:
            listener.close()
        else:
            break
    if not tcp:
        listener.close()
    try:
        yield server
    finally:
        transport.close()
        listener.close()
