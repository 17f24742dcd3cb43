"""Text for people: the verdict first, then what hurts most, the fix, what could not be told, what next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deliverkit.render.text.page import render
    from deliverkit.render.text.sheet import Look

__all__ = ["Look", "render"]

_HOMES = {"Look": "deliverkit.render.text.sheet", "render": "deliverkit.render.text.page"}


def __getattr__(name: str) -> Any:
    """What `__all__` names, imported when first used: a sheet alone needs no report (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib  # noqa: PLC0415 - as said

    return getattr(importlib.import_module(home), name)
