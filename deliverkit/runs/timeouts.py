"""How long runs may take by default: apart, for a command's help needs nothing else."""

from __future__ import annotations

from typing import Final

TIMEOUT: Final = 30.0
"""Seconds for a domain's records."""
SESSIONS_TIMEOUT: Final = 60.0
"""Seconds for a host's sessions."""
