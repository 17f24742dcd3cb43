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


@pytest.mark.parametrize("text", ["", "\n", "; all was here once\n$ORIGIN example.com.\n  $ttl 300\n"])
def test_a_file_without_a_record_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "example.com.zone"
    path.write_text(text)
    with pytest.raises(ZoneError, match="holds no record"):
        read_zones((path,))


def test_one_record_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "example.com.zone"
    path.write_text("; nothing\n@ A 192.0.2.1 ; one\n")
    read_zones((path,))
