"""What BIND's own reader says of a file, and what ours does: the same lines, the same records."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from deliverkit.model import Host, Mx, Source, Txt
from deliverkit.sources import read

CHECKZONE = shutil.which("named-checkzone")
pytestmark = pytest.mark.skipif(CHECKZONE is None, reason="bind9-utils is not installed")

HEAD = "$TTL 300\n@ SOA ns1 hostmaster 1 3600 900 604800 300\n@ NS ns1\nns1 A 192.0.2.53\n"
BAD = (
    "@ MX ten ns1", "x A 192.0.2.256", "x AAAA fe80::1%eth0", '@ TXT "never closed', "@ NOSUCH x", "x A",
    "x 99999999999 A 192.0.2.1", "a..b A 192.0.2.1", f"{'a' * 64} A 192.0.2.1", "x A 192.0.2.1 )", "$NONSENSE x",
    "$INCLUDE no-such-file", "$GENERATE 1-0 h$ A 192.0.2.1", "x CAA 0 issue", "_25._tcp TLSA 3 1 1 zz",
    f'@ TXT "{"x" * 256}"', "x TXT \\999", "x CH TXT y",
)  # fmt: skip
GOOD = """\
@      MX    10 ns1
       MX    20 mail.example.net.
long   TXT   ( "a;b" "c\\"d\\059"   ; a remark (
             plain\\032word )
$GENERATE 1-5/2 h${0,3,d} A 192.0.2.$
$GENERATE 10-11 n${0,3,n} CNAME h$
www 1h IN CNAME ns1
www2 IN 1h CNAME ns1.example.com.
UPPER.Example.COM. TXT "x"
$ORIGIN sub.example.com.
@      TXT   only
*      MX    5 ns1.example.com.
_25._tcp TLSA 3 1 1 ( 00112233445566778899aabbccddeeff
                      00112233445566778899aabbccddeeff )
odd\\.dot A 192.0.2.7
"""


def checkzone(path: Path, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        [CHECKZONE or "", "-i", "none", "-k", "ignore", *words, "example.com", str(path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=path.parent,
        timeout=20,
    )
    return done.returncode, done.stdout + done.stderr


def written(tmp_path: Path, text: str) -> tuple[Path, Source]:
    path = tmp_path / "example.com.zone"
    path.write_text(text)
    return path, read(path)


@pytest.mark.parametrize("line", BAD)
def test_what_bind_refuses_is_told_at_the_same_line(tmp_path: Path, line: str):
    path, source = written(tmp_path, f"{HEAD}{line}\nlast A 192.0.2.1\n")
    code, said = checkzone(path)
    assert code != 0, said
    lines = {int(number) for number in re.findall(r"example\.com\.zone:(\d+):", said)}
    ours = {problem.place.line for problem in source.problems}
    if "x" * 256 in line:  # read, and told by a rule of its own
        ours = {r.place.line for r in source.records if isinstance(r.rdata, Txt) and len(r.rdata.raw) > 255}
    assert ours == {5}
    # BIND counts the end of a line that ended too early to the next.
    assert lines & {5, 6}, said
    assert source.records[-1].name == "last.example.com"


def test_the_same_records(tmp_path: Path):
    path, source = written(tmp_path, HEAD + GOOD)
    assert source.problems == ()
    code, said = checkzone(path, "-D", "-o", "-", "-q")
    assert code == 0, said
    theirs = {tuple(line.split(None, 4)[:4]) for line in said.splitlines() if " IN " in line or "\tIN\t" in line}
    found = {(f"{record.name}.", str(record.ttl), "IN", record.rdtype) for record in source.records}
    assert {(name.lower(), *rest) for name, *rest in theirs} == found
    text = next(r.rdata for r in source.records if r.name == "long.example.com")
    assert text == Txt((b"a;b", b'c"d;', b"plain word"))
    assert Host("h10.example.com") in {record.rdata for record in source.records}
    assert Mx(20, "mail.example.net") in {record.rdata for record in source.records}
