"""What stakes of `split` can lose: a floor for trades that overlap and last however long."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freqtrade_mem0.decide.known import EvidenceReader
from freqtrade_mem0.insight.account import RATE
from freqtrade_mem0.insight.shrinkage import Shrinkage
from freqtrade_mem0.insight.stakes import MAX_RESULT
from freqtrade_mem0.recall import Recall
from freqtrade_mem0.records.decision import Reason
from freqtrade_mem0.sizing.policies.split import Split
from freqtrade_mem0.sizing.policy import Known, Wish
from tests.support.samples import START, a_trade

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from freqtrade_mem0.records.kinds.trade import TradeRecord


SHARES = {"a": 0.3, "b": 0.2}
RESERVE = -math.log(0.5) / RATE


class Says:
    """An expert that says what the situation holds for it."""

    reads_levels = False

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, known: Known) -> Wish:
        """Return what was said."""
        multiplier = float(known.situation[self.name])
        return Wish(multiplier=multiplier, reasons=[Reason(name=self.name)])


def trade(number: int, opened: float, lasts: float, ratio: float, *says: float) -> TradeRecord:
    """Return a trade; times are hours after `START`."""
    closed = START + timedelta(hours=opened + lasts)
    situation = dict(zip("ab", says, strict=False))
    record = a_trade(number, closed_at=closed, profit_ratio=ratio, situation=situation)
    return replace(record, open_date=START + timedelta(hours=opened))


class Bot:
    """Follows two experts, and keeps what its stakes earned by itself."""

    def __init__(self) -> None:
        self.policy = Split(experts={"a": Says("a"), "b": Says("b")}, shares=SHARES)
        self.recall = Recall(("pair",), 365.0, keeps_entries=True)
        self.evidence = EvidenceReader(self.recall, Shrinkage(pseudo_trades=100.0), self.policy)

    def moved(self, entry: TradeRecord) -> tuple[float, float]:
        """Return how far the stake is from the mean one, and the usual daily result."""
        known = self.evidence.for_entry(
            strategy="Sample",
            pair=entry.pair,
            side=entry.side,
            enter_tag=entry.enter_tag,
            moment=entry.open_date,
            situation=entry.situation,
        )
        account = known.account
        assert account is not None
        wanted, distance = 1.0, 0.0
        for name, share in account.shares.items():
            said = float(entry.situation[name])
            wanted += share.weight * (said - 1.0)
            distance += share.weight * (said / share.mean_multiplier - 1.0)
        kept = min(1.0, account.room / max(abs(distance), 1e-300))  # all weights alike
        expected = 1.0 + kept * (wanted - 1.0)
        assert self.policy(known).multiplier == pytest.approx(expected, abs=1e-12)
        return kept * distance, account.usual_result


def worst_and_most_open(trades: Sequence[TradeRecord]) -> tuple[float, int]:
    """Return the lowest sum that the stakes ever earned, and how many trades were open at once.

    Trades are learned when they close, as in a bot: nothing later is there when one is entered.
    """
    bot, lowest, earned, most, n_open = Bot(), 0.0, 0.0, 0, 0
    moves: dict[str, tuple[float, float]] = {}
    # At one moment, entries come before closes: they do not know them.
    events = sorted([(each.open_date, 0, each.id, each) for each in trades]
                    + [(each.known_at, 1, each.id, each) for each in trades])  # fmt: skip
    for _, is_close, _, each in events:
        if not is_close:
            moves[each.id] = bot.moved(each)
            n_open += 1
            most = max(most, n_open)
            continue
        bot.recall.add(each)
        n_open -= 1
        moved, usual = moves[each.id]
        if usual > 0.0:
            earned += moved * max(-MAX_RESULT, min(each.profit_ratio / usual, MAX_RESULT))
        lowest = min(lowest, earned)
    return lowest, most


multipliers = st.sampled_from([0.25, 0.5, 1.0, 1.75])
ruinous = st.sampled_from([-1e6, -0.5, -0.05, 0.0, 0.05, 0.5, 1e6])
hours = st.sampled_from([0.0, 1.0, 30.0, 200.0, 1_000.0])
drawn = st.tuples(st.integers(480, 1_500), hours, ruinous, multipliers, multipliers)


@settings(max_examples=40, deadline=None)
@given(st.lists(drawn, max_size=30))
def test_stakes_never_lose_more_than_the_floor(
    chosen: list[tuple[int, float, float, float, float]],
) -> None:
    """Whoever chooses entries, results and what experts say."""
    before = [trade(n, 12.0 * n, 1.0, 0.02 * (-1) ** (n // 2), 1.75, 0.5) for n in range(60)]
    trades = before + [trade(60 + n, *each) for n, each in enumerate(chosen)]
    lowest, most_open = worst_and_most_open(trades)
    assert lowest >= -RESERVE * (1 + most_open) / 2 - 1e-9


def timed(lasts: int, turns: int) -> list[TradeRecord]:
    """Return 300 days in which the experts are right and wrong in turns, timed against the delay.

    One trade closes a day, and was opened `lasts` days before.
    """
    found = []
    for day in range(300):
        ratio = 0.05 if day % 2 else -0.05
        says = 1.75 if (ratio > 0.0) == (day // turns % 2 == 0) else 0.25
        opened = 24.0 * (day - lasts) + 1.0
        found.append(trade(day, opened, 24.0 * lasts + 2.0, ratio, says, says))
    return found


@pytest.mark.parametrize("lasts", [0, 1, 5])
def test_an_adversary_who_knows_the_delay_does_not_break_it(lasts: int) -> None:
    """Without the floor under stakes they lose 5 usual days at one day's delay, 18 at five."""
    for turns in (1, 3, 8):
        lowest, most_open = worst_and_most_open(timed(lasts, turns))
        assert most_open <= lasts + 1
        assert lowest >= -RESERVE * (1 + most_open) / 2


def test_one_trade_risks_half_of_what_is_left() -> None:
    """However far experts want to go; and a reserve that is gone stays with the proposal."""
    quiet = [trade(n, 12.0 * n, 1.0, 0.02 * (-1) ** (n // 2), 1.0, 1.0) for n in range(60)]
    entered = [trade(60 + n, 730.0, 48.0, -9.0, 40.0, 40.0) for n in range(4)]
    bot = Bot()
    for each in quiet:
        bot.recall.add(each)
    moves = [bot.moved(each)[0] for each in entered]
    assert [MAX_RESULT * each for each in moves] == pytest.approx([RESERVE / 2] * 4)
    for number, each in enumerate(entered):
        bot.recall.add(each)
        left = max(0.0, RESERVE * (1.0 - (number + 1) / 2))
        after = trade(70 + number, 790.0, 1.0, 0.0, 40.0, 40.0)
        assert MAX_RESULT * bot.moved(after)[0] == pytest.approx(left / 2)


def test_hindsight_says_what_was_said_then() -> None:
    """With all trades known from the start, the same stakes: no entry knows a later close."""
    trades = timed(5, 3)[:120]
    live, late = Bot(), Bot()
    for each in trades:
        late.recall.add(each)
    waiting: list[tuple[datetime, int, TradeRecord]] = []
    for number, each in enumerate(trades):
        for closed in [w for w in waiting if w[0] < each.open_date]:
            live.recall.add(closed[2])
            waiting.remove(closed)
        assert live.moved(each) == late.moved(each)
        waiting.append((each.known_at, number, each))
