"""Sendmail, whose logins are Cyrus SASL's: the four ports of one server, its configuration made by its own macros."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from authority import Authority, Leaf
from daemons import UNPACKED, folder, free_ports, need_root, program, running, user
from listeners import LOCAL
from postfix import DOMAIN, NAME, PASSWORD, USER, Mail

MECHANISMS = ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256")
_SAFE = "/mnt"
"""Where Sendmail sees the folder: it takes no key from below a folder that everybody may write to, as /tmp is."""
_CONFIG = """
define(`_USE_ETC_MAIL_')dnl
include(`{macros}/m4/cf.m4')dnl
OSTYPE(`linux')dnl
undefine(`confHOST_STATUS_DIRECTORY')dnl
FEATURE(`nouucp', `reject')dnl
FEATURE(`no_default_msa')dnl
FEATURE(`accept_unresolvable_domains')dnl
define(`confDOMAIN_NAME', `{name}')dnl
define(`confPID_FILE', `{folder}/pid')dnl
define(`QUEUE_DIR', `{folder}/queue')dnl
define(`confCONTROL_SOCKET_NAME', `')dnl
define(`STATUS_FILE', `{folder}/status')dnl
define(`confSMTP_LOGIN_MSG', `$j Sendmail $v')dnl
define(`confDONT_BLAME_SENDMAIL', `GroupReadableKeyFile,GroupReadableSASLDBFile,GroupWritableDirPathSafe')dnl
define(`confTO_IDENT', `0s')dnl
define(`confAUTH_MECHANISMS', `{mechanisms}')dnl
define(`confAUTH_OPTIONS', `p,y')dnl
define(`confAUTH_REALM', `{domain}')dnl
define(`confCACERT', `{safe}/anchor.pem')dnl
define(`confCACERT_PATH', `{safe}')dnl
define(`confSERVER_CERT', `{safe}/chain.pem')dnl
define(`confSERVER_KEY', `{safe}/key.pem')dnl
define(`confTLS_SRV_OPTIONS', `V')dnl
define(`confSERVICE_SWITCH_FILE', `{folder}/switch')dnl
define(`confHOSTS_FILE', `{folder}/hosts')dnl
TRUST_AUTH_MECH(`{mechanisms}')dnl
DAEMON_OPTIONS(`Name=MX, Family=inet, Addr=127.0.0.1, Port={mx}, M=A')dnl
DAEMON_OPTIONS(`Name=MSA, Family=inet, Addr=127.0.0.1, Port={submission}, M=Ea')dnl
DAEMON_OPTIONS(`Name=TLS, Family=inet, Addr=127.0.0.1, Port={smtps}, M=s')dnl
DAEMON_OPTIONS(`Name=ALT, Family=inet, Addr=127.0.0.1, Port={alternative}, M=E')dnl
define(`LOCAL_MAILER_PATH', `{folder}/keep')dnl
define(`LOCAL_MAILER_ARGS', `keep $u')dnl
define(`LOCAL_MAILER_FLAGS', `Pn9')dnl
LOCAL_DOMAIN(`{domain}')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
"""


_KEEP = """#!/bin/sh
mkdir -p {folder}/mail/$1@{domain}/new && cat >{folder}/mail/$1@{domain}/part.$$ &&
    mv {folder}/mail/$1@{domain}/part.$$ {folder}/mail/$1@{domain}/new/
"""


@contextmanager
def sendmail(authority: Authority, leaves: dict[str, Leaf]) -> Iterator[Mail]:
    """Sendmail on ports for `mx` (no AUTH), `smtps`, `submission` (AUTH required) and `alternative`."""
    need_root()
    found = program("sendmail.sendmail", "sendmail-bin", unpacked="usr/libexec/sendmail/sendmail")
    m4, unshare = program("m4", "m4"), program("unshare", "util-linux")
    if subprocess.run([unshare, "--mount", "--uts", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no namespaces here")
    macros = UNPACKED / "usr/share/sendmail/cf"
    if not macros.exists():
        pytest.skip("no macros of Sendmail's (.ci/run unpacks them from the package sendmail-cf)")
    ports = dict(zip(("mx", "smtps", "submission", "alternative"), free_ports(4), strict=True))
    with folder() as place:
        certificate = leaves["rsa"].file.read_text()
        key, _, chain = certificate.partition("-----BEGIN CERTIFICATE-----")
        (place / "key.pem").write_text(key)
        (place / "key.pem").chmod(0o600)
        (place / "chain.pem").write_text("-----BEGIN CERTIFICATE-----" + chain)
        # What Sendmail trusts it also sends behind its leaf; the chain of its certificate file it does not.
        (place / "anchor.pem").write_text(
            "-----BEGIN CERTIFICATE-----" + chain.partition("-----BEGIN CERTIFICATE-----")[2]
        )
        (place / "queue").mkdir(mode=0o700)
        (place / "switch").write_text("hosts files\naliases files\n")
        (place / "hosts").write_text(f"127.0.0.1 {NAME} localhost\n::1 localhost\n")
        _users(place)
        (place / "aliases").write_text(f"postmaster: {LOCAL[0]}\n")
        nobody = user("nobody")
        (place / "mail").mkdir()
        os.chown(place / "mail", nobody.pw_uid, nobody.pw_gid)
        (place / "keep").write_text(_KEEP.format(folder=place, domain=DOMAIN))
        (place / "keep").chmod(0o755)
        accounts = "".join(f"{name}:x:{nobody.pw_uid}:{nobody.pw_gid}::/nonexistent:/bin/sh\n" for name in LOCAL)
        (place / "passwd").write_text(Path("/etc/passwd").read_text("utf-8") + accounts)
        text = _CONFIG.format(
            macros=macros, name=NAME, domain=DOMAIN, folder=place, mechanisms=" ".join(MECHANISMS), safe=_SAFE, **ports
        )
        made = subprocess.run(
            [m4, f"-D_CF_DIR_={macros}/", "-"], input=text, capture_output=True, text=True, check=False, cwd=place
        )
        assert made.returncode == 0, made.stderr
        (place / "sendmail.cf").write_text(made.stdout)
        # Sendmail asks the system who it is before it reads its configuration, and waits where no name is to be had:
        # it gets a host name and an /etc/hosts of its own, and no name server.
        (place / "resolv").write_text("nameserver 127.0.0.1\n")
        (place / "nsswitch").write_text("passwd: files\ngroup: files\nhosts: files\n")
        apart = (
            f"mount --bind {place}/hosts /etc/hosts && mount --bind {place}/resolv /etc/resolv.conf && "
            f"mount --bind {place}/nsswitch /etc/nsswitch.conf && mount --bind {place}/passwd /etc/passwd && "
            f"mount --bind {place} {_SAFE} && mount --bind {place}/sasl /usr/lib/sasl2 && "
            f'hostname {NAME} && "$1" -bi -C {place}/sendmail.cf -OAliasFile={_SAFE}/aliases && exec "$@"'
        )
        command = [
            unshare,
            "--mount",
            "--uts",
            "sh",
            "-c",
            apart,
            "sh",
            found,
            "-bD",
            "-C",
            str(place / "sendmail.cf"),
            f"-OAliasFile={_SAFE}/aliases",
        ]
        with running(command, place / "out", list(ports.values())):
            yield Mail(ports, leaves, authority.anchor, place, place / "mail")


def _users(place: Path) -> None:
    """The passwords, as Cyrus SASL keeps them."""
    saslpasswd = program("saslpasswd2", "sasl2-bin")
    name, _, realm = USER.partition("@")
    subprocess.run(
        [saslpasswd, "-p", "-c", "-f", place / "sasldb2", "-u", realm, name],
        input=PASSWORD, text=True, check=True, capture_output=True,
    )  # fmt: skip
    (place / "sasl").mkdir()
    (place / "sasl" / "Sendmail.conf").write_text(
        f"pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {_SAFE}/sasldb2\n"
        f"mech_list: {' '.join(MECHANISMS)}\n"
    )
