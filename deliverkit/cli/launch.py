"""From a command's options to its run and its output: what `check` and the area commands share."""

from __future__ import annotations

import ipaddress
import os
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec

from deliverkit.cli import terminal
from deliverkit.cli.errors import UsageError, nearest
from deliverkit.cli.main import bug
from deliverkit.cli.options import Asking, Configuring, Judging, Keys, Network, Opinion, Running, Sending, Showing
from deliverkit.cli.outputs import NAGIOS, REPORTS, known_format, parsed, plugin, publish, streams_of
from deliverkit.cli.targets import domains, read_file, writable
from deliverkit.dns.options import DnsOptions, DnsOptionsError, parse_connect_to, parse_resolver
from deliverkit.model import AREAS, Inputs, escaped, shown
from deliverkit.model.gate import Gate, OnInconclusive
from deliverkit.render.text.sheet import Look
from deliverkit.runs import ahead
from deliverkit.runs import check as runs
from deliverkit.runs.expected import with_expected
from deliverkit.runs.options import RunError, RunOptions

if TYPE_CHECKING:
    from deliverkit.config.settings import Config
    from deliverkit.render.formats import View
    from deliverkit.report import Report
    from deliverkit.report.baseline import Baseline
    from deliverkit.smtp.secret import Secret

_MAX_KEY = 64 * 1024
_MAX_POLICY = 64 * 1024
_MAX_TIMEOUT = 86_400.0
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")


@dataclass(frozen=True)
class Launch:
    """A command, and every bundle it was given."""

    command: str
    areas: tuple[str, ...]
    asking: Asking
    running: Running
    judging: Judging
    showing: Showing
    keys: Keys | None = None
    sending: Sending | None = None
    opinion: Opinion | None = None
    policy: Path | None = None
    """An MTA-STS policy to judge in place of the published one."""
    sessions: Callable[[], tuple[tuple[Inputs, ...], Secret | None]] | None = None
    """Makes the requests, and the secret of a login, where hosts are dialled."""

    def run(self, words: list[str]) -> int:
        """Asks, judges, prints; the exit code. Raises `UsageError`, which a monitoring plugin tells as its result."""
        form = known_format(self.showing.format, formats=REPORTS)
        outputs = parsed(self.showing.output)
        try:
            return self._run(words, form, outputs)
        except UsageError as error:
            if streams_of(outputs, form) != [NAGIOS]:
                raise
            return plugin(str(error))

    def _run(self, words: list[str], form: str, outputs: list[tuple[str, Path]]) -> int:
        report = self.judge(words, self.options(), *((ahead.TEXT,) if form == "text" else ()))
        look = terminal.look(self.showing.color.value, verbose=self.showing.verbose, quiet=self.showing.quiet)
        return publish(report, form, outputs, self._view(look), exit_zero=self.judging.exit_zero)

    def judge(self, words: list[str], options: RunOptions | None = None, *later: str) -> Report:
        """Asks and judges, without `options` as if there were no baseline. Raises `UsageError`.

        `later` are modules that are needed after that.
        """
        options = options or self._options()
        if self.sessions is None:
            requests = self._requests(words)
        else:
            requests, secret = self.sessions()
            requests = tuple(with_expected(request, self.asking.settings) for request in requests)
            progress, watch = terminal.watching(quiet=self.showing.quiet or self.running.trace)
            # -4 and -6 choose what is dialled; a resolver of the other family serves as well.
            dns = msgspec.structs.replace(options.dns, ipv4_only=False, ipv6_only=False)
            options = msgspec.structs.replace(options, dns=dns, secret=secret, progress=progress, watch=watch)
        try:
            return runs.check(requests, msgspec.structs.replace(options, ahead=later))
        except RunError as error:
            raise UsageError(str(error)) from error

    def gate(self) -> Gate:
        """What is judged, and what fails. Raises `UsageError`."""
        return gate_of(self.judging, self.asking.settings)

    def _view(self, look: Look) -> View:
        from deliverkit.render.formats import View  # noqa: PLC0415 - loaded ahead, while the answers were awaited

        settings = self.asking.settings
        return View(
            look=look,
            command=self.command,
            fail_on=self.judging.fail_on.value,
            where=settings.where if settings is not None else None,
        )

    def options(self) -> RunOptions:
        """How it is to be run, with the baseline. Raises `UsageError`."""
        path = baseline_of(self.judging, self.asking)
        if path is None:
            return self._options()
        return msgspec.structs.replace(self._options(), baseline=read_baseline(path), baseline_path=path)

    def requests(self, words: list[str]) -> tuple[Inputs, ...]:
        """What is to be asked, likewise. Raises `UsageError`."""
        return self._requests(words)

    def _options(self) -> RunOptions:
        running = self.running
        seconds = checked_timeout(running.timeout)
        if running.evidence is not None and running.save_evidence is not None:
            raise UsageError("--evidence and --save-evidence exclude each other")
        if running.save_evidence is not None:
            writable(running.save_evidence)
        return RunOptions(
            dns=dns_options(self.asking),
            gate=self.gate(),
            config=self.asking.settings,
            timeout=seconds,
            areas=self.areas,
            evidence=running.evidence,
            save_evidence=running.save_evidence,
            questions=self.showing.verbose,
            trace=terminal.say if running.trace else None,
            progress=terminal.progress(quiet=self.showing.quiet or running.trace),
            failed=self._failed,
        )

    def _failed(self, domain: str, error: BaseException) -> None:
        terminal.say(f"deliverkit: {shown(domain)} was not judged to its end:")
        bug(error, debug=self.running.debug)

    def _requests(self, words: list[str]) -> tuple[Inputs, ...]:
        settings = self.asking.settings
        if not words and self.running.evidence is None:
            words = [*settings.domains] if settings is not None else []
            if not words:
                raise UsageError(f"{self.command}: which domain? (deliverkit {self.command} example.com)")
        any_name = self.command == "spf" and self.sending is not None and bool(self.sending.ip)
        names = domains(words, any_name=any_name)
        keys = self.keys or Keys()
        sending = self.sending or Sending()
        key = _public_key(keys.key) if keys.key is not None else None
        policy = _policy(self.policy) if self.policy is not None else None
        selectors = tuple(dict.fromkeys(_selector(name) for name in keys.selector))
        senders = tuple(dict.fromkeys(_address(address) for address in sending.ip))
        requests = (
            Inputs(
                domain=name,
                areas=self.areas,
                selectors=selectors,
                senders=senders,
                verdicts_only=any_name,
                sender=sending.sender,
                helo=sending.helo,
                key=key,
                each_nameserver=keys.each_nameserver,
                second_opinion=self.opinion.second_opinion if self.opinion else False,
                policy=policy,
                policy_name=_policy_name(self.policy),
                connect_to=tuple(self.asking.connect_to),
                allow_private=self.asking.allow_private,
                ipv4=not self.asking.ipv6,
                ipv6=not self.asking.ipv4,
            )
            for name in names
        )
        return tuple(with_expected(request, settings) for request in requests)


def checked_timeout(seconds: float) -> float:
    """A time limit. Raises `UsageError`."""
    if not 0 < seconds <= _MAX_TIMEOUT:
        raise UsageError(f"--timeout {seconds:g}: expected seconds, more than 0")
    return seconds


def gate_of(judging: Judging, settings: Config | None = None) -> Gate:
    """What is judged, and what fails. Raises `UsageError`."""
    _known(judging.select, "--select")
    _known(judging.ignore, "--ignore")
    by_area = settings.inconclusive if settings is not None and not isinstance(settings.inconclusive, str) else {}
    return Gate(
        fail_on=judging.fail_on.value,
        inconclusive=judging.inconclusive.value,
        by_area={area: cast("OnInconclusive", word) for area, word in by_area.items() if area != "default"},
        severities=settings.rules if settings is not None else {},
        select=_split(judging.select),
        ignore=_split(judging.ignore),
        exit_zero=judging.exit_zero,
    )


def baseline_of(judging: Judging, asking: Configuring) -> Path | None:
    """The baseline that was typed or set, else the configuration's, where it is written already."""
    if judging.baseline is not None:
        return judging.baseline
    settings = asking.settings
    if settings is None or settings.baseline is None:
        return None
    path = Path(settings.baseline)
    if os.path.lexists(path):
        return path
    terminal.say(f"deliverkit: {shown(settings.baseline)} is not there yet: deliverkit baseline writes it")
    return None


def read_baseline(path: Path) -> Baseline:
    """A baseline. Raises `UsageError`."""
    from deliverkit.runs import baseline  # noqa: PLC0415 - loaded where there is one

    try:
        return baseline.load(path)
    except RunError as error:
        raise UsageError(str(error)) from error


def dns_options(asking: Network) -> DnsOptions:
    """Where to ask. Raises `UsageError`."""
    if asking.ipv4 and asking.ipv6:
        raise UsageError("-4 and -6 exclude each other")
    if asking.offline and asking.resolver:
        raise UsageError("--offline and --resolver exclude each other")
    if asking.zone_partial and not asking.zone:
        raise UsageError("--zone-partial needs --zone")
    if asking.ca_file is not None:
        read_file(asking.ca_file, 1)
    for zone in asking.zone:
        read_file(zone, 1)
    try:
        for resolver in asking.resolver:
            parse_resolver(resolver)
        parse_connect_to(tuple(asking.connect_to))
    except DnsOptionsError as error:
        raise UsageError(str(error)) from error
    return DnsOptions(
        resolvers=tuple(asking.resolver),
        zones=tuple(asking.zone),
        zone_partial=asking.zone_partial,
        offline=asking.offline,
        ca_file=asking.ca_file,
        connect_to=tuple(asking.connect_to),
        ipv4_only=asking.ipv4,
        ipv6_only=asking.ipv6,
        allow_private=asking.allow_private,
    )


def _split(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(part.strip() for word in words for part in word.split(",") if part.strip())


def _known(words: Iterable[str], option: str) -> None:
    named = _split(words)
    if not named:
        return
    from deliverkit.rules import all_rules  # noqa: PLC0415 - a few hundred: read early only to know a name

    known = {rule.id for rule in all_rules()} | set(AREAS)
    for word in named:
        if word not in known:
            raise UsageError(f"{option} {escaped(word)}: no such rule or area{nearest(word, sorted(known))}")


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise UsageError(f"--ip {escaped(text)}: not an IP address") from None


def _selector(text: str) -> str:
    name = text.rstrip(".").lower()
    if not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise UsageError(f"--selector {escaped(text)}: not a selector (RFC 6376 §3.1)")
    return name


def _public_key(path: Path) -> bytes:
    octets = read_file(path, _MAX_KEY)
    if len(octets) > _MAX_KEY:
        raise UsageError(f"--key {escaped(str(path))}: too large for a key")
    from deliverkit.cli.keyfile import public_half  # noqa: PLC0415 - cryptography is loaded where a key is given

    return public_half(octets, escaped(str(path)))


def _policy_name(path: Path | None) -> str:
    if path is None:
        return ""
    return "standard input" if str(path) == "-" else escaped(str(path))


def _policy(path: Path) -> bytes:
    """The user's MTA-STS policy, one octet over what is read of a published one at most."""
    if str(path) == "-":
        return sys.stdin.buffer.read(_MAX_POLICY + 1)[:_MAX_POLICY]
    octets = read_file(path, _MAX_POLICY)
    if len(octets) > _MAX_POLICY:
        raise UsageError(f"--policy {escaped(str(path))}: larger than the 64 KiB that senders read")
    return octets
