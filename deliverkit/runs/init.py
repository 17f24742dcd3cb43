"""A first configuration out of what is published.

The domains are checked as they are, then once more with the draft as the expected state: whatever that finds beside
what was found before is left out of the draft. So the file that is written brings no finding of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from deliverkit.config import values
from deliverkit.config.draft import Draft, config_of
from deliverkit.model import Inputs, Severity
from deliverkit.report import TargetReport
from deliverkit.runs.check import check
from deliverkit.runs.expected import with_expected
from deliverkit.runs.options import RunError, RunOptions

_ROUNDS: Final = 3
_KEYS: Final = {
    "mx": ("mx", "role"),
    "dkim": ("dkim_selectors", "dkim_cnames"),
    "dmarc": ("dmarc",),
    "mta-sts": ("mta_sts",),
    "spf": ("role",),
}
"""By area: the keys whose expectations its rules judge."""


class UndeterminedError(RunError):
    """Where a domain's mail goes could not be told: there is nothing to write about it."""


def drafted(requests: tuple[Inputs, ...], options: RunOptions) -> tuple[Draft, ...]:
    """A draft for each domain. Raises `RunError` for one that does not exist, or of which nothing could be told."""
    before = check(requests, options)
    drafts = tuple(_draft(target) for target in before.targets)
    for _ in range(_ROUNDS):
        config = config_of(drafts)
        after = check(tuple(with_expected(request, config) for request in requests), options)
        kept = tuple(
            _without(draft, _new(one, other))
            for draft, one, other in zip(drafts, before.targets, after.targets, strict=True)
        )
        if kept == drafts:
            break
        drafts = kept
    return drafts


def _draft(target: TargetReport) -> Draft:
    if target.error is not None:
        raise RunError(f"{target.target}: {target.error}")
    if target.role == "nonexistent":
        raise RunError(f"{target.target} does not exist (NXDOMAIN): nothing was written")
    facts = target.facts
    if facts.mx is None or facts.mx.null is None:
        why = facts.mx.unknown if facts.mx is not None else next((each.why for each in target.inconclusive), None)
        raise UndeterminedError(f"{target.target}: {why or 'its MX could not be determined'}; nothing was written")
    keys = [selector for selector in (facts.dkim.selectors if facts.dkim else ()) if selector.record]
    names = [selector.selector for selector in keys if not (selector.revoked or selector.wildcard)]
    hosts = tuple(sorted({host.host for host in facts.mx.hosts})) if not facts.mx.null else ()
    unclear = {each.area for each in target.inconclusive}
    return Draft(
        domain=target.target,
        role="parked" if target.role == "parked" else "mail" if hosts else None,
        mx=hosts if all(_is(values.domain, host) for host in hosts) and facts.mx.hosts_published <= len(hosts) else (),
        dkim_selectors=tuple(sorted(name for name in names if _is(values.selector, name))),
        dkim_cnames={
            selector.selector: selector.cname
            for selector in keys
            if selector.selector in names and selector.cname is not None and _is(values.domain, selector.cname)
        },
        dmarc=facts.dmarc.policy if facts.dmarc else None,
        mta_sts=facts.mta_sts.mode if facts.mta_sts and facts.mta_sts.valid else None,
        untold=tuple(key for area, keys in _KEYS.items() if area in unclear for key in keys),
    )


def _is(read: Callable[[object], str], value: str) -> bool:
    """Whether a name of a peer's is one that the configuration takes, and reads back as it is."""
    try:
        return read(value) == value
    except ValueError:
        return False


def _new(before: TargetReport, after: TargetReport) -> list[tuple[str, str]]:
    """What the draft brought: area and subject of each finding that is new or graver, and of what became unclear."""
    ranks = {found.fingerprint: Severity(found.severity).rank for found in before.findings}
    unclear = {each.rule for each in before.inconclusive}
    return [
        *(
            (found.area, found.subject)
            for found in after.findings
            if Severity(found.severity).rank < ranks.get(found.fingerprint, len(Severity))
        ),
        *((each.area, "") for each in after.inconclusive if each.rule not in unclear),
    ]


def _without(draft: Draft, brought: Sequence[tuple[str, str]]) -> Draft:
    """The draft without what brought findings: of selectors the ones that they are about."""
    changes: dict[str, object] = {}
    selectors = [subject for area, subject in brought if area == "dkim"]
    if selectors:
        culprits = {name for name in draft.dkim_selectors if any(_about(subject, name) for subject in selectors)}
        gone = culprits or set(draft.dkim_selectors)
        changes["dkim_selectors"] = tuple(name for name in draft.dkim_selectors if name not in gone)
        changes["dkim_cnames"] = {name: to for name, to in draft.dkim_cnames.items() if name not in gone}
    for area in {area for area, _ in brought} - {"dkim"}:
        for key in _KEYS.get(area, ()):
            changes[key] = () if key == "mx" else None
    return msgspec.structs.replace(draft, **changes)


def _about(subject: str, selector: str) -> bool:
    return subject == selector or subject.startswith(f"{selector}._domainkey") or f"{selector} " in subject


def summary(draft: Draft) -> Iterable[str]:
    """What a draft says, in words."""
    if draft.role == "parked":
        yield "parked"
    if draft.mx:
        yield f"{len(draft.mx)} mail host{'s' if len(draft.mx) > 1 else ''}"
    if draft.senders:
        yield f"senders {', '.join(draft.senders)}"
    if draft.dkim_selectors:
        yield f"DKIM {', '.join(draft.dkim_selectors)}"
    if draft.dmarc:
        yield f"DMARC {draft.dmarc}"
    if draft.mta_sts:
        yield f"MTA-STS {draft.mta_sts}"
    if draft.untold:
        yield "the rest could not be determined"
