"""Replay a memory over a trade table, entry by entry: the slow and honest way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.value.candidate import Candidate, Closed, Entry, Said

if TYPE_CHECKING:
    import pandas as pd

SITUATION = ("volatility_regime", "trend_regime")


def entry_of(row: Any) -> Entry:
    """Return the entry of a row of a trade table (a named tuple)."""
    situation = {name: getattr(row, name) for name in SITUATION}
    known = {name: value for name, value in situation.items() if isinstance(value, str) and value}
    return Entry(row.pair, row.side, row.enter_tag, int(row.open_ms), known)


def closed_of(row: Any, said: Said) -> Closed:
    """Return the closed trade of a row, with what was said about it."""
    return Closed(entry_of(row), said, int(row.close_ms), float(row.profit_ratio))


def replay(table: pd.DataFrame, memory: Candidate) -> list[Said]:
    """Ask about every trade of a table at its entry; tell its outcome at its close.

    A trade is observed right after its decision, which is safe as the memory lets it count only
    at decisions later than its close.
    """
    said = []
    for row in table.itertuples(index=False):
        answer = memory.decide(entry_of(row))
        memory.observe(closed_of(row, answer))
        said.append(answer)
    return said
