"""What a receiver makes of a sender: SPF, DKIM and DMARC of one message."""

from __future__ import annotations

from typing import Final

from deliverkit.render.tables.shape import Chapter, code, filled, listed, named, table
from deliverkit.report.authentication import AuthenticationReport

_SIGNS: Final = {"pass": "✓ pass", "fail": "✗ fail", "unknown": "? not determined"}
_ALIGNED: Final = {True: "✓ aligned", False: "✗ not aligned", None: "–"}


def chapter(facts: AuthenticationReport) -> Chapter:
    """The results, as RFC 8601 names them."""
    dmarc = facts.dmarc
    whose = " ".join(part for part in (dmarc.domain, f"p={dmarc.policy}" if dmarc.policy else None) if part)
    summary = named(
        "Authentication",
        [
            ("From", code(dmarc.from_domain) if dmarc.from_domain else None),
            ("DMARC", _SIGNS.get(dmarc.result, dmarc.result)),
            ("policy of", code(whose) if whose else None),
            ("HELO", code(facts.helo) if facts.helo else None),
            ("handed to", code(facts.submitted) if facts.submitted else None),
        ],
    )
    spf = table(
        "SPF by sending address",
        ("address", "names", "domain", "result", "alignment"),
        [
            (code(one.address), code(listed(one.ptr) or "–"), code(one.domain or "–"),
             _SIGNS.get(one.result, one.result), _ALIGNED[one.aligned])
            for one in facts.spf
        ],
    )  # fmt: skip
    dkim = table(
        "DKIM signatures",
        ("domain", "selector", "result", "alignment"),
        [
            (code(one.domain), code(one.selector), _SIGNS.get(one.result, one.result), _ALIGNED[one.aligned])
            for one in facts.dkim
        ],
    )
    return Chapter(title="Authentication", items=filled(summary, spf, dkim))
