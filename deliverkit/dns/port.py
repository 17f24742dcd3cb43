"""What every source of DNS answers looks like."""

from __future__ import annotations

from typing import Protocol

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


def normal_name(name: str) -> str:
    r"""A name as lookups are keyed: lower case, no trailing dot; what is not Unicode at all as `\udcNN`."""
    if not name.isascii():
        name = name.encode("utf-8", "backslashreplace").decode("utf-8")
    return name.rstrip(".").lower()


def name_error(name: str) -> str | None:
    """Why `name` cannot be asked (RFC 1035 §2.3.4), None where it can."""
    if name == "":
        return None
    labels = name.split(".")
    if any(not label for label in labels):
        return "has an empty label"
    if any(len(label.encode("utf-8", "surrogatepass")) > MAX_LABEL for label in labels):
        return f"has a label of more than {MAX_LABEL} octets"
    if len(name.encode("utf-8", "surrogatepass")) > MAX_NAME:
        return f"is longer than {MAX_NAME} octets"
    return None
