"""Asks dkimpy's own loader whether it takes a key, as a verifier would."""

from __future__ import annotations

from deliverkit.records.dkim import KeyRecord


def refusal(record: KeyRecord) -> str | None:
    """Why dkimpy refuses the record, None where it takes it. Only records within our own bounds are shown to it."""
    if record.key is None or record.key.problem is not None:
        return None
    import dkim  # noqa: PLC0415 - loads NaCl and a resolver: only where there is a key to judge

    try:
        dkim.evaluate_pk(b"", record.text.encode("utf-8", "backslashreplace"))
    except Exception as error:  # noqa: BLE001 - it raises ValueError, AssertionError, binascii.Error and its own
        return type(error).__name__
    return None
