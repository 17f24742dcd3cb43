"""What looks like a secret: a key that asks for one, a value that is one. Neither is ever shown."""

from __future__ import annotations

import re
from typing import Final

_KEY: Final = re.compile(
    r"pass(?:word|wd|phrase)?|pwd|secret|token|bearer|credentials?|(?:api|access|private|secret)[_-]?key", re.IGNORECASE
)
_HARMLESS: Final = re.compile(r"[_-](?:env|file)\Z", re.IGNORECASE)
_VALUES: Final = re.compile(
    r"""
      -----BEGIN[ ][A-Z ]*PRIVATE[ ]KEY            # PEM
    | \b[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@    # a URL with a password
    | \beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.  # a JSON Web Token
    | \bgh[pousr]_[A-Za-z0-9]{20,} | \bgithub_pat_[A-Za-z0-9_]{20,} | \bglpat-[A-Za-z0-9_-]{16,}
    | \bxox[abprs]-[A-Za-z0-9-]{10,} | \b(?:AKIA|ASIA)[A-Z0-9]{16}\b | \bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}
    | \bkey-[0-9a-f]{32}\b | \bsk[-_](?:live[-_])?[A-Za-z0-9]{20,} | \bAIza[A-Za-z0-9_-]{30,}
    | (?i:pass(?:word|wd|phrase)?|secret|token)\s*[=:]\s*\S{6,}
    """,
    re.VERBOSE,
)


def is_secret_key(key: str) -> bool:
    """Whether a key asks for a secret: `password`, `smtp_token`; not `password_env`, which names where it is."""
    if _HARMLESS.search(key):
        return False
    words = re.split(r"[_\-. ]+", key)
    return bool(_KEY.fullmatch(key)) or any(_KEY.fullmatch(word) for word in words)


def looks_secret(text: str) -> bool:
    """Whether a value looks like a password, a key or a token."""
    return _VALUES.search(text) is not None
