"""Where the real servers listen."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Real(NamedTuple):
    """Where the servers listen, and the anchor for their certificate."""

    udp: str
    tls: str
    https: str
    nsd: str
    ca_file: Path
