"""What a server offers in its answer to EHLO (RFC 5321 §4.1.1.1), as it said it and as it means it."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from deliverkit.smtp.reply import Reply, decoded

_SIZE: Final = re.compile(r"[0-9]{1,20}")
_LARGEST: Final = 2**63 - 1
_BLANK: Final = re.compile(r"[ \t]+")
_STRIPPED: Final = re.compile(r"X{4,}[A-Z]?", re.ASCII)
SASL_NAME: Final = re.compile(r"[A-Z0-9_-]{1,20}")


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """The lines behind the greeting, in their order. Keywords compare without case (RFC 5321 §2.4)."""

    name: str
    """The name the server greets with: the first word of the first line."""
    lines: tuple[str, ...]
    """Each keyword with its parameters, as it stood."""
    keywords: dict[str, tuple[str, ...]]
    """Upper-case keyword to its parameters, of the first line that has it."""
    size: int | None
    """The limit of SIZE in octets, 0 for none (RFC 1870 §4); None: not offered, or not a number."""
    auth: tuple[str, ...]
    """SASL mechanisms of all AUTH lines, upper-case, each once (also the old form `AUTH=`)."""
    defects: tuple[str, ...]
    """`bad-size`, `repeated KEYWORD`, `conflicting KEYWORD`, `tab`, `leading-space`, `old-auth`, `empty`."""
    stripped: bool
    """`XXXXXXXA` or its like stands among the keywords: a middlebox took one out."""

    def has(self, keyword: str) -> bool:
        """Whether a keyword is offered."""
        return keyword in self.keywords


def read_capabilities(reply: Reply) -> Capabilities:
    """What a positive reply to EHLO offers."""
    name, _, _ = decoded(reply.lines[0] if reply.lines else b"").partition(" ")
    keywords: dict[str, tuple[str, ...]] = {}
    auth: dict[str, None] = {}
    sizes: list[int] = []
    defects: dict[str, None] = {}
    lines = tuple(decoded(line) for line in reply.lines[1:])
    for line in lines:
        if "\t" in line:
            defects["tab"] = None
        if line.startswith((" ", "\t")):
            defects["leading-space"] = None
        words = [word for word in _BLANK.split(line) if word]
        if not words:
            defects["empty"] = None
            continue
        keyword, parameters = words[0].upper(), tuple(words[1:])
        if keyword.startswith("AUTH="):  # the form of a draft, still said for old clients
            defects["old-auth"] = None
            parameters = (keyword.removeprefix("AUTH="), *parameters)
            auth.update({word.upper(): None for word in parameters if SASL_NAME.fullmatch(word.upper())})
            continue
        if keyword in keywords:
            same = tuple(word.upper() for word in keywords[keyword]) == tuple(word.upper() for word in parameters)
            defects[f"{'repeated' if same else 'conflicting'} {keyword}"] = None
        keywords.setdefault(keyword, parameters)
        if keyword == "AUTH":
            auth.update({word.upper(): None for word in parameters if SASL_NAME.fullmatch(word.upper())})
        if keyword == "SIZE" and parameters:
            if len(parameters) == 1 and _SIZE.fullmatch(parameters[0]) and int(parameters[0]) <= _LARGEST:
                sizes.append(int(parameters[0]))
            else:
                defects["bad-size"] = None
    limits = [size for size in sizes if size]
    return Capabilities(
        name=name,
        lines=lines,
        keywords=keywords,
        size=min(limits) if limits else 0 if sizes else None,
        auth=tuple(auth),
        defects=tuple(defects),
        stripped=any(_STRIPPED.fullmatch(keyword) for keyword in keywords),
    )
