"""DMARC, MTA-STS, TLS-RPT, and the second opinion on them."""

from __future__ import annotations

from typing import Final

from deliverkit.render.tables.shape import Cell, Chapter, code, filled, listed, named, table
from deliverkit.report.dmarc import DmarcReport, ReportAddress, WalkReport
from deliverkit.report.mta_sts import MtaStsReport, PolicyFetch
from deliverkit.report.second_opinion import SecondOpinionReport
from deliverkit.report.tls_rpt import TlsRptReport

_STATES: Final = {
    "record": "✓ a DMARC record",
    "multiple": "✗ several DMARC records: all discarded",
    "none": "nothing",
    "other": "TXT, but no DMARC record",
    "unknown": "? could not be told",
}
_FETCHED: Final = {
    "refused": "✗ refused",
    "untrusted": "✗ certificate refused: nothing was asked",
    "tls-failed": "✗ no TLS",
    "broken": "✗ no HTTP response",
    "too-large": "✗ more than 64 KiB",
    "unknown": "? could not be told",
}
_COVERED: Final = {True: "✓ covered", False: "✗ not covered", None: "? cannot be told"}
_DAY: Final = 86_400
_RECORDS: Final = 4


def dmarc(facts: DmarcReport) -> Chapter:
    """What receivers apply, where it was found, and where reports go."""
    testing = " (t=y)" if facts.testing else ""
    applied = facts.record is not None
    summary = named(
        "DMARC",
        [
            ("record", code(facts.record) if facts.record is not None else None),
            (
                "found at",
                code(facts.found_at + (" (inherited)" if facts.inherited else "")) if facts.found_at else None,
            ),
            ("policy applied", f"{facts.policy or 'no DMARC'}{testing}" if applied else None),
            ("for subdomains", (facts.subdomain_policy or "unknown") if applied else None),
            ("for names that do not exist", (facts.nonexistent_policy or "unknown") if applied else None),
            ("organizational domain", code(facts.organizational_domain) if facts.organizational_domain else None),
            ("alignment", f"SPF {facts.alignment.spf}, DKIM {facts.alignment.dkim}" if facts.alignment else None),
            ("receivers on RFC 7489", _old(facts)),
        ],
    )
    walk = table("DMARC tree walk", ("name", "found"), [_step(step) for step in facts.walk], folded=applied)
    reports = table(
        "DMARC report addresses",
        ("tag", "address", "state"),
        [(address.tag, code(address.uri), _consent(address)) for address in facts.reports],
    )
    notes = () if applied else (f"Not determined: {facts.unknown}" if facts.unknown else "No DMARC record applies.",)
    return Chapter(title="DMARC", items=filled(summary, reports, walk), notes=notes)


def _old(facts: DmarcReport) -> str | None:
    old = facts.rfc7489
    if old is None:
        return None
    return f"{old.policy or 'no policy'}; organizational domain {old.organizational_domain or 'none'}"


def _step(step: WalkReport) -> tuple[Cell, Cell]:
    said = _STATES.get(step.state, step.state) if step.reached else "not asked by receivers: psd= below ends the walk"
    return code(step.name), Cell(f"{said}: {step.why}" if step.why else said)


def _consent(address: ReportAddress) -> str:
    if address.problem:
        return f"✗ {address.problem}"
    if address.authorized is None:
        return "? consent could not be told" if address.asked else "? not asked for"
    if not address.external:
        return "✓ same organisation"
    return "✓ has consented" if address.authorized else "✗ has not consented: no reports are sent"


def mta_sts(facts: MtaStsReport) -> Chapter:
    """The record, the policy, what the policy host answered, and the hosts covered."""
    days = f" ({facts.max_age / _DAY:.0f} days)" if facts.max_age is not None and facts.max_age >= _DAY else ""
    summary = named(
        "MTA-STS",
        [
            *(("record", code(record)) for record in facts.records[:_RECORDS]),
            ("policy", "from the file" if facts.from_file else None),
            ("mode", (facts.mode or "✗ unreadable") if facts.policy is not None else None),
            ("max_age", f"{facts.max_age} s{days}" if facts.max_age is not None else None),
            ("mx", code(" ".join(facts.mx)) if facts.mx else None),
        ],
    )
    fetches = table(
        "MTA-STS policy host",
        ("URL", "address", "answer", "certificate"),
        [(code(fetch.url), code(fetch.address), _answer(fetch), _certificate(fetch)) for fetch in facts.fetches],
    )
    covered = facts.hosts if facts.policy is not None and facts.mode != "none" else ()
    hosts = table("Mail hosts under the MTA-STS policy", ("host", "state"),
                  [(code(host.host), _COVERED[host.covered]) for host in covered])  # fmt: skip
    notes = () if facts.records else (f"Not determined: {facts.unknown}" if facts.unknown else "No MTA-STS record.",)
    return Chapter(title="MTA-STS", items=filled(summary, fetches, hosts), notes=notes)


def _answer(fetch: PolicyFetch) -> str:
    if fetch.outcome != "answered":
        said = _FETCHED.get(fetch.outcome, fetch.outcome)
        return f"{said}: {fetch.why}" if fetch.why else said
    kind = fetch.media_type or "no content type"
    return f"{fetch.status} {kind}" if fetch.location is None else f"{fetch.status}, to {fetch.location}"


def _certificate(fetch: PolicyFetch) -> Cell:
    found = fetch.certificate
    if found is None:
        return Cell("–")
    return code(f"{listed(found.names, 4) or 'no names'}; until {found.not_after}; {found.key}")


def tls_rpt(facts: TlsRptReport) -> Chapter:
    """The record, and where reports go."""
    summary = named(
        "TLS-RPT",
        [
            *(("record", code(record)) for record in facts.records[:_RECORDS]),
            ("reports to", code(listed(facts.rua)) if facts.rua else None),
        ],
    )
    notes = () if facts.records else (f"Not determined: {facts.unknown}" if facts.unknown else "No TLS-RPT record.",)
    return Chapter(title="TLS-RPT", items=filled(summary), notes=notes)


def second_opinion(facts: SecondOpinionReport) -> Chapter:
    """What another program makes of the same answers."""
    verdicts = (
        ("SPF", facts.spf),
        ("DMARC", facts.dmarc),
        ("MTA-STS record", facts.mta_sts),
        ("MTA-STS policy", facts.mta_sts_policy),
        ("TLS-RPT", facts.tls_rpt),
    )
    said = named(
        f"Second opinion: {facts.library} {facts.version}",
        [
            (area, "✓ valid" if found.valid else f"✗ not valid: {found.error or 'it does not say why'}")
            for area, found in verdicts
            if found is not None
        ],
    )
    return Chapter(title="Second opinion", items=filled(said), notes=facts.unknown[:_RECORDS])
