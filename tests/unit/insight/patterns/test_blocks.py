"""Trades that overlap count as one."""

from __future__ import annotations

import numpy as np

from freqtrade_mem0.insight.patterns.blocks import blocks


def test_trades_opened_while_the_first_is_open_are_one_block() -> None:
    """The next one opened later begins another block, also if the last of them is still open."""
    opened, closed = np.array([0, 2, 9, 10, 30]), np.array([10, 12, 25, 20, 40])

    assert blocks(opened, closed).tolist() == [0, 0, 0, 1, 2]


def test_the_order_of_trades_does_not_matter() -> None:
    """A trade is in the same block wherever it stands."""
    opened, closed = np.array([30, 0, 10, 2]), np.array([40, 10, 20, 12])

    assert blocks(opened, closed).tolist() == [2, 0, 1, 0]


def test_one_long_trade_does_not_take_in_all_others() -> None:
    """A block lasts as long as the median trade at most."""
    opened = np.array([0, 20, 40, 60, 80])
    closed = np.array([1_000, 25, 45, 65, 85])

    assert len(set(blocks(opened, closed).tolist())) == len(opened)


def test_trades_of_one_moment_are_one_block() -> None:
    """Also where they were closed at once."""
    assert blocks(np.array([5, 5, 6]), np.array([5, 5, 6])).tolist() == [0, 0, 1]
    assert not len(blocks(np.array([], int), np.array([], int)))
