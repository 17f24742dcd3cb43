"""The addresses of DMARC reports (RFC 9989 §4.6): a comma-separated list of URIs, with positions.

Only `mailto:` has a meaning for receivers. RFC 7489 §6.2 let `!10m` follow as a size limit. A URI is
text to judge: nothing here or elsewhere ever fetches one.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

import msgspec

MAX_URIS: Final = 128
"""URIs that are read of one tag."""

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_SIZE: Final = re.compile(r"!([0-9]{1,20}[kmgtKMGT]?)\Z")
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_LOCAL: Final = re.compile(r"[^\s@<>\"(),:;\\\[\]\x00-\x20\x7f]{1,64}")
_BARE: Final = re.compile(r"[^\s@:/<>]{1,64}@[^\s@:/<>]{1,253}")
_MAX_NAME: Final = 253


class ReportUri(msgspec.Struct, frozen=True, kw_only=True):
    """One URI of `rua` or `ruf`; `start` to `end` (exclusive) is its place in the record.

    `address` and `host` are None unless it is a `mailto:` with one well-formed address; `problem` says why.
    """

    text: str
    start: int
    end: int
    scheme: str = ""
    address: str | None = None
    host: str | None = None
    size: str | None = None
    problem: str | None = None

    @property
    def corrected(self) -> str | None:
        """The URI that was meant, where that is plain; None where it is not."""
        if self.address:
            return f"mailto:{self.address}"
        bare = self.text.removeprefix("mailto//").removeprefix("mailto:").lstrip("/ ")
        if self.scheme in {"", "mailto"} and _BARE.fullmatch(bare):
            again = _mailto(bare)
            return f"mailto:{bare}" if again.problem is None else None
        return None


def parse_uris(value: str, offset: int) -> tuple[ReportUri, ...]:
    """The URIs of a tag's value, which stands at character `offset` of the record."""
    found: list[ReportUri] = []
    start = 0
    for part in value.split(",", MAX_URIS)[:MAX_URIS]:
        text = part.strip(" \t\r\n")
        at = offset + start + (len(part) - len(part.lstrip(" \t\r\n")))
        if text or value.strip():
            found.append(_uri(text, at, max(at + len(text), at)))
        start += len(part) + 1
    return tuple(found)


def _uri(text: str, start: int, end: int) -> ReportUri:
    if not text:
        return ReportUri(text=text, start=start, end=end, problem="an empty entry in the list")
    size = _SIZE.search(text)
    body = text[: size.start()] if size else text
    scheme = _SCHEME.match(body)
    if not scheme:
        return ReportUri(text=text, start=start, end=end, problem="no URI: it must begin with mailto:")
    name = scheme[1].lower()
    if name != "mailto":
        return ReportUri(
            text=text, start=start, end=end, scheme=name, problem="not a mailto: address: receivers send by mail only"
        )
    read = _mailto(body[scheme.end() :])
    return ReportUri(
        text=text,
        start=start,
        end=end,
        scheme=name,
        address=read.address,
        host=read.host,
        size=size[1] if size else None,
        problem=read.problem,
    )


class _Mailto(msgspec.Struct, frozen=True):
    address: str | None
    host: str | None
    problem: str | None


def _mailto(rest: str) -> _Mailto:
    """What follows `mailto:` (RFC 6068 §2); header fields after `?` are no part of the address."""
    address = unquote(rest.partition("?")[0][:512], errors="replace")
    local, at, host = address.rpartition("@")
    host = host.lower().removesuffix(".")
    if not at or not local:
        return _Mailto(None, None, "no address of the form local@domain")
    if not _LOCAL.fullmatch(local):
        return _Mailto(None, None, "the part before @ is not a plain local part")
    if len(host) > _MAX_NAME or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        return _Mailto(None, None, "the part after @ is not a domain name")
    return _Mailto(f"{local}@{host}", host, None)
