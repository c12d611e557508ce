"""A stake that was scaled can be placed, stopped and sold on any exchange's terms."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from freqtrade_mem0.sizing.limits import within_limits
from freqtrade_mem0.sizing.tradable import MarketRules

steps = st.sampled_from([10.0**-n for n in range(9)] + [0.5, 10.0, 0.0])
prices = st.floats(1e-6, 1e6)


def floored(amount: float, step: float) -> float:
    """Round an amount down to a step, as an exchange does it."""
    if step == 0.0:
        return amount
    unit = Decimal(repr(step))
    return float((Decimal(repr(amount)) / unit).to_integral_value(ROUND_DOWN) * unit)


@given(
    rate=prices,
    step=steps,
    tick_ratio=st.sampled_from([0.0, 1e-6, 1e-3, 0.02]),
    min_amount=st.sampled_from([0.0, 1e-5, 0.01, 1.0]),
    min_cost=st.sampled_from([0.0, 5.0, 10.0]),
    fee=st.sampled_from([0.0, 0.00075, 0.001, 0.01]),
    stop=st.floats(0.001, 0.6),
    leverage=st.sampled_from([1.0, 3.0, 20.0]),
    proposed=st.floats(1.0, 1e5),
    multiplier=st.floats(0.01, 1.0),
)
@example(  # the stop's limit price is rounded down to a coarse step
    rate=100.0,
    step=1e-8,
    tick_ratio=0.02,
    min_amount=0.0,
    min_cost=10.0,
    fee=0.0,
    stop=0.1,
    leverage=1.0,
    proposed=100.0,
    multiplier=0.01,
)
def test_what_is_left_can_be_sold_at_the_stop(
    *,
    rate: float,
    step: float,
    tick_ratio: float,
    min_amount: float,
    min_cost: float,
    fee: float,
    stop: float,
    leverage: float,
    proposed: float,
    multiplier: float,
) -> None:
    """Rounded down, less the fee in the coin, rounded down again: above both minima."""
    tick = rate * tick_ratio
    rules = MarketRules(
        amount_step=step, min_amount=min_amount, min_cost=min_cost, fee=fee, price_step=tick
    )
    worst = rate * (1.0 - stop) * 0.99
    least = rules.smallest_stake(rate, worst, leverage)
    stake, _ = within_limits(proposed, proposed * multiplier, least, 1e12)

    if proposed < least:
        assert stake == proposed  # left to the strategy and Freqtrade
        return
    bought = floored(stake * leverage / rate, step)
    sold = floored(bought * (1.0 - fee), step)
    nearly = 1.0 - 1e-9
    assert sold >= min_amount * nearly
    stop_rate = floored(rate * (1.0 - stop), tick)
    limit_rate = floored(stop_rate * 0.99, tick)
    assert sold * limit_rate >= min_cost * nearly


@given(
    proposed=st.floats(1.0, 1e4),
    multiplier=st.floats(1.0, 5.0),
    n_free=st.integers(1, 20),
    available=st.floats(1.0, 1e5),
)
def test_a_raise_leaves_enough_for_the_other_slots(
    *, proposed: float, multiplier: float, n_free: int, available: float
) -> None:
    """As many proposals like this one can be placed as without memory."""
    wished = proposed * multiplier
    stake, _ = within_limits(proposed, wished, None, available, lambda _: float(n_free))

    assert stake >= min(proposed, wished)
    n_without = min(n_free, int(available // proposed))
    if n_without >= 1 and stake > proposed:
        n_with = 1 + min(n_free - 1, int((available - stake) * (1.0 + 1e-9) // proposed))
        assert n_with >= n_without


@pytest.mark.parametrize("n_free", [float("inf"), 1.0])
def test_without_other_slots_a_raise_is_free(n_free: float) -> None:
    """Where there is no limit on open trades, or this is the last one."""
    assert within_limits(100.0, 150.0, None, 160.0, lambda _: n_free) == (150.0, ())


@given(
    proposed=st.floats(1.0, 1e4),
    multiplier=st.floats(1.0, 5.0),
    slots=st.integers(1, 20).flatmap(lambda most: st.tuples(st.just(most), st.integers(0, most))),
    available=st.floats(1.0, 1e5),
)
def test_slots_are_counted_only_where_they_can_change_the_stake(
    *, proposed: float, multiplier: float, slots: tuple[int, int], available: float
) -> None:
    """All slots of the config in place of the free ones give the same stake where they all fit."""
    most, n_free = slots
    asked = proposed, proposed * multiplier, None, available

    def counted(enough: float) -> float:
        return float(most if most <= enough else n_free)

    assert within_limits(*asked, counted) == within_limits(*asked, lambda _: float(n_free))
