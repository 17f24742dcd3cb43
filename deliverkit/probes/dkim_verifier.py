"""Asks dkimpy's own loader whether it takes a key, as a verifier would."""

from __future__ import annotations

import asyncio
import re
import sys
from types import ModuleType
from typing import Final

from deliverkit.records.dkim import KeyRecord

_MOST_OCTETS: Final = 16 * 1024 * 1024
_MANY_BLANKS: Final = re.compile(rb"[ \t]{2000}")
"""Such runs cost dkimpy their length squared."""


def library() -> ModuleType:
    """Load dkimpy with its own DNS shut off: it is fed and asks nobody, and its resolver takes 200 ms to load."""
    name = "dkim.dnsplug"
    if name not in sys.modules:
        plug = ModuleType(name)
        plug.get_txt = _asks_nobody  # type: ignore[attr-defined]
        sys.modules[name] = plug
    import dkim  # noqa: PLC0415 - loads NaCl: only where there is a key to judge

    module: ModuleType = dkim
    return module


async def loaded() -> None:
    """Loads dkimpy in a thread: that takes a while, for which no other answer need wait."""
    if "dkim" not in sys.modules:
        await asyncio.to_thread(library)


def _asks_nobody(*_: object, **__: object) -> None:
    raise RuntimeError("dkimpy asked the DNS itself")


def refusal(record: KeyRecord) -> str | None:
    """Why dkimpy refuses the record, None where it takes it. Only records within our own bounds are shown to it."""
    if record.key is None or record.key.problem is not None:
        return None
    try:
        library().evaluate_pk(b"", record.text.encode("utf-8", "backslashreplace"))
    except Exception as error:  # noqa: BLE001 - it raises ValueError, AssertionError, binascii.Error and its own
        return type(error).__name__
    return None


def verifies(message: bytes, place: int, name: str, text: str) -> bool | None:
    """Whether the signature of a message at this place, counted from the top, verifies with the key record `text`.

    None: the message is too costly to look at, or that signature's key is at another name.
    """
    if len(message) > _MOST_OCTETS or _MANY_BLANKS.search(message):
        return None
    asked: list[str] = []

    def answer(at: bytes, **_: object) -> bytes:
        asked.append(at.decode("ascii", "replace").lower().rstrip("."))
        return text.encode("utf-8", "backslashreplace")

    try:
        good = library().DKIM(message).verify(idx=place, dnsfunc=answer)
    except Exception:  # noqa: BLE001 - it raises its own, ValueError, AssertionError and what a damaged field brings
        good = False
    return None if asked and asked[-1] != name else bool(good)
