"""Records that travel with a summary: packed into its memory, so that Mem0 still has each of them.

A journal that was lost, and a machine that follows the same Mem0, get the trades from there.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import asdict
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.codec import content_hash, decode_as, encode
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.records.memory import BLOCK

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from freqtrade_mem0.records.kinds.summary import TradeSummary
    from freqtrade_mem0.records.memory import Memory

_OF_THE_SUMMARY = ("id", "origin")

_LEVEL = 12
"""Of zstd: a twelfth smaller than the usual 3, in half a millisecond."""

_MOST_BYTES = 256_000_000
"""Largest size that is unpacked: a small block of a stranger must not fill the memory."""


def packed(bodies: Sequence[str]) -> str:
    """Return trades of one origin, given as their JSON, as one compressed text.

    It holds their fields column by column, a quarter smaller than row by row, without what the
    summary says: their ids and their origin.
    """
    import zstandard

    rows = [json.loads(each) for each in bodies]
    if any(row.keys() != rows[0].keys() for row in rows):  # versions wrote them that knew more
        rows = [json.loads(encode(decode_as(TradeRecord, each))) for each in bodies]
    columns = _columns(rows)
    if all(row["situation"].keys() == rows[0]["situation"].keys() for row in rows):
        columns["situation"] = _columns([row["situation"] for row in rows])
    text = json.dumps(columns, separators=(",", ":"))
    return b64encode(zstandard.ZstdCompressor(level=_LEVEL).compress(text.encode())).decode()


def _columns(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the fields of rows as columns; a value that all of them have stands once."""
    names = [name for name in rows[0] if name not in _OF_THE_SUMMARY]
    columns = {name: [row[name] for row in rows] for name in names}
    return {
        name: column[:1] if all(repr(each) == repr(column[0]) for each in column) else column
        for name, column in columns.items()
    }


def _at(column: Any, place: int) -> Any:
    """Return the value of a column in one row; of columns of a situation the situation."""
    if isinstance(column, dict):
        return {name: _at(each, place) for name, each in column.items()}
    return column[place if len(column) > 1 else 0]


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
        block = b64decode(str(memory.metadata[BLOCK]), validate=True)
        is_small = 0 <= zstandard.frame_content_size(block) <= _MOST_BYTES
        columns = json.loads(zstandard.ZstdDecompressor().decompress(block) if is_small else b"")
        origin = asdict(summary.origin)
        trades = [
            decode_as(
                TradeRecord,
                json.dumps(
                    {"id": each, "origin": origin}
                    | {name: _at(column, place) for name, column in columns.items()}
                ),
            )
            for place, each in enumerate(summary.trades)
        ]
    except (*damaged, zstandard.ZstdError) as error:
        raise RecordError(
            f"The trades of summary {summary.id} can not be read: {error}."
        ) from error
    if digest(map(content_hash, trades)) != summary.digest:
        raise RecordError(
            f"The trades that came with summary {summary.id} are not those it was made of; they "
            "are not used."
        )
    return trades


def digest(hashes: Iterable[str]) -> str:
    """Return the hash of what trades say, from their content hashes in their order."""
    return sha256(" ".join(hashes).encode()).hexdigest()
