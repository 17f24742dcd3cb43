"""What a person sees: whole pages at 80 columns."""

from __future__ import annotations

import re

import msgspec
import pytest
from inline_snapshot import snapshot

from deliverkit.model import Inputs
from deliverkit.render.text import Look, render
from deliverkit.report import Report
from deliverkit.runs.check import check
from deliverkit.runs.options import RunOptions
from deliverkit.world import World

HEALTHY = """\
$ORIGIN example.com.
@      SOA  ns1 hostmaster 1 7200 3600 1209600 3600
@      MX   10 mx1
@      MX   20 mx2
mx1    A    192.0.2.1
mx1    AAAA 2001:db8::1
mx2    A    198.51.100.1
mx2    AAAA 2001:db8:1::1
@      TXT  "v=spf1 ip4:192.0.2.1 -all"
_dmarc TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
"""
BROKEN = """\
$ORIGIN example.com.
@      MX   10 mx
mx     CNAME web
web    A    192.0.2.1
web    AAAA 2001:db8::1
_dmarc TXT  "v=DMARC1; p=none; pct=50"
"""
SERVFAIL = """\
$ORIGIN example.com.
@      MX   10 mx
mx     A    192.0.2.1
mx     AAAA 2001:db8::1
_dmarc SERVFAIL
"""


def report(world: str, *areas: str, names: tuple[str, ...] = ("example.com",), questions: bool = False) -> Report:
    requests = tuple(Inputs(domain=name, areas=areas) for name in names)
    made = check(requests, RunOptions(questions=questions), port=World(world))
    targets = tuple(msgspec.structs.replace(target, duration_ms=412.0) for target in made.targets)
    return msgspec.structs.replace(made, targets=targets, duration_ms=412.0)


def test_healthy():
    assert render(report(HEALTHY, "mx", "spf", "dmarc"), Look()) == snapshot("""\
example.com   ✓ pass   84 passed                                           0.4 s

Next  deliverkit smtp --mx example.com   test the servers that take your mail
""")


def test_broken():
    assert render(report(BROKEN, "mx", "spf", "dmarc"), Look()) == snapshot("""\
example.com   ✗ fail   2 errors · 2 warnings · 2 notices · 50 passed       0.4 s

✗ error   mx-is-cname                                          DNS administrator
  The MX host mx.example.com is an alias (CNAME) of web.example.com; some
  senders will not deliver to it.
    example.com MX
      10 mx.example.com.
         ^^^^^^^^^^^^^^ a CNAME
    mx.example.com CNAME
      mx.example.com. CNAME web.example.com.
  Fix   Name the host itself in the MX record, not its alias.
    Change at example.com MX:
      - 10 mx.example.com.
      + 10 web.example.com.
  RFC 5321 §5.1, RFC 2181 §10.3   deliverkit explain mx-is-cname

✗ error   spf-missing                                          DNS administrator
  No SPF record is published: receivers cannot tell your servers from a
  forger's.
  Fix   Publish a record; this one lets only the MX hosts send: add an include:
        or ip4: for each other service.
    Publish at example.com TXT:
      + v=spf1 mx ~all
  RFC 7208 §3, RFC 7208 §4.5   deliverkit explain spf-missing

! warning dmarc-policy-none                                    DNS administrator
  The policy is none: receivers report forged mail and deliver it all the same.
    _dmarc.example.com TXT
      v=DMARC1; p=none; pct=50
                ^^^^^^ asks for nothing
  Fix   Once the reports show that all your own mail passes, ask for more.
    Change at _dmarc.example.com TXT:
      - v=DMARC1; p=none; pct=50
      + v=DMARC1; p=quarantine; rua=mailto:dmarc-reports@example.com
  RFC 9989 §4.7, RFC 9989 §5.1.7   deliverkit explain dmarc-policy-none

! warning dmarc-report-missing                                 DNS administrator
  No address receives the reports: you will not learn of forgery, nor that your
  own mail fails.
    _dmarc.example.com TXT
      v=DMARC1; p=none; pct=50
  Fix   Name a mailbox that takes the reports.
    Change at _dmarc.example.com TXT:
      - v=DMARC1; p=none; pct=50
      + v=DMARC1; p=none; rua=mailto:dmarc-reports@example.com
  RFC 9989 §4.7, RFC 9989 §5.1.3   deliverkit explain dmarc-report-missing

· notice  mx-single-point-of-failure                           DNS administrator
  All mail depends on one machine, mx.example.com.
    example.com MX
      10 mx.example.com.
  Fix   Publish a second MX host at another site, or accept that mail waits
        while this one is down.
  RFC 5321 §5.1, RFC 2182 §3.1   deliverkit explain mx-single-point-of-failure

· notice  dmarc-removed-tag                                    DNS administrator
  DMARC no longer has pct: receivers on RFC 9989 pass over it, and apply the
  policy to all mail.
    _dmarc.example.com TXT
      v=DMARC1; p=none; pct=50
                        ^^^^^^
      └ pct=50: applied the policy to a share of the mail; use t=y to test
  Fix   Take it out; to test a policy, say t=y.
    Change at _dmarc.example.com TXT:
      - v=DMARC1; p=none; pct=50
      + v=DMARC1; p=none; rua=mailto:dmarc-reports@example.com
  RFC 9989 Appendix C   deliverkit explain dmarc-removed-tag

Next  deliverkit spf example.com   the include tree, with what each term costs
""")


def test_broken_in_ascii():
    assert render(report(BROKEN, "mx", "dmarc"), Look(ascii=True)) == snapshot("""\
example.com   x fail   1 error - 2 warnings - 2 notices - 48 passed        0.4 s

x error   mx-is-cname                                          DNS administrator
  The MX host mx.example.com is an alias (CNAME) of web.example.com; some
  senders will not deliver to it.
    example.com MX
      10 mx.example.com.
         ^^^^^^^^^^^^^^ a CNAME
    mx.example.com CNAME
      mx.example.com. CNAME web.example.com.
  Fix   Name the host itself in the MX record, not its alias.
    Change at example.com MX:
      - 10 mx.example.com.
      + 10 web.example.com.
  RFC 5321 sec. 5.1, RFC 2181 sec. 10.3   deliverkit explain mx-is-cname

! warning dmarc-policy-none                                    DNS administrator
  The policy is none: receivers report forged mail and deliver it all the same.
    _dmarc.example.com TXT
      v=DMARC1; p=none; pct=50
                ^^^^^^ asks for nothing
  Fix   Once the reports show that all your own mail passes, ask for more.
    Change at _dmarc.example.com TXT:
      - v=DMARC1; p=none; pct=50
      + v=DMARC1; p=quarantine; rua=mailto:dmarc-reports@example.com
  RFC 9989 sec. 4.7, RFC 9989 sec. 5.1.7   deliverkit explain dmarc-policy-none

! warning dmarc-report-missing                                 DNS administrator
  No address receives the reports: you will not learn of forgery, nor that your
  own mail fails.
    _dmarc.example.com TXT
      v=DMARC1; p=none; pct=50
  Fix   Name a mailbox that takes the reports.
    Change at _dmarc.example.com TXT:
      - v=DMARC1; p=none; pct=50
      + v=DMARC1; p=none; rua=mailto:dmarc-reports@example.com
  RFC 9989 sec. 4.7, RFC 9989 sec. 5.1.3
  deliverkit explain dmarc-report-missing

- notice  mx-single-point-of-failure                           DNS administrator
  All mail depends on one machine, mx.example.com.
    example.com MX
      10 mx.example.com.
  Fix   Publish a second MX host at another site, or accept that mail waits
        while this one is down.
  RFC 5321 sec. 5.1, RFC 2182 sec. 3.1
  deliverkit explain mx-single-point-of-failure

- notice  dmarc-removed-tag                                    DNS administrator
  DMARC no longer has pct: receivers on RFC 9989 pass over it, and apply the
  policy to all mail.
    _dmarc.example.com TXT
      v=DMARC1; p=none; pct=50
                        ^^^^^^
      ` pct=50: applied the policy to a share of the mail; use t=y to test
  Fix   Take it out; to test a policy, say t=y.
    Change at _dmarc.example.com TXT:
      - v=DMARC1; p=none; pct=50
      + v=DMARC1; p=none; rua=mailto:dmarc-reports@example.com
  RFC 9989 Appendix C   deliverkit explain dmarc-removed-tag

Next  deliverkit dmarc example.com
      the policy that receivers apply, and where it was found
""")


def test_servfail():
    assert render(report(SERVFAIL, "mx", "spf", "dmarc"), Look()) == snapshot("""\
example.com   ✗ fail                                                       0.4 s
  1 error · 1 notice · 35 passed · 23 not determined

✗ error   spf-missing                                          DNS administrator
  No SPF record is published: receivers cannot tell your servers from a
  forger's.
  Fix   Publish a record; this one lets only the MX hosts send: add an include:
        or ip4: for each other service.
    Publish at example.com TXT:
      + v=spf1 mx ~all
  RFC 7208 §3, RFC 7208 §4.5   deliverkit explain spf-missing

· notice  mx-single-point-of-failure                           DNS administrator
  All mail depends on one machine, mx.example.com.
    example.com MX
      10 mx.example.com.
  Fix   Publish a second MX host at another site, or accept that mail waits
        while this one is down.
  RFC 5321 §5.1, RFC 2182 §3.1   deliverkit explain mx-single-point-of-failure

? not determined
  SERVFAIL from 192.0.2.53 for _dmarc.example.com TXT
    23 rules: dmarc-escaped dmarc-fo-without-ruf dmarc-html-encoded
      dmarc-missing dmarc-multiple-records dmarc-nonexistent-weaker
      dmarc-old-receivers-differ dmarc-policy-none dmarc-psd-misused
      dmarc-quoted-twice dmarc-removed-tag dmarc-report-domain-missing
      dmarc-report-duplicate dmarc-report-missing dmarc-report-not-mailto
      dmarc-report-unauthorized dmarc-report-uri-invalid
      dmarc-subdomain-tag-ignored dmarc-subdomain-weaker dmarc-syntax
      dmarc-testing dmarc-too-many-reports dmarc-unknown-tag

Next  deliverkit spf example.com   the include tree, with what each term costs
""")


def test_many():
    world = BROKEN + HEALTHY.replace("example.com", "example.net") + SERVFAIL.replace("example.com", "example.org")
    names = ("example.com", "example.net", "example.org", "nowhere.example")
    assert render(report(world, "mx", "dmarc", names=names), Look()) == snapshot("""\
example.com   ✗ fail   1 error · 2 warnings · 2 notices · 48 passed        0.4 s
  ✗ error   mx-is-cname  the MX host mx.example.com is an alias (CNAME) of web.…
  ! warning dmarc-policy-none  the policy is none: receivers report forged mail…
  ! warning dmarc-report-missing  no address receives the reports: you will not…
  · notice  mx-single-point-of-failure  all mail depends on one machine, mx.exa…
  · notice  dmarc-removed-tag  DMARC no longer has pct: receivers on RFC 9989 p…
example.net   ✓ pass   57 passed                                           0.4 s
example.org   ? inconclusive   1 notice · 33 passed · 23 not determined    0.4 s
  · notice  mx-single-point-of-failure  all mail depends on one machine, mx.exa…
  ? not determined  SERVFAIL from 192.0.2.53 for _dmarc.example.org TXT (23
    rules)
nowhere.example   ✗ fail   1 error                                         0.4 s
  does not exist
  ✗ error   mx-domain-nonexistent  the domain does not exist (NXDOMAIN): it get…

4 targets   2 fail · 1 inconclusive · 1 pass                               0.4 s
  ✗ error   mx-domain-nonexistent   1 target
  ✗ error   mx-is-cname   1 target
  ! warning dmarc-policy-none   1 target
  ! warning dmarc-report-missing   1 target
  · notice  mx-single-point-of-failure   2 targets
  · notice  dmarc-removed-tag   1 target

Next  deliverkit check example.com   the evidence and the fixes
""")


def test_one_area():
    assert render(report(BROKEN, "mx"), Look(), command="mx") == snapshot("""\
example.com   ✗ fail   1 error · 1 notice · 31 passed                      0.4 s

     10  mx.example.com → web.example.com  192.0.2.1
                                           2001:db8::1

✗ error   mx-is-cname                                          DNS administrator
  The MX host mx.example.com is an alias (CNAME) of web.example.com; some
  senders will not deliver to it.
    example.com MX
      10 mx.example.com.
         ^^^^^^^^^^^^^^ a CNAME
    mx.example.com CNAME
      mx.example.com. CNAME web.example.com.
  Fix   Name the host itself in the MX record, not its alias.
    Change at example.com MX:
      - 10 mx.example.com.
      + 10 web.example.com.
  RFC 5321 §5.1, RFC 2181 §10.3   deliverkit explain mx-is-cname

· notice  mx-single-point-of-failure                           DNS administrator
  All mail depends on one machine, mx.example.com.
    example.com MX
      10 mx.example.com.
  Fix   Publish a second MX host at another site, or accept that mail waits
        while this one is down.
  RFC 5321 §5.1, RFC 2182 §3.1   deliverkit explain mx-single-point-of-failure
""")


def test_colour_adds_nothing_but_colour():
    made = report(BROKEN, "mx", "dmarc", questions=True)
    for verbose in (False, True):
        plain = render(made, Look(verbose=verbose))
        coloured = render(made, Look(color=True, verbose=verbose))
        assert coloured != plain
        assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


@pytest.mark.parametrize("width", [40, 80, 132, 200])
def test_prose_fits_every_width(width):
    out = render(report(BROKEN, "mx", "dmarc"), Look(width=width))
    prose = [line for line in out.splitlines() if not line.startswith(("    ", "  deliverkit", "Next"))]
    assert max(map(len, prose)) <= max(width, 60)


HOSTILE = [
    "\\027[31mred\\027[0m", "\\155\\050", "\\226\\128\\174evil", "\\000\\001\\127", "[red]x[/red]", "::error::x",
    "##[error]x",
    "\\255\\254", "e\\204\\129\\204\\129\\204\\129\\204\\129\\204\\129",
    "<script>alert(1)</script>", "%0A::set-output::x",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_records(text):
    world = (
        f'$ORIGIN example.com.\n@ MX 10 mx\nmx A 192.0.2.1\n@ TXT "v=spf1 {text} -all"\n'
        f'_dmarc TXT "v=DMARC1; p={text}; {text}"\ns1._domainkey TXT "v=DKIM1; p={text}"\n'
    )
    made = check((Inputs(domain="example.com", selectors=("s1",)),), RunOptions(questions=True), port=World(world))
    assert all(target.error is None for target in made.targets)
    for command in ("check", "mx", "spf", "dkim", "dmarc"):
        for color in (False, True):
            out = render(made, Look(color=color, verbose=True), command=command)
            bare = re.sub(r"\x1b\[[0-9;]*m", "", out)
            assert all(char == "\n" or char.isprintable() for char in bare)
            assert "##[" not in bare
            assert not [line for line in bare.splitlines() if line.lstrip().startswith("::")]
            assert color or "\x1b" not in out
