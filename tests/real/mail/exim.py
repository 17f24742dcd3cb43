"""Exim, whose TLS is GnuTLS: the four ports of one server."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from authority import Authority, Leaf
from daemons import folder, free_ports, need_root, program, running, user
from listeners import LOCAL
from postfix import DOMAIN, NAME, PASSWORD, USER, Mail

MECHANISMS = ("PLAIN", "LOGIN", "CRAM-MD5")
_CONFIG = """
primary_hostname = {name}
exim_path = {program}
exim_user = nobody
exim_group = nogroup
spool_directory = {folder}/spool
log_file_path = {folder}/%slog
pid_file_path = {folder}/pid
domainlist local_domains = {domain}
local_interfaces = <; {interfaces}
daemon_smtp_ports = {mx} : {smtps} : {submission} : {alternative}
tls_on_connect_ports = {smtps}
smtp_banner = $smtp_active_hostname ESMTP Exim $version_number
tls_advertise_hosts = *
tls_certificate = {folder}/good.pem
auth_advertise_hosts = ${{if or{{{{eq{{$received_port}}{{{alternative}}}}}{{!eq{{$tls_in_cipher}}{{}}}}}}{{*}}}}
never_users =
host_lookup =
rfc1413_query_timeout = 0s
keep_environment =
smtp_accept_max = 200
disable_ipv6 = {no_six}
acl_smtp_mail = acl_mail
acl_smtp_rcpt = acl_rcpt
message_size_limit = 20M
accept_8bitmime
deliver_drop_privilege
begin acl
acl_mail:
  deny condition = ${{if eq{{$received_port}}{{{submission}}}}}
       condition = ${{if eq{{$tls_in_cipher}}{{}}}}
       message = 530 5.7.0 Must issue a STARTTLS command first
  accept
acl_rcpt:
  accept authenticated = *
  require message = relay not permitted
          domains = +local_domains
  require message = no such user
          verify = recipient
  accept
begin routers
local:
  driver = accept
  domains = +local_domains
  local_parts = {local}
  transport = mailbox
begin transports
mailbox:
  driver = appendfile
  directory = {folder}/mail/$local_part_data@$domain_data
  maildir_format
  use_crlf
  user = nobody
  group = nogroup
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{{user}}}}}{{eq{{$auth3}}{{{password}}}}}}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${{if and{{{{eq{{$auth1}}{{{user}}}}}{{eq{{$auth2}}{{{password}}}}}}}}}
  server_set_id = $auth1
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = ${{if eq{{$auth1}}{{{user}}}{{{password}}}fail}}
  server_set_id = $auth1
"""


@contextmanager
def exim(authority: Authority, leaves: dict[str, Leaf], *, six: bool) -> Iterator[Mail]:
    """Exim on ports for `mx`, `smtps`, `submission` and `alternative` (which has AUTH in clear)."""
    need_root()
    nobody = user("nobody")
    found = program("exim4", "exim4-daemon-light", unpacked="usr/sbin/exim4")
    ports = dict(zip(("mx", "smtps", "submission", "alternative"), free_ports(4), strict=True))
    with folder() as place:
        shutil.copy(leaves["good"].file, place / "good.pem")
        (place / "spool").mkdir()
        (place / "mail").mkdir()
        # Exim writes and reads as its own user before it has given its rights away.
        for path in (place, place / "good.pem", place / "spool", place / "mail"):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        (place / "exim.conf").write_text(
            _CONFIG.format(
                name=NAME, domain=DOMAIN, folder=place, program=found, user=USER, password=PASSWORD,
                interfaces="127.0.0.1 ; ::1" if six else "127.0.0.1", no_six="false" if six else "true",
                local=" : ".join(LOCAL), **ports,
            )
        )  # fmt: skip
        command = [found, "-C", str(place / "exim.conf"), "-bdf"]
        with running(command, place / "out", list(ports.values())):
            yield Mail(ports, leaves, authority.anchor, place, place / "mail")
