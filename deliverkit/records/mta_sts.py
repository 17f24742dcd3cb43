"""MTA-STS: the TXT record and the policy document (RFC 8461 §3.1, §3.2), with positions."""

from __future__ import annotations


def mx_covered(pattern: str, host: str) -> bool:
    """Whether a policy's `mx` pattern covers a mail host (RFC 8461 §4.1): `*.` stands for one label."""
    pattern, host = pattern.lower().removesuffix("."), host.lower().removesuffix(".")
    if pattern.startswith("*."):
        label, _, rest = host.partition(".")
        return bool(label) and rest == pattern[2:]
    return pattern == host
