"""A message as it comes in: by DATA up to a dot alone, or chunk by chunk by BDAT; and what MAIL says of it before."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from deliverkit.world.mailbox import LARGEST

USUAL_SIZE: Final = 10_485_760
_LINE: Final = 4096
_NEEDS: Final = {
    "SIZE": "SIZE", "BODY": "8BITMIME", "SMTPUTF8": "SMTPUTF8", "RET": "DSN", "ENVID": "DSN", "NOTIFY": "DSN",
    "ORCPT": "DSN", "REQUIRETLS": "REQUIRETLS", "AUTH": "AUTH",
}  # fmt: skip
"""Which keyword of EHLO lets a parameter be said."""
_OF_RCPT: Final = frozenset({"NOTIFY", "ORCPT"})
_NUMBER: Final = re.compile(r"[0-9]{1,20}")


class Incoming:
    """Counts a whole message and keeps its first octets."""

    def __init__(self) -> None:
        self.octets = bytearray()
        self.size = 0
        self.begun = False
        self._amid = False

    def lines(self, buffer: bytearray) -> bool:
        """Takes lines from the buffer, their stuffed dots away (RFC 5321 §4.5.2); whether the end was among them."""
        while True:
            line, found, _ = buffer.partition(b"\r\n")
            if not found:
                if len(buffer) > _LINE:  # a line longer than any: counted, and dropped but for a CR at its end
                    self._keep(buffer[:-1])
                    del buffer[:-1]
                    self._amid = True
                return False
            del buffer[: len(line) + 2]
            amid, self._amid = self._amid, False
            if line == b"." and not amid:
                return True
            self._keep((line[1:] if line.startswith(b".") and not amid else line) + b"\r\n")

    def chunk(self, buffer: bytearray, left: int) -> int:
        """Takes what the buffer has of a chunk (RFC 3030 §2); how many octets are still to come."""
        part = buffer[:left]
        del buffer[: len(part)]
        self._keep(part)
        return left - len(part)

    def _keep(self, octets: bytes | bytearray) -> None:
        self.size += len(octets)
        self.octets += octets[: max(0, LARGEST - len(self.octets))]


def largest(offer: Iterable[str]) -> int:
    """The size that SIZE names among the lines of EHLO, else what is usual."""
    for line in offer:
        words = line.upper().split()
        if words[:1] == ["SIZE"] and len(words) > 1 and _NUMBER.fullmatch(words[1]) and int(words[1]):
            return int(words[1])
    return USUAL_SIZE


def objection(verb: str, path: str, words: Iterable[str], offer: tuple[str, ...]) -> bytes | None:
    """The reply that refuses the parameters of MAIL or RCPT, or a path in UTF-8; None: they are in order."""
    offered = {line.upper().split()[0] for line in offer if line.strip()}
    given: dict[str, str] = {}
    for word in words:
        key, _, value = word.partition("=")
        key = key.upper()
        if _NEEDS.get(key) not in offered or (key in _OF_RCPT) != (verb == "RCPT"):
            return b"555 5.5.4 unsupported parameter"
        given[key] = value
    if not path.isascii() and verb == "MAIL" and "SMTPUTF8" not in given:
        return b"553 5.6.7 an address in UTF-8 needs SMTPUTF8"
    size = given.get("SIZE", "0")
    if not _NUMBER.fullmatch(size):
        return b"501 5.5.4 SIZE is a number"
    return b"552 5.3.4 message size exceeds the limit" if int(size) > largest(offer) else None
