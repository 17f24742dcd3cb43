"""TLS-RPT records: where senders report failures of TLS (RFC 8460 §3).

    _smtp._tls.example.com.  TXT  "v=TLSRPTv1; rua=mailto:tls-reports@example.com,https://reports.example/v1"

Senders discard what does not begin with exactly `v=TLSRPTv1;`, and everything where several records do.
Nothing here raises, and every span lies inside the text.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from deliverkit.records.names import is_hostname
from deliverkit.records.versioned import Field, Problem, begins, parse_fields

VERSION: Final = "v=TLSRPTv1"
MAX_URIS: Final = 32
"""Addresses that are read of one record."""

_LIKE: Final = re.compile(r"(?i)tls-?rpt")
_MAILTO: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,200}@([A-Za-z0-9.-]{1,253})(?:\?.*)?")
_HTTPS: Final = re.compile(r"//([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:[/?].*)?")
_URI: Final = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@$&'()*+=-]|%[0-9A-Fa-f]{2})+")


class ReportAddress(msgspec.Struct, frozen=True, kw_only=True):
    """One address of `rua`. `problem` says why no report gets there."""

    text: str
    start: int
    end: int
    scheme: str = ""
    host: str | None = None
    """Of a mailbox the domain, of a URL the host, lower case."""
    problem: str | None = None


class TlsRptRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One record, read as far as it can be."""

    text: str
    rua: tuple[ReportAddress, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether senders take it for one."""
        return not self.problems


def is_tls_rpt(text: str) -> bool:
    """Whether a TXT record begins as senders recognise it (RFC 8460 §3)."""
    return begins(text, VERSION)


def looks_like_tls_rpt(text: str) -> bool:
    """Whether somebody seems to have meant a TLS-RPT record."""
    return _LIKE.search(text) is not None


def parse_tls_rpt(text: str) -> TlsRptRecord:
    """A record taken apart. Never raises."""
    fields, problems = parse_fields(text, VERSION, frozenset({"rua"}))
    field = next((field for field in fields if field.name == "rua"), None)
    rua: tuple[ReportAddress, ...] = ()
    if field is None:
        problems.append(Problem("the field rua= is missing", len(text), len(text)))
    elif not field.value:
        problems.append(Problem("rua= names no address", field.start, field.end))
    else:
        rua = tuple(_addresses(field, problems))
    problems.extend(Problem(uri.problem, uri.start, uri.end) for uri in rua if uri.problem)
    return TlsRptRecord(
        text=text,
        rua=rua,
        problems=tuple(sorted(set(problems), key=lambda problem: (problem.start, problem.end, problem.message))),
    )


def _addresses(field: Field, problems: list[Problem]) -> list[ReportAddress]:
    found: list[ReportAddress] = []
    start = field.value_start
    for part in field.value.split(","):
        if len(found) >= MAX_URIS:
            problems.append(Problem(f"more than {MAX_URIS} addresses: the rest was not read", start, field.end))
            break
        text = part.strip(" \t")
        low = start + len(part) - len(part.lstrip(" \t"))
        found.append(_address(text, low, low + len(text)) if text else _nothing(start, part))
        start += len(part) + 1
    return found


def _nothing(start: int, part: str) -> ReportAddress:
    return ReportAddress(text="", start=start, end=start + len(part), problem="nothing stands between two commas")


def _address(text: str, start: int, end: int) -> ReportAddress:
    scheme, mark, rest = text.partition(":")
    scheme = scheme.lower()
    host: str | None = None
    problem: str | None = None
    if not mark or not scheme.isalpha():
        problem = (
            "no URI: an address begins with mailto:, a server with https:"
            if "@" not in text
            else ("no URI: mailto: is missing before the address")
        )
    elif scheme not in ("mailto", "https"):
        problem = "reports go to mailto: or https: alone"
    elif not _URI.fullmatch(text):
        problem = "a character that has to be written as %XX in a URI"
    else:
        match = (_MAILTO if scheme == "mailto" else _HTTPS).fullmatch(rest)
        host = match[1].lower() if match else None
        if host is None or not (host.startswith("[") or is_hostname(host)):
            host, problem = None, "no mailbox after mailto:" if scheme == "mailto" else "no host after https://"
    return ReportAddress(text=text, start=start, end=end, scheme=scheme if mark else "", host=host, problem=problem)
