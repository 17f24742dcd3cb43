"""Replies that say the same, whatever address, queue id or number is in them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Generic, TypeVar

_MOST: Final = 400
"""Characters of a reply by which it is compared."""
_ADDRESS: Final = re.compile(r"<?[^\s<>@\"'(),:]{1,64}@[^\s<>@\"'(),]{1,255}>?")
_IP: Final = re.compile(
    r"\[?\b\d{1,3}(?:\.\d{1,3}){3}\b\]?|\[?\b[0-9A-Fa-f]{1,4}:(?:[0-9A-Fa-f]{0,4}:){1,6}[0-9A-Fa-f]{0,4}\]?", re.ASCII
)
_WITH_DIGIT: Final = re.compile(r"[^\s\d]*\d\S*", re.ASCII)
_KEPT: Final = re.compile(
    r"[\W_]*(?:[2-5]\d\d[- ]?#?(?:[245]\.\d{1,3}\.\d{1,3})?|[245]\.\d{1,3}\.\d{1,3}|"
    r"[A-Z]{1,6}[-_]?[A-Z]{0,6}\d{1,5})[\W_]*",
    re.ASCII,
)
"""Words with digits that say what is meant: codes, and what providers number their refusals by (`S3150`, `TSS04`)."""
_URL: Final = re.compile(r"(https?://[^\s/?#]{1,255}[^\s?#]{0,80})\S*")

Key = TypeVar("Key")


def alike(text: str) -> str:
    """The reply with what differs from one message to the next taken out."""
    text = _URL.sub(r"\1", " ".join(text[:_MOST].split()))
    text = _ADDRESS.sub("<…>", text)
    text = _IP.sub("[…]", text)
    return _WITH_DIGIT.sub(_token, text)


def _token(match: re.Match[str]) -> str:
    word = match[0]
    return word if _KEPT.fullmatch(word) or word.startswith(("http:", "https:")) else "…"


class Tally(Generic[Key]):
    """Counts what comes most, in bounded space: where it is full, what came least makes room and is only counted."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._counts: dict[Key, int] = {}
        self.others = 0

    def add(self, key: Key) -> None:
        """Counts one more."""
        self._counts[key] = self._counts.get(key, 0) + 1
        if len(self._counts) > 2 * self._limit:
            kept = self.most(self._limit)
            self.others += sum(self._counts.values()) - sum(count for _, count in kept)
            self._counts = dict(kept)

    def most(self, number: int | None = None) -> list[tuple[Key, int]]:
        """What came most, the first first among equals."""
        return sorted(self._counts.items(), key=lambda entry: -entry[1])[:number]

    def __len__(self) -> int:
        return len(self._counts)

    def merged(self, others: Iterable[tuple[Key, int]]) -> None:
        """Takes over another's counts."""
        for key, count in others:
            self._counts[key] = self._counts.get(key, 0) + count
