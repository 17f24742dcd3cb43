"""Where a password comes from: a variable, a file, stdin or a prompt; never the command line."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from deliverkit.cli.errors import UsageError
from deliverkit.cli.session_options import Login
from deliverkit.cli.targets import read_file
from deliverkit.model import escaped
from deliverkit.smtp.secret import Secret

_MAX: Final = 8192


def password(login: Login) -> Secret | None:
    """The secret of the login; None where nobody logs in. Raises `UsageError`, which shows none of it."""
    if login.user is None:
        return None
    if login.password_env is not None and login.password_file is not None:
        raise UsageError("--password-env and --password-file exclude each other")
    if login.password_env is not None:
        return _from_env(login.password_env)
    if login.password_file is not None:
        return _from_file(login.password_file)
    return _asked(login.user)


def _from_env(name: str) -> Secret:
    value = os.environ.get(name)
    if value is None:
        # The name is not shown: people type the password itself here.
        raise UsageError("--password-env: no environment variable of that name (it takes a name, not the password)")
    return _checked(value, "--password-env")


def _from_file(path: Path) -> Secret:
    if str(path) == "-":
        octets = sys.stdin.buffer.readline(_MAX + 1)
        named = "standard input"
    else:
        octets = read_file(path, _MAX)
        named = escaped(str(path))
    if len(octets) > _MAX:
        raise UsageError(f"--password-file {named}: too large for a password")
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"--password-file {named}: not UTF-8") from None
    return _checked(text.removesuffix("\n").removesuffix("\r"), f"--password-file {named}")


def _asked(user: str) -> Secret:
    try:
        seen = sys.stdin.isatty() and sys.stderr.isatty()
    except (AttributeError, ValueError):
        seen = False
    if not seen:
        raise UsageError("--user needs a password: --password-env NAME or --password-file PATH (- for stdin)")
    import getpass  # noqa: PLC0415 - used here alone

    try:
        value = getpass.getpass(f"Password of {escaped(user)}: ", stream=sys.stderr)
    except EOFError:
        raise UsageError("no password was given") from None
    return _checked(value, "the password")


def _checked(value: str, named: str) -> Secret:
    if not value:
        raise UsageError(f"{named}: the password is empty")
    if "\0" in value or "\n" in value or "\r" in value:
        raise UsageError(f"{named}: a password of one line is expected")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise UsageError(f"{named}: the password is not UTF-8") from None
    return Secret(value)
