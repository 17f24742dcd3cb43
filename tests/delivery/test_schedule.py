"""When a deferred message is tried again: our schedule, and what three servers do by their documentation."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.delivery import servers
from deliverkit.delivery.schedule import Row, Simulation, may_retry, next_try, next_wait, rows, simulate

MIN, HOUR, DAY = 60.0, 3600.0, 86400.0


def moments(simulation: Simulation, kind: str) -> list[float]:
    return [event.after for event in simulation.events if event.kind == kind]


def test_our_schedule_grows():
    assert [next_wait(tries) for tries in range(1, 8)] == [60, 300, 900, 1800, 3600, 3600, 3600]
    assert next_wait(9, elapsed=6 * HOUR) == 2 * HOUR


@pytest.mark.parametrize(
    ("tries", "asked", "wait"),
    [
        (1, 300, 300),
        (1, 3, 3),  # the first retry comes when the reply says, though it be sooner
        (1, 0.2, 1),
        (1, 0, 60),
        (1, None, 60),
        (2, 3, 300),  # and later ones no sooner than the schedule
        (2, 600, 600),
        (6, 7200, 7200),
    ],
)
def test_what_the_reply_asks_for(tries: int, asked: float | None, wait: float):
    assert next_wait(tries, asked) == wait


def test_the_last_try_falls_on_the_end():
    assert next_try(1, started_at=0, now=10, give_up_at=7200) == 70
    assert next_try(5, started_at=0, now=5000, give_up_at=7200) == 7200
    assert next_try(5, started_at=0, now=7150, give_up_at=7200) is None
    assert next_try(5, started_at=0, now=7200, give_up_at=7200) is None
    assert next_try(1, started_at=0, now=0, give_up_at=30) is None


def test_no_try_before_the_server_wants_one():
    assert next_try(1, started_at=0, now=0, give_up_at=600, wait_s=300) == 300
    assert next_try(2, started_at=0, now=300, give_up_at=600, wait_s=301) is None
    assert next_try(1, started_at=0, now=0, give_up_at=600, wait_s=1e12) is None


@given(st.integers(1, 40), st.floats(0, 1e6), st.floats(0, 1e6), st.none() | st.floats(0, 1e9), st.floats(0, 1e6))
def test_a_try_is_never_early_and_never_late(tries: int, now: float, left: float, asked: float | None, age: float):
    due = next_try(tries, started_at=now - age, now=now, give_up_at=now + left, wait_s=asked)
    if due is not None:
        assert now < due <= now + left
        assert due >= now + (asked or 0)


@pytest.mark.parametrize(
    ("category", "retry", "may"),
    [
        ("greylisting", True, True),
        ("rate-limit", True, True),
        ("remote-temporary", True, True),
        ("mailbox-full", True, True),
        ("blocklist", True, False),
        ("reputation", True, False),
        ("no-such-user", False, False),
        ("greylisting", False, False),
    ],
)
def test_what_is_tried_again(category: str, *, retry: bool, may: bool):
    assert may_retry(SimpleNamespace(category=category, retry=retry)) is may


def test_silence_is_tried_again():
    assert may_retry(None)


def test_postfix():
    simulation = simulate("postfix", "temporary", stage="rcpt")
    tries = moments(simulation, "try")
    assert tries[:7] == [0, 5 * MIN, 10 * MIN, 20 * MIN, 40 * MIN, 80 * MIN, 150 * MIN]
    later = [after - before for before, after in itertools.pairwise(tries[6:])]
    assert set(later) == {4200.0}, "4000 s, to the next run of the queue"
    assert moments(simulation, "warn") == []
    assert moments(simulation, "give-up") == [tries[-1]]
    assert tries[-2] < 5 * DAY <= tries[-1]


def test_postfix_warns_when_told_to():
    plan = servers.postfix(servers.Postfix(delay_warning_time=4 * HOUR))
    assert plan.warns == (next(after for after in plan.tries if after >= 4 * HOUR),)


def test_exim():
    simulation = simulate("exim", "temporary", stage="rcpt")
    tries = moments(simulation, "try")
    hours = [0, 0.5, 1, 1.5, 2, 2.5, 3.5, 5, 7.5, 11, 16.5, 22.5, 28.5]
    assert tries[:13] == [hour * HOUR for hour in hours]
    assert moments(simulation, "warn") == [28.5 * HOUR, 52.5 * HOUR, 76.5 * HOUR], "at the first failure past each day"
    assert moments(simulation, "give-up") == [tries[-1]] == [96.5 * HOUR], "the first run past four days"


def test_exim_with_a_queue_runner_each_minute():
    plan = servers.exim(servers.Exim(queue_interval=MIN))
    assert plan.tries[:9] == tuple(minutes * MIN for minutes in (0, 15, 30, 45, 60, 75, 90, 105, 120))
    gaps = [after - before for before, after in zip(plan.tries[9:14], plan.tries[10:15], strict=True)]
    assert gaps == [60 * MIN, 90 * MIN, 135 * MIN, 203 * MIN, 304 * MIN]


def test_exchange_tells_a_message_from_a_server():
    message = simulate("exchange", "temporary", stage="rcpt")
    assert moments(message, "try")[:4] == [0, 15 * MIN, 30 * MIN, 45 * MIN]
    server = simulate("exchange", None, stage="connect")
    tries = moments(server, "try")
    minutes = [0, 1, 2, 3, 4, 9, 14, 19, 24, 29, 34, 44, 54]
    assert tries[:13] == [minute * MIN for minute in minutes]
    for simulation in (message, server):
        assert moments(simulation, "warn") == [4 * HOUR]
        assert moments(simulation, "give-up") == [2 * DAY]
        assert max(moments(simulation, "try")) < 2 * DAY


@pytest.mark.parametrize("server", servers.NAMES)
def test_a_permanent_reply_bounces_at_once(server: servers.Name):
    simulation = simulate(server, "permanent", stage="rcpt", created_at=1e9)
    assert [(event.at, event.kind) for event in simulation.events] == [(1e9, "try"), (1e9, "give-up")]
    assert "bounces at once" in simulation.events[-1].words


@pytest.mark.parametrize("server", servers.NAMES)
def test_what_is_accepted_is_done(server: servers.Name):
    simulation = simulate(server, "success", stage="eod")
    assert [event.kind for event in simulation.events] == ["try"]


@pytest.mark.parametrize("server", servers.NAMES)
@pytest.mark.parametrize("permanence", ["temporary", "unknown", "intermediate", None])
def test_all_else_is_tried_for_days(server: servers.Name, permanence: str | None):
    simulation = simulate(server, permanence, created_at=1e9)
    assert simulation.tries > 20
    assert all(event.at == 1e9 + event.after for event in simulation.events)
    assert [event.after for event in simulation.events] == sorted(event.after for event in simulation.events)
    assert [event.number for event in simulation.events if event.kind == "try"] == list(range(1, simulation.tries + 1))
    assert simulation.settings
    assert simulation.sources


@pytest.mark.parametrize("server", servers.NAMES)
def test_a_bounce_is_not_bounced(server: servers.Name):
    simulation = simulate(server, "temporary", null_sender=True)
    assert moments(simulation, "warn") == []
    assert "never bounced" in simulation.events[-1].words


def test_which_tries_come_too_early():
    def note(server: servers.Name, wait_s: float) -> str:
        return simulate(server, "temporary", stage="rcpt", wait_s=wait_s).notes[0]

    assert note("postfix", 300) == (
        "The reply asks for 5 min, which Postfix does not read: its next try, after 5 min, is late enough."
    )
    assert note("postfix", 900).endswith(
        "the next 2 tries come too early, and the first that is late enough after 20 min."
    )
    assert note("exchange", 1000).endswith(
        "the next try comes too early, and the first that is late enough after 30 min."
    )
    assert note("exim", 1e7).endswith("no try comes that late.")


def test_a_refused_banner_is_no_bounce_at_postfix():
    banner = simulate("postfix", "permanent", stage="banner")
    assert "smtp_skip_5xx_greeting" in banner.notes[0]
    assert banner.tries == simulate("postfix", "temporary").tries
    assert banner.events[-1].words == "gives up and bounces"
    assert not any("smtp_skip_5xx" in note for note in simulate("postfix", "permanent", stage="rcpt").notes)
    assert simulate("exim", "permanent", stage="banner").tries == 1


def test_rows_fold_what_is_alike():
    folded = rows(simulate("exchange", "temporary", stage="rcpt"))
    assert [row.kind for row in folded] == ["try", "try", "warn", "try", "give-up"]
    assert folded[1] == Row(
        kind="try", first=15 * MIN, last=4 * HOUR, every=15 * MIN, numbers=(2, 17), words="16 tries, 15 min apart"
    )
    assert folded[0].words == "the first try"
    assert folded[3].last == 2 * DAY - 15 * MIN


@pytest.mark.parametrize("server", servers.NAMES)
@pytest.mark.parametrize("stage", ["connect", "rcpt"])
def test_rows_hold_every_event(server: servers.Name, stage: str):
    simulation = simulate(server, "temporary", stage=stage)
    told: list[float] = []
    for row in rows(simulation):
        if row.every is None:
            told.append(row.first)
        else:
            assert row.numbers is not None
            told += [row.first + place * row.every for place in range(row.numbers[1] - row.numbers[0] + 1)]
    assert told == [event.after for event in simulation.events]
    assert len(rows(simulation)) < 25
