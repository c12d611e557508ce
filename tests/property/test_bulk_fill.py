"""A recall that is filled at once answers as one that was told of the same trades one by one."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freqtrade_mem0.recall import Recall
from freqtrade_mem0.recall.index import bulk
from freqtrade_mem0.recall.index.bulk import BulkFill
from tests.property.test_snapshot import LEVELS, answers, is_foreign, moments_in_time, trades
from tests.support.samples import a_trade, at

if TYPE_CHECKING:
    from datetime import datetime

    from freqtrade_mem0.records.kinds.trade import TradeRecord

said = st.lists(
    st.tuples(trades, st.sampled_from([1.0, 0.25]), st.sampled_from([True, True, True, False])),
    max_size=30,
)
Said = list[tuple["TradeRecord", float, bool]]


def one_by_one(recall: Recall, history: Said) -> None:
    """Let a recall know what the journal says, as a bot that runs does."""
    for trade, discount, counts in history:
        if counts:
            recall.add(trade, discount, from_journal=True, is_foreign=is_foreign(trade))
        else:
            recall.remove(trade.id, from_journal=True)


def at_once(recall: Recall, history: Said) -> None:
    """Let a recall know the same, as a bot that starts does."""
    fill = BulkFill(recall)
    for trade, discount, counts in history:
        if counts:
            fill.add(trade, discount, is_foreign=is_foreign(trade))
        else:
            fill.remove(trade.id)
    fill.finish()


@given(
    said,
    st.lists(trades, max_size=6),
    said,
    st.lists(moments_in_time, min_size=1, max_size=4),
    st.sampled_from([LEVELS, LEVELS[:1], ()]),
)
def test_it_answers_as_if_told_one_by_one(
    history: Said,
    told: list[TradeRecord],
    later: Said,
    asked: list[datetime],
    levels: tuple[str, ...],
) -> None:
    """Bit for bit: corrections, what was taken back, what it was told before, what comes later."""
    recall, other = Recall(levels, 30.0), Recall(levels, 30.0)
    with ExitStack() as small:
        for name, bound in (("PAGE_ROWS", 3), ("N_REMEMBERED", 2)):
            small.enter_context(patch.object(bulk, name, bound))
        for each, fill in ((recall, one_by_one), (other, at_once)):
            for trade in told:
                each.add(trade, 0.125)
            fill(each, history)
            each.take_in_all()
            one_by_one(each, later)

    assert len(recall) == len(other)
    assert answers(recall, asked) == answers(other, asked)


@given(said)
def test_it_leaves_the_same_behind(history: Said) -> None:
    """Its snapshot has the rows, the groups in their order and the sums of the slower way."""
    recall, other = Recall(LEVELS, 30.0), Recall(LEVELS, 30.0)
    for each, fill in ((recall, one_by_one), (other, at_once)):
        fill(each, history)
        each.take_in_all()

    state, same = recall.state(), other.state()
    pages, others = (list(each.pages(each.journal_rows())) for each in (state, same))
    counts = len(recall) > 0  # nothing is noted of groups in which nothing is
    assert pages == others
    assert state.journal_sums() == same.journal_sums() or not counts
    assert [key for key, *_ in state.groups] == [key for key, *_ in same.groups] or not counts


@pytest.mark.parametrize("record_ids", [("a", "b"), ("a" * 36, "A" * 36)])
def test_ids_that_are_no_uuids_are_told_apart(record_ids: tuple[str, str]) -> None:
    """As recall does itself."""
    recall = Recall((), 30.0)
    fill = BulkFill(recall)
    for record_id in (*record_ids, *record_ids):
        fill.add(a_trade(1, id=record_id))
    fill.remove(record_ids[0])
    fill.finish()

    assert len(recall) == 1
    recall.remove(record_ids[1])
    assert recall.groups(at(500)) == {}
