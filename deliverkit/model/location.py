"""Where in a file something stands."""

from __future__ import annotations

import msgspec


class Location(msgspec.Struct, frozen=True, kw_only=True):
    """Where in a file a finding stands; `line` from 1.

    `path` is relative to the working directory, with forward slashes and no `./`.
    """

    path: str
    line: int
    column: int | None = None
