"""When a service that fails is asked again."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freqtrade_mem0.delivery.breaker import Breaker, BreakerState


def a_breaker(luck: float = 0.0, failures_to_open: int = 3) -> Breaker:
    """Return a breaker that begins with 4 s, ends at 60 s, and whose chance is known."""
    return Breaker(base_s=4, max_s=60, failures_to_open=failures_to_open, random=lambda: luck)


def test_it_closes_waits_and_opens_by_failures_in_a_row() -> None:
    """A success in between begins anew."""
    breaker = a_breaker()
    states = [breaker.state]
    for _ in range(3):
        breaker.failed()
        states.append(breaker.state)
    closed, waiting, opened = BreakerState.CLOSED, BreakerState.WAITING, BreakerState.OPEN
    assert states == [closed, waiting, waiting, opened]
    assert breaker.succeeded()
    assert breaker.state is closed
    assert not breaker.succeeded()
    breaker.failed()
    assert breaker.state is waiting


def test_pauses_double_up_to_the_longest() -> None:
    """Half of each is fixed: bad luck never lets it go to nothing."""
    breaker = a_breaker(luck=0.0)
    assert [breaker.failed() for _ in range(6)] == [2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    breaker.succeeded()
    assert breaker.failed() == 2.0


def test_one_failure_may_be_enough_to_open() -> None:
    """The smallest setting."""
    breaker = a_breaker(failures_to_open=1)
    breaker.failed()
    assert breaker.state is BreakerState.OPEN


@pytest.mark.parametrize(
    ("asked_s", "pause_s"), [(None, 2.0), (0.0, 2.0), (1.0, 2.0), (25.0, 25.0), (3_600.0, 60.0)]
)
def test_what_the_service_asks_for_is_respected_up_to_the_longest(
    asked_s: float | None, pause_s: float
) -> None:
    """And never shortens a pause."""
    assert a_breaker(luck=0.0).failed(asked_s) == pause_s


@given(
    base_s=st.floats(0.1, 3_600),
    max_s=st.floats(0.1, 86_400),
    lucks=st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=40),
    asked_s=st.none() | st.floats(0, 1e6),
)
def test_every_pause_is_within_its_bounds(
    base_s: float, max_s: float, lucks: list[float], asked_s: float | None
) -> None:
    """Half to all of the doubled pause, never above the longest, however often it fails."""
    chance = iter(lucks)
    breaker = Breaker(base_s=base_s, max_s=max_s, failures_to_open=5, random=lambda: next(chance))
    for number in range(len(lucks)):
        full_s = min(base_s * 2.0 ** min(number, 62), max_s)
        asked_for_s = min(asked_s or 0.0, max_s)
        pause_s = breaker.failed(asked_s)
        assert max(full_s / 2, asked_for_s) <= pause_s <= max(full_s, asked_for_s) <= max_s


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 6))
def test_the_state_is_told_by_the_failures_since_the_last_success(
    events: list[bool], failures_to_open: int
) -> None:
    """Whatever happened before does not matter."""
    breaker = a_breaker(failures_to_open=failures_to_open)
    for succeeded in events:
        if succeeded:
            breaker.succeeded()
        else:
            breaker.failed()
    in_a_row = sum(1 for _ in itertools.takewhile(lambda event: not event, reversed(events)))
    assert breaker.failures == in_a_row
    assert (breaker.state is BreakerState.CLOSED) == (in_a_row == 0)
    assert (breaker.state is BreakerState.OPEN) == (in_a_row >= failures_to_open)
