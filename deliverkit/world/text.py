r"""A world's text: zone data first, then sections, each begun by a line in brackets.

    example.com.      MX   10 mx.example.com.
    mx.example.com.   A    192.0.2.25

    [smtp mx.example.com:25]
    certificate  names=mx.example.com days=60
    on RCPT      550 5.7.1 relaying denied

    [https mta-sts.example.com]
    body
      version: STSv1

All lines of a section are optional: what is not said is as a sound server has it. `[smtp 192.0.2.25:25]` is
about one address of a host that has several, `[zone]` goes back to zone data. `;` behind a blank begins a comment.
`on` and `fault` name a command, or `BODY` (a message has begun to come) or `EOD` (its final dot has). In replies `\n`
ends a line, `\xHH` is an octet and `\*N` repeats the character before it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from deliverkit.world.section import (
    CONNECT_FAULTS,
    HTTPS,
    HTTPS_FAULTS,
    SMTPS,
    STEP_FAULTS,
    SUBMISSION,
    VERSIONS,
    CertificateWish,
    HttpsSection,
    SmtpSection,
    WorldError,
)

_HEADER: Final = re.compile(r"\[\s*(?P<kind>[a-z]+)(?:\s+(?P<where>\S+))?\s*\]\s*(?:;.*)?")
_WHERE: Final = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^\s:\[\]]+)(?::(?P<port>[0-9]{1,5}))?")
_COMMENT: Final = re.compile(r"(?:^|\s);.*$")
_ESCAPE: Final = re.compile(r"\\(?:(?P<known>[nrt0\\;])|x(?P<hex>[0-9a-fA-F]{2})|\*(?P<times>[0-9]{1,6}))")
_KNOWN: Final = {"n": b"\r\n", "r": b"\r", "t": b"\t", "0": b"\0", "\\": b"\\", ";": b";"}
_COMMANDS: Final = (
    "EHLO", "HELO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "BODY", "EOD", "BDAT", "RSET", "NOOP", "VRFY", "HELP",
    "QUIT",
)  # fmt: skip
"""`BODY` stands for the octets of a message, `EOD` for the dot at its end."""
_PORTS: Final = 65535
_LONGEST: Final = 1_000_000
_PATIENCE: Final = 29
"""Seconds: with more there would be no banner."""
_KEYS: Final = ("ec-p256", "rsa-1024", "rsa-2048", "rsa-4096", "ed25519")
_CHOICES: Final = {
    "key": _KEYS,
    "signature": ("sha256", "sha1"),
    "issuer": ("ca", "self", "unknown"),
    "send": ("chain", "leaf", "root", "disordered"),
    "purpose": ("server", "client", "none"),
}


class WorldText(msgspec.Struct, frozen=True, kw_only=True):
    """A text taken apart. `zone` keeps its lines where they stood, so that errors name the right one."""

    zone: str
    https: tuple[HttpsSection, ...] = ()
    smtp: tuple[SmtpSection, ...] = ()


class _Line(msgspec.Struct, frozen=True):
    """A line of a section: its number, its words, and the indented block below it."""

    number: int
    word: str
    rest: str
    block: tuple[str, ...] = ()

    def wrong(self, what: str) -> WorldError:
        """The error that names this line."""
        return WorldError(f"world:{self.number}: {what}")


def read_world(text: str) -> WorldText:
    """Takes a text apart; the zone data is not looked into. Raises `WorldError`."""
    zone: list[str] = []
    https: list[HttpsSection] = []
    smtp: list[SmtpSection] = []
    lines = text.splitlines()
    place = 0
    while place < len(lines):
        if not lines[place].startswith("["):
            zone.append(lines[place])
            place += 1
            continue
        head = _head(place + 1, lines[place])
        end = place + 1
        if head.word != "zone":
            while end < len(lines) and not lines[end].startswith("["):
                end += 1
            body = _body(lines[place + 1 : end], place + 2)
            if head.word == "https":
                https.append(_https(head, body))
            else:
                smtp.append(_smtp(head, body))
        zone.extend([""] * (end - place))
        place = end
    _unique(smtp)
    return WorldText(zone="\n".join(zone) + "\n", https=tuple(https), smtp=tuple(smtp))


def _unique(smtp: list[SmtpSection]) -> None:
    seen: set[tuple[str, int]] = set()
    for section in smtp:
        if (section.host, section.port) in seen:
            raise WorldError(f"world: [smtp {section.host}:{section.port}] stands there twice")
        seen.add((section.host, section.port))


def _head(number: int, line: str) -> _Line:
    match = _HEADER.fullmatch(line.rstrip())
    if match is None or match["kind"] not in ("https", "smtp", "zone"):
        raise WorldError(f"world:{number}: {line.strip()}: expected [https HOST], [smtp HOST:PORT] or [zone]")
    if (match["where"] is None) != (match["kind"] == "zone"):
        raise WorldError(f"world:{number}: {line.strip()}: expected [https HOST], [smtp HOST:PORT] or [zone]")
    return _Line(number, match["kind"], match["where"] or "")


def _body(lines: list[str], first: int) -> list[_Line]:
    """A section's lines; a line that is indented more than its `body` belongs to that."""
    found: list[_Line] = []
    place = 0
    while place < len(lines):
        line, number = lines[place], first + place
        place += 1
        bare = _COMMENT.sub("", line).strip()
        if not bare:
            continue
        word, _, rest = bare.partition(" ")
        block: list[str] = []
        if word == "body":
            depth = _depth(line)
            while place < len(lines) and (not lines[place].strip() or _depth(lines[place]) > depth):
                block.append(lines[place])
                place += 1
            while block and not block[-1].strip():
                block.pop()
        found.append(_Line(number, word, rest.strip(), tuple(block)))
    return found


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def endpoint(text: str, port: int | None = None) -> tuple[str, int]:
    """`HOST:PORT` to both; an IPv6 address stands in brackets. Raises ValueError."""
    match = _WHERE.fullmatch(text)
    number = int(match["port"] or port or 0) if match else 0
    if match is None or not 0 < number <= _PORTS:
        raise ValueError(f"{text}: expected HOST:PORT")
    host = match["host"].strip("[]")
    try:
        return str(ipaddress.ip_address(host)), number
    except ValueError:
        return host.lower().rstrip("."), number


def _where(head: _Line, port: int | None = None) -> tuple[str, int]:
    try:
        return endpoint(head.rest, port)
    except ValueError as error:
        raise head.wrong(str(error)) from error


def _https(head: _Line, lines: list[_Line]) -> HttpsSection:
    host, port = _where(head, HTTPS)
    said: dict[str, Any] = {"certificate": CertificateWish(names=(host,))}
    for line in lines:
        match line.word:
            case "path" | "type" | "location":
                said[line.word] = line.rest
            case "status":
                said["status"] = _number(line, 100, 999)
            case "certificate" | "unnamed":
                said[line.word] = _wish(line, host)
            case "versions":
                said["versions"] = _versions(line)
            case "fault":
                said["fault"] = _choice(line, line.rest, HTTPS_FAULTS)
            case "refuses":
                said["refuses"] = tuple(line.rest.split())
            case "body":
                said["body"] = _text(line) + said.get("body", b"")
            case "pad":
                said["body"] = said.get("body", b"") + b"#" * _number(line, 0, _LONGEST)
            case _:
                raise line.wrong(f"{line.word}: no line of an [https] section")
    return HttpsSection(host=host, port=port, **said)


def _text(line: _Line) -> bytes:
    """The block below a `body`, its common indent taken away, its lines ended by CRLF."""
    depth = min((_depth(text) for text in line.block if text.strip()), default=0)
    texts = [_octets(text[depth:]) for text in line.block]
    return b"".join(text + b"\r\n" for text in texts)


def _smtp(head: _Line, lines: list[_Line]) -> SmtpSection:
    host, port = _where(head)
    said: dict[str, Any] = {"replies": {}, "faults": {}, "users": {}}
    for line in lines:
        _smtp_line(line, host, said)
    return _completed(host, port, said)


def _smtp_line(line: _Line, host: str, said: dict[str, Any]) -> None:
    match line.word:
        case "certificate" | "unnamed":
            said[line.word] = _wish(line, host)
        case "versions":
            said["versions"] = _versions(line)
        case "mode":
            said["mode"] = _choice(line, line.rest, {"implicit", "starttls", "clear"})
        case "slow":
            said["slow"] = float(_number(line, 0, _PATIENCE))
        case "asks-client":
            said["asks_client"] = True
        case "name" | "cipher":
            said[line.word] = line.rest
        case "domains":
            said["domains"] = tuple(line.rest.lower().replace(",", " ").split())
        case _:
            _spoken(line, said)


def _spoken(line: _Line, said: dict[str, Any]) -> None:
    """The lines about what the server says, and when it does not."""
    match line.word:
        case "banner" | "inject":
            said[line.word] = _octets(line.rest)
        case "offer" | "offer-tls":
            words = tuple(word.strip() for word in line.rest.split(","))
            said[line.word.replace("-", "_")] = tuple(word for word in words if word)
        case "on" | "on-tls" | "on-clear":
            verb, _, reply = line.rest.partition(" ")
            verb = _choice(line, verb.upper(), _COMMANDS)
            said["replies"][line.word.partition("-")[2] or "any", verb] = _octets(reply.strip())
        case "fault":
            where, _, kind = line.rest.partition(" ")
            where = _choice(line, where.upper(), ("CONNECT", "BANNER", "TLS", *_COMMANDS))
            said["faults"][where] = _choice(line, kind.strip(), CONNECT_FAULTS if where == "CONNECT" else STEP_FAULTS)
        case "user":
            user, _, password = line.rest.partition(" ")
            if not password:
                raise line.wrong("user: expected a name and a password")
            said["users"][user] = password.strip()
        case _:
            raise line.wrong(f"{line.word}: no line of an [smtp] section")


def _completed(host: str, port: int, said: dict[str, Any]) -> SmtpSection:
    """The section, with what it does not say as a sound server has it."""
    name = said.setdefault("name", host)
    mode = said.setdefault("mode", "implicit" if port == SMTPS else "starttls")
    said.setdefault("certificate", CertificateWish(names=(host,)))
    said.setdefault("banner", f"220 {name} ESMTP".encode())
    said["users"] = said["users"] or {"alice": "secret"}
    said.setdefault("domains", (host, host.partition(".")[2]))
    usual = ("PIPELINING", "SIZE 10485760", "8BITMIME", "ENHANCEDSTATUSCODES")
    if "offer" not in said:
        said["offer"] = (*usual[:3], "STARTTLS", *usual[3:]) if mode == "starttls" else usual
    if "offer_tls" not in said:
        inside = tuple(line for line in said["offer"] if line.upper() != "STARTTLS")
        login = port in SUBMISSION and not any(line.upper().startswith("AUTH") for line in inside)
        said["offer_tls"] = (*inside, "AUTH PLAIN LOGIN") if login else inside
    return SmtpSection(host=host, port=port, **said)


def _wish(line: _Line, host: str) -> CertificateWish:
    said: dict[str, Any] = {"names": (host,)}
    for pair in line.rest.split():
        key, equals, value = pair.partition("=")
        if key in ("days", "age") and equals:
            try:
                said[key] = float(value)
            except ValueError:
                raise line.wrong(f"{pair}: expected a number of days") from None
            if not abs(said[key]) < 20_000:  # noqa: PLR2004 - fifty years; not so where it is no number
                raise line.wrong(f"{pair}: expected a number of days")
        elif key == "names" and equals:
            said["names"] = tuple(name for name in value.split(",") if name not in ("", "-"))
        elif key == "cn" and equals:
            said["cn"] = _octets(value).decode("utf-8", "replace")
        elif key in _CHOICES and equals:
            said[key] = _choice(line, value, _CHOICES[key])
        else:
            raise line.wrong(f"{pair}: no word of a certificate")
    return CertificateWish(**said)


def _versions(line: _Line) -> tuple[str, ...]:
    words = line.rest.split()
    return tuple(version for version in VERSIONS if version in [_choice(line, word, VERSIONS) for word in words])


def _choice(line: _Line, word: str, known: Any) -> str:
    if word not in known:
        raise line.wrong(f"{line.word}: {word or 'nothing'}: expected {', '.join(sorted(known))}")
    return word


def _number(line: _Line, least: int, most: int) -> int:
    if not line.rest.isascii() or not line.rest.isdigit() or not least <= int(line.rest[:9]) <= most:
        raise line.wrong(f"{line.word}: {line.rest}: expected {least} to {most}")
    return int(line.rest)


def _octets(text: str) -> bytes:
    found = bytearray()
    place = 0
    for match in _ESCAPE.finditer(text):
        found += text[place : match.start()].encode()
        place = match.end()
        if match["known"]:
            found += _KNOWN[match["known"]]
        elif match["hex"]:
            found.append(int(match["hex"], 16))
        else:
            found += found[-1:] * (min(int(match["times"]), _LONGEST) - 1)
    return bytes(found + text[place:].encode())


_ENDPOINT: Final = re.compile(r"\$(?P<what>cert|spki|issuer|issuer-spki)\((?P<where>[^()\s]+)\)")


def fill(zone: str, value: Callable[[str, str, int], str]) -> str:
    """The zone data with `$cert(HOST:PORT)` and its like replaced by what `value` says of (what, host, port).

    Raises `WorldError`.
    """

    def one(match: re.Match[str]) -> str:
        try:
            return value(match["what"], *endpoint(match["where"]))
        except (ValueError, LookupError) as error:
            number = zone.count("\n", 0, match.start()) + 1
            raise WorldError(f"world:{number}: {match[0]}: no such endpoint in this world") from error

    return _ENDPOINT.sub(one, zone)
