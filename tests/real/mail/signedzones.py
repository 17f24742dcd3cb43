"""The DNS of these tests: NSD with zones signed here, behind a validating Unbound."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import dns.dnssec
import dns.exception
import dns.message
import dns.query
import dns.zone
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from daemons import PATIENCE, folder, free_ports, program, running
from dns.rdtypes.ANY.DNSKEY import DNSKEY

_HEAD = "$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.53\n"


_ROOT = "$TTL 300\n@ SOA ns. hostmaster. 1 3600 600 86400 60\n@ NS ns.\nns. A 192.0.2.53\n"


def _sign(zone: dns.zone.Zone) -> DNSKEY:
    """Signs the zone with one key for all, and returns it."""
    private = ec.generate_private_key(ec.SECP256R1())
    key = dns.dnssec.make_dnskey(private.public_key(), "ECDSAP256SHA256", flags=257)
    with zone.writer() as transaction:
        dns.dnssec.sign_zone(zone, transaction, keys=[(private, key)], lifetime=86400, add_dnskey=True)
    return key


def _await(port: int) -> None:
    query = dns.message.make_query("mail.example.com", "A")
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            dns.query.udp(query, "127.0.0.1", port=port, timeout=0.5)
        except (OSError, dns.exception.DNSException):
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"no name server came up on port {port}")


@contextmanager
def resolver(signed: dict[str, str], unsigned: dict[str, str]) -> Iterator[str]:
    """The resolver's `127.0.0.1#PORT`. Zones by origin, records alone; all others do not exist."""
    nsd, unbound = program("nsd", "nsd"), program("unbound", "unbound")
    authority, port = free_ports(2)
    with ExitStack() as stack:
        place = stack.enter_context(folder())
        root = _ROOT
        for origin, text in {**signed, **unsigned}.items():
            zone = dns.zone.from_text(_HEAD + text, origin=origin, relativize=False)
            root += f"{origin}. NS ns.{origin}.\nns.{origin}. A 192.0.2.53\n"
            if origin in signed:
                root += f"{origin}. DS {dns.dnssec.make_ds(f'{origin}.', _sign(zone), 'SHA256').to_text()}\n"
            (place / f"{origin}.zone").write_text(zone.to_text(relativize=False))
        zone = dns.zone.from_text(root, origin=".", relativize=False)
        anchor = f". IN DNSKEY {_sign(zone).to_text()}"
        (place / "root.zone").write_text(zone.to_text(relativize=False))
        files = {origin: f"{origin}.zone" for origin in (*signed, *unsigned)} | {".": "root.zone"}
        (place / "nsd.conf").write_text(
            f'server:\n ip-address: 127.0.0.1@{authority}\n username: ""\n chroot: ""\n zonesdir: "{place}"\n'
            f' pidfile: "{place}/nsd.pid"\n database: ""\n zonelistfile: "{place}/zone.list"\n'
            f' xfrdfile: "{place}/xfrd.state"\n xfrdir: "{place}"\n server-count: 1\n rrl-ratelimit: 0\n'
            "remote-control:\n control-enable: no\n"
            + "".join(f'zone:\n name: "{origin}"\n zonefile: "{file}"\n' for origin, file in files.items())
        )
        (place / "unbound.conf").write_text(
            f'server:\n chroot: ""\n username: ""\n directory: "{place}"\n pidfile: "{place}/unbound.pid"\n'
            f' use-syslog: no\n logfile: ""\n num-threads: 1\n do-not-query-localhost: no\n do-ip6: no\n'
            f' interface: 127.0.0.1@{port}\n ede: yes\n module-config: "validator iterator"\n'
            f' trust-anchor: "{anchor}"\n'
            + "".join(f' local-zone: "{origin}." transparent\n' for origin in files if origin != ".")
            + ' local-zone: "127.in-addr.arpa." static\n'
            + "remote-control:\n control-enable: no\n"
            + "".join(f'stub-zone:\n name: "{origin}"\n stub-addr: 127.0.0.1@{authority}\n' for origin in files)
        )
        stack.enter_context(running([nsd, "-d", "-c", str(place / "nsd.conf")], place / "nsd.log", [authority]))
        stack.enter_context(running([unbound, "-d", "-c", str(place / "unbound.conf")], place / "unbound.log", [port]))
        _await(port)
        yield f"127.0.0.1#{port}"
