"""Zone files that would take the machine are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from deliverkit.dns.overlay import read_zones
from deliverkit.dns.zonetext import ZoneError


@pytest.mark.parametrize("span", ["$GENERATE 0-99999999", "$generate 1-999999999999999999999"])
def test_a_generate_bomb_is_refused(span: str, tmp_path: Path) -> None:
    path = tmp_path / "example.com.zone"
    path.write_text(f"$ORIGIN example.com.\n{span} h$ A 192.0.2.1\n")
    with pytest.raises(ZoneError, match=r":2: a \$GENERATE of more than"):
        read_zones((path,))


def test_an_endless_file_is_refused() -> None:
    with pytest.raises(ZoneError, match="larger than"):
        read_zones((Path("/dev/zero"),))
