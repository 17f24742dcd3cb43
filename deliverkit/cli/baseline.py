"""`deliverkit baseline`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from typer import Option

from deliverkit.cli import terminal
from deliverkit.cli.declare import application
from deliverkit.cli.errors import UsageError
from deliverkit.cli.launch import Launch, read_baseline
from deliverkit.cli.options import Asking, Judging, Keys, Opinion, Running, Sending, Showing, Targets
from deliverkit.cli.outputs import known_format
from deliverkit.cli.targets import writable
from deliverkit.model import shown
from deliverkit.render.text.sheet import Look, Sheet
from deliverkit.render.text.words import count
from deliverkit.report import Report
from deliverkit.report.asked import Asked
from deliverkit.report.baseline import NAME, Baseline, Entry, Revision, encode, revised
from deliverkit.runs.baseline import save
from deliverkit.runs.options import CHECK_AREAS, RunError

_BUG: Final = 4
_WORD: Final = {"fail": 1, "inconclusive": 3, "pass": 0}


def baseline(  # noqa: PLR0913 - the options of the command, in bundles
    *,
    targets: Targets,
    update: Annotated[
        bool,
        Option("--update", help="Take out of the file what is found no more, and accept nothing new."),
    ] = False,
    keys: Keys,
    sending: Sending,
    opinion: Opinion,
    judging: Judging,
    asking: Asking,
    running: Running,
    showing: Showing,
) -> int:
    """Accept what is found today: from then on only what is new, or has become harder, fails."""
    form = known_format(showing.format)
    if showing.output:
        raise UsageError("baseline writes its own file, no -o; --baseline FILE says where")
    launch = Launch(
        command="baseline",
        areas=CHECK_AREAS,
        asking=asking,
        running=running,
        judging=judging,
        showing=showing,
        keys=keys,
        sending=sending,
        opinion=opinion,
    )
    settings = asking.settings
    named = judging.baseline or (Path(settings.baseline) if settings is not None and settings.baseline else None)
    path = named or Path(NAME)
    writable(path)
    there = path.exists() or path.is_symlink()
    if update and not there:
        raise UsageError(f"--update: {shown(str(path))} is not there yet: deliverkit baseline writes it")
    old = read_baseline(path) if there else Baseline()
    report = launch.judge(targets.domains)
    if any(target.error is not None for target in report.targets):
        terminal.say(f"deliverkit: {shown(str(path))} is left as it was")
        return _BUG
    revision = revised(old, report.targets, Asked(areas=CHECK_AREAS, gate=launch.gate()), accept=not update)
    if not there or revision.baseline != old:
        try:
            save(path, revision.baseline)
        except RunError as error:
            raise UsageError(str(error)) from error
    look = terminal.look(showing.color.value, verbose=showing.verbose, quiet=showing.quiet)
    if form == "json":
        terminal.write(encode(revision.baseline))
    else:
        terminal.write(_told(report, revision, old, path, look, used=named is not None))
    return _exit_code(report, launch)


def _exit_code(report: Report, launch: Launch) -> int:
    """0; or what `--inconclusive` says of what could not be determined, for it is in no baseline."""
    gate = launch.gate()
    words = {
        gate.on_inconclusive(entry.area)
        for target in report.targets
        for entry in target.inconclusive
        if gate.reached_by(entry.severity)
    }
    if gate.exit_zero:
        return 0
    return _WORD["fail"] if "fail" in words else _WORD["inconclusive"] if "report" in words else 0


def _told(report: Report, revision: Revision, old: Baseline, path: Path, look: Look, *, used: bool) -> str:
    """What became of the baseline, in words."""
    sheet = Sheet(look)
    entries = revision.baseline.findings
    domains = len({entry.domain for entry in entries})
    changed = " · ".join(
        f"{len(some)} {word}"
        for some, word in ((revision.new, "new"), (revision.gone, "found no more"), (revision.kept, "kept unseen"))
        if some
    )
    written = f"{count(len(entries), 'finding')} of {count(domains, 'domain')}" if entries else "no finding"
    sheet.prose(f"{shown(str(path))}: {written} accepted" + (f" ({changed})" if changed else ""))
    if not look.quiet:
        _list(sheet, "+", revision.new if old.findings or look.verbose else ())
        _list(sheet, "-", revision.gone)
    unclear = [target for target in report.targets if target.inconclusive]
    for target in unclear:
        rules = len({entry.rule for entry in target.inconclusive})
        sheet.prose(
            f"{shown(target.unicode)}: {count(rules, 'rule')} not determined; what the file holds of them stays "
            f"({shown(target.inconclusive[0].why)})",
            lead="? ",
            indent=0,
            hang=2,
        )
    files = [target for target in report.targets if target.about and target.findings]
    for target in files:
        sheet.prose(f"{shown(target.target)}: {count(len(target.findings), 'finding')} of its own, never accepted here")
    if not used and not look.quiet:
        sheet.blank()
        sheet.line(
            ("Next  ", "bold"),
            f"deliverkit check --baseline {shown(str(path))} …",
            ("   only what is new fails", "dim"),
        )
        sheet.prose(f'or baseline = "{shown(str(path))}" in deliverkit.toml', indent=6)
    return sheet.render()


def _list(sheet: Sheet, sign: str, entries: tuple[Entry, ...]) -> None:
    for entry in sorted(entries, key=lambda one: (one.weight(), one)):
        sheet.prose(
            f"{entry.severity} {shown(entry.rule)} of {shown(entry.subject)}", lead=f"{sign} ", indent=2, hang=4
        )


app = application(baseline, name="baseline")
