"""The form in which a record lives in Mem0: a sentence people can read, and flat metadata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

Scalar = str | int | float | bool
"""Types that all of Mem0's stores keep as metadata; some refuse NumPy scalars and nesting."""


RECORD, BLOCK = "record", "block"
"""Keys of the metadata that hold a record's exact JSON, and the trades that come with a summary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """One memory, as written to and read from any Mem0 backend.

    Parameters
    ----------
    id
        UUID in its canonical text form. Writing the same id twice leaves one memory.
    text
        The sentence that is embedded, searched and shown.
    user_id, agent_id, run_id
        Mem0's three scopes: owner, strategy, and bot or backtest run.
    created_at
        Aware UTC time the memory carries in Mem0: the market time at which the fact became known.
    metadata
        Flat values only. Times stand here as epoch seconds, so that range filters work everywhere.
    score
        Relevance in [0, 1] when the memory is the answer to a search, else None.
    stored_at
        Aware UTC wall time, by the writer's clock, at which it was stored or replaced. None if the
        store does not tell, or it was not read from a store. Comparisons ignore it.
    """

    id: str
    text: str
    user_id: str
    agent_id: str
    run_id: str
    created_at: datetime
    metadata: Mapping[str, Scalar] = field(default_factory=dict)
    score: float | None = None
    stored_at: datetime | None = field(default=None, compare=False)
