"""Sessions as a person sees them: the matrix, what stands beneath it, the whole of an endpoint with `-v`."""

from __future__ import annotations

import re

import pytest
from inline_snapshot import snapshot
from msgspec.structs import replace
from session_reports import auth, certificate, closed, endpoint, exhibit, finding, report, say, scan, tls

from deliverkit.render.json import render as as_json
from deliverkit.render.text import Look, render
from deliverkit.report import Report
from deliverkit.report.document import InconclusiveReport
from deliverkit.report.smtp import EhloReport, EndpointReport, MissedReport


def text(made: Report, *, width: int = 80, ascii_only: bool = False, verbose: bool = False) -> str:
    return render(made, Look(width=width, ascii=ascii_only, verbose=verbose), command="smtp")


def four() -> tuple[EndpointReport, ...]:
    return (
        endpoint(25),
        endpoint(465, tls=tls("old.example", name_matches=False)),
        endpoint(587, tls=tls(version="TLSv1.2"), auth=auth("PLAIN LOGIN", "PLAIN LOGIN")),
        closed(2525, "timeout", "no answer from 192.0.2.10:2525 within 15 s"),
    )


ADVICE = "Use 587 with STARTTLS for your application; 465 presents a certificate for another name (old.example)."


def test_four_ports_one_silent():
    assert text(report(*four(), advice=ADVICE)) == snapshot("""\
mail.example.com   ✓ pass   40 passed                                      0.4 s

mail.example.com  192.0.2.10
port  state    TLS           certificate           AUTH clear → TLS        rtt
25    open     STARTTLS 1.3  ✓ 61 days             –                     11 ms
465   open     implicit 1.3  ✗ names: old.example  – → PLAIN LOGIN       11 ms
587   open     STARTTLS 1.2  ✓ 61 days             ! PLAIN LOGIN → same  11 ms
2525  timeout

?        2525          no answer from 192.0.2.10:2525 within 15 s
banner   25, 465, 587  220 mail.example.com ESMTP Postfix
offers   25, 465, 587  PIPELINING, SIZE 10485760, 8BITMIME

Use 587 with STARTTLS for your application; 465 presents a certificate for
another name (old.example).

Next  deliverkit smtp mail.example.com --port 465 --user NAME
      can your application log in?
""")


def test_four_ports_where_there_is_room():
    assert text(report(*four(), advice=ADVICE), width=120) == snapshot("""\
mail.example.com   ✓ pass   40 passed                                                                              0.4 s

mail.example.com  192.0.2.10
port  state    TLS               certificate           AUTH in clear → in TLS       round trip
25    open     STARTTLS TLSv1.3  ✓ 61 days             –                                 11 ms
465   open     implicit TLSv1.3  ✗ names: old.example  – → PLAIN LOGIN                   11 ms
587   open     STARTTLS TLSv1.2  ✓ 61 days             ! PLAIN LOGIN → PLAIN LOGIN       11 ms
2525  timeout

?        2525          no answer from 192.0.2.10:2525 within 15 s
banner   25, 465, 587  220 mail.example.com ESMTP Postfix
offers   25, 465, 587  PIPELINING, SIZE 10485760, 8BITMIME

Use 587 with STARTTLS for your application; 465 presents a certificate for another name
(old.example).

Next  deliverkit smtp mail.example.com --port 465 --user NAME   can your application log in?
""")


def test_four_ports_in_ascii():
    made = text(report(*four(), advice=ADVICE), ascii_only=True)
    assert made.isascii()
    assert made == snapshot("""\
mail.example.com   v pass   40 passed                                      0.4 s

mail.example.com  192.0.2.10
port  state    TLS           certificate           AUTH clear -> TLS        rtt
25    open     STARTTLS 1.3  v 61 days             -                      11 ms
465   open     implicit 1.3  x names: old.example  - -> PLAIN LOGIN       11 ms
587   open     STARTTLS 1.2  v 61 days             ! PLAIN LOGIN -> same  11 ms
2525  timeout

?        2525          no answer from 192.0.2.10:2525 within 15 s
banner   25, 465, 587  220 mail.example.com ESMTP Postfix
offers   25, 465, 587  PIPELINING, SIZE 10485760, 8BITMIME

Use 587 with STARTTLS for your application; 465 presents a certificate for
another name (old.example).

Next  deliverkit smtp mail.example.com --port 465 --user NAME
      can your application log in?
""")


def test_an_ordinary_mx():
    assert text(report(endpoint(25, ptr=("mail.example.com",)))) == snapshot("""\
mail.example.com   ✓ pass   40 passed                                      0.4 s

mail.example.com  192.0.2.10
port  state  TLS               certificate  round trip
25    open   STARTTLS TLSv1.3  ✓ 61 days         11 ms

banner   25  220 mail.example.com ESMTP Postfix
offers   25  PIPELINING, SIZE 10485760, 8BITMIME
""")


def rows(made: str) -> list[str]:
    lines = made.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("port"))
    end = next((n for n in range(start, len(lines)) if not lines[n]), len(lines))
    return [re.sub(r"  +", " | ", line) for line in lines[start + 1 : end]]


@pytest.mark.parametrize(
    ("made", "row"),
    [
        (endpoint(587, tls=tls(certificate=certificate("mail.example.com", days=-3))), "✗ expired"),
        (endpoint(25, tls=tls(certificate=certificate("mail.example.com", days=-3))), "· expired"),
        (endpoint(25, tls=tls(certificate=certificate("a.example", days=-3), mta_sts="enforce")), "✗ expired"),
        (endpoint(25, tls=tls(certificate=certificate("a.example", days=-3), dane="match")), "✓ expired, DANE"),
        (endpoint(25, tls=tls(dane="mismatch")), "✗ not in TLSA"),
        (endpoint(25, tls=tls("a.example", dane="match", name_matches=False)), "✓ 61 days"),
        (endpoint(587, tls=tls("a.example", "b.example", name_matches=False)), "✗ names: a.example +1"),
        (endpoint(587, tls=tls(certificate=certificate(), name_matches=False)), "✗ bears no name"),
        (endpoint(587, tls=tls(trusted=False, trust_error="self-signed certificate")), "✗ self-signed"),
        (endpoint(587, tls=tls(trusted=False, trust_error="unable to get local issuer certificate")), "✗ not trusted"),
        (
            endpoint(587, tls=tls(trusted=False, trust_error="self-signed certificate in certificate chain")),
            "✗ private authority",
        ),
        (endpoint(587, tls=tls(certificate=certificate("a.example", days=9))), "! 9 days"),
        (endpoint(587, tls=tls(certificate=certificate("a.example", days=1))), "! 1 day"),
        (endpoint(587, tls=tls(certificate=certificate("a.example", days=5, lifetime=7))), "✓ 5 days"),
        (endpoint(587, tls=tls(certificate=None, chain=())), "✗ none sent"),
    ],
)  # fmt: skip
def test_the_certificate_at_a_glance(made, row):
    assert rows(text(report(made), width=120))[0].split(" | ")[3] == row


def without_tls(port: int = 587, **more: object) -> EndpointReport:
    return endpoint(
        port, **{"tls": None, "ehlo": EhloReport(before_tls=("SIZE 1",), after_tls=()), "auth": auth(), **more}
    )


@pytest.mark.parametrize(
    ("made", "row"),
    [
        (without_tls(starttls="missing"), "587 | open | ✗ none | 11 ms"),
        (without_tls(starttls="missing", auth=auth("PLAIN")), "587 | open | ✗ none | ! PLAIN → – | 11 ms"),
        (
            without_tls(starttls="failed", tls_error="no protocols in common", phase="tls"),
            "587 | open | ✗ STARTTLS failed | – → ? | 11 ms",
        ),
        (
            without_tls(465, starttls="implicit", tls_error="what came is not TLS", phase="tls"),
            "465 | open | ✗ implicit failed | – → ? | 11 ms",
        ),
        (without_tls(starttls=None, phase="banner", banner=None), "587 | open | ? | ? | ? | 11 ms"),
        (without_tls(starttls=None, phase="ehlo", banner="421 busy"), "587 | open, 421 | ? | ? | ? | 11 ms"),
        (without_tls(starttls="offered"), "587 | open | STARTTLS, not tried | 11 ms"),
        (endpoint(25, tls=tls(version="TLSv1.1")), "25 | open | ! STARTTLS TLSv1.1 | ✓ 61 days | 11 ms"),
        (closed(25, "timeout", "no answer", by_us="many networks block port 25"), "25 | timeout*"),
        (closed(25, "refused"), "25 | refused"),
    ],
)  # fmt: skip
def test_tls_and_auth_at_a_glance(made, row):
    assert rows(text(report(made), width=120)) == [row]


def test_what_is_ours_is_said_to_be_ours():
    made = text(
        report(closed(25, "timeout", "no answer within 15 s", by_us="many networks block port 25"), endpoint(587))
    )
    assert re.search(r"^\* +25 +this may be our network, not the server: many networks block", made, re.MULTILINE)


def test_a_421_is_not_taken_for_a_server_without_tls():
    made = report(
        endpoint(
            25, banner="421 4.7.0 mail.example.com busy", phase="banner", starttls=None, tls=None, esmtp=None,
            ehlo=EhloReport(before_tls=(), after_tls=()),
            transcript=say("@4 S: 421 4.7.0 mail.example.com busy", "N: the server ended the session"),
        ),
        unclear=(InconclusiveReport(rule="smtp-starttls-missing", area="smtp", severity="error", why="421"),),
    )  # fmt: skip
    assert text(made) == snapshot("""\
mail.example.com   ? inconclusive   40 passed · 1 not determined           0.4 s

mail.example.com  192.0.2.10
port  state      TLS  certificate  AUTH in clear → in TLS  round trip
25    open, 421  ?    ?            ?                            11 ms

?        25  broke off at banner: the server ended the session
banner   25  421 4.7.0 mail.example.com busy

? not determined
  421
    smtp-starttls-missing
""")


def test_an_early_talker():
    made = report(
        endpoint(25, transcript=say("@4 S: 220 mail.example.com", "S: 250 mail.example.com", "N: out-of-step: …")),
        findings=(finding("smtp-early", "mail.example.com port 25", "talks before it is asked", severity="warning"),),
    )  # fmt: skip
    assert text(made) == snapshot("""\
mail.example.com   ✓ pass   1 warning · 40 passed                          0.4 s

mail.example.com  192.0.2.10
port  state  TLS               certificate  round trip
25    open   STARTTLS TLSv1.3  ✓ 61 days         11 ms

banner   25  220 mail.example.com ESMTP Postfix
offers   25  PIPELINING, SIZE 10485760, 8BITMIME

! warning smtp-early                                          mail administrator
  Talks before it is asked.
  At    mail.example.com port 25
  Fix   Renew it.
  RFC 5280 §4.1.2.5   deliverkit explain smtp-early
""")


def test_addresses_that_do_the_same_share_a_table():
    other = {"address": "2001:db8::10", "timings_ms": {"connect": 19.0}}
    made = text(report(endpoint(25), endpoint(587), endpoint(25, **other), endpoint(587, **other)))
    assert made == snapshot("""\
mail.example.com   ✓ pass   40 passed                                      0.4 s

mail.example.com  192.0.2.10, 2001:db8::10
port  state  TLS               certificate  AUTH in clear → in TLS  round trip
25    open   STARTTLS TLSv1.3  ✓ 61 days    –                         11…19 ms
587   open   STARTTLS TLSv1.3  ✓ 61 days    – → PLAIN LOGIN           11…19 ms

banner   25, 587  220 mail.example.com ESMTP Postfix
offers   25, 587  PIPELINING, SIZE 10485760, 8BITMIME

Next  deliverkit smtp mail.example.com --port 587 --user NAME
      can your application log in?
""")


def test_addresses_that_differ_have_a_table_each():
    made = text(
        report(endpoint(587), endpoint(587, address="2001:db8::10", tls=tls("old.example", name_matches=False)))
    )
    assert made == snapshot("""\
mail.example.com   ✓ pass   40 passed                                      0.4 s

mail.example.com  192.0.2.10
port  state  TLS               certificate  AUTH clear → TLS    rtt
587   open   STARTTLS TLSv1.3  ✓ 61 days    – → PLAIN LOGIN   11 ms

mail.example.com  2001:db8::10
port  state  TLS               certificate           AUTH clear → TLS    rtt
587   open   STARTTLS TLSv1.3  ✗ names: old.example  – → PLAIN LOGIN   11 ms

banner   587  220 mail.example.com ESMTP Postfix
offers   587  PIPELINING, SIZE 10485760, 8BITMIME

Next  deliverkit smtp mail.example.com --port 587 --user NAME
      can your application log in?
""")


def ten(**of_four: object) -> tuple[EndpointReport, ...]:
    made = []
    for number in range(1, 11):
        host = f"mx{number}.example.com"
        for address in (f"192.0.2.{number}", f"2001:db8::{number}"):
            fields = {"host": host, "address": address, "tls": tls(host, mta_sts="enforce")}
            made.append(endpoint(25, **{**fields, **(of_four if number == 4 else {})}))
    made[3] = closed(25, "timeout", "no answer within 15 s", host="mx2.example.com", address="2001:db8::2")
    return tuple(made)


def expired(number: int) -> object:
    host = f"mx{number}.example.com"
    return finding(
        "tls-certificate-expired", f"{host} port 25", "the certificate has expired",
        fix=f"Renew it: certbot certonly -d {host}.",
        exhibits=(exhibit(f"CN={host}", f"{host} [192.0.2.{number}] port 25, certificate"),),
    )  # fmt: skip


def test_ten_hosts_are_one_table_and_one_finding():
    made = report(*ten(), name="example.com", findings=tuple(expired(number) for number in range(1, 9)))
    assert text(made) == snapshot("""\
example.com   ✗ fail   1 error · 40 passed                                 0.4 s

port 25           address        state    TLS           certificate    rtt
mx1.example.com   192.0.2.1 +1   open     STARTTLS 1.3  ✓ 61 days    11 ms
mx2.example.com   192.0.2.2      open     STARTTLS 1.3  ✓ 61 days    11 ms
mx2.example.com   2001:db8::2    timeout
mx3.example.com   192.0.2.3 +1   open     STARTTLS 1.3  ✓ 61 days    11 ms
mx4.example.com   192.0.2.4 +1   open     STARTTLS 1.3  ✓ 61 days    11 ms
mx5.example.com   192.0.2.5 +1   open     STARTTLS 1.3  ✓ 61 days    11 ms
mx6.example.com   192.0.2.6 +1   open     STARTTLS 1.3  ✓ 61 days    11 ms
mx7.example.com   192.0.2.7 +1   open     STARTTLS 1.3  ✓ 61 days    11 ms
mx8.example.com   192.0.2.8 +1   open     STARTTLS 1.3  ✓ 61 days    11 ms
mx9.example.com   192.0.2.9 +1   open     STARTTLS 1.3  ✓ 61 days    11 ms
mx10.example.com  192.0.2.10 +1  open     STARTTLS 1.3  ✓ 61 days    11 ms

?        mx2.example.com  no answer within 15 s
MTA-STS  all              covered by a policy in mode enforce

✗ error   tls-certificate-expired                             mail administrator
  The certificate has expired.
  At    port 25 of mx1.example.com, mx2.example.com, mx3.example.com,
        mx4.example.com, mx5.example.com, mx6.example.com, mx7.example.com,
        mx8.example.com
    mx1.example.com [192.0.2.1] port 25, certificate
      CN=mx1.example.com
    mx2.example.com [192.0.2.2] port 25, certificate
      CN=mx2.example.com
    mx3.example.com [192.0.2.3] port 25, certificate
      CN=mx3.example.com
    mx4.example.com [192.0.2.4] port 25, certificate
      CN=mx4.example.com
    mx5.example.com [192.0.2.5] port 25, certificate
      CN=mx5.example.com
    mx6.example.com [192.0.2.6] port 25, certificate
      CN=mx6.example.com
    … and 2 more (all of them with --format json)
  Fix   Renew it: certbot certonly -d mx1.example.com. For the others the same.
  RFC 5280 §4.1.2.5   deliverkit explain tls-certificate-expired

Next  deliverkit smtp --mx example.com --expect-certificate FILE
      once it is renewed: is the new one served?
""")


def test_a_policy_that_all_keep_is_said_of_all():
    assert "MTA-STS  all              covered by a policy in mode enforce" in text(report(*ten(), name="example.com"))


def test_a_policy_that_misses_the_host_is_said():
    missed = MissedReport(domain="example.com", mode="enforce")
    drawn = text(report(endpoint(25, tls=tls(mta_sts_missed=missed)), name="example.com"), width=140)
    said = "MTA-STS 25 ✗ not covered by the policy of example.com (enforce): senders that honour it will not deliver"
    assert said in " ".join(drawn.split())


def test_what_is_determined_has_no_question_mark_and_is_said_once():
    made = report(name="example.com")
    (target,) = made.targets
    smtp = replace(target.facts.smtp, absent=("example.com takes no mail: its MX is null (RFC 7505)",))
    target = replace(target, role="no-mail", facts=replace(target.facts, smtp=smtp))
    drawn = text(replace(made, targets=(target,)))
    assert drawn.count("takes no mail") == 1
    assert "?" not in drawn


def test_login_and_relay():
    answer = say("C~: AUTH PLAIN <redacted>", "S~: 535 5.7.8 authentication failed")
    made = report(
        endpoint(465, auth=auth("", "PLAIN", "accepted", "SCRAM-SHA-256"), relay="closed"),
        endpoint(587, auth=auth("", "PLAIN", "refused", "PLAIN"), transcript=answer, relay="possible"),
        endpoint(2525, auth=auth("", "PLAIN", "not-tried", None, "the certificate is not trusted: expired")),
    )
    said = text(made)
    assert re.search(r"^login +465 +accepted by SCRAM-SHA-256$", said, re.MULTILINE)
    assert re.search(r"^login +587 +refused by PLAIN: 535 5.7.8 authentication failed$", said, re.MULTILINE)
    assert re.search(r"^login +2525 +not tried: the certificate is not trusted: expired$", said, re.MULTILINE)
    assert "closed: the recipient outside was refused" in said
    assert "which is no proof" in said


def test_what_tls_changes_is_said():
    made = endpoint(
        587, ehlo=EhloReport(before_tls=("SIZE 1", "STARTTLS", "OLD"), after_tls=("SIZE 1", "DSN", "AUTH PLAIN"))
    )
    assert "offers   587  SIZE 1, DSN (in TLS only); in clear only: OLD\n" in text(report(made))


def test_many_mechanisms_are_named_beneath():
    made = text(report(endpoint(465, auth=auth("", "PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256"))))
    assert "AUTH     465  in TLS: PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256\n" in made


def whole() -> EndpointReport:
    intermediate = certificate("ca", subject="CN=Example CA,O=Example", issuer="CN=Example Root,O=Example")
    return endpoint(
        587,
        ptr=("mail.example.com",),
        tls=tls(
            chain=(certificate("mail.example.com", "*.example.com"), intermediate),
            certificate_without_sni=certificate("default.example"),
            asks_client_certificate=True,
            scan=scan(TLSv1=True, TLSv1_1=None, TLSv1_2=True, TLSv1_3=False),
        ),
        timings_ms={"connect": 11.4, "banner": 3.0, "ehlo": 11.6, "starttls": 11.2, "tls": 24.0, "ehlo_tls": 11.9},
        transcript=say(
            "@14.4 S: 220-mail.example.com ESMTP", "S: 220 no spam, please",
            "C: EHLO client.example", "@26 S: 250-mail.example.com", "S: 250 STARTTLS",
            "C: MAIL FROM:<>", "@37.6 S: 530 5.7.0 Must issue a STARTTLS command first",
            "C: STARTTLS", "@48.8 S: 220 2.0.0 ready", "@72.8 N~: TLS: TLSv1.3, TLS_AES_256_GCM_SHA384",
            "C~: EHLO client.example", "@84.7 S~: 250-mail.example.com", "S~: 250 AUTH PLAIN",
            "C~: AUTH PLAIN <redacted>", "@96 S~: 535 5.7.8 authentication failed",
            "C~: QUIT", "@107 S~: 221 2.0.0 bye",
        ),
    )  # fmt: skip


def test_the_whole_of_an_endpoint():
    made = report(whole(), passed=("smtp-starttls-missing", "tls-protocol-obsolete"))
    assert text(made, verbose=True) == snapshot("""\
mail.example.com   ✓ pass   40 passed                                      0.4 s

mail.example.com  192.0.2.10
port  state  TLS               certificate  AUTH in clear → in TLS  round trip
587   open   STARTTLS TLSv1.3  ✓ 61 days    – → PLAIN LOGIN              11 ms

banner   587  220 mail.example.com ESMTP Postfix
offers   587  PIPELINING, SIZE 10485760, 8BITMIME

mail.example.com [192.0.2.10] port 587
  PTR     mail.example.com
  TLS     TLSv1.3, TLS_AES_256_GCM_SHA384
          trusted; bears the name
          the server asks for a client certificate
  chain 0 CN=mail.example.com
          names     mail.example.com, *.example.com
          issuer    CN=Example CA,O=Example
          valid     2026-10-01 to 2026-12-30 (61 days left)
          key       ec-secp256r1, signed by ecdsa-with-SHA256
          SHA-256   abababababababababababababababababababababababababababababababab
          3 1 1     cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd
  chain 1 CN=Example CA,O=Example
          names     ca
          issuer    CN=Example Root,O=Example
          valid     2026-10-01 to 2026-12-30 (61 days left)
          key       ec-secp256r1, signed by ecdsa-with-SHA256
          SHA-256   abababababababababababababababababababababababababababababababab
          3 1 1     cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd
  no SNI  CN=default.example
          names     default.example
          issuer    CN=Example CA,O=Example
          valid     2026-10-01 to 2026-12-30 (61 days left)
          key       ec-secp256r1, signed by ecdsa-with-SHA256
          SHA-256   abababababababababababababababababababababababababababababababab
          3 1 1     cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd
          version  offered alone  cipher
          TLSv1    ! accepted     AES256-SHA
          TLSv1.1  ? not told     –
          TLSv1.2  accepted       AES256-SHA
          TLSv1.3  refused        –
  EHLO in clear → in TLS
            PIPELINING
            SIZE 10485760
          - STARTTLS   in clear only
            8BITMIME
          + AUTH PLAIN LOGIN   in TLS only
  times   connect 11 ms · banner 3 ms · ehlo 12 ms · starttls 11 ms · tls 24 ms
          · ehlo in TLS 12 ms
  === Trying 192.0.2.10:587
  === Connected                                                         +0.011 s
  <-  220-mail.example.com ESMTP                                        +0.014 s
  <-  220 no spam, please
   -> EHLO client.example
  <-  250-mail.example.com                                              +0.026 s
  <-  250 STARTTLS
   -> MAIL FROM:<>
  <** 530 5.7.0 Must issue a STARTTLS command first                     +0.038 s
   -> STARTTLS
  <-  220 2.0.0 ready                                                   +0.049 s
  === TLS: TLSv1.3, TLS_AES_256_GCM_SHA384                              +0.073 s
   ~> EHLO client.example
  <~  250-mail.example.com                                              +0.085 s
  <~  250 AUTH PLAIN
   ~> AUTH PLAIN <redacted>
  <~* 535 5.7.8 authentication failed                                   +0.096 s
   ~> QUIT
  <~  221 2.0.0 bye                                                     +0.107 s

✓ passed
  smtp-starttls-missing
  tls-protocol-obsolete

Next  deliverkit smtp mail.example.com --port 587 --user NAME
      can your application log in?
""")


def test_a_long_reply_is_cut_and_says_so():
    lines = say("@1 S: 220-0", *(f"S: 220-{number}" for number in range(1, 150)), "C: QUIT")
    made = text(report(endpoint(25, transcript=lines)), verbose=True)
    assert "<-  220-99\n" in made
    assert "<-  220-101\n" not in made
    assert "… (+49 lines)" in made
    assert "   -> QUIT" in made


def test_a_port_that_never_opened_has_a_transcript_too():
    made = text(report(closed(2525, "timeout", "no answer within 15 s")), verbose=True)
    assert "  === Trying 192.0.2.10:2525\n  *** timeout: no answer within 15 s\n" in made


@pytest.mark.parametrize("width", [80, 100, 120])
def test_no_row_is_longer_than_the_line(width):
    for made in (report(*four(), advice=ADVICE), report(*ten(), name="example.com")):
        lines = text(made, width=width).splitlines()
        assert max(len(line) for line in lines if not line.startswith("Next")) <= width


EVIL = (
    "\x1b[31mred\x1b[0m \x1b]8;;https://evil.example\x07x", "\u202eevil\u2066", "\x9b2J\x07\x00\x7f", "\r\n::error::x",
    "::error::x", "##[error]x", "[red]x[/red] [/] [link=file:///x]y", "<script>=cmd|' /C'!A0", "\u2028\u200b\U000e0041",
)  # fmt: skip


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize("color", [False, True])
def test_nothing_that_a_peer_says_acts_on_the_reader(evil, color):
    leaf = certificate(evil, subject=evil, issuer=evil, key=evil, signature=evil)
    whole = endpoint(
        587, host=f"{evil}.example", banner=evil, why=evil, phase=evil, by_us=evil, tls_error=evil, ptr=(evil,),
        ehlo=EhloReport(before_tls=(evil,), after_tls=(evil, "X")),
        auth=auth(evil.replace(" ", ""), "", "refused", evil, evil),
        tls=tls(certificate=leaf, chain=(leaf,), certificate_without_sni=leaf, trust_error=evil, cipher=evil),
        transcript=say(f"S: {evil}", f"C: {evil}", f"N: {evil}", f"S~: 535 {evil}"),
    )  # fmt: skip
    made = report(
        whole, whole, closed(25, "timeout", evil, by_us=evil), advice=evil, unknown=(evil,),
        findings=(finding("tls-x", f"{evil} port 25", evil, fix=evil, exhibits=(exhibit(evil, evil),)),),
        unclear=(InconclusiveReport(rule="smtp-x", area="smtp", severity="error", why=evil),),
    )  # fmt: skip
    for verbose in (False, True):
        for ascii_only in (False, True):
            look = Look(color=color, verbose=verbose, ascii=ascii_only)
            for command in ("smtp", "check"):
                bare = (
                    re.sub(r"\x1b\[[0-9;]*m", "", render(made, look, command=command)) if color else render(made, look)
                )
                assert all(char == "\n" or char.isprintable() for char in bare)
                assert "##[" not in bare
                assert not [line for line in bare.splitlines() if line.lstrip().startswith("::")]
    document = as_json(made)
    assert all(char == "\n" or char.isprintable() for char in document)
    assert not [line for line in document.splitlines() if line.startswith("::")]
