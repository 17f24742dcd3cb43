"""`deliverkit send`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from deliverkit.cli import terminal
from deliverkit.cli.declare import Command, application
from deliverkit.cli.errors import UsageError
from deliverkit.cli.launch import baseline_of, checked_timeout, dns_options, gate_of, read_baseline
from deliverkit.cli.options import Asking, Judging
from deliverkit.cli.outputs import known_format, parsed, write_files
from deliverkit.cli.send_again import again
from deliverkit.cli.send_live import Voices
from deliverkit.cli.send_options import (
    Addressing,
    Conversing,
    OneLogin,
    Retrying,
    RunningDelivery,
    ShowingDelivery,
    Writing,
)
from deliverkit.cli.send_request import requested, resumed
from deliverkit.cli.targets import writable
from deliverkit.delivery.queue import Queue, QueueError
from deliverkit.delivery.request import SendRequest
from deliverkit.render import json
from deliverkit.render.markdown import delivery as markdown
from deliverkit.render.text import delivery as text
from deliverkit.render.text.sheet import WIDTH, Look
from deliverkit.report.delivery import DeliveryReport, exit_code
from deliverkit.runs import send as runs
from deliverkit.runs.options import RunError, RunOptions
from deliverkit.runs.retry import forget, persist
from deliverkit.runs.schedule import with_schedule
from deliverkit.smtp.secret import Secret

FORMATS: Final = ("text", "json", "markdown")


class SendCommand(Command):
    """The command, whose `--resume` may stand without a number, and whose `--to` takes several addresses."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The words as the parser takes them: one value an option."""
        return super().parse_args(ctx, spelled(args))


def spelled(args: Sequence[str]) -> list[str]:
    """`--resume` without a number as `--resume=all`, `--to A B` as `--to A --to B`."""
    words: list[str] = []
    place = 0
    while place < len(args):
        word = args[place]
        place += 1
        bare = place == len(args) or args[place].startswith("-")
        if word == "--resume" and bare:
            words.append("--resume=all")
        elif word == "--to" and not bare:
            while place < len(args) and not args[place].startswith("-"):
                words += [word, args[place]]
                place += 1
        else:
            words.append(word)
    return words


def send(  # noqa: PLR0913 - the bundles of the command
    *,
    addressing: Addressing,
    writing: Writing,
    conversing: Conversing,
    retrying: Retrying,
    login: OneLogin,
    judging: Judging,
    asking: Asking,
    running: RunningDelivery,
    showing: ShowingDelivery,
) -> int:
    """Deliver a test message as a mail server does: every step, every reply explained, tried again if asked."""
    form = known_format(showing.format, formats=FORMATS)
    outputs = parsed(showing.output, FORMATS)
    if running.save is not None:
        writable(running.save)
    options = _options(judging, asking, running)
    streams = [name for name, path in outputs if str(path) == "-"] or [form]
    look = terminal.look(showing.color.value, verbose=showing.verbose, quiet=showing.quiet)
    settled: list[int] = []
    voices = Voices(look if streams == ["text"] and not showing.quiet else None, quiet=showing.quiet)
    try:
        if retrying.resume is not None:
            number = resumed(addressing, writing, conversing, retrying, login)
            reports = again(number, login, options, voices.one_of_many if number is None else voices.alone, settled)
        else:
            request, secret = requested(addressing, writing, conversing, retrying, login, asking)
            reports = (_sent(request, options, secret, voices, settled),)
    except RunError as error:
        raise UsageError(str(error)) from error
    except KeyboardInterrupt:
        voices.interrupted()
        raise
    finally:
        if running.save is not None:
            voices.save(running.save)
    if retrying.simulate_schedule is not None:
        server = retrying.simulate_schedule.value
        reports = tuple(with_schedule(report, server) for report in reports)
    plain = Look(width=WIDTH, wrap=False, verbose=look.verbose, quiet=look.quiet)
    write_files(
        [(name, path) for name, path in outputs if str(path) != "-"], lambda name: rendered(reports, name, plain)
    )
    voices.heard()
    for name in streams:
        terminal.write(rendered(reports, name, look, told=voices.aloud))
    if settled:  # the queue holds what is over until it was told: a kill before that loses no report
        try:
            with Queue.open() as queue:
                forget(queue, settled)
        except QueueError as error:
            raise UsageError(str(error)) from error
    return exit_code(reports)


def _sent(
    request: SendRequest, options: RunOptions, secret: Secret | None, voices: Voices, settled: list[int]
) -> DeliveryReport:
    """One delivery; with `--retry-for` from a queue."""
    watcher = voices.alone(0)
    message = runs.message_report(request.message, whole=request.dry_run)
    watcher.carries(message, request.sender.address if request.sender is not None else "")
    if request.retry_for is None:
        return asyncio.run(runs.send(request, options, secret, watcher=watcher))
    try:
        with Queue.open() as queue:
            return asyncio.run(persist(request, options, secret, queue, watcher=watcher, settled=settled))
    except QueueError as error:
        raise UsageError(str(error)) from error


def rendered(reports: Sequence[DeliveryReport], form: str, look: Look, *, told: bool = False) -> str:
    """The deliveries in this format. `told`: what was written while they happened is left out."""
    if form == "json":
        return json.render(reports[0] if len(reports) == 1 else reports)
    if form == "markdown":
        return markdown.render(reports)
    return text.render(reports, look, told=told)


def _options(judging: Judging, asking: Asking, running: RunningDelivery) -> RunOptions:
    # -4 and -6 choose what is dialled; a resolver of the other family serves as well.
    dns = msgspec.structs.replace(dns_options(asking), ipv4_only=False, ipv6_only=False)
    path = baseline_of(judging, asking)
    return RunOptions(
        dns=dns,
        gate=gate_of(judging, asking.settings),
        config=asking.settings,
        baseline=read_baseline(path) if path is not None else None,
        baseline_path=path,
        timeout=checked_timeout(running.timeout),
        trace=terminal.say if running.trace else None,
    )


app = application(send, name="send", cls=SendCommand)
