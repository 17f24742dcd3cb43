"""From the words of `send` to the delivery that is asked for. Nothing is connected to before all of them are right."""

from __future__ import annotations

import re
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from deliverkit.cli.errors import UsageError, nearest
from deliverkit.cli.options import Asking
from deliverkit.cli.password import password
from deliverkit.cli.send_options import Addressing, Conversing, OneLogin, Retrying, Writing
from deliverkit.cli.session_options import TlsMode
from deliverkit.cli.sessions import helo_of, host_of, mechanism_of, needs_user, source_of, user_of
from deliverkit.cli.targets import read_file
from deliverkit.cli.terminal import say
from deliverkit.delivery.message import MAX_MESSAGE, Message, MessageError, compose, from_file, parse_header
from deliverkit.delivery.request import MOST_RECIPIENTS, SendRequest
from deliverkit.model import Mode, Stage, escaped, shown
from deliverkit.records.duration import parse_duration
from deliverkit.records.mailbox import Mailbox, parse_mailbox, parse_sender
from deliverkit.records.names import is_hostname
from deliverkit.smtp.secret import Secret

_MAX_LIST: Final = 64 * 1024
_MAX_BODY: Final = 1024 * 1024
_MAX_KEY: Final = 64 * 1024
_STDIN: Final = "-"
_COMMA: Final = re.compile(r',(?=(?:[^"]*"[^"]*")*[^"]*$)')
"""A comma outside quotes: it parts addresses."""
STOPS: Final = tuple(stage.value for stage in Stage if stage not in (Stage.ROUTE, Stage.EOD, Stage.QUIT))
"""Where a session may be ended before its time."""


def requested(
    addressing: Addressing,
    writing: Writing,
    conversing: Conversing,
    retrying: Retrying,
    login: OneLogin,
    asking: Asking,
) -> tuple[SendRequest, Secret | None]:
    """What is asked for, and the secret of the login. Raises `UsageError`."""
    _one_stdin(addressing, writing, login)
    sender, recipients = _envelope(addressing)
    user = _login(login, addressing)
    stop_after = _stage(conversing.stop_after) if conversing.stop_after is not None else None
    _agree(conversing, retrying)
    retry_for = _duration(retrying.retry_for) if retrying.retry_for is not None else None
    server, port = host_of(addressing.server) if addressing.server is not None else (None, None)
    helo = helo_of(conversing.helo)
    message = _signed(_message(writing, sender, recipients, helo), writing)
    request = SendRequest(
        sender=sender,
        recipients=recipients,
        message=message,
        server=server,
        port=port,
        mode=Mode(conversing.tls.value),
        user=user,
        mechanism=mechanism_of(login.mechanism),
        insecure_auth=login.insecure_auth,
        password_env=login.password_env,
        password_file=str(login.password_file) if login.password_file is not None else None,
        helo=helo,
        source_address=source_of(conversing.source_address) if conversing.source_address is not None else None,
        dsn=conversing.dsn,
        require_tls=conversing.require_tls,
        pipelining=not conversing.no_pipelining,
        stop_after=stop_after,
        retry_for=retry_for,
        connect_to=tuple(asking.connect_to),
        allow_private=asking.allow_private,
        ipv4=not asking.ipv6,
        ipv6=not asking.ipv4,
        dry_run=conversing.dry_run,
    )
    return request, None if conversing.dry_run else password(login)


def resumed(
    addressing: Addressing, writing: Writing, conversing: Conversing, retrying: Retrying, login: OneLogin
) -> int | None:
    """The number of the queued message to go on with; None for all of them. Raises `UsageError`.

    Everything else is as it was when the message was queued; only a password may be given again.
    """
    for given, option in (
        (addressing.from_, "--from"),
        (addressing.to, "--to"),
        (addressing.server, "--server"),
        (writing.subject, "--subject"),
        (writing.body, "--body"),
        (writing.header, "--header"),
        (writing.message, "--message"),
        (writing.dkim_key, "--dkim-key"),
        (conversing.stop_after, "--stop-after"),
        (conversing.dry_run, "--dry-run"),
        (retrying.retry_for, "--retry-for"),
        (login.user, "--user"),
    ):
        if given:
            raise UsageError(f"--resume goes on with a message as it was queued: {option} cannot be given with it")
    word = retrying.resume or ""
    if word in ("", "all"):
        return None
    if not (word.isascii() and word.isdecimal() and len(word) <= 18):  # noqa: PLR2004 - SQLite's integers
        raise UsageError(f"--resume {escaped(word)}: not the number of a queued message")
    return int(word)


def _one_stdin(addressing: Addressing, writing: Writing, login: OneLogin) -> None:
    """Standard input can be read once."""
    takers = [
        option
        for option, taken in (
            ("--to @-", "@-" in addressing.to),
            ("--body @-", writing.body == "@-"),
            ("--message -", writing.message is not None and str(writing.message) == _STDIN),
            ("--password-file -", login.password_file is not None and str(login.password_file) == _STDIN),
        )
        if taken
    ]
    if len(takers) > 1:
        raise UsageError(f"{' and '.join(takers)}: standard input can be read once")


def _envelope(addressing: Addressing) -> tuple[Mailbox | None, tuple[Mailbox, ...]]:
    if addressing.from_ is None or not addressing.to:
        missing = "from whom" if addressing.from_ is None else "to whom"
        raise UsageError(f"send: {missing}? (deliverkit send --from me@example.com --to you@example.net)")
    try:
        sender = parse_sender(addressing.from_)
    except ValueError as error:
        raise UsageError(f"--from: {error}") from error
    found: dict[str, Mailbox] = {}
    for word, place in _words(addressing.to):
        try:
            mailbox = parse_mailbox(word)
        except ValueError as error:
            raise UsageError(f"{place}: {error}") from error
        found.setdefault(mailbox.address, mailbox)
        if len(found) > MOST_RECIPIENTS:
            raise UsageError(f"--to: {MOST_RECIPIENTS} recipients at most: this sends a test, not a mailing")
    if not found:
        raise UsageError("--to: names nobody")
    for mailbox in (*((sender,) if sender is not None else ()), *found.values()):
        if mailbox.mixed_script:
            readable = shown(mailbox.unicode or mailbox.domain)
            say(f"deliverkit: warning: {readable} ({mailbox.domain}) mixes scripts, as look-alike names do")
    return sender, tuple(found.values())


def _words(given: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each address, and the place it stands at."""
    for word in given:
        if not word.startswith("@"):
            for part in _COMMA.split(word):
                yield part.strip(), "--to"
            continue
        named = escaped(word[1:])
        for number, line in enumerate(_file(word[1:], _MAX_LIST, f"--to @{named}").splitlines(), 1):
            text = line.strip()
            if text and not text.startswith("#"):
                yield text, f"{named}:{number}"


def _octets(named: str, limit: int, option: str) -> bytes:
    octets = sys.stdin.buffer.read(limit + 1) if named == _STDIN else read_file(Path(named), limit)
    if len(octets) > limit:
        raise UsageError(f"{option}: larger than {limit // 1024} KiB")
    return octets


def _file(named: str, limit: int, option: str) -> str:
    try:
        return _octets(named, limit, option).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{option}: not UTF-8 at octet {error.start}") from error


def _login(login: OneLogin, addressing: Addressing) -> str | None:
    needs_user(login)
    if login.user is not None and addressing.server is None:
        raise UsageError("--user needs --server: nobody logs in to the mail hosts of a stranger's domain")
    return user_of(login.user)


def _stage(word: str) -> Stage:
    lower = {"helo": "ehlo", "tls": "starttls"}.get(word.lower(), word.lower())
    if lower not in STOPS:
        hint = nearest(lower, STOPS) or f"; there are {', '.join(STOPS)}"
        raise UsageError(f"--stop-after {escaped(word)}: no such stage{hint}")
    return Stage(lower)


def _duration(text: str) -> float:
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise UsageError(f"--retry-for: {error}") from error
    if seconds <= 0:
        raise UsageError("--retry-for: longer than nothing, as in 30m or 2h")
    return float(seconds)


def _agree(conversing: Conversing, retrying: Retrying) -> None:
    """Options that exclude each other."""
    ends = "--dry-run" if conversing.dry_run else "--stop-after" if conversing.stop_after is not None else None
    if ends is not None:
        for given, option in (
            (retrying.retry_for, "--retry-for"),
            (retrying.simulate_schedule, "--simulate-schedule"),
        ):
            if given is not None:
                raise UsageError(f"{ends} and {option} exclude each other: nothing is delivered that could be deferred")
    if conversing.dry_run and conversing.stop_after is not None:
        raise UsageError("--dry-run and --stop-after exclude each other: a dry run connects to nobody")
    if conversing.require_tls and conversing.tls is TlsMode.NONE:
        raise UsageError("--require-tls and --tls none exclude each other")


def _message(writing: Writing, sender: Mailbox | None, recipients: Sequence[Mailbox], helo: str) -> Message:
    if writing.message is None:
        return _composed(writing, sender, recipients, helo)
    for given, option in (
        (writing.subject is not None, "--subject"),
        (writing.body is not None, "--body"),
        (bool(writing.header), "--header"),
    ):
        if given:
            raise UsageError(f"{option} and --message exclude each other: a file is sent as it is")
    named = str(writing.message)
    try:
        octets = sys.stdin.buffer.read(MAX_MESSAGE + 1) if named == _STDIN else read_file(writing.message, MAX_MESSAGE)
        return from_file(octets)
    except MessageError as error:
        raise UsageError(f"--message {escaped(named)}: {error}") from error


def _composed(writing: Writing, sender: Mailbox | None, recipients: Sequence[Mailbox], helo: str) -> Message:
    try:
        headers = [parse_header(text) for text in writing.header]
    except MessageError as error:
        raise UsageError(f"--header: {error}") from error
    body = writing.body
    if body is not None and body.startswith("@"):
        body = _file(body[1:], _MAX_BODY, f"--body {escaped(body)}")
    try:
        return compose(
            sender=sender,
            recipients=recipients,
            subject=writing.subject,
            body=body,
            headers=headers,
            now=time.time(),
            host=helo or _this_machine(),
        )
    except MessageError as error:
        raise UsageError(str(error)) from error


def _this_machine() -> str:
    name = socket.gethostname().lower().rstrip(".")
    return name if is_hostname(name) else "localhost"


def _signed(message: Message, writing: Writing) -> Message:
    if writing.dkim_key is None:
        for given, option in ((writing.dkim_selector, "--dkim-selector"), (writing.dkim_domain, "--dkim-domain")):
            if given is not None:
                raise UsageError(f"{option} needs --dkim-key")
        return message
    if writing.dkim_selector is None:
        raise UsageError("--dkim-key needs --dkim-selector: the name under which its public half is published")
    domain = writing.dkim_domain or message.from_domain
    if domain is None:
        raise UsageError("--dkim-key needs --dkim-domain: the message has no From: address whose domain would sign")
    octets = read_file(writing.dkim_key, _MAX_KEY)
    from deliverkit.delivery.sign import SignError, signed, signer  # noqa: PLC0415 - loaded where something is signed

    try:
        return signed(message, signer(octets, domain, writing.dkim_selector))
    except SignError as error:
        raise UsageError(f"--dkim-key: {error}") from error
