"""The one command that helps most from here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from deliverkit.model import shown
from deliverkit.render.text.sheet import Sheet
from deliverkit.report import TargetReport
from deliverkit.report.smtp import EndpointReport, SmtpReport

_INDENT: Final = 6
_SUBMISSION: Final = (465, 587, 2525)

Hint = tuple[str, str]
"""What to type, and what for."""


def write_next(sheet: Sheet, target: TargetReport, command: str, *, asked: bool) -> None:
    """The hint, where there is one. `asked`: a resolver was asked."""
    found = hint(target, command, asked=asked) if target.role != "nonexistent" and target.error is None else None
    if found is None:
        return
    typed, why = found
    if sheet.cells((typed, why)) + 10 <= sheet.look.width:
        sheet.line(("Next  ", "bold"), typed, "   ", (why, "dim"))
    else:
        sheet.line(("Next  ", "bold"), typed)
        sheet.line((why, "dim"), indent=_INDENT)


def hint(target: TargetReport, command: str, *, asked: bool) -> Hint | None:
    """The command that helps most from here, and what for."""
    name = shown(target.target)
    if command == "smtp":
        return _after_sessions(target, name)
    rules = {finding.rule for finding in target.findings}
    wrong = {finding.area for finding in target.findings if finding.severity != "notice"}
    if asked and target.inconclusive and target.verdict != "fail":
        return "deliverkit doctor", "is it this machine's resolver that cannot tell?"
    if command == "check":
        deeper = _deeper(name, wrong)
        if deeper is not None:
            return deeper
    if "dkim-selector-unknown" in rules:
        return f"deliverkit dkim {name} --selector NAME", "NAME stands in a sent message's DKIM-Signature, as s="
    return _onwards(target, command, name)


def _deeper(name: str, wrong: set[str]) -> Hint | None:
    """The area's own command, for what `check` found there."""
    for area, why in (
        ("dnssec", "where the chain of signatures breaks"),
        ("spf", "the include tree, with what each term costs"),
        ("dmarc", "the policy that receivers apply, and where it was found"),
        ("mta-sts", "the policy, the host that serves it, and the servers it covers"),
        ("dane", "every TLSA record, and whether DNSSEC secures it"),
    ):
        if area in wrong:
            return f"deliverkit {area} {name}", why
    return None


def _onwards(target: TargetReport, command: str, name: str) -> Hint | None:
    if command == "mta-sts":
        held = target.facts.mta_sts is not None and target.facts.mta_sts.mode is not None
        return (f"deliverkit smtp --mx {name}", "do your servers keep what the policy promises?") if held else None
    if command == "dane":
        return _after_dane(target, name)
    if target.role != "mail" or command in ("mx", "tls-rpt", "dnssec"):
        return None
    if command == "check":
        return f"deliverkit smtp --mx {name}", "test the servers that take your mail"
    return f"deliverkit spf {name} --ip ADDRESS", "may this server send for the domain?"


def _after_dane(target: TargetReport, name: str) -> Hint | None:
    known = target.facts.dane
    states = {host.state for host in known.hosts} if known is not None else set()
    if "protected" in states:
        return f"deliverkit smtp --mx {name}", "do your servers present what the TLSA records name?"
    if "none" in states:
        return f"deliverkit smtp --mx {name} -v", "each server's key as a TLSA record 3 1 1 would name it"
    return None


def _after_sessions(target: TargetReport, name: str) -> Hint | None:
    known = target.facts.smtp
    if known is None or not known.endpoints:
        return None
    by_mx = all(endpoint.host != name for endpoint in known.endpoints)
    typed = f"deliverkit smtp {'--mx ' if by_mx else ''}{name}"
    found = _of_finding(target, known, typed)
    if found is None and by_mx:
        found = _of_policy(target, name)
    if found is None and target.verdict != "fail":
        found = _untried(known, typed, by_mx=by_mx)
    return found


def _of_finding(target: TargetReport, known: SmtpReport, typed: str) -> Hint | None:
    rules = {finding.rule for finding in target.findings}
    if "auth-login-refused" in rules:
        port = next((endpoint.port for endpoint in known.endpoints if endpoint.auth.login == "refused"), 587)
        return f"{typed} --port {port} --user NAME --mechanism PLAIN", "another mechanism, the same password"
    if any(rule.startswith("tls-certificate-") for rule in rules if _counts(target, rule)):
        return f"{typed} --expect-certificate FILE", "once it is renewed: is the new one served?"
    if "tls-protocol-obsolete" in rules and not _scanned(known):
        return f"{typed} --tls-scan", "which TLS versions does it take?"
    return None


def _of_policy(target: TargetReport, name: str) -> Hint | None:
    wrong = {finding.area for finding in target.findings if finding.severity != "notice"}
    if "dane" in wrong:
        return f"deliverkit dane {name}", "every TLSA record, and whether DNSSEC secures it"
    if "mta-sts" in wrong:
        return f"deliverkit mta-sts {name}", "the policy, the host that serves it, and the servers it covers"
    return None


def _counts(target: TargetReport, rule: str) -> bool:
    return any(finding.rule == rule and finding.severity != "notice" for finding in target.findings)


def _scanned(known: SmtpReport) -> bool:
    return any(endpoint.tls is not None and endpoint.tls.scan for endpoint in known.endpoints)


def _untried(known: SmtpReport, typed: str, *, by_mx: bool) -> Hint | None:
    """What the run did not test."""
    ready = _ready(known.endpoints)
    if ready is not None:
        return f"{typed} --port {ready} --user NAME", "can your application log in?"
    if by_mx and not _scanned(known) and any(endpoint.tls is not None for endpoint in known.endpoints):
        return f"{typed} --tls-scan", "do they still take TLS versions that are broken?"
    return None


def _ready(endpoints: Sequence[EndpointReport]) -> int | None:
    """A submission port whose login was not asked for, and that has AUTH inside TLS."""
    if any(endpoint.auth.login != "not-tried" or endpoint.auth.why for endpoint in endpoints):
        return None
    offering = [endpoint.port for endpoint in endpoints if endpoint.tls is not None and endpoint.auth.after_tls]
    return next((port for port in _SUBMISSION if port in offering), None)
