"""What sequences of trades complete: each detector, in any order of arrival, strictly as-of."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freqtrade_mem0.risk.events.losing_streak import LENGTH as STREAK_LENGTH
from freqtrade_mem0.risk.watch import RiskWatch
from tests.support.samples import a_trade, at

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from freqtrade_mem0.records.kinds.risk import RiskEvent
    from freqtrade_mem0.records.kinds.trade import TradeRecord


def losses(n: int, first: int = 1, ratio: float = -0.01) -> list[TradeRecord]:
    """Return so many losing trades that left by a signal."""
    return [
        a_trade(number, profit_ratio=ratio, exit_reason="exit_signal")
        for number in range(first, first + n)
    ]


def stops(*hours: float) -> list[TradeRecord]:
    """Return stop-losses at some hours, with a win after each so that there is no streak."""
    trades = []
    for number, hour in enumerate(hours):
        stop = a_trade(2 * number, closed_at=at(hour), profit_ratio=-0.02, pair=f"P{number}/USDT")
        trades.append(replace(stop, exit_reason="stop_loss"))
        trades.append(a_trade(2 * number + 1, closed_at=at(hour + 0.1), profit_ratio=0.03))
    return trades


def ratios(values: Sequence[float]) -> list[TradeRecord]:
    """Return trades of some profit ratios, one an hour."""
    return [a_trade(number, profit_ratio=value) for number, value in enumerate(values)]


def events(trades: Iterable[TradeRecord]) -> list[RiskEvent]:
    """Return what some trades complete."""
    watch = RiskWatch()
    for trade in trades:
        watch.add(trade)
    return list(watch.until(None).noted)


def noted(trades: Iterable[TradeRecord]) -> list[str]:
    """Return the types of what some trades complete, in order."""
    return [event.event_type for event in events(trades)]


def test_a_streak_is_noted_once_when_it_is_complete() -> None:
    """Not before, and not again while it goes on."""
    assert noted(losses(STREAK_LENGTH - 1)) == []
    assert noted(losses(STREAK_LENGTH)) == ["losing_streak"]
    assert noted(losses(9)) == ["losing_streak"]


def test_a_streak_sums_up_its_losses() -> None:
    """It concerns all pairs, not the one of the last trade."""
    (event,) = events(losses(STREAK_LENGTH))
    assert (event.pair, event.description) == ("", "5 losing trades in a row, -5.00% together")
    assert event.impact == pytest.approx(-0.05)


@pytest.mark.parametrize("ratio", [0.01, 0.0])
def test_any_trade_that_did_not_lose_ends_a_streak(ratio: float) -> None:
    """Then it takes as many losses again."""
    trades = [*losses(4), a_trade(50, profit_ratio=ratio), *losses(4, first=60)]
    assert noted(trades) == []
    assert noted([*trades, *losses(1, first=70)]) == ["losing_streak"]


def test_trades_that_are_no_evidence_are_not_looked_at() -> None:
    """Those cut by the end of a backtest's data do not end a streak."""
    cut = a_trade(50, profit_ratio=0.5, exit_reason="force_exit", is_evidence=False)
    assert noted([*losses(4), cut, *losses(1, first=60)]) == ["losing_streak"]


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ((0, 10, 24), 1),
        ((0, 10, 24.01), 0),
        ((0, 1), 0),
        ((0, 1, 2, 3, 4), 1),
        ((0, 1, 2, 3, 4, 5), 2),
        ((0, 20, 30, 40), 1),
    ],
)
def test_stop_losses_within_a_day_are_a_cluster(hours: tuple[float, ...], expected: int) -> None:
    """Three within 24 hours, the borders included; a stop belongs to one cluster alone."""
    assert noted(stops(*hours)) == ["stop_loss_cluster"] * expected


def test_a_cluster_says_where_and_what_it_cost() -> None:
    """All its pairs; the event itself concerns all."""
    (event,) = events(stops(0, 1, 2))
    assert event.pair == ""
    assert event.impact == pytest.approx(-0.06)
    assert "P0/USDT, P1/USDT, P2/USDT" in event.description
    assert event.known_at == at(2)


def test_a_fall_of_ten_spreads_is_a_drawdown() -> None:
    """All ratios are as large; then two losses come after each win, until ten are missing."""
    falling = [0.01, -0.01, -0.01] * 11
    assert noted(ratios([0.01, -0.01] * 20 + falling[:29])) == []
    drawdown = events(ratios([0.01, -0.01] * 20 + falling))
    assert [event.event_type for event in drawdown] == ["drawdown"]
    assert drawdown[0].impact == pytest.approx(-0.11)


def test_a_drawdown_is_noted_again_only_after_half_was_recovered() -> None:
    """A fall that goes on is one; after half of it is made good, another fall is another one."""
    fall = [0.01, -0.01, -0.01] * 12
    climb = [0.01, 0.01, -0.01] * 8
    assert noted(ratios(fall * 3)) == ["drawdown"]
    assert noted(ratios(fall + climb[:9] + fall)) == ["drawdown"]
    assert noted(ratios(fall + climb + fall)) == ["drawdown"] * 2


@given(st.lists(st.sampled_from([-0.03, -0.02, 0.0, 0.02]), max_size=150))
def test_the_first_drawdown_is_where_equity_says(values: list[float]) -> None:
    """Against the definition, over all prefixes."""
    first = None
    for n in range(1, len(values) + 1):
        curve = [math.fsum(values[:k]) for k in range(n + 1)]
        spread = math.sqrt(math.fsum(v * v for v in values[:n]) / n)
        margin = max(curve) - curve[-1] - 10.0 * spread
        if abs(margin) < 1e-9:
            return  # floating point decides
        if margin > 0.0:
            first = at(n - 1)
            break
    falls = [e.known_at for e in events(ratios(values)) if e.event_type == "drawdown"]
    assert falls[:1] == ([] if first is None else [first])


def test_more_losses_than_before_are_noted() -> None:
    """Half of the trades lost, then almost all; profits do not matter."""
    trades = ratios([0.01, -0.01] * 60 + [-0.001, -0.001, -0.001, 0.03] * 20)
    (event,) = events(trades)
    assert (event.event_type, event.impact) == ("win_rate_degradation", 0.0)
    assert "of those before" in event.description
    assert noted(ratios([0.01, -0.01] * 150)) == []


TRADES = st.lists(
    st.builds(
        lambda number, hour, ratio, reason: a_trade(
            number, closed_at=at(hour), profit_ratio=ratio, exit_reason=reason
        ),
        st.integers(0, 10_000),
        st.integers(0, 30),
        st.sampled_from([-0.02, -0.01, 0.01]),
        st.sampled_from(["roi", "stop_loss"]),
    ),
    max_size=40,
    unique_by=lambda trade: trade.id,
)


@given(TRADES, st.randoms(use_true_random=False))
def test_the_order_within_a_moment_does_not_matter(
    trades: list[TradeRecord], chance: object
) -> None:
    """Freqtrade goes through pairs in any order; looks in between, as decisions make them."""
    orders = []
    for _ in range(2):
        chance.shuffle(trades)  # type: ignore[attr-defined]
        watch = RiskWatch()
        found: list[RiskEvent] = []
        for trade in sorted(trades, key=lambda trade: trade.known_at):
            look = watch.until(trade.known_at)
            assert not look.gone
            assert all(event.known_at < trade.known_at for event in look.noted)
            found += look.noted
            watch.add(trade)
        orders.append([*found, *watch.until(None).noted])
    assert orders[0] == orders[1] == events(trades)


@given(TRADES, TRADES, st.randoms(use_true_random=False))
def test_what_is_noted_follows_from_the_trades_alone(
    trades: list[TradeRecord], others: list[TradeRecord], chance: object
) -> None:
    """Late ones, corrected ones and taken back ones: in the end as if they had come in order."""
    standing: dict[str, RiskEvent] = {}
    watch = RiskWatch()

    def look(hour: float | None) -> None:
        changes = watch.until(None if hour is None else at(hour))
        for event in changes.gone:
            del standing[event.id]
        standing.update((event.id, event) for event in changes.noted)

    arriving = [*trades, *others]
    chance.shuffle(arriving)  # type: ignore[attr-defined]
    for number, trade in enumerate(arriving):
        watch.add(trade)
        if number % 3 == 0:
            look(number)
    for other in others:
        watch.remove(other)
    kept = [trade for trade in trades if trade.id not in {other.id for other in others}]
    corrected = [replace(trade, profit_ratio=trade.profit_ratio / 2) for trade in kept]
    for trade in corrected:
        watch.add(trade)
    look(None)
    assert list(standing.values()) == [] or sorted(standing) == sorted(e.id for e in watch.events)
    expected = events(corrected)
    assert sorted(standing.values(), key=lambda e: (e.known_at, e.id)) == sorted(
        expected, key=lambda e: (e.known_at, e.id)
    )


def test_a_trade_is_not_shown_at_its_own_moment() -> None:
    """Strictly before: a streak completed at a moment is none yet at that moment."""
    watch = RiskWatch()
    for trade in losses(STREAK_LENGTH):
        watch.add(trade)
    assert not watch.until(at(STREAK_LENGTH)).noted
    assert len(watch.until(at(STREAK_LENGTH) + timedelta(milliseconds=1)).noted) == 1


def test_a_clock_that_goes_back_takes_nothing_back() -> None:
    """What was seen stays seen, also when everything is gone through again."""
    watch = RiskWatch()
    for trade in losses(STREAK_LENGTH):
        watch.add(trade)
    watch.until(at(100))
    watch.add(a_trade(90, closed_at=at(0.5)))
    assert watch.until(at(2)) == ([], [])
    assert len(watch.events) == 1
