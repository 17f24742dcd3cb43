"""From the words of `smtp` to the sessions that are opened."""

from __future__ import annotations

import ipaddress
import re
import socket
from pathlib import Path
from typing import Final

import msgspec

from deliverkit.cli.errors import UsageError, nearest
from deliverkit.cli.options import Asking
from deliverkit.cli.password import password
from deliverkit.cli.session_options import Dialling, Hosts, Login
from deliverkit.cli.targets import domains, expanded, read_file
from deliverkit.model import Inputs, Sessions, escaped
from deliverkit.records.names import is_address, is_hostname, is_internal, parse_domain
from deliverkit.runs.options import MX_AREAS, SESSION_AREAS
from deliverkit.smtp.sasl import KNOWN
from deliverkit.smtp.secret import Secret

_MAX_CERTIFICATE: Final = 64 * 1024
_MAX_PORT: Final = 65_535
_MAX_LOCAL: Final = 64
_LOCAL: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+")
_BRACKETED: Final = re.compile(r"\[(?:IPv6:)?([0-9A-Fa-f:.]+)\](?::(\d+))?", re.IGNORECASE)
_NAMED: Final = re.compile(r"([^:\[\]]+)(?::(\d+))?")


def requested(
    hosts: Hosts, dialling: Dialling, login: Login, asking: Asking, *, again: bool = False
) -> tuple[tuple[Inputs, ...], Secret | None]:
    """Each target with its sessions, and the secret of the login. Raises `UsageError`.

    `again`: a saved run is judged, so that nothing is needed but the names of its targets.
    """
    if not hosts.hosts and not hosts.mx and not again:
        raise UsageError("smtp: which host? (deliverkit smtp mail.example.com, or deliverkit smtp --mx example.com)")
    sessions = _sessions(dialling, login)
    if hosts.mx:
        _without_mx(dialling, login)
        mine = msgspec.structs.replace(sessions, by_mx=True)
        targets = dict.fromkeys(domains([*hosts.mx, *hosts.hosts]), mine)
    else:
        targets = _hosts(hosts.hosts, sessions, named=bool(dialling.port))
    requests = tuple(
        Inputs(
            domain=name,
            areas=MX_AREAS if mine.by_mx else SESSION_AREAS,
            sessions=mine,
            connect_to=tuple(asking.connect_to),
            allow_private=asking.allow_private,
            ipv4=not asking.ipv6,
            ipv6=not asking.ipv4,
        )
        for name, mine in targets.items()
    )
    for request in requests:
        _family(request)
    return requests, None if again else password(login)


def _without_mx(dialling: Dialling, login: Login) -> None:
    for given, option in (
        (login.user is not None, "--user"),
        (bool(dialling.port), "--port"),
        (dialling.as_mx_of is not None, "--as-mx-of"),
    ):
        if given:
            raise UsageError(
                f"--mx and {option} exclude each other: mail hosts are dialled on port 25, without a login"
            )


def _hosts(words: list[str], sessions: Sessions, *, named: bool) -> dict[str, Sessions]:
    """Each host once, with all ports that were named for it."""
    found: dict[str, dict[int, None]] = {}
    for word, place in expanded(words):
        host, port = host_of(word, place)
        ports = (port,) if port is not None else sessions.ports
        if port is not None and named and port not in sessions.ports:
            raise UsageError(f"{place}{escaped(word)} names another port than --port does: use one of the two")
        found.setdefault(host, {}).update(dict.fromkeys(ports))
    return {host: msgspec.structs.replace(sessions, ports=tuple(ports)) for host, ports in found.items()}


def host_of(word: str, place: str = "") -> tuple[str, int | None]:
    """HOST, HOST:PORT, an address, or [IPv6]:PORT; None: no port was named. Raises `UsageError`."""
    named = f"{place}{escaped(word)}"
    if is_address(word):
        return str(ipaddress.ip_address(word)), None
    bracketed = _BRACKETED.fullmatch(word)
    if bracketed is not None and is_address(bracketed[1]):
        return str(ipaddress.ip_address(bracketed[1])), _port(bracketed[2], named)
    match = _NAMED.fullmatch(word)
    if match is None:
        raise UsageError(f"{named}: expected HOST, HOST:PORT or [IPv6]:PORT")
    host, number = match.groups()
    if is_address(host):
        return str(ipaddress.ip_address(host)), _port(number, named)
    try:
        return parse_domain(host).ascii, _port(number, named)
    except ValueError as error:
        raise UsageError(f"{place}{error}") from error


def _port(number: str | None, named: str) -> int | None:
    if number is None:
        return None
    if len(number) > len(str(_MAX_PORT)) or not 0 < int(number) <= _MAX_PORT:
        raise UsageError(f"{named}: {escaped(number)} is no port")
    return int(number)


def _family(request: Inputs) -> None:
    """An address that the other options leave nothing of is a mistake, not a finding."""
    sessions = request.sessions
    if sessions is None or not is_address(request.domain):
        return
    version = ipaddress.ip_address(request.domain).version
    if not (request.ipv4 if version == 4 else request.ipv6):  # noqa: PLR2004 - the family
        raise UsageError(f"{request.domain} is an IPv{version} address: {'-6' if version == 4 else '-4'} leaves it out")  # noqa: PLR2004
    source = sessions.source_address
    if source is not None and ipaddress.ip_address(source).version != version:
        raise UsageError(f"--source-address {source} is not of the same family as {request.domain}")


def needs_user(login: Login) -> None:
    """Refuses what says how to log in where nobody is to. Raises `UsageError`."""
    if login.user is not None:
        return
    for given, option in (
        (login.password_env, "--password-env"),
        (login.password_file, "--password-file"),
        (login.mechanism, "--mechanism"),
    ):
        if given is not None:
            raise UsageError(f"{option} needs --user")


def _sessions(dialling: Dialling, login: Login) -> Sessions:
    for port in dialling.port:
        if not 0 < port <= _MAX_PORT:
            raise UsageError(f"--port {port}: not a port")
    needs_user(login)
    as_mx_of = _domain(dialling.as_mx_of, "--as-mx-of") if dialling.as_mx_of is not None else None
    ports = tuple(dict.fromkeys(dialling.port)) or ((25,) if as_mx_of is not None else Sessions().ports)
    return Sessions(
        ports=ports,
        tls=dialling.tls.value,
        helo=helo_of(dialling.helo),
        user=user_of(login.user),
        mechanism=mechanism_of(login.mechanism),
        insecure_auth=login.insecure_auth,
        relay_to=_recipient(dialling.relay_test) if dialling.relay_test is not None else None,
        source_address=source_of(dialling.source_address) if dialling.source_address is not None else None,
        as_mx_of=as_mx_of,
        certificate=_certificate(dialling.expect_certificate) if dialling.expect_certificate is not None else None,
        tls_scan=dialling.tls_scan,
    )


def _domain(text: str, option: str) -> str:
    try:
        return parse_domain(text).ascii
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from error


def helo_of(text: str | None) -> str:
    """What EHLO says; "" is the address of our end in brackets (RFC 5321 §4.1.4). Raises `UsageError`."""
    if text is None:
        name = socket.gethostname().lower().rstrip(".")
        return name if is_hostname(name) and not is_internal(name) else ""
    literal = _BRACKETED.fullmatch(text)
    if literal is not None and literal[2] is None and is_address(literal[1]):
        return text
    try:
        return parse_domain(text).ascii
    except ValueError:
        raise UsageError(f"--helo {escaped(text)}: neither a host name nor an address in brackets") from None


def user_of(text: str | None) -> str | None:
    """The name of a login. Raises `UsageError`."""
    if text == "" or (text is not None and "\0" in text):
        raise UsageError("--user: the name is empty")
    return text


def mechanism_of(text: str | None) -> str | None:
    """A SASL mechanism in capitals. Raises `UsageError`."""
    if text is None or text.upper() in KNOWN:
        return text.upper() if text is not None else None
    raise UsageError(
        f"--mechanism {escaped(text)}: not known here{nearest(text.upper(), KNOWN)}; known are {', '.join(KNOWN)}"
    )


def source_of(text: str) -> str:
    """An address of this machine. Raises `UsageError`."""
    if not is_address(text):
        raise UsageError(f"--source-address {escaped(text)}: not an IP address")
    address = ipaddress.ip_address(text)
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004 - the family
    try:
        with socket.socket(family, socket.SOCK_STREAM) as made:
            made.bind((str(address), 0))
    except OSError as error:
        raise UsageError(f"--source-address {address}: {(error.strerror or str(error)).lower()}") from None
    return str(address)


def _recipient(text: str) -> str:
    """An address for RCPT: nothing in it may end the command or begin another."""
    local, at, domain = text.rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or len(local) > _MAX_LOCAL:
        if at and not local.isascii():
            raise UsageError(f"--relay-test {escaped(text)}: needs SMTPUTF8, which the test does not use")
        raise UsageError(f"--relay-test {escaped(text)}: not an address, as in you@example.com")
    return f"{local}@{_domain(domain, '--relay-test')}"


def _certificate(path: Path) -> bytes:
    """The first certificate of a file (PEM or DER), as DER."""
    octets = read_file(path, _MAX_CERTIFICATE)
    from cryptography import x509  # noqa: PLC0415 - loaded where a certificate is given
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - as above

    try:
        pem = b"-----BEGIN CERTIFICATE" in octets
        made = x509.load_pem_x509_certificate(octets) if pem else x509.load_der_x509_certificate(octets)
    except ValueError:
        raise UsageError(f"--expect-certificate {escaped(str(path))}: not a certificate (PEM or DER)") from None
    return made.public_bytes(Encoding.DER)
