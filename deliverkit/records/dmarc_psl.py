"""The organisational domain as RFC 7489 §3.2 has it: by the Public Suffix List.

The list is the one that comes with the package `publicsuffixlist`: nothing is fetched. Of its ten
thousand lines only those under the name's own top-level domain are read, which takes a hundredth of the time.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList


def registrable_domain(name: str) -> str | None:
    """The public suffix and one label more; None for a public suffix itself. `name` in A-labels or U-labels."""
    name = name.rstrip(".").lower()
    if not name or any(not label for label in name.split(".")):
        return None
    found = _rules_under(name.rpartition(".")[2]).privatesuffix(name)
    return None if found is None else str(found)


@functools.lru_cache(maxsize=64)
def _rules_under(top: str) -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList as Rules  # noqa: PLC0415 - most runs compare one name only

    return Rules(source=_lines_under(_readable(top)))


def _lines_under(top: str) -> list[str]:
    text = _list()
    found: list[str] = []
    needle = f"{top}\n"
    at = text.find(needle)
    while at >= 0:
        start = text.rfind("\n", 0, at) + 1
        if at == start or text[at - 1] == ".":
            found.append(text[start : at + len(top)])
        at = text.find(needle, at + 1)
    return found


@functools.cache
def _list() -> str:
    import publicsuffixlist  # noqa: PLC0415 - as above

    return Path(publicsuffixlist.PSLFILE).read_text(encoding="utf-8")


def _readable(label: str) -> str:
    """A label as the list writes it."""
    if not label.startswith("xn--"):
        return label
    try:
        return label.encode("ascii").decode("idna")
    except UnicodeError:
        return label
