"""Detectors that keep a few trades and a checkpoint find what those find that keep everything."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from freqtrade_mem0.risk.sequence import BEGINNING, Checkpoint, Sequence, position_of
from freqtrade_mem0.risk.watch import RiskWatch
from tests.support.samples import a_trade, at

if TYPE_CHECKING:
    from freqtrade_mem0.records.kinds.risk import RiskEvent
    from freqtrade_mem0.records.kinds.trade import TradeRecord
    from freqtrade_mem0.risk.watch import Changes

RATIOS = st.sampled_from([-0.03, -0.02, -0.01, 0.01, 1 / 300])
REASONS = st.sampled_from(["roi", "stop_loss"])
NUMBERS = st.integers(0, 120)
STEPS = st.one_of(
    st.tuples(st.just("close"), st.lists(st.tuples(RATIOS, REASONS), min_size=3, max_size=9)),
    st.tuples(st.just("late"), NUMBERS, RATIOS, REASONS),
    st.tuples(st.just("correct"), NUMBERS, RATIOS, REASONS),
    st.tuples(st.just("remove"), NUMBERS),
    st.tuples(st.just("look")),
    st.tuples(st.just("mend")),
    st.tuples(st.just("restart"), st.booleans()),
)


class Bot:
    """A watch with a tiny window, what the journal has, and what was noted and stands."""

    def __init__(self, window: int) -> None:
        self.window = window
        self.watch = RiskWatch(window=window)
        self.journal: dict[str, TradeRecord] = {}
        self.standing: dict[str, RiskEvent] = {}
        self.hour = 0.0
        self.n = 0

    def trades(self) -> list[TradeRecord]:
        """Return what the journal has, in market order."""
        return sorted(self.journal.values(), key=position_of)

    def add(self, trade: TradeRecord) -> None:
        """Record a trade, or its correction."""
        self.watch.add(trade, self.journal.get(trade.id))
        self.journal[trade.id] = trade

    def take(self, changes: Changes) -> None:
        """Note what is told."""
        for event in changes.gone:
            del self.standing[event.id]
        self.standing.update((event.id, event) for event in changes.noted)

    def mend(self) -> None:
        """Bring the history that is wanted, from the journal."""
        wanted = self.watch.wanted
        if wanted is None:
            return
        history = Sequence()
        found: list[RiskEvent] = []
        behind = [t for t in self.trades() if wanted.until and position_of(t) <= wanted.until]
        for trade in behind:
            if trade.is_evidence:
                found += history.show(trade)
        standing = {
            event.id: event
            for event in self.standing.values()
            if wanted.until and event.known_at <= wanted.until[0]
        }
        changes = self.watch.take_history(wanted, history, found, standing)
        assert changes is not None
        self.take(changes)

    def restart(self, knows: bool) -> None:
        """Begin a new process from the checkpoint, where there is one and it is right."""
        self.look()
        checkpoint = self.watch.checkpoint() if knows else None
        if checkpoint is not None:
            text = json.dumps(checkpoint.to_json())
            start = Checkpoint.from_json(json.loads(text)) or BEGINNING
        elif len(self.journal) > self.window:
            start = Checkpoint(last=position_of(self.trades()[-self.window]), detectors=None)
        else:
            start = BEGINNING
        behind = [
            event
            for event in self.standing.values()
            if start.last is None or event.known_at > start.last[0]
        ]
        self.watch = RiskWatch(window=self.window, start=start, standing=behind)
        for trade in self.trades():
            if start.last is None or position_of(trade) > start.last:
                self.watch.add(trade)
        self.take(self.watch.until(None))

    def close(self, outcomes: list[tuple[float, str]]) -> None:
        """Close several trades, four hours apart, and look."""
        for ratio, reason in outcomes:
            self.hour += 4.0
            self.late(self.hour, ratio, reason)
        self.look()

    def late(self, hour: float, ratio: float, reason: str) -> None:
        """Learn of a trade that was closed at an hour of the past."""
        self.n += 1
        trade = a_trade(self.n, closed_at=at(min(hour, self.hour)), profit_ratio=ratio)
        self.add(replace(trade, exit_reason=reason))

    def correct(self, number: int, ratio: float, reason: str) -> None:
        """Learn that a trade ended otherwise."""
        for known in self.some(number):
            self.add(replace(known, profit_ratio=ratio, exit_reason=reason))

    def remove(self, number: int) -> None:
        """Learn that there was no such trade."""
        for known in self.some(number):
            self.watch.remove(self.journal.pop(known.id))

    def look(self) -> None:
        """Note what was completed by now."""
        self.take(self.watch.until(at(self.hour)))

    def some(self, number: int) -> list[TradeRecord]:
        """Return one of the trades, if there is any."""
        trades = self.trades()
        return [trades[number % len(trades)]] if trades else []


@given(st.integers(1, 6), st.lists(STEPS, min_size=8, max_size=30))
def test_a_window_changes_nothing(window: int, steps: list[tuple[object, ...]]) -> None:
    """Late arrivals, corrections, removals and restarts at any point: in the end all is the same.

    Exactly, to the last digit: the text and the sum of every event.
    """
    bot = Bot(window)
    for step, *values in steps:
        getattr(bot, str(step))(*values)
    bot.mend()
    bot.take(bot.watch.until(None))

    oracle = RiskWatch()
    for trade in bot.trades():
        oracle.add(trade)
    expected = {event.id: event for event in oracle.until(None).noted}
    assert bot.standing == expected
    assert len(bot.watch._shown) <= window
    assert len(bot.watch._trades) <= window


@given(st.lists(st.tuples(RATIOS, REASONS), max_size=80), st.integers(0, 80))
def test_a_sequence_goes_on_where_it_was_put_down(
    outcomes: list[tuple[float, str]], cut: int
) -> None:
    """Through JSON, at any trade: the same events as without a pause."""
    trades = [
        replace(a_trade(n, profit_ratio=ratio), exit_reason=reason)
        for n, (ratio, reason) in enumerate(outcomes)
    ]
    whole, first = Sequence(), Sequence()
    expected = [event for trade in trades for event in whole.show(trade)]
    found = [event for trade in trades[:cut] for event in first.show(trade)]
    middle = Checkpoint.from_json(json.loads(json.dumps(first.checkpoint().to_json())))
    assert middle is not None
    second = Sequence(start=middle)
    found += [event for trade in trades[cut:] for event in second.show(trade)]
    assert found == expected
    assert second.checkpoint() == whole.checkpoint()


def test_a_checkpoint_of_another_version_is_not_read() -> None:
    """The detectors may count otherwise; they go through everything again."""
    mark = BEGINNING.to_json()
    assert Checkpoint.from_json(mark) == BEGINNING
    assert Checkpoint.from_json(mark | {"version": 0}) is None
    assert Checkpoint.from_json({}) is None
