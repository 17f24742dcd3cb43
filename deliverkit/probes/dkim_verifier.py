"""Asks dkimpy's own loader whether it takes a key, as a verifier would."""

from __future__ import annotations

import asyncio
import sys
from types import ModuleType

from deliverkit.records.dkim import KeyRecord


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
