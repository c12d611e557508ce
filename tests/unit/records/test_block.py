"""Trades that travel with their summary."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import zstandard

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.lifecycle.summaries import summary_of
from freqtrade_mem0.records.block import packed, trades_of
from freqtrade_mem0.records.codec import encode
from freqtrade_mem0.records.mapping import to_memory
from freqtrade_mem0.records.memory import BLOCK
from tests.support.samples import NOTED, a_trade

if TYPE_CHECKING:
    from freqtrade_mem0.records.kinds.summary import TradeSummary
    from freqtrade_mem0.records.memory import Memory

TRADES = [
    a_trade(
        n, profit_ratio=n / 997, enter_tag="Ξ 'quoted'", situation={"rsi": 0.1 + n / 3, "n": "x"}
    )
    for n in range(1, 9)
]


def carried(block: str) -> tuple[TradeSummary, Memory]:
    """Return the summary of the trades, and its memory with a block."""
    summary = summary_of(TRADES, NOTED)
    memory = to_memory(summary)
    return summary, replace(memory, metadata={**memory.metadata, BLOCK: block})


def squeezed(text: bytes) -> str:
    """Return a text as blocks have it."""
    return b64encode(zstandard.ZstdCompressor().compress(text)).decode()


def test_trades_come_back_to_the_last_digit() -> None:
    """In the order of the summary, with their ids and origin."""
    assert trades_of(*carried(packed(list(map(encode, TRADES))))) == TRADES


def test_trades_of_several_versions_come_back() -> None:
    """JSON of an earlier version lacks what was added later."""
    first, *others = map(encode, TRADES)
    assert (earlier := first.replace(',"execution":null', "")) != first
    assert trades_of(*carried(packed([earlier, *others]))) == TRADES


def test_a_summary_does_not_depend_on_the_order() -> None:
    """The same trades in another order give the same summary."""
    assert summary_of(TRADES[::-1], NOTED) == summary_of(TRADES, NOTED)


def test_a_block_is_small() -> None:
    """A trade takes less than a third of its JSON, also among few."""
    assert len(packed(list(map(encode, TRADES)))) < 300 * len(TRADES)


@pytest.mark.parametrize(
    "block",
    [
        "",
        "no base64 \N{SNOWMAN}",
        "00000",
        squeezed(b""),
        squeezed(b"[1, 2]"),
        squeezed(b'{"pair": []}'),
        squeezed(b'{"pair": 3}'),
        squeezed(b"[" * 100_000),
        packed(list(map(encode, TRADES[:3]))),
        packed([encode(replace(each, profit_ratio=0.5)) for each in TRADES]),
    ],
)
def test_a_wrong_block_is_refused_in_a_sentence(block: str) -> None:
    """Whatever a stranger put there."""
    with pytest.raises(RecordError, match="summary"):
        trades_of(*carried(block))
