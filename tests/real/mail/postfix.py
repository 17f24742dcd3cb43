"""Postfix, with Dovecot for its logins: one master, many listeners, each with options of its own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from authority import Authority, Leaf
from daemons import folder, free_ports, need_root, program, running, user
from listeners import BEHIND, SERVICES

NAME = "mail.example.com"
DOMAIN = "example.com"
UTF8 = "utf8.example.com"
"""A domain whose mailboxes Postfix fills itself: Dovecot's LMTP knows no SMTPUTF8."""
USER, PASSWORD = "alice@example.com", "correct horse 7"
MECHANISMS = ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER")
"""What Dovecot 2.3 offers of what deliverkit speaks; DIGEST-MD5 it offers too."""
_SIGNING = b"a key that signs tokens in tests"


class Mail(NamedTuple):
    """A mail server that runs: `ports` by the labels of its listeners."""

    ports: dict[str, int]
    leaves: dict[str, Leaf]
    anchor: Path
    config: Path
    mail: Path | None = None
    """Below it the mailboxes."""


def certificates(authority: Authority) -> dict[str, Leaf]:
    """A good one, one with an RSA key, and the faulty ones."""
    return {
        "good": authority.leaf("good", NAME, "bare.example.com"),
        "rsa": authority.leaf("rsa", NAME, kind="rsa-2048"),
        "expired": authority.leaf("expired", NAME, "bare.example.com", begins=-90, days=-2),
        "early": authority.leaf("early", NAME, begins=2),
        "wrongname": authority.leaf("wrongname", "other.example.net"),
        "selfsigned": authority.leaf("selfsigned", NAME, self_signed=True),
        "incomplete": authority.leaf("incomplete", NAME, whole=False),
    }


def token(user_name: str = USER, key: bytes = _SIGNING) -> str:
    """A bearer token as Dovecot validates it: a JSON Web Token, HS256 (RFC 7519)."""

    def part(data: dict[str, object]) -> str:
        return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()

    now = int(time.time())
    head = part({"typ": "JWT", "alg": "HS256", "kid": "one"})
    body = part({"sub": user_name, "email": user_name, "iat": now - 5, "nbf": now - 5, "exp": now + 3600})
    signature = base64.urlsafe_b64encode(hmac.digest(key, f"{head}.{body}".encode(), hashlib.sha256)).rstrip(b"=")
    return f"{head}.{body}.{signature.decode()}"


@contextmanager
def dovecot(socket: Path, lmtp: Path, owner: str, mail: Path) -> Iterator[None]:
    """Dovecot's authentication service at `socket`, its LMTP at `lmtp`, and below `mail` a Maildir for each address."""
    dovecot_program = program("dovecot", "dovecot-core")
    if not Path("/usr/lib/dovecot/lmtp").exists():
        pytest.skip("Dovecot's LMTP is not here (.ci/run installs it from the package dovecot-lmtpd)")
    with folder() as place:
        keys = place / "keys" / "default" / "HS256"
        keys.mkdir(parents=True)
        (keys / "one").write_bytes(base64.b64encode(_SIGNING))
        (place / "oauth2").write_text(
            f"introspection_mode = local\nlocal_validation_key_dict = fs:posix:prefix={place}/keys/\n"
            "username_attribute = email\ntokeninfo_url =\n"
        )
        (place / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
        for path in (place / "users", place / "oauth2", keys / "one"):
            path.chmod(0o644)
        (place / "dovecot.conf").write_text(f"""
base_dir = {place}/run
state_dir = {place}/state
log_path = {place}/log
instance_name = {place.name}
protocols = lmtp
ssl = no
hostname = {NAME}
postmaster_address = postmaster@{DOMAIN}
mail_location = maildir:{mail}/%u
mail_save_crlf = yes
disable_plaintext_auth = no
auth_mechanisms = {" ".join(MECHANISMS).lower()}
auth_failure_delay = 0
auth_username_format = %Lu
default_internal_user = dovecot
default_login_user = dovenull
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {place}/oauth2
}}
passdb {{
  driver = passwd-file
  mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256
  args = scheme=PLAIN username_format=%u {place}/users
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={mail}/%u allow_all_users=yes
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  unix_listener {socket} {{
    mode = 0600
    user = {owner}
  }}
}}
service lmtp {{
  unix_listener {lmtp} {{
    mode = 0600
    user = {owner}
  }}
}}
""")
        with running([dovecot_program, "-F", "-c", str(place / "dovecot.conf")], place / "log", [], sign=socket):
            yield


def _spool(place: Path) -> None:
    """Postfix's folders, each with its owner."""
    postfix = user("postfix")
    names = (
        "active",
        "bounce",
        "corrupt",
        "defer",
        "deferred",
        "flush",
        "hold",
        "incoming",
        "private",
        "saved",
        "trace",
    )
    for name in names:
        (place / "spool" / name).mkdir(parents=True)
        os.chown(place / "spool" / name, postfix.pw_uid, -1)
        (place / "spool" / name).chmod(0o700)
    for name in ("public", "maildrop", "pid", "etc"):
        (place / "spool" / name).mkdir()
        (place / "spool" / name).chmod(0o755)
    os.chown(place / "spool" / "public", postfix.pw_uid, -1)
    (place / "data").mkdir()
    os.chown(place / "data", postfix.pw_uid, postfix.pw_gid)


_MAIN = """
compatibility_level = 3.6
myhostname = {name}
mydomain = {domain}
mydestination = {domain}
inet_interfaces = loopback-only
inet_protocols = {protocols}
mynetworks = 192.0.2.1/32
queue_directory = {folder}/spool
data_directory = {folder}/data
maillog_file = {folder}/maillog
maillog_file_prefixes = {folder}
daemon_directory = {daemons}
alias_maps =
alias_database =
local_recipient_maps =
local_transport = lmtp:unix:private/mailbox
lmtp_line_length_limit = 0
virtual_mailbox_domains = {utf8}
virtual_mailbox_maps = static:{utf8}/
virtual_mailbox_base = {folder}/mail
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
smtputf8_enable = yes
minimal_backoff_time = 1s
smtpd_tls_chain_files = {folder}/good.pem
smtpd_tls_security_level = none
smtpd_tls_auth_only = yes
smtpd_tls_session_cache_database =
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_sasl_security_options = noanonymous
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_client_connection_rate_limit = 0
smtpd_client_connection_count_limit = 0
smtpd_client_event_limit_exceptions = static:all
smtpd_hard_error_limit = 1000
smtpd_soft_error_limit = 1000
smtpd_error_sleep_time = 0
disable_dns_lookups = yes
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
"""
_MASTER = """
tlsmgr    unix - - n 1000? 1 tlsmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
qmgr      unix n - n 300 1 qmgr
lmtp      unix - - n - - lmtp
virtual   unix - n n - - virtual
error     unix - - n - - error
retry     unix - - n - - error
anvil     unix - - n - 1 anvil
cleanup   unix n - n - 0 cleanup
postlog   unix-dgram n - n - 1 postlogd
"""


@contextmanager
def postfix(authority: Authority, leaves: dict[str, Leaf], *, six: bool) -> Iterator[Mail]:
    """Postfix and Dovecot; the listeners on ::1 where `six`."""
    need_root()
    master = program("master", "postfix", unpacked="none") if shutil.which("master") else "/usr/lib/postfix/sbin/master"
    program("postconf", "postfix")
    services = {label: of for label, of in SERVICES.items() if six or "::1" not in of[1]}
    ports = dict(zip((*services, *BEHIND), free_ports(len(services) + len(BEHIND)), strict=True))
    nobody = user("nobody")
    with folder() as place:
        mail = place / "mail"
        mail.mkdir()
        os.chown(mail, nobody.pw_uid, nobody.pw_gid)
        for label, leaf in leaves.items():
            shutil.copy(leaf.file, place / f"{label}.pem")
        _spool(place)
        (place / "main.cf").write_text(
            _MAIN.format(
                name=NAME, domain=DOMAIN, folder=place, daemons=Path(master).parent, utf8=UTF8,
                protocols="all" if six else "ipv4", uid=nobody.pw_uid, gid=nobody.pw_gid,
            )
        )  # fmt: skip
        filled = {"folder": place, **{label: ports[label] for label in BEHIND}}
        lines = [_MASTER.strip()]
        for label, (certificate, address, options) in services.items():
            lines.append(f"{address}:{ports[label]} inet n - n - - smtpd")
            every = (f"smtpd_tls_chain_files={place}/{certificate}.pem", f"syslog_name=postfix/{label}", *options)
            for option in every:
                for word, value in filled.items():
                    option = option.replace(f"{{{word}}}", str(value))  # noqa: PLW2901 - filled word by word
                lines.append(f"    -o {{ {option} }}")
        (place / "master.cf").write_text("\n".join(lines) + "\n")
        (place / "sni").write_text(f"{NAME} {place}/good.pem\n")
        subprocess.run(["postmap", "-c", place, "-F", f"hash:{place}/sni"], check=True, capture_output=True)
        private = place / "spool" / "private"
        with (
            dovecot(private / "auth", private / "mailbox", "postfix", mail),
            running(
                [master, "-c", str(place), "-d"], place / "out",
                [ports[label] for label in services if "6" not in label],
                env={"MAIL_CONFIG": str(place)},
            ),
        ):  # fmt: skip
            yield Mail(ports, leaves, authority.anchor, place, mail)
