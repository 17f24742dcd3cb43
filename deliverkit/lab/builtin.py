"""The worlds that come with the package: one small internet of examples.

`healthy.example` is in order, `broken.example` has the faults people meet, `spoofable.example` lets
anybody write in its name, `parked.example` takes and sends no mail; `vendors.world` holds the services
they use.
"""

from __future__ import annotations

from importlib import resources

_FOLDER = "deliverkit.lab.worlds"


def names() -> tuple[str, ...]:
    """The worlds' names, without `.world`."""
    found = (entry.name for entry in resources.files(_FOLDER).iterdir() if entry.name.endswith(".world"))
    return tuple(sorted(name.removesuffix(".world") for name in found))


def world(name: str) -> str:
    """One world's text. Raises FileNotFoundError."""
    return resources.files(_FOLDER).joinpath(f"{name}.world").read_text("utf-8")


def worlds_text() -> str:
    """All of them as one world."""
    return "".join(f"[zone]\n$ORIGIN .\n{world(name)}\n" for name in names())
