"""A snapshot holds what the journal said: read back, it answers as the whole journal does."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from freqtrade_mem0.insight.performance import PerformanceReader, RecentPerformance
from freqtrade_mem0.recall import Recall, snapshot_file
from freqtrade_mem0.recall.index import state as recall_state
from tests.support.samples import START, a_trade

if TYPE_CHECKING:
    import random
    from datetime import datetime

    from freqtrade_mem0.insight.shrinkage import Group, Key
    from freqtrade_mem0.records.kinds.trade import TradeRecord

LEVELS = ("pair", "side", "regime", "pair*regime", "side*regime")
ABOUT = {"of": "a test"}
Counted = dict[str, tuple["TradeRecord", float]]

moments_in_time = st.integers(0, 12).map(lambda step: START + timedelta(hours=7 * step))
trades = st.builds(
    lambda number, moment, ratio, pair, regime, evidence: a_trade(
        number,
        closed_at=moment,
        profit_ratio=ratio,
        pair=pair,
        situation={"regime": regime} if regime else {},
        is_evidence=evidence,
    ),
    st.integers(0, 4),
    moments_in_time,
    st.floats(-1.0, 3.0) | st.sampled_from([0.0, 0.01, -0.01, 700.0]),
    st.sampled_from(["ETH/USDT", "BTC/USDT"]),
    st.sampled_from(["calm", "volatile", ""]),
    st.sampled_from([True, True, True, False]),
)
HOW = ("said", "said", "said", "told", "told", "taken back", "dropped", "dropped", "asked", "asked")
Step = tuple[str, "TradeRecord", float, "datetime"]
steps: st.SearchStrategy[list[Step]] = st.lists(
    st.tuples(
        st.sampled_from((*HOW, *HOW, "restarted")),
        trades,
        st.sampled_from([1.0, 0.25]),
        moments_in_time,
    ),
    min_size=6,
    max_size=40,
)


@dataclass
class Oracle:
    """What the journal says, and what counts, in plain dictionaries."""

    said: Counted = field(default_factory=dict)
    counted: Counted = field(default_factory=dict)

    def change(self, how: str, trade: TradeRecord, discount: float) -> None:
        """Take up one change."""
        tables = [self.counted] if how in ("told", "dropped") else [self.counted, self.said]
        for table in tables:
            table.pop(trade.id, None)
            if how in ("said", "told") and trade.is_evidence:
                table[trade.id] = (trade, discount)


def is_foreign(trade: TradeRecord) -> bool:
    """Return whether a trade stands for one of another machine."""
    return trade.pair == "BTC/USDT"


def change(recall: Recall, how: str, trade: TradeRecord, discount: float) -> None:
    """Make the same change in a recall."""
    from_journal = how in ("said", "taken back")
    if how in ("said", "told"):
        recall.add(trade, discount, from_journal=from_journal, is_foreign=is_foreign(trade))
    else:
        recall.remove(trade.id, from_journal=from_journal)


def restarted(recall: Recall, into: Recall) -> Recall:
    """Write a recall to a file, and let another one begin with it."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "some.snapshot"
        snapshot_file.write(path, ABOUT, recall.state())
        snapshot_file.read(path, ABOUT, len(LEVELS)).restore(into)
    return into


def fresh(counted: Counted, dice: random.Random) -> Recall:
    """Return a recall that was told what counts, in any order."""
    recall = Recall(LEVELS, 30.0)
    items = list(counted.values())
    dice.shuffle(items)
    for trade, discount in items:
        recall.add(trade, discount, is_foreign=is_foreign(trade))
    return recall


def answers(
    recall: Recall, asked: list[datetime]
) -> list[tuple[dict[Key, Group], RecentPerformance]]:
    """Return all that a recall says about some moments."""
    form = PerformanceReader(recall.reader())
    return [(recall.groups(moment), form.at(moment)) for moment in asked]


@given(steps, st.lists(moments_in_time, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_it_answers_as_a_fresh_recall_does(
    history: list[Step],
    asked: list[datetime],
    dice: random.Random,
) -> None:
    """After any changes, questions and restarts: bit for bit what counts, in another order."""
    with ExitStack() as small:
        for module, bound in ((snapshot_file, "PAGE_ROWS"), (recall_state, "PAGE_ROWS")):
            small.enter_context(patch.object(module, bound, 3))
        recall, oracle = Recall(LEVELS, 30.0), Oracle()
        for how, trade, discount, moment in history:
            if how == "restarted":
                recall = restarted(recall, Recall(LEVELS, 30.0))
                oracle.counted = dict(oracle.said)
            elif how == "asked":
                recall.groups(moment)
            else:
                oracle.change(how, trade, discount)
                change(recall, how, trade, discount)
        again = restarted(recall, Recall(LEVELS, 30.0))

    assert answers(fresh(oracle.counted, dice), asked) == answers(recall, asked)
    assert answers(fresh(oracle.said, dice), asked) == answers(again, asked)
    assert (len(oracle.counted), len(oracle.said)) == (len(recall), len(again))


@given(
    st.lists(trades, max_size=8),
    st.lists(trades, max_size=8),
    moments_in_time,
    st.randoms(use_true_random=False),
)
def test_what_was_told_before_it_was_read_stays(
    said: list[TradeRecord], told: list[TradeRecord], moment: datetime, dice: random.Random
) -> None:
    """A prior, say: it counts beside what the journal said, and where both speak, that counts."""
    recall, other = Recall(LEVELS, 30.0), Recall(LEVELS, 30.0)
    said_of, told_of = Oracle(), Oracle()
    for trade in said:
        change(recall, "said", trade, 0.5)
        said_of.change("said", trade, 0.5)
    for trade in told:
        change(other, "told", trade, 0.25)
        told_of.change("told", trade, 0.25)
    other.groups(moment)
    restarted(recall, other)

    expected = fresh(told_of.counted | said_of.counted, dice)
    assert answers(expected, [moment, START]) == answers(other, [moment, START])


@given(st.lists(trades, max_size=12), moments_in_time)
def test_the_same_is_written_again(said: list[TradeRecord], moment: datetime) -> None:
    """A file's rows and sums are those of what was read from it."""
    recall = Recall(LEVELS, 30.0)
    for trade in said:
        change(recall, "said", trade, 1.0)
    recall.groups(moment)
    again = restarted(recall, Recall(LEVELS, 30.0))

    state, other = recall.state(), again.state()
    pages, others = (list(each.pages(each.journal_rows())) for each in (state, other))
    assert pages == others
    assert state.journal_sums() == other.journal_sums()
