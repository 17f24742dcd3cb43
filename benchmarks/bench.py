"""What deliverkit costs, side by side in one run: `make bench`. Recorded in benchmarks/results.md.

The world is made here and served by the lab, in a process of its own, once at once and once with 30 ms
before each answer. Everything that is compared runs as a process and is measured from start to exit.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks import sessions
from benchmarks.measure import DELIVERKIT, ROUNDS, Row, medians, run
from deliverkit import __version__

RESULTS = Path(__file__).parent / "results.md"
LATENCY_MS = 30
CHAIN = 4
"""Lookups that depend on each other for one.example: its SPF record, two includes in turn, an address in the second."""
DOMAINS = 100
WANTED_RATE = 20
CHECKDMARC = """
import sys, checkdmarc.spf, checkdmarc.dmarc, dns.resolver
resolver = dns.resolver.Resolver(configure=False)
resolver.nameservers, resolver.port = ["127.0.0.1"], int(sys.argv[2])
for check in (checkdmarc.spf.check_spf, checkdmarc.dmarc.check_dmarc):
    assert check(sys.argv[1], resolver=resolver)["valid"]
"""


def zone(name: str) -> str:
    """An ordinary domain: two hosts, two services, a key, DMARC."""
    return f"""
$ORIGIN {name}.
@              SOA   ns1 hostmaster 1 7200 3600 1209600 3600
@              NS    ns1.names.example.
@              MX    10 mx1
@              MX    20 mx2
mx1            A     192.0.2.25
mx1            AAAA  2001:db8:1::25
mx2            A     198.51.100.25
mx2            AAAA  2001:db8:2::25
@              TXT   "v=spf1 mx include:_spf.post.example include:_spf.desk.example -all"
_dmarc         TXT   "v=DMARC1; p=reject; rua=mailto:dmarc@{name}"
s1._domainkey  TXT   "v=DKIM1; k=ed25519; p=vACaNotUKxR6AIZfKH7B9aS2ftzkueEOa5LSBInLu0E="
"""


SHARED = """
$ORIGIN example.
@              SOA   ns1.names hostmaster.names 1 7200 3600 1209600 3600
_spf.post      TXT   "v=spf1 include:_spf1.post.example include:_spf2.post.example -all"
_spf1.post     TXT   "v=spf1 ip4:203.0.113.0/26 a:out.post.example -all"
_spf2.post     TXT   "v=spf1 ip4:203.0.113.64/26 -all"
out.post       A     198.51.100.70
_spf.desk      TXT   "v=spf1 ip4:203.0.113.128/26 -all"
ns1.names      A     192.0.2.53
"""


POLICY_HOST = "mta-sts.one.example"
POLICY = f"""
$ORIGIN one.example.
_mta-sts       TXT   "v=STSv1; id=20260101"
_smtp._tls     TXT   "v=TLSRPTv1; rua=mailto:tls@one.example"
mta-sts        A     192.0.2.80

[https {POLICY_HOST}]
path         /.well-known/mta-sts.txt
body
  version: STSv1
  mode: enforce
  mx: mx1.one.example
  mx: mx2.one.example
  max_age: 604800
"""


class Server:
    """A running server: its port, and the questions it met since last asked."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        where = json.loads(process.stdout.readline())
        self.port: int = where["port"]
        self.ca: str = where["ca"]
        self.policy_port = int(next(word for word in where["connect_to"] if word.startswith(POLICY_HOST)).split(":")[3])

    def asked(self) -> list[tuple[str, str, int]]:
        """Each question and how often it came; counts anew."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return [(name, rdtype, count) for name, rdtype, count in json.loads(self.process.stdout.readline())]

    @property
    def resolver(self) -> str:
        """As `--resolver` takes it."""
        return f"127.0.0.1#{self.port}"


@contextmanager
def server(world: Path, latency: int) -> Iterator[Server]:
    """The lab, apart from what is measured."""
    command = [sys.executable, "-m", "benchmarks.server", str(world), str(latency)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Server(process)
        finally:
            process.terminate()


def measured(world: Path, many: Path) -> list[Row]:
    """The rows of the table."""
    with ExitStack() as stack:
        near, far = stack.enter_context(server(world, 0)), stack.enter_context(server(world, LATENCY_MS))
        slow_policy = stack.enter_context(sessions.path(near.policy_port, LATENCY_MS))
        anchor = world.with_name("ca.pem")
        anchor.write_text(near.ca, "utf-8")
        check = [*DELIVERKIT, "check", "one.example", "--selector", "s1", "--ca-file", str(anchor)]
        fast = ["--resolver", near.resolver, "--connect-to", f"{POLICY_HOST}:443:127.0.0.1:{near.policy_port}"]
        late = ["--resolver", far.resolver, "--connect-to", f"{POLICY_HOST}:443:127.0.0.1:{slow_policy.port}"]
        json_of = subprocess.run([*check, *late, "--format", "json"], capture_output=True, text=True, check=False)
        if json.loads(json_of.stdout)["targets"][0]["facts"].get("mta_sts", {}).get("mode") != "enforce":
            raise SystemExit(f"the policy was not fetched: {json_of.stdout[-3000:]}{json_of.stderr}")
        version, typer, quick, slow, rival = medians(
            lambda: run(*DELIVERKIT, "--version"),
            lambda: run(sys.executable, "-c", "import typer"),
            lambda: run(*check, *fast),
            lambda: run(*check, *late),
            lambda: run(sys.executable, "-c", CHECKDMARC, "one.example", str(far.port)),
        )
        far.asked()
        began = time.perf_counter()
        run(*DELIVERKIT, "check", f"@{many}", "--resolver", far.resolver)
        rate = DOMAINS / (time.perf_counter() - began)
        asked = far.asked()
        mail = sessions.rows(near.resolver)
    chain = CHAIN * LATENCY_MS
    added = slow - quick
    twice = sum(count > 1 for *_, count in asked)
    if len(asked) < DOMAINS:
        raise SystemExit(f"only {len(asked)} questions reached the server")
    return [
        Row("`deliverkit --version`", f"{version:.0f} ms"),
        Row("`python -c 'import typer'`", f"{typer:.0f} ms"),
        Row("the first to the second", f"{version / typer:.2f}", "at most 1.5", version <= 1.5 * typer),
        Row("`check` of one domain, its policy fetched over HTTPS, 0 ms of latency", f"{quick:.0f} ms"),
        Row(f"`check` of one domain, its policy fetched over HTTPS, {LATENCY_MS} ms", f"{slow:.0f} ms"),
        Row(
            f"what latency adds, to {CHAIN} dependent lookups ({chain} ms)",
            f"{added / chain:.2f}",
            "at most 1.5",
            added <= 1.5 * chain,
        ),
        Row(f"checkdmarc, SPF and DMARC alone, {LATENCY_MS} ms", f"{rival:.0f} ms"),
        Row("`check` to checkdmarc", f"{slow / rival:.2f}", "at most 0.33", slow <= rival / 3),
        Row(
            f"`check` of {DOMAINS} domains, {LATENCY_MS} ms",
            f"{rate:.0f} domains/s",
            "at least 20",
            rate >= WANTED_RATE,
        ),
        Row(f"questions asked twice, of {len(asked)}", str(twice), "0", twice == 0),
        *mail,
    ]


_FAIR = (
    "checkdmarc is asked for SPF and DMARC alone, which is less than `check` does; its time holds its "
    "imports, as every run of it does. What latency adds can stay under the chain: our own work is done while "
    "answers are awaited."
)


def _where() -> str:
    """What was measured, and on what."""
    machine = f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} processors"
    return (
        f"deliverkit {__version__}, {machine}; medians of {ROUNDS} runs in turn, processes from start to exit. "
        "`make bench` writes this."
    )


def main() -> int:
    """The exit code: 1 where a figure is not what is wanted."""
    names = [f"d{number}.example" for number in range(DOMAINS)]
    with tempfile.TemporaryDirectory() as folder:
        world, many = Path(folder) / "bench.world", Path(folder) / "domains"
        world.write_text(SHARED + "".join(zone(name) for name in ["one.example", *names]) + POLICY, "utf-8")
        many.write_text("".join(f"{name}\n" for name in names), "utf-8")
        rows = measured(world, many)
    lines = [
        "# Benchmarks",
        "",
        _where(),
        "",
        _FAIR,
        "",
        "| what | measured | wanted | |",
        "| --- | --- | --- | --- |",
        *(
            f"| {what} | {value} | {wanted} | {('✓' if fine else '✗') if wanted else ''} |"
            for what, value, wanted, fine in rows
        ),
    ]
    text = "\n".join(lines) + "\n"
    RESULTS.write_text(text, "utf-8")
    print(text)
    return 0 if all(fine for *_, fine in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
