"""The baseline's file, and how it is written anew."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.model.gate import Gate
from deliverkit.report.asked import Asked
from deliverkit.report.baseline import Baseline, BaselineError, Entry, decode, encode, revised
from tests.report.accepting import done, entries, entry, finding, findings, target, unclear

ASKED = Asked(areas=("mx", "spf", "dmarc"))
HEAD = '{"schema": "deliverkit/baseline/1", "findings": ['


def baseline(*known: Entry) -> Baseline:
    return Baseline(findings=tuple(sorted(known)))


@given(st.lists(entries))
def test_the_file_holds_what_was_written_whatever_the_order(known):
    text = encode(Baseline(findings=tuple(known)))
    assert text == encode(Baseline(findings=tuple(reversed(known))))
    assert sorted(decode(text.encode(), "x").findings) == sorted(known)


def test_the_file_is_made_to_be_compared():
    lines = encode(baseline(entry("mx-b"), entry("mx-a"))).splitlines()
    assert [line for line in lines if '"rule"' in line] == ['      "rule": "mx-a",', '      "rule": "mx-b",']
    assert not [line for line in lines if "_at" in line]


def test_a_byte_order_mark_and_further_keys_are_taken():
    head = HEAD.replace("{", '{"by": "someone", ', 1)
    one = '{"domain": "d", "rule": "mx-a", "subject": "s", "fingerprint": "f", "severity": "error", "note": 1}'
    assert decode(b"\xef\xbb\xbf" + f"{head}{one}]}}".encode(), "x").findings[0].rule == "mx-a"


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"schema": "deliverkit/baseline/1"}',
        b'{"findings": []}',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"schema": "deliverkit/baseline/2", "findings": []}',
        b'{"schema": "deliverkit/report/1", "findings": []}',
        b'{"schema": "deliverkit/baseline/1", "findings": [{"rule": "mx-a"}]}',
        (HEAD + '{"domain": "d", "rule": "mx-a", "subject": "", "fingerprint": "", "severity": "fatal"}]}').encode(),
    ],
)
def test_what_is_no_baseline_is_one_line(octets):
    with pytest.raises(BaselineError) as caught:
        decode(octets, "some.json")
    assert str(caught.value).startswith("some.json: not a baseline (deliverkit/baseline/1): ")
    assert "\n" not in str(caught.value)


@given(st.binary())
def test_any_octets_are_a_baseline_or_an_error(octets):
    try:
        decode(octets, "x")
    except BaselineError:
        return


@given(st.lists(findings), st.lists(entries))
def test_after_a_baseline_nothing_is_new(found, known):
    now = target(*found, passed=("dmarc-a",))
    revision = revised(baseline(*known), (now,), ASKED)
    (left,) = done(now, entries=revision.baseline.findings).targets
    assert left.findings == ()
    again = revised(revision.baseline, (now,), ASKED)
    assert (again.baseline, again.new, again.gone) == (revision.baseline, (), ())


@given(st.lists(findings), st.lists(entries))
def test_an_update_accepts_nothing_new(found, known):
    now = target(*found)
    revision = revised(baseline(*known), (now,), ASKED, accept=False)
    assert revision.new == ()
    (before,) = done(now, entries=known).targets
    (after,) = done(now, entries=revision.baseline.findings).targets
    assert len(before.findings) == len(after.findings)
    assert not done(now, entries=revision.baseline.findings).stale


def test_what_changed_is_told():
    old = baseline(entry("mx-a"), entry("mx-b", "warning"), entry("spf-a"))
    now = target(finding("mx-a"), finding("mx-b", "error"), finding("dmarc-a"))
    revision = revised(old, (now,), ASKED)
    assert [one.rule for one in revision.new] == ["dmarc-a", "mx-b"]
    assert [one.rule for one in revision.gone] == ["spf-a"]


def test_what_became_weaker_is_kept_as_weak_as_it_is():
    revision = revised(baseline(entry("mx-a", "error")), (target(finding("mx-a", "notice")),), ASKED, accept=False)
    assert [one.severity for one in revision.baseline.findings] == ["notice"]


@pytest.mark.parametrize(
    ("now", "asked"),
    [
        (target(inconclusive=[unclear("mx-a")]), ASKED),
        (target(name="other.example"), ASKED),
        (target(error="boom"), ASKED),
        (target(), Asked(areas=("spf",))),
        (target(), Asked(areas=ASKED.areas, gate=Gate(select=("spf",)))),
        (target(), Asked(areas=ASKED.areas, gate=Gate(ignore=("mx-a",)))),
    ],
)
def test_what_was_not_seen_is_not_gone(now, asked):
    old = baseline(entry("mx-a"))
    revision = revised(old, (now,), asked)
    assert revision.baseline == old
    assert revision.kept == old.findings


def test_what_the_run_finds_in_the_users_files_is_never_accepted():
    file = msgspec.structs.replace(target(finding("config-ignore-expired"), name="deliverkit.toml"), about="config")
    assert revised(Baseline(), (file,), ASKED).baseline.findings == ()


def test_the_file_names_its_schema():
    assert json.loads(encode(Baseline()))["schema"] == "deliverkit/baseline/1"
