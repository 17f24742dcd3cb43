"""The entry point: finds the command, runs it, and turns whatever happens into an exit code.

0 fine, 1 a finding, 2 usage, 3 undetermined, 4 a bug, 130 interrupted; 141 and 143 as a shell says
of SIGPIPE and SIGTERM.
"""

from __future__ import annotations

import errno
import importlib
import os
import re
import signal
import sys
import traceback
from pathlib import Path
from types import FrameType
from typing import Any, Final

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from deliverkit import __version__
from deliverkit.cli.configuring import PREFIX
from deliverkit.cli.declare import HELP_NAMES, read_plainly
from deliverkit.cli.errors import UsageError, encodable, nearest

BUG: Final = 4
USAGE: Final = 2
INTERRUPTED: Final = 130
PIPE: Final = 141
TERMINATED: Final = 143

COMMANDS: Final = {
    "check": "Every check of a domain: where its mail goes, and who may send for it.",
    "mx": "Where a domain's mail goes.",
    "spf": "Who may send for a domain: the include tree, or the verdict for an address.",
    "dkim": "The keys that sign a domain's mail.",
    "dmarc": "What receivers do with mail that only claims to be a domain's.",
    "mta-sts": "Whether a domain asks for verified TLS: its record, its policy, and the hosts it covers.",
    "tls-rpt": "Where senders report failures of TLS.",
    "dane": "Which mail hosts senders authenticate by DANE: their TLSA records, and what DNSSEC secures.",
    "dnssec": "Whether a domain is signed, whether the chain holds, and what a broken one withholds.",
    "lint": "Check zone files and DNS as code before they are published; nothing is asked of any network.",
    "smtp": "Open SMTP sessions: TLS, what is offered and allowed, a login, and which port to use.",
    "send": "Deliver a test message as a mail server does: every step, every reply explained, tried again if asked.",
    "decode": "Explain a reply, a bounce or a log: what it means, whose move it is, whether to try again.",
    "baseline": "Accept what is found today: from then on only what is new, or has become harder, fails.",
    "diff": "What publishing a file would change for mail, or what has changed since a saved run.",
    "rules": "List the rules.",
    "explain": "Explain one rule: why it matters, how to mend it, examples.",
    "init": "Write a configuration from what is published.",
    "config": "Show the configuration: each value, and where it comes from.",
    "schema": "Print the JSON Schema of a document.",
    "doctor": "Test this machine's resolver.",
    "demo": "A tour through the embedded world, on loopback.",
    "lab": "Serve the embedded world on loopback until interrupted.",
}
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class Lazy(TyperGroup):
    """The commands, each loaded when it is called."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Typer's own, without its adapters."""
        read_plainly(self.get_params(ctx))
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - Typer's signature
        """The names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - Typer's signature
        """The command of this name, None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        return typer.main.get_command(importlib.import_module(f"deliverkit.cli.{cmd_name.replace('-', '_')}").app)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Typer's own, with the near match taken from our list."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            raise UsageError(f"no such command: {_quoted(name)}{nearest(name, COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - Typer's signature
        """The list of commands, without loading one."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


app = typer.Typer(
    cls=Lazy,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=False,
    invoke_without_command=True,
    context_settings={"help_option_names": HELP_NAMES, "max_content_width": 100},
    epilog=(
        "Every option may be set in the environment: DELIVERKIT_FAIL_ON for --fail-on, and so on. "
        "Exit codes: 0 nothing at or above --fail-on, 1 a finding, 2 usage, 3 undetermined, 4 a bug, 130 interrupted."
    ),
)


_SWITCHES: Final = frozenset(
    [
        "EXIT_ZERO",
        "NO_CONFIG",
        "OFFLINE",
        "ZONE_PARTIAL",
        "ALLOW_PRIVATE",
        "TRACE",
        "DEBUG",
        "EACH_NAMESERVER",
        "SECOND_OPINION",
        "TLS_SCAN",
        "INSECURE_AUTH",
        "DSN",
        "REQUIRE_TLS",
        "NO_PIPELINING",
        "DRY_RUN",
        "SUMMARY",
        "UPDATE",
        "RESOLVE_INCLUDES",
    ]
)
_YES_NO: Final = frozenset(["", *["1", "0", "true", "false", "yes", "no", "on", "off", "y", "n", "t", "f"]])


@app.callback()
def root(
    context: typer.Context,
    *,
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    """Find out why mail does not arrive: each finding with its evidence and the record that mends it."""
    if version:
        sys.stdout.write(f"deliverkit {__version__}\n")
        raise typer.Exit
    if context.invoked_subcommand is None:
        sys.stdout.write(context.get_help() + "\n")
        raise typer.Exit


def main(argv: list[str]) -> int:
    """Run the command line; the exit code. Nothing but KeyboardInterrupt's kin leaves this."""
    signal_before = _on_terminate()
    if sys.stdout is None:  # closed by whoever called
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - stdout for the rest of the process
    try:
        code = _run(argv)
        sys.stdout.flush()
    except BrokenPipeError:
        _close_stdout()
        return PIPE
    except OSError as error:
        _close_stdout()
        return _usage(f"standard output: {(error.strerror or str(error)).lower()}")
    except KeyboardInterrupt:
        _error("interrupted")
        return INTERRUPTED
    finally:
        if signal_before is not None:
            signal.signal(signal.SIGTERM, signal_before)
    return code


def _run(argv: list[str]) -> int:
    try:
        _refuse_control(argv)
        group = typer.main.get_command(app)
        result = group.main(args=argv, prog_name="deliverkit", standalone_mode=False)
    except UsageError as error:
        return _usage(str(error))
    except TyperException as error:
        return _usage(error.format_message())
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EBADF, errno.EIO):
            raise  # of standard output: what is a file of the user's is told where it is opened
        return bug(error, debug=debugging(argv))
    except typer.Abort:
        _error("interrupted")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last resort: one line, and exit code 4
        return bug(error, debug=debugging(argv))
    if result == INTERRUPTED:  # Typer's own word for it, which says nothing
        _error("interrupted")
    return result if isinstance(result, int) else 0


def debugging(argv: list[str]) -> bool:
    """Whether tracebacks are wanted."""
    return "--debug" in argv or os.environ.get(f"{PREFIX}DEBUG", "").lower() in {"1", "true", "yes", "on", "y", "t"}


def bug(error: BaseException, *, debug: bool) -> int:
    """Says that this is a bug of ours, in one line; the traceback where it is wanted."""
    if debug:
        lines = "".join(traceback.format_exception(error)).splitlines()
        for line in lines:
            _error(line, prefix="")
    said = " ".join(str(error).split())
    hint = "" if debug else "; --debug shows the traceback"
    _error(f"a bug in deliverkit: {type(error).__name__}{f': {said}' if said else ''}{hint}")
    return BUG


def _refuse_control(argv: list[str]) -> None:
    """A control character in an argument is an attack or an accident, never meant."""
    for word in argv:
        # A reply of several lines is pasted as it is; `decode` shows it through the sanitiser.
        if _CONTROL.search(word) and argv[0] != "decode":
            raise UsageError(f"an argument holds a control character: {_quoted(word)}")
    for name, value in os.environ.items():
        if name.startswith(PREFIX) and _CONTROL.search(value):
            raise UsageError(f"{name} holds a control character: {_quoted(value)}")
        if name.removeprefix(PREFIX) in _SWITCHES and value.lower() not in _YES_NO:
            raise UsageError(f"{name}: {_quoted(value)} is neither yes nor no")


def _quoted(text: str) -> str:
    return ascii(text if len(text) <= 80 else f"{text[:80]}...")  # noqa: PLR2004 - a line's worth


def _usage(message: str) -> int:
    _error(" ".join(message.split()))
    return USAGE


def _error(message: str, *, prefix: str = "deliverkit: ") -> None:
    from deliverkit.model import shown  # noqa: PLC0415 - only where something went wrong

    sys.stderr.write(encodable(f"{prefix}{shown(message, 2000)}\n", sys.stderr))
    sys.stderr.flush()


def _on_terminate() -> Any:
    """SIGTERM ends the run as a shell expects, sockets closed; None where signals are not ours to set."""

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's signature
        raise SystemExit(TERMINATED)

    try:
        return signal.signal(signal.SIGTERM, stop)
    except ValueError:
        return None


def _close_stdout() -> None:
    """Nobody reads any more: what is left in the buffer goes nowhere, silently."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(devnull, sys.stdout.fileno())
    except (OSError, ValueError):
        pass
    finally:
        os.close(devnull)
