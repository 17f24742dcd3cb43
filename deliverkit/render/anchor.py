"""Where a finding is shown by formats that want every one in a file.

GitHub refuses a whole SARIF file when one result has no location, GitLab a report without a path. A live finding stands
at its domain's line in the configuration; where there is none, at the first line of the file that there would be.
"""

from __future__ import annotations

from typing import Final

from deliverkit.render.entries import Entry
from deliverkit.report.document import Location

ANCHOR: Final = Location(path="deliverkit.toml", line=1)


def located(entry: Entry) -> Location:
    """The entry's place, or the anchor; the path relative, without `./`, lines from 1."""
    place = entry.place or ANCHOR
    path = place.path.removeprefix("./") or ANCHOR.path
    column = place.column if place.column is None else max(place.column, 1)
    return Location(path=path, line=max(place.line, 1), column=column)
