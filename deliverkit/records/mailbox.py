"""A mail address as SMTP takes it (RFC 5321 §4.1.2, RFC 6531 §3.3): `local@domain`, and no more.

The local part is the receiver's alone: it is kept letter for letter, quotes and all. The domain is everybody's: it is
held in A-labels, or as an address literal, `[192.0.2.1]` or `[IPv6:2001:db8::1]`.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from typing import Final

import msgspec

from deliverkit.records.names import is_hostname, parse_domain

MAX_LOCAL: Final = 64
"""Octets (RFC 5321 §4.5.3.1.1)."""
MAX_ADDRESS: Final = 254
"""Octets: a path has 256 with its brackets (RFC 5321 §4.5.3.1.3)."""
_TYPED: Final = 1024

# By what they are not: a class that names all of Unicode takes its time to compile.
_SPECIALS: Final = r'\x00-\x20"(),:;<>@\[\\\]\x7f'
_DOT_STRING: Final = re.compile(rf"[^.{_SPECIALS}]+(?:\.[^.{_SPECIALS}]+)*")
_NOT_ATEXT: Final = re.compile(rf"[{_SPECIALS}]")
_QUOTED: Final = re.compile(r'"(?:[^\x00-\x1f"\\\x7f]|\\[ -~])*"')
_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They turn text round, so that one address reads as another (UTS 55)."""
_NO_TEXT: Final = frozenset({"Cc", "Cs", "Cn", "Zl", "Zp"})


class Mailbox(msgspec.Struct, frozen=True):
    """An address. `domain` is in lower-case A-labels or a literal in brackets; `given` is what was typed.

    `unicode` is the domain as people write it; `mixed_script` says that it mixes scripts as look-alike names do.
    """

    local: str
    domain: str
    given: str
    unicode: str = ""
    mixed_script: bool = False

    @property
    def address(self) -> str:
        """As MAIL and RCPT say it, without brackets."""
        return f"{self.local}@{self.domain}"

    @property
    def utf8(self) -> bool:
        """Whether it needs SMTPUTF8 (RFC 6531): a domain alone never does."""
        return not self.local.isascii()

    @property
    def literal(self) -> str | None:
        """The IP address of an address literal; None where the domain is a name."""
        if not self.domain.startswith("["):
            return None
        return self.domain[1:-1].removeprefix("IPv6:")


def parse_sender(text: str) -> Mailbox | None:
    """A reverse-path: None for the null one, `<>` or nothing at all (RFC 5321 §4.5.5). Raises as `parse_mailbox`."""
    return None if text in {"", "<>"} else parse_mailbox(text)


def parse_mailbox(text: str) -> Mailbox:
    """The address a user typed, also in `<` and `>`. Raises ValueError with one line that says what is wrong.

    Display names, comments and source routes are refused. A domain in U-labels is taken and held in A-labels.
    """
    named = f"{_shown(text)} is not a mail address"
    if not text.strip():
        raise ValueError("the mail address is empty")
    if len(text) > _TYPED:
        raise ValueError(f"{named}: it is longer than {MAX_ADDRESS} octets (RFC 5321 §4.5.3.1.3)")
    for char in text:
        if unicodedata.category(char) in _NO_TEXT or char in _BIDI:
            raise ValueError(f"{named}: it holds {_odd(char)}")
    bare = text[1:-1] if text[0] == "<" and text[-1] == ">" else text
    local, at, domain = _halves(bare)
    if not at:
        raise ValueError(f"{named}: it has no @")
    _check_local(local, named)
    name, readable, mixed = _domain(domain, named)
    if len(f"{local}@{name}".encode()) > MAX_ADDRESS:
        raise ValueError(f"{named}: it is longer than {MAX_ADDRESS} octets (RFC 5321 §4.5.3.1.3)")
    return Mailbox(local, name, text, readable, mixed)


def _halves(text: str) -> tuple[str, str, str]:
    """Local part, `@` and domain; a quoted local part may hold an `@` itself."""
    quoted = _QUOTED.match(text)
    if quoted and text[quoted.end() : quoted.end() + 1] == "@":
        return quoted[0], "@", text[quoted.end() + 1 :]
    return text.rpartition("@")


def _check_local(local: str, named: str) -> None:
    if not local:
        raise ValueError(f"{named}: nothing stands before the @")
    if len(local.encode()) > MAX_LOCAL:
        raise ValueError(f"{named}: its local part has more than {MAX_LOCAL} octets (RFC 5321 §4.5.3.1.1)")
    if _DOT_STRING.fullmatch(local) or _QUOTED.fullmatch(local):
        return
    if "<" in local:
        raise ValueError(f"{named}: give the address alone, without a display name")
    if wrong := _NOT_ATEXT.search(local):
        raise ValueError(f"{named}: its local part holds {_shown(wrong[0])} outside quotes")
    raise ValueError(f"{named}: a dot begins or ends its local part, or follows another (RFC 5321 §4.1.2)")


def _domain(text: str, named: str) -> tuple[str, str, bool]:
    """The domain in A-labels, as people write it, and whether it mixes scripts."""
    if not text:
        raise ValueError(f"{named}: nothing stands behind the @")
    if text[0] == "[" or text[-1] == "]":
        literal = _literal(text, named)
        return literal, literal, False
    if text[-1] == ">":
        raise ValueError(f"{named}: give the address alone, without a display name")
    try:
        name = parse_domain(text)
    except ValueError as error:
        hint = f"; an address is written [{text}]" if _is_ipv4(text) else ""
        raise ValueError(f"{named}: {error}{hint}") from None
    if not is_hostname(name.ascii):
        raise ValueError(f"{named}: the labels of a mail domain hold letters, digits and hyphens (RFC 5321 §4.1.2)")
    return name.ascii, name.unicode, name.mixed_script


def _literal(text: str, named: str) -> str:
    """An address literal, written as all write it (RFC 5321 §4.1.3)."""
    inner = text[1:-1]
    if text[0] != "[" or text[-1] != "]" or not inner.isascii():
        raise ValueError(f"{named}: an address literal stands in one pair of brackets")
    if _is_ipv4(inner):
        return f"[{inner}]"
    tag, _, digits = inner.partition(":")
    try:
        # A zone is this machine's own: "%" is no part of a literal.
        address = ipaddress.IPv6Address(inner if tag.lower() != "ipv6" else digits)
        if "%" in inner:
            raise ValueError("zone")  # noqa: TRY301 - told as any other
    except ValueError:
        raise ValueError(
            f"{named}: an address literal is [192.0.2.1] or [IPv6:2001:db8::1] (RFC 5321 §4.1.3)"
        ) from None
    if tag.lower() != "ipv6":
        raise ValueError(f"{named}: an IPv6 literal is written [IPv6:{address}] (RFC 5321 §4.1.3)")
    return f"[IPv6:{address}]"


def _is_ipv4(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def _odd(char: str) -> str:
    names = {"\r": "a CR", "\n": "an LF", "\0": "a NUL", "\t": "a TAB", "\x7f": "a DEL"}
    if char in names:
        return names[char]
    if unicodedata.category(char) == "Cs":
        return "octets that are not UTF-8"
    return f"the character U+{ord(char):04X}"


def _shown(text: str) -> str:
    """What the user typed, on one line and harmless."""
    return ascii(text if len(text) <= 80 else f"{text[:80]}...")  # noqa: PLR2004 - a line's worth
