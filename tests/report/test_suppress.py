"""What is accepted leaves counts and verdict, and stays in the report; what that says of the ignores themselves."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.model.gate import Gate
from deliverkit.model.location import Location
from deliverkit.report.document import FindingReport
from deliverkit.report.suppress import Accept
from tests.report.accepting import (
    TODAY,
    done,
    entries,
    entry,
    finding,
    findings,
    gates,
    ignore,
    ignores,
    target,
    unclear,
    unclears,
)


def test_an_ignored_finding_is_kept_with_its_reason_and_counts_for_nothing():
    expires = dt.date(2027, 1, 31)
    (left,) = done(target(finding()), accepts=[ignore(expires=expires)]).targets
    assert left.findings == ()
    assert left.verdict == "pass"
    assert left.counts.fail == 0
    (kept,) = left.suppressed
    assert (kept.rule, kept.by, kept.reason, kept.expires) == ("mx-a", "ignore", "OPS-1", "2027-01-31")


@pytest.mark.parametrize(
    ("named", "domain", "accepted"),
    [
        (None, "example.com", True),
        ("example.com", "example.com", True),
        ("example.com", "www.example.com", False),
        ("*.example.com", "www.example.com", True),
        ("*.example.com", "a.b.example.com", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "anexample.com", False),
        ("other.example", "example.com", False),
    ],
)
def test_which_domain_an_ignore_is_for(named, domain, accepted):
    (left,) = done(target(finding(), name=domain), accepts=[ignore(domain=named)]).targets
    assert (left.verdict == "pass") is accepted


@pytest.mark.parametrize(("word", "left"), [("mx-a", ["mx-b", "spf-a"]), ("mx", ["spf-a"]), ("spf", ["mx-a", "mx-b"])])
def test_an_ignore_takes_a_rule_or_an_area(word, left):
    found = target(finding("mx-a"), finding("mx-b"), finding("spf-a"))
    assert [each.rule for each in done(found, accepts=[ignore(word)]).targets[0].findings] == left


@pytest.mark.parametrize(("days", "verdict"), [(-1, "fail"), (0, "pass"), (1, "pass")])
def test_an_ignore_holds_through_its_last_day(days, verdict):
    accept = ignore(expires=TODAY + dt.timedelta(days=days))
    assert done(target(finding()), accepts=[accept]).targets[0].verdict == verdict


def test_an_ignore_without_a_reason_still_accepts():
    assert done(target(finding()), accepts=[ignore(reason=None)]).targets[0].verdict == "pass"


@pytest.mark.parametrize(
    ("path", "line", "accepted"),
    [("zones/a.zone", 4, True), ("zones/a.zone", 6, True), ("zones/a.zone", 7, False), ("zones/b.zone", 5, False)],
)
def test_an_ignore_beside_a_record_accepts_what_is_found_there(path, line, accepted):
    accept = ignore(path="zones/a.zone", line=4, lines=(4, 6))
    found = target(finding(location=Location(path=path, line=line)))
    assert (done(found, accepts=[accept]).targets[0].verdict == "pass") is accepted


def test_an_ignore_beside_a_record_accepts_nothing_without_a_place():
    assert done(target(finding()), accepts=[ignore(lines=(1, 99))]).targets[0].verdict == "fail"


def test_what_is_ignored_may_be_undetermined_too():
    (left,) = done(target(inconclusive=[unclear("mx-a"), unclear("spf-a")]), accepts=[ignore("mx")]).targets
    assert [each.rule for each in left.inconclusive] == ["spf-a"]
    assert left.counts.inconclusive == 1
    (left,) = done(target(inconclusive=[unclear("mx-a")]), accepts=[ignore("mx-a")]).targets
    assert left.verdict == "pass"


def test_a_rule_whose_finding_is_accepted_may_still_be_undetermined():
    found = target(finding(), inconclusive=[unclear()])
    (left,) = done(found, entries=[entry()]).targets
    assert (left.verdict, left.counts.fail, left.counts.inconclusive) == ("inconclusive", 0, 1)


@pytest.mark.parametrize(
    ("accepted", "now", "verdict"),
    [
        ("error", "error", "pass"),
        ("error", "warning", "pass"),
        ("warning", "error", "fail"),
        ("notice", "error", "fail"),
    ],
)
def test_what_became_harder_than_its_entry_is_new(accepted, now, verdict):
    (left,) = done(target(finding(severity=now)), entries=[entry(severity=accepted)]).targets
    assert left.verdict == verdict
    assert [each.by for each in left.suppressed] == (["baseline"] if verdict == "pass" else [])


def test_an_entry_accepts_one_finding_on_its_domain():
    assert done(target(finding(), finding()), entries=[entry()]).targets[0].counts.fail == 1
    assert done(target(finding(), finding()), entries=[entry(), entry()]).targets[0].counts.fail == 0
    assert done(target(finding()), entries=[entry(domain="other.example")]).targets[0].verdict == "fail"


def test_the_hardest_finding_takes_the_hardest_entry():
    found = target(finding(severity="warning"), finding(severity="error"))
    (left,) = done(found, entries=[entry(severity="warning"), entry(severity="error")]).targets
    assert left.findings == ()


@pytest.mark.parametrize(
    ("found", "stale"),
    [
        (target(passed=["mx-a"]), True),
        (target(), True),
        (target(finding("mx-b"), passed=["mx-a"]), True),
        (target(finding()), False),
        (target(inconclusive=[unclear()]), False),
        (target(error="boom"), False),
        (target(name="other.example", passed=["mx-a"]), False),
    ],
)
def test_an_entry_is_stale_only_where_the_run_says_so(found, stale):
    assert bool(done(found, entries=[entry()]).stale) is stale


def test_what_is_ignored_or_became_harder_makes_no_entry_stale():
    assert done(target(finding()), accepts=[ignore()], entries=[entry()]).stale == ()
    assert done(target(finding()), entries=[entry(severity="notice")]).stale == ()
    assert len(done(target(finding()), entries=[entry(), entry()]).stale) == 1


def test_an_entry_of_no_rule_of_this_version_is_stale():
    assert done(target(), entries=[entry("nonsense")]).stale


def use(*targets, accept: Accept, **options):
    (one,) = done(*targets, accepts=[accept], **options).uses
    return one.held, one.told


def test_uses_are_counted_and_the_first_ignore_takes_it():
    first, second = done(target(finding()), accepts=[ignore("mx"), ignore("mx-a")]).uses
    assert (first.held, second.held) == (1, 0)
    assert second.told


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (target(passed=["mx-a"]), True),
        (target(), True),
        (target(inconclusive=[unclear()]), False),
        (target(error="boom"), False),
        (target(name="other.example"), False),
    ],
)
def test_whether_an_ignore_can_be_called_unused(found, told):
    assert use(found, accept=ignore(domain="example.com", expires=dt.date(2020, 1, 1))) == (0, told)


def test_an_ignore_is_not_unused_where_its_area_or_rule_was_not_judged():
    assert use(target(), accept=ignore("dkim-a")) == (0, False)
    assert use(target(), accept=ignore("mx-a"), gate=Gate(select=("spf",))) == (0, False)
    assert use(target(), accept=ignore("mx-a"), gate=Gate(ignore=("mx",))) == (0, False)
    assert use(target(), accept=ignore("mx-a"), gate=Gate(severities={"mx-a": "off"})) == (0, False)
    assert use(target(), accept=ignore("tls-a"), areas=("tls",)) == (0, False)
    assert use(target(), accept=ignore("spf-second-opinion-differs")) == (0, False)


def test_one_domain_that_is_not_determined_keeps_an_ignore_for_all_from_being_unused():
    open_ = target(error="boom", name="b.example")
    assert use(target(), open_, accept=ignore("mx-b")) == (0, False)
    assert use(target(), open_, accept=ignore("mx-b", domain="example.com")) == (0, True)


def test_of_a_domain_that_no_run_judges_only_a_whole_run_tells():
    accept = ignore(domain="gone.example")
    assert use(target(), accept=accept) == (0, False)
    assert use(target(), accept=accept, whole=True) == (0, True)


@given(st.lists(findings), st.lists(unclears), st.lists(ignores), st.lists(entries), gates)
def test_nothing_is_lost_and_nothing_is_made_up(found, open_, accepts, known, gate):
    before = target(*found, inconclusive=open_)
    (after,) = done(before, accepts=accepts, entries=known, gate=gate).targets
    as_found = [
        FindingReport(**{name: getattr(each, name) for name in FindingReport.__struct_fields__})
        for each in after.suppressed
    ]
    assert sorted(map(repr, [*after.findings, *as_found])) == sorted(map(repr, before.findings))
    assert set(after.inconclusive) <= set(before.inconclusive)
    assert after.counts.fail == len({each.rule for each in after.findings})
    assert sum(each.by == "baseline" for each in after.suppressed) <= len(known)


@given(st.lists(findings), st.lists(unclears), st.lists(ignores), st.lists(entries), gates)
def test_accepting_more_never_makes_a_verdict_worse(found, open_, accepts, known, gate):
    order = {"pass": 0, "inconclusive": 1, "fail": 2}
    # Something that is accepted makes the fold say its verdict.
    extra = finding("dmarc-z", "notice")
    every = target(extra, *found, inconclusive=open_)
    (some,) = done(every, accepts=[ignore("dmarc-z")], gate=gate).targets
    (more,) = done(every, accepts=[ignore("dmarc-z"), *accepts], entries=known, gate=gate).targets
    assert order[more.verdict] <= order[some.verdict]


@given(st.lists(findings), st.lists(entries))
def test_the_order_in_which_findings_come_changes_nothing(found, known):
    (one,) = done(target(*found), entries=known).targets
    (other,) = done(target(*reversed(found)), entries=reversed(known)).targets
    assert sorted(map(repr, one.findings)) == sorted(map(repr, other.findings))
