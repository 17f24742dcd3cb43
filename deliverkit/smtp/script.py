r"""Sessions as text that a person reads and a server plays back.

    # session mx.example.com (192.0.2.25) port 25
    # +0.013s
    S: 220 mx.example.com ESMTP
    C: EHLO client.example.com
    # +0.130s
    S: 250 mx.example.com
    # closed: the server closed the connection

`C:` is a line of the client's, `S:` one of the server's, the time what the server took; what was said in one go stands
together. Line ends are CRLF unless shown: `\n` ends a line in LF alone, `\c` stands where none came. Octets that are no
printable text are `\xHH`, a backslash is `\\`. A secret was redacted before it came here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, Literal, TypeAlias

import msgspec

from deliverkit.model import Session, State, Step, Trouble

Kind: TypeAlias = Literal["client", "server", "wait", "tls", "closed", "reset", "silence", "note"]
LARGEST: Final = 64 * 1024 * 1024
"""Octets of a text that is read."""
_HEAD: Final = re.compile(r"# session (?P<host>\S+) \((?P<address>[^\s()]+)\) port (?P<port>[0-9]{1,5})")
_WAIT: Final = re.compile(r"# \+(?P<seconds>[0-9]{1,6}(?:\.[0-9]{1,6})?)s")
_WORD: Final = re.compile(r"# (?P<word>tls|closed|reset|silence)(?:: (?P<why>.*)| (?P<rest>.*))?")
_ESCAPE: Final = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|([\\nc]))")
_ENDS: Final = {Trouble.CLOSED: "closed", Trouble.RESET: "reset", Trouble.TIMEOUT: "silence", Trouble.TLS: "tls"}


class ScriptError(ValueError):
    """The text is no script; the message names the line."""


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a script: octets with their line end for `client` and `server`, words for the others."""

    kind: Kind
    octets: bytes = b""
    seconds: float = 0.0
    """Of `wait`."""
    words: str = ""


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """One session to play back."""

    host: str = ""
    address: str = ""
    port: int = 25
    turns: tuple[Turn, ...]


def write(sessions: Iterable[Session]) -> str:
    """The sessions one after the other, with the messages that they sent."""
    return "\n".join("".join(f"{line}\n" for line in _session(session)) for session in sessions)


def _session(session: Session) -> Iterator[str]:
    call = session.call
    yield f"# session {call.host} ({call.address}) port {call.port}"
    if session.state is not State.OPEN:
        yield f"# {'silence' if session.state is State.TIMEOUT else 'closed'}: {_plain(session.why)}"
        return
    place = 0
    steps = session.steps
    while place < len(steps):
        end = place + 1
        while end < len(steps) and steps[end].together:
            end += 1
        for step in steps[place:end]:
            yield from _said(step)
        for step in steps[place:end]:
            yield from _heard(step, session)
        place = end


def _said(step: Step) -> Iterator[str]:
    if step.said or (step.stage == "auth" and step.trouble is not Trouble.OUT_OF_STEP):
        for line in step.said.removesuffix(b"\r\n").split(b"\r\n"):
            yield _line("C:", line)


def _heard(step: Step, session: Session) -> Iterator[str]:
    if step.stage == "tls" and step.trouble is None and session.handshake is not None:
        yield f"# tls {_plain(session.handshake.version)} {_plain(session.handshake.cipher)}"
    if step.reply and step.replied_ms is not None:
        yield f"# +{max(step.replied_ms - step.at_ms, 0) / 1000:.3f}s"
    *lines, rest = step.reply.split(b"\n")
    for line in lines:
        yield _line("S:", line.removesuffix(b"\r"), "" if line.endswith(b"\r") else r"\n")
    if rest:
        yield _line("S:", rest, r"\c")
    if step.trouble is not None:
        yield f"# {_ENDS.get(step.trouble, 'note')}: {_plain(step.why)}"


def _line(side: str, octets: bytes, end: str = "") -> str:
    text = _shown(octets) + end
    return f"{side} {text}" if text else side


def _plain(text: str) -> str:
    return _shown(text.encode("utf-8", "backslashreplace"))


def _shown(octets: bytes) -> str:
    found = []
    for mark in octets.decode("utf-8", "surrogateescape"):
        if mark == "\\":
            found.append(r"\\")
        elif mark.isprintable():
            found.append(mark)
        else:
            found += [f"\\x{octet:02x}" for octet in mark.encode("utf-8", "surrogateescape")]
    return "".join(found)


def _octets(text: str) -> bytes:
    """What a line stands for, with its line end."""
    end = b"\r\n"

    def one(match: re.Match[bytes]) -> bytes:
        nonlocal end
        if match[1]:
            return bytes([int(match[1], 16)])
        if match[2] != b"\\":
            end = b"\n" if match[2] == b"n" else b""
            return b""
        return b"\\"

    return _ESCAPE.sub(one, text.encode("utf-8", "surrogateescape")) + end


def read(text: str) -> tuple[Script, ...]:
    """The sessions of a text. Raises `ScriptError`."""
    if len(text) > LARGEST:
        raise ScriptError(f"a script of more than {LARGEST // 1024 // 1024} MiB")
    scripts: list[Script] = []
    head: dict[str, str] = {}
    turns: list[Turn] = []
    for number, ended in enumerate(text.split("\n"), 1):
        line = ended.removesuffix("\r")
        start = _HEAD.fullmatch(line)
        if start is not None:
            if turns or head:
                scripts.append(_script(head, turns))
            head, turns = start.groupdict(), []
        elif line.strip():
            turns.append(_turn(number, line))
    return (*scripts, _script(head, turns)) if turns or head else tuple(scripts)


def _script(head: dict[str, str], turns: list[Turn]) -> Script:
    return Script(
        host=head.get("host", ""),
        address=head.get("address", ""),
        port=int(head.get("port", "25")),
        turns=tuple(turns),
    )


def _turn(number: int, line: str) -> Turn:
    side, text = line[:2], line[3:]
    if side in ("C:", "S:") and line[2:3] in ("", " "):
        return Turn(kind="client" if side == "C:" else "server", octets=_octets(text))
    if not line.startswith("#"):
        raise ScriptError(f"script:{number}: expected a line that begins with C:, S: or #")
    wait = _WAIT.fullmatch(line)
    if wait is not None:
        return Turn(kind="wait", seconds=float(wait["seconds"]))
    match = _WORD.fullmatch(line)
    if match is None:
        return Turn(kind="note", words=line.removeprefix("#").strip())
    if match["word"] == "tls":
        return Turn(kind="tls", words=match["rest"] or "", octets=(match["why"] or "").encode())
    kinds: dict[str, Kind] = {"closed": "closed", "reset": "reset", "silence": "silence"}
    return Turn(kind=kinds[match["word"]], words=match["why"] or "")
