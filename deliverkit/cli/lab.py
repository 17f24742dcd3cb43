"""`deliverkit lab`."""

from __future__ import annotations

from deliverkit.cli.declare import application


def lab() -> int:
    """Serve the embedded world on loopback until interrupted."""
    return 0


app = application(lab, name="lab")
