"""An input explained, reply by reply, as it comes."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import Final

from deliverkit.replies.decode import decode
from deliverkit.replies.decoded import Decoded
from deliverkit.replies.inputs import Counts, Item, Kind, items

_REMEMBERED: Final = 2048
"""Replies that a log may repeat word for word without being decoded again."""
_SHORT: Final = 1024
"""Characters of a reply that is remembered: longer ones seldom come twice, and would fill the memory."""
_MAX_WHOLE: Final = 16_384


def explained(
    lines: Iterable[bytes], counts: Counts, *, provider: str | None = None, stage: str | None = None
) -> Iterator[tuple[Item, Decoded]]:
    """Each reply of an input with what it means; `stage` is that of replies whose input tells none.

    An input of one line is taken for a reply whatever it says.
    """

    def fresh(text: str, at: str | None, host: str | None) -> Decoded:
        return decode(text, stage=at, provider=provider, host=host)

    remembered = functools.lru_cache(maxsize=_REMEMBERED)(fresh)

    def known(text: str, at: str | None, host: str | None) -> Decoded:
        return (remembered if len(text) <= _SHORT else fresh)(text, at, host)

    found = False
    for item in items(lines, counts):
        found = True
        yield item, known(item.text, item.stage or stage, item.host)
    if not found and counts.plain:
        counts.skipped -= counts.skipped > 0
        item = Item(text=counts.plain.strip(), given=counts.plain, line=1, kind=Kind.TEXT)
        yield item, known(item.text, stage, None)


def explained_text(
    text: str, *, provider: str | None = None, stage: str | None = None
) -> Iterator[tuple[Item, Decoded]]:
    """The same for a text that somebody typed: where nothing in it looks like a reply, the whole is taken for one."""
    found = False
    for pair in explained(
        text.encode("utf-8", "backslashreplace").splitlines(True), Counts(), provider=provider, stage=stage
    ):
        found = True
        yield pair
    if not found:
        item = Item(text=text[:_MAX_WHOLE], given=text[:_MAX_WHOLE], line=1, kind=Kind.TEXT)
        yield item, decode(item.text, stage=stage, provider=provider)
