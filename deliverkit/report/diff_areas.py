"""What changes of the areas other than SPF, and all of a target's changes together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from deliverkit.report.dane import DaneHostReport, DaneReport
from deliverkit.report.diff_change import Change, listed
from deliverkit.report.diff_spf import Passing, spf_changes
from deliverkit.report.dkim import DkimReport, SelectorReport
from deliverkit.report.dmarc import DmarcReport
from deliverkit.report.document import TargetReport
from deliverkit.report.mta_sts import MtaStsReport
from deliverkit.report.mx import MxReport
from deliverkit.report.tls_rpt import TlsRptReport

_POLICY: Final = ("none", "quarantine", "reject")
_PROTECTED: Final = "protected"


def changes_of(
    before: TargetReport,
    after: TargetReport,
    *,
    passing: tuple[Passing, Passing],
    keys: tuple[DkimReport | None, DkimReport | None],
) -> Iterator[Change]:
    """Every consequence for one target."""
    if (before.role == "nonexistent") != (after.role == "nonexistent"):
        yield _existence(gone=after.role == "nonexistent")
    old, new = before.facts, after.facts
    if old.mx is not None and new.mx is not None:
        yield from _mx(old.mx, new.mx)
    if old.spf is not None and new.spf is not None:
        yield from spf_changes(old.spf, new.spf, passing)
    if keys[0] is not None and keys[1] is not None:
        yield from _dkim(keys[0], keys[1])
    if old.dmarc is not None and new.dmarc is not None and old.dmarc.unknown is None and new.dmarc.unknown is None:
        yield from _dmarc(old.dmarc, new.dmarc)
    if old.mta_sts is not None and new.mta_sts is not None:
        yield from _mta_sts(old.mta_sts, new.mta_sts)
    if old.tls_rpt is not None and new.tls_rpt is not None:
        yield from _tls_rpt(old.tls_rpt, new.tls_rpt)
    if old.dane is not None and new.dane is not None:
        yield from _dane(old.dane, new.dane)


def _existence(*, gone: bool) -> Change:
    there = "the domain exists"
    return Change(
        area="dns",
        before=there if gone else None,
        after=None if gone else there,
        consequence="the domain no longer exists: no mail reaches it, and none of its own is taken" if gone else there,
        severity="error" if gone else "notice",
    )


def _mx(before: MxReport, after: MxReport) -> Iterator[Change]:
    if before.null is None or after.null is None:
        return
    old, new = ({host.host: host.preference for host in report.hosts} for report in (before, after))
    shown_before, shown_after = _hosts(before), _hosts(after)

    def change(consequence: str, severity: str = "notice") -> Change:
        return Change(area="mx", before=shown_before, after=shown_after, consequence=consequence, severity=severity)

    if after.null and not before.null:
        yield change("a null MX: the domain takes no mail any more", "error")
        return
    if before.null and not after.null:
        yield change("the null MX goes: the domain takes mail" if new else "the null MX goes")
        return
    gone = [host for host in old if host not in new]
    added = [host for host in new if host not in old]
    if old and not new:
        fallback = "it goes to the domain's own address" if after.implicit else "nothing takes the domain's mail"
        yield change(f"no MX is left ({listed(gone)} went): {fallback}", "error")
        return
    if gone:
        yield change(f"mail no longer goes to {listed(gone)}", "warning")
    if added:
        yield change(f"mail goes to {listed(added)}, too" if old and not gone else f"mail goes to {listed(added)}")
    moved = [host for host in new if host in old and old[host] != new[host]]
    if moved:
        first = min(new.values(), default=0)
        yield change(
            f"the mail hosts' order changes: {listed([f'{host} from {old[host]} to {new[host]}' for host in moved])}; "
            f"the first is {listed([host for host in new if new[host] == first])}"
        )


def _hosts(report: MxReport) -> str | None:
    return ", ".join(f"{host.preference} {host.host or '.'}" for host in report.hosts[:8]) or (
        "0 ." if report.null else None
    )


def _dkim(before: DkimReport, after: DkimReport) -> Iterator[Change]:
    old, new = ({selector.selector: selector for selector in report.selectors} for report in (before, after))
    for name in dict.fromkeys((*old, *new)):
        one, other = old.get(name), new.get(name)
        if any(selector is not None and selector.unknown is not None for selector in (one, other)):
            continue
        yield from _selector(name, one, other)


def _selector(name: str, one: SelectorReport | None, other: SelectorReport | None) -> Iterator[Change]:
    was, now = (selector.record if selector is not None else None for selector in (one, other))

    def change(consequence: str, severity: str = "notice") -> Change:
        return Change(area="dkim", before=was, after=now, consequence=consequence, severity=severity)

    if was is None and now is None:
        return
    if was is None and other is not None:
        yield change(
            f"the key of selector {name} is published" + (" (revoked: its p= is empty)" if other.revoked else "")
        )
    elif now is None:
        yield change(f"mail signed with selector {name} stops verifying: its key goes", "error")
    elif one is not None and other is not None:
        if other.revoked and not one.revoked:
            yield change(f"mail signed with selector {name} stops verifying: its key is revoked", "error")
        elif _key(was) != _key(now):
            bits = f" ({one.key_bits} → {other.key_bits} bits)" if one.key_bits != other.key_bits else ""
            yield change(
                f"the key of selector {name} changes{bits}: what is signed with the old one stops verifying", "warning"
            )
        elif other.testing != one.testing:
            yield change(
                f"selector {name} is marked as a test (t=y): receivers may take its mail for unsigned"
                if other.testing
                else f"selector {name} is no test any more",
                "warning" if other.testing else "notice",
            )
        if other.damage and not one.damage:
            yield change(f"the key of selector {name} is damaged: {listed(other.damage)}", "error")


def _key(record: str | None) -> str:
    """What is in p=, without the spaces that mean nothing."""
    tags = (part.partition("=") for part in (record or "").split(";"))
    return next(("".join(value.split()) for name, _, value in tags if name.strip() == "p"), "")


def _dmarc(before: DmarcReport, after: DmarcReport) -> Iterator[Change]:
    def change(consequence: str, severity: str = "notice") -> Change:
        return Change(
            area="dmarc", before=before.record, after=after.record, consequence=consequence, severity=severity
        )

    if before.record is not None and after.record is None:
        yield change("no DMARC record applies any more: receivers check nothing, and send no report", "error")
        return
    kinds: tuple[tuple[str, str], ...] = (
        ("policy", "mail that fails DMARC"),
        ("subdomain_policy", "mail of subdomains that fails DMARC"),
        ("nonexistent_policy", "mail of names that do not exist"),
    )
    if any(step.state == "unknown" for report in (before, after) for step in report.walk):
        kinds = kinds[:1]  # what holds for names below may stand where nobody could tell
    said: set[tuple[str | None, str | None]] = set()
    for field, who in kinds:
        old, new = getattr(before, field), getattr(after, field)
        if old == new or (old, new) in said:
            continue
        said.add((old, new))
        weaker = _strength(new) < _strength(old)
        way = "weaker" if weaker else "stronger"
        yield change(
            f"the DMARC policy for {who} gets {way}: {old or 'no policy'} → {new or 'no policy'}",
            ("error" if field == "policy" and new is None else "warning") if weaker else "notice",
        )
    yield from _alignment(before, after)
    old, new = ({(item.tag, item.uri) for item in report.reports} for report in (before, after))
    lost = sorted(old - new)
    if lost:
        left = (
            "no aggregate report comes any more"
            if any(tag == "rua" for tag, _ in old) and not any(tag == "rua" for tag, _ in new)
            else ""
        )
        words = f"DMARC reports no longer go to {listed([f'{uri} ({tag})' for tag, uri in lost])}"
        yield change(f"{words}: {left}" if left else words, "warning")
    if new - old:
        yield change(f"DMARC reports go to {listed([f'{uri} ({tag})' for tag, uri in sorted(new - old)])}")


def _alignment(before: DmarcReport, after: DmarcReport) -> Iterator[Change]:
    if before.alignment is None or after.alignment is None:
        return
    for kind in ("spf", "dkim"):
        old, new = getattr(before.alignment, kind), getattr(after.alignment, kind)
        if old != new:
            also = "no longer" if new == "strict" else "also"
            yield Change(
                area="dmarc",
                before=f"{kind} {old}",
                after=f"{kind} {new}",
                consequence=f"DMARC takes {kind.upper()} of a subdomain {also} as aligned",
                severity="warning" if new == "strict" else "notice",
            )


def _strength(policy: str | None) -> int:
    return _POLICY.index(policy) if policy in _POLICY else -1


def _mta_sts(before: MtaStsReport, after: MtaStsReport) -> Iterator[Change]:
    if before.unknown is not None or after.unknown is not None:
        return

    def change(consequence: str, severity: str = "notice", *, old: str | None = None, new: str | None = None) -> Change:
        return Change(area="mta-sts", before=old, after=new, consequence=consequence, severity=severity)

    if before.record and not after.record:
        yield change(
            "the MTA-STS record goes: new senders no longer ask for verified TLS", "warning", old=before.record
        )
    elif after.record and not before.record:
        yield change("an MTA-STS record is published: senders fetch the policy", new=after.record)
    if before.mode != after.mode and (before.record or after.record):
        weaker = before.mode == "enforce"
        yield change(
            f"the mode of MTA-STS changes: {before.mode or 'no usable policy'} → {after.mode or 'no usable policy'}",
            "warning" if weaker else "notice",
            old=before.mode,
            new=after.mode,
        )
    if before.policy and after.policy and before.policy != after.policy and before.id == after.id:
        yield change(
            "the MTA-STS policy changes and its id does not: senders keep the old one",
            "warning",
            old=before.id,
            new=after.id,
        )
    uncovered = [host.host for host in after.hosts if host.covered is False]
    fresh = [host for host in uncovered if host not in {each.host for each in before.hosts if each.covered is False}]
    if fresh:
        enforced = after.mode == "enforce"
        ends = (
            "senders that keep to MTA-STS do not deliver there"
            if enforced
            else "senders report it, and in mode enforce would not deliver"
        )
        yield change(
            f"the MTA-STS policy does not cover {listed(fresh)}: {ends}",
            "error" if enforced else "warning",
            old=", ".join(before.mx) or None,
            new=", ".join(after.mx) or None,
        )


def _tls_rpt(before: TlsRptReport, after: TlsRptReport) -> Iterator[Change]:
    if before.unknown is not None or after.unknown is not None:
        return
    lost = [uri for uri in before.rua if uri not in after.rua]
    added = [uri for uri in after.rua if uri not in before.rua]
    if lost:
        yield Change(
            area="tls-rpt",
            before=before.record,
            after=after.record,
            consequence=f"TLS reports no longer go to {listed(lost)}",
            severity="warning" if not after.rua else "notice",
        )
    if added:
        yield Change(
            area="tls-rpt", before=before.record, after=after.record, consequence=f"TLS reports go to {listed(added)}"
        )


def _dane(before: DaneReport, after: DaneReport) -> Iterator[Change]:
    if before.unknown is not None or after.unknown is not None:
        return
    old = {host.name: host for host in before.hosts}
    for host in after.hosts:
        was = old.get(host.name)
        if was is None or was.unknown or host.unknown or was.state is None or host.state is None:
            continue
        one, other = _records(was), _records(host)
        if one == other and was.state == host.state:
            continue
        lost = [record for record in one if record not in other]
        added = [record for record in other if record not in one]
        if was.state == _PROTECTED and host.state != _PROTECTED:
            words, severity = f"DANE no longer protects mail to {host.host}", "warning"
        elif host.state == _PROTECTED and was.state != _PROTECTED:
            words, severity = f"DANE protects mail to {host.host}: its certificate has to match from now on", "notice"
        elif lost and not set(one) & set(other):
            words = (
                f"every TLSA record of {host.host} is replaced: senders defer until its certificate matches a new one"
            )
            severity = "warning"
        else:
            parts = [f"{len(group)} {verb}" for group, verb in ((added, "added"), (lost, "removed")) if group]
            words, severity = f"the TLSA records of {host.host} change: {listed(parts)}", "notice"
        yield Change(
            area="dane",
            before=" | ".join(one) or None,
            after=" | ".join(other) or None,
            consequence=words,
            severity=severity,
        )


def _records(host: DaneHostReport) -> list[str]:
    return sorted(f"{record.usage} {record.selector} {record.matching} {record.data}" for record in host.records)
