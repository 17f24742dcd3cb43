"""What every source of DNS answers looks like."""

from __future__ import annotations

import re
from typing import Final, Protocol

from deliverkit.model import Lookup

MAX_NAME = 253
MAX_LABEL = 63


class Port(Protocol):
    """A source of DNS answers."""

    async def lookup(self, name: str, rdtype: str, *, server: str | None = None) -> Lookup:
        """The final outcome of one question. Never raises, and returns within the port's deadline.

        `name` in presentation form, with or without the trailing dot; `rdtype` a mnemonic (`TXT`).
        CNAMEs are followed; ask for `CNAME` to see one. `server` asks that authoritative address
        (an IP, or IP#port) directly and not the resolver.
        """
        ...


_PLAIN: Final = re.compile(r"[A-Za-z0-9._\-*/+=:%,!#&'<>?\[\]^`{|}~]*")
_ESCAPE: Final = re.compile(r"\\\d{3}|\\.")
_TO_ESCAPE: Final = re.compile(r"(\\\d{3}|\\.)|([^\x21-\x7e]|[\"();@$\\])")


def normal_name(name: str) -> str:
    r"""A name as lookups are keyed: lower case, no trailing dot, odd octets as `\DDD` (RFC 1035 §5.1)."""
    if not _PLAIN.fullmatch(name):
        name = _TO_ESCAPE.sub(_escaped, name)
    return name.rstrip(".").lower()


def _escaped(match: re.Match[str]) -> str:
    kept, odd = match.groups()
    if kept:
        return str(kept)
    if odd.isascii() and odd.isprintable() and odd != " ":
        return f"\\{odd}"
    return "".join(f"\\{octet:03d}" for octet in odd.encode("utf-8", "surrogatepass"))


def name_error(name: str) -> str | None:
    """Why `name` cannot be asked (RFC 1035 §2.3.4), None where it can."""
    if name == "":
        return None
    name = _ESCAPE.sub("x", name)  # one octet each
    labels = name.split(".")
    if any(not label for label in labels):
        return "has an empty label"
    if any(len(label.encode("utf-8", "surrogatepass")) > MAX_LABEL for label in labels):
        return f"has a label of more than {MAX_LABEL} octets"
    if len(name.encode("utf-8", "surrogatepass")) > MAX_NAME:
        return f"is longer than {MAX_NAME} octets"
    return None
