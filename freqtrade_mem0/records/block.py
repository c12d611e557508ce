"""Records that travel with a summary: packed into its memory, so that Mem0 still has each of them.

A journal that was lost, and a machine that follows the same Mem0, get the trades from there.
"""

from __future__ import annotations

import json
from base64 import b85decode, b85encode
from dataclasses import asdict
from hashlib import sha256
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.codec import content_hash, decode_as, encode
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.records.memory import BLOCK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freqtrade_mem0.records.kinds.summary import TradeSummary
    from freqtrade_mem0.records.memory import Memory

_OF_THE_SUMMARY = ("id", "origin")

_LEVEL = 15
"""Of zstd: a tenth smaller than the usual 3. A block is written once and takes two milliseconds."""

_MOST_BYTES = 256_000_000
"""Largest size that is unpacked: a small block of a stranger must not fill the memory."""


def packed(trades: Sequence[TradeRecord]) -> str:
    """Return trades of one origin as one compressed text.

    It holds their fields column by column, a quarter smaller than row by row, without what the
    summary says: their ids and their origin.
    """
    import zstandard

    rows = [json.loads(encode(each)) for each in trades]
    columns = {name: [row[name] for row in rows] for name in rows[0] if name not in _OF_THE_SUMMARY}
    text = json.dumps(columns, separators=(",", ":"))
    return b85encode(zstandard.ZstdCompressor(level=_LEVEL).compress(text.encode())).decode()


def trades_of(summary: TradeSummary, memory: Memory) -> list[TradeRecord]:
    """Return the trades that a summary stands for, as its memory has them; [] if it has none.

    Raises
    ------
    RecordError
        They are damaged, or not what the summary says.
    """
    import zstandard

    damaged = (ValueError, LookupError, TypeError, AttributeError, RecursionError, RecordError)
    if BLOCK not in memory.metadata:
        return []
    try:
        block = b85decode(str(memory.metadata[BLOCK]))
        is_small = 0 <= zstandard.frame_content_size(block) <= _MOST_BYTES
        columns = json.loads(zstandard.ZstdDecompressor().decompress(block) if is_small else b"")
        origin = asdict(summary.origin)
        trades = [
            decode_as(
                TradeRecord,
                json.dumps(
                    {"id": each, "origin": origin}
                    | {name: column[place] for name, column in columns.items()}
                ),
            )
            for place, each in enumerate(summary.trades)
        ]
    except (*damaged, zstandard.ZstdError) as error:
        raise RecordError(
            f"The trades of summary {summary.id} can not be read: {error}."
        ) from error
    if digest(trades) != summary.digest:
        raise RecordError(
            f"The trades that came with summary {summary.id} are not those it was made of; they "
            "are not used."
        )
    return trades


def digest(trades: Sequence[TradeRecord]) -> str:
    """Return the hash of what trades say, in their order."""
    return sha256(" ".join(map(content_hash, trades)).encode()).hexdigest()
