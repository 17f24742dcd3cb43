"""Replies as people read them: one whole, several gathered, a log in numbers."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest
from inline_snapshot import snapshot

from deliverkit.render import markdown
from deliverkit.render.text import Look, decode, log
from deliverkit.replies import Decoded, Scope
from deliverkit.replies.groups import Groups
from deliverkit.replies.inputs import Counts, Item, Kind, Outcome
from deliverkit.replies.summary import Collector, Summary

NOW = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)
LISTED = Decoded(
    input="x",
    code=554,
    enhanced="5.7.1",
    class_="permanent",
    stage="rcpt",
    provider="example",
    provider_name="Example Mail",
    category="blocklist",
    meaning="The address is on a list of addresses that this server takes no mail from.",
    cause="Somebody sent spam from it, or from one beside it.",
    action="Stop what sent it, then ask the list to take the address off.",
    who="mail-admin",
    retry=False,
    scope=Scope(ip="192.0.2.25", domain="here.example"),
    list="Example List",
    ticket_url="https://list.example/removal?ip=192.0.2.25",
    references=("RFC 5321 §4.2.3", "RFC 3463 §3.8"),
    registered=True,
)
GREY = msgspec.structs.replace(
    LISTED,
    code=450,
    enhanced="5.7.1",
    class_="temporary",
    provider=None,
    provider_name=None,
    category="greylisting",
    meaning="The server turns away what it has not seen before.",
    cause="It has not seen this sender before.",
    action="Nothing is to be done.",
    who="nobody",
    retry=True,
    wait_s=300,
    scope=Scope(),
    list=None,
    ticket_url=None,
    disagreement="450 is temporary, 5.7.1 permanent: the basic code decides.",
)
FINE = msgspec.structs.replace(
    GREY, class_="success", category="success", code=250, enhanced="2.0.0", disagreement=None
)


def item(text: str, number: int = 1, **more: object) -> Item:
    given = {"kind": Kind.POSTFIX, "line": number, "host": "mx.inbox.example", "peer": "198.51.100.25", "stage": "rcpt"}
    return Item(text=text, given=text, **{**given, "recipient": f"ada{number}@inbox.example", **more})


def groups(*pairs: tuple[Item, Decoded]):
    made = Groups(NOW)
    for one, told in pairs:
        made.add(one, told)
    return made.all()


ONE = ((item("554-5.7.1 [192.0.2.25] is listed\n554 5.7.1 go away", time="Mar 10 03:04:05"), LISTED),)
MANY = (
    *((item(f"250 2.0.0 taken as id{number}", number), FINE) for number in range(3)),
    *((item(f"450 5.7.1 <ada{number}@inbox.example> greylisted", number), GREY) for number in range(4, 6)),
    *((item(f"554 5.7.1 [192.0.2.{number}] is listed", number), LISTED) for number in range(7, 10)),
    (item("554 5.7.1 listed otherwise", 11), LISTED),
)


def test_one_whole():
    assert decode.render(groups(*ONE), Look()) == snapshot("""\
✗ permanent   blocklist · Example Mail                        mail administrator

  554-5.7.1 [192.0.2.25] is listed
  554 5.7.1 go away

  Means   The address is on a list of addresses that this server takes no mail
          from.
  Cause   Somebody sent spam from it, or from one beside it.
  Do      Stop what sent it, then ask the list to take the address off.
  Retry   no: the same message would be refused again.
  Said    by mx.inbox.example [198.51.100.25], in reply to RCPT TO, for
          ada1@inbox.example, on Mar 10 03:04:05
  List    Example List
  About   IP 192.0.2.25, domain here.example
  Page    https://list.example/removal?ip=192.0.2.25
  RFC 5321 §4.2.3, RFC 3463 §3.8
""")


def test_both_codes_where_they_disagree():
    assert "Codes   450 is temporary, 5.7.1 permanent: the basic code decides." in decode.render(
        groups(MANY[3]), Look()
    )


def test_several_gathered():
    assert decode.render(groups(*MANY), Look()) == snapshot("""\
9 replies   4 permanent · 2 temporary · 3 success

✗ permanent   blocklist · Example Mail   × 4                  mail administrator
  3 × 554 5.7.1 [192.0.2.7] is listed
  1 × 554 5.7.1 listed otherwise
  To      inbox.example
  Means   The address is on a list of addresses that this server takes no mail
          from.
  Cause   Somebody sent spam from it, or from one beside it.
  Do      Stop what sent it, then ask the list to take the address off.
  Retry   no: the same message would be refused again.
  List    Example List
  Page    https://list.example/removal?ip=192.0.2.25

! temporary   greylisting   × 2                                nobody has to act
  450 5.7.1 <ada4@inbox.example> greylisted
  To      inbox.example
  Means   The server turns away what it has not seen before.
  Cause   It has not seen this sender before.
  Do      Nothing is to be done.
  Retry   yes, after 5 minutes: a mail server keeps the message and tries again.
  Codes   450 is temporary, 5.7.1 permanent: the basic code decides.

✓ success   3 replies (listed with -v)
""")


def test_a_line_each():
    assert decode.render(groups(*MANY), Look(quiet=True)) == snapshot("""\
✗ permanent 554 5.7.1  blocklist · Example Mail × 4  Stop what sent it, then as…
! temporary 450 5.7.1  greylisting × 2  Nothing is to be done.
✓ success 250 2.0.0  success × 3  The server turns away what it has not seen be…
""")


def test_everything():
    text = decode.render(groups(*MANY), Look(verbose=True))
    assert text.count("RFC 3463 §3.8") == 3
    assert "250 2.0.0 taken as id0" in text


@pytest.mark.parametrize("look", [Look(), Look(quiet=True), Look(verbose=True)])
def test_prose_fits(look: Look):
    for pairs in (ONE, MANY):
        lines = decode.render(groups(*pairs), look).splitlines()
        assert max(map(len, lines)) <= max(look.width, len("  Page    https://list.example/removal?ip=192.0.2.25"))


def test_nothing_is_nothing():
    assert decode.render([], Look()) == ""
    assert markdown.replies([]) == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "1 second"),
        (90, "90 seconds"),
        (300, "5 minutes"),
        (3600, "1 hour"),
        (172_800, "2 days"),
        (5400, "90 minutes"),
    ],
)
def test_durations(seconds: int, words: str):
    assert decode.duration(seconds) == words


def summed() -> Summary:
    collector = Collector(NOW)
    outcomes = {"success": Outcome.DELIVERED, "temporary": Outcome.DEFERRED, "permanent": Outcome.BOUNCED}
    for number, (one, told) in enumerate(MANY):
        collector.add(
            msgspec.structs.replace(
                one, outcome=outcomes[told.class_], queue_id=f"Q{number}", time=f"2026-03-10T0{number}:00:00Z"
            ),
            told,
        )
    return collector.summary(Counts(lines=20, skipped=11))


def test_a_log_in_numbers(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(log, "_local", lambda time: time[:16].replace("T", " "))
    assert log.render(summed(), Look()) == snapshot("""\
9 replies   20 lines read                    2026-03-10 00:00 – 2026-03-10 08:00

               attempts
  ✓ delivered         3  33 %
  ! deferred          2  22 %  2 waiting still
  ✗ bounced           4  44 %

Do first
  mail administrator
    1. blocklist at Example Mail   4 permanent
       Stop what sent it, then ask the list to take the address off.
       554 5.7.1 [192.0.2.7] is listed

What failed
  category     permanent  temporary  where          first and last seen
  blocklist            4             Example Mail   03-10 05:00 – 08:00
  greylisting                     2  inbox.example  03-10 03:00 – 04:00

Where
  provider      delivered  permanent  temporary  mostly
  others                3                     2  greylisting
  Example Mail                     4             blocklist

Recipients' domains
  domain         delivered  permanent  temporary
  inbox.example          3          4          2

What servers said   addresses, numbers and queue ids left out
  3  ✗ 554 5.7.1 […] is listed
  2  ! 450 5.7.1 <…> greylisted
  1  ✗ 554 5.7.1 listed otherwise
""")


def test_a_log_in_numbers_fits():
    collector = Collector(NOW)
    for number, name in enumerate(("Mail of the Example Company", "Another Example Company", "A Third Example")):
        told = msgspec.structs.replace(LISTED, provider=f"p{number}", provider_name=name)
        one = item("554 no", number, outcome=Outcome.BOUNCED, time=f"2026-03-0{number + 1}T00:00:00Z")
        collector.add(one, told)
    assert max(map(len, log.render(collector.summary(Counts()), Look()).splitlines())) <= 80
    assert max(map(len, log.render(summed(), Look()).splitlines())) <= 80
    assert log.render(summed(), Look(quiet=True)).count("\n") < 7


def test_markdown():
    assert markdown.replies(groups(*ONE)) == snapshot("""\
### permanent · blocklist · Example Mail

    554-5.7.1 [192.0.2.25] is listed
    554 5.7.1 go away

* **Means**: The address is on a list of addresses that this server takes no mail from.
* **Cause**: Somebody sent spam from it, or from one beside it.
* **Do**: Stop what sent it, then ask the list to take the address off.
* **Who**: mail administrator
* **Retry**: no
* **List**: `Example List`
* **IP**: `192.0.2.25`
* **Domain**: `here.example`
* **Page**: `https://list.example/removal?ip=192.0.2.25`
* RFC 5321 §4.2.3, RFC 3463 §3.8
""")


@pytest.mark.parametrize("text", ["`", "``` x", "a | b", "</code>", "* x", "\x1b[0m", "##[x", "a\nb"])
def test_code_ends_where_its_text_does(text: str):
    made = markdown.code(text)
    fence = made[: len(made) - len(made.lstrip("`"))]
    assert fence
    assert made.endswith(fence)
    assert fence not in made[len(fence) : -len(fence)]
    assert "\n" not in made
    assert "\x1b" not in made
    assert "##[" not in made
