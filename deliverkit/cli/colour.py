"""When to colour: apart, for a command that asks nobody needs no other of the shared options."""

from __future__ import annotations

import enum


class Colour(enum.StrEnum):
    """When to colour."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"
