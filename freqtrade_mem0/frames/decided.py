"""Reads sizing decisions into a frame."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson
import pandas as pd

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.frames.closed import read_closed
from freqtrade_mem0.frames.columns import LEDGER, typed
from freqtrade_mem0.journal.evidence.read import in_scope
from freqtrade_mem0.journal.old_decisions import SELECT, old_decision

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freqtrade_mem0.journal.scope import Scope
    from freqtrade_mem0.memory_folder import MemoryFolder

_PAGE = 20_000
_BODY = "iif(length(body) > 0, body, body_of(-seq, body))"
_OF_ORIGIN = ("strategy", "mode", "run_id")
_PLAIN = (
    "pair",
    "side",
    "enter_tag",
    "proposed_stake",
    "multiplier",
    "stake",
    "applied",
    "policy",
    "n_effective",
    "expected_ratio",
)
_COLUMNS = ("decision_id", *_OF_ORIGIN, *_PLAIN, "trade_id", "decided_at")


def with_outcomes(memory: MemoryFolder, scope: Scope, *, only_opened: bool) -> pd.DataFrame:
    """Return the decisions of a scope by time, with what became of them."""
    decided = read_decided(memory, scope, only_opened=only_opened)
    closed = read_closed(memory, scope, of_trades=decided["trade_id"])
    return decided.merge(closed, on="trade_id", how="left")


def read_decided(memory: MemoryFolder, scope: Scope, *, only_opened: bool) -> pd.DataFrame:
    """Return the decisions of a scope by time; of the columns of `LEDGER` those of a decision.

    Archived decisions are in it. A row that can not be read is left out; `verify` names it.
    """
    opened = " AND d.trade_id IS NOT NULL" if only_opened else ""
    rows = [*_whole(memory, scope, opened), *_archived(memory, scope, opened)]
    frame = pd.DataFrame(rows, columns=list(_COLUMNS))
    frame["decided_at"] = pd.to_datetime(frame["decided_at"], unit="ms", utc=True)
    frame = frame.sort_values(["decided_at", "decision_id"], kind="stable")
    return typed(frame, {name: LEDGER[name] for name in _COLUMNS})


def _whole(memory: MemoryFolder, scope: Scope, opened: str) -> Iterator[tuple[Any, ...]]:
    where, values = scope.where(with_kind=False)
    query = (
        f"SELECT seq, decided_ms, trade_id, {_BODY} FROM decisions AS d"  # noqa: S608
        f" WHERE {where}{opened} AND seq > ? ORDER BY seq LIMIT {_PAGE}"
    )
    seq = 0
    while rows := memory.journal.connection.rows(query, [*values, seq]):
        seq = rows[-1][0]
        for _, decided_ms, trade_id, body in rows:
            try:
                said = orjson.loads(body)
                origin = [said["origin"][name] for name in _OF_ORIGIN]
                plain = [said.get(name) for name in _PLAIN]
                yield (said["id"], *origin, *plain, trade_id, decided_ms)
            except (ValueError, KeyError, TypeError, AttributeError):
                continue


def _archived(memory: MemoryFolder, scope: Scope, opened: str) -> Iterator[tuple[Any, ...]]:
    where, values = in_scope(replace(scope, kind=None), prefix="d.")
    query = f"{SELECT} {where}{opened} AND d.seq > ? ORDER BY d.seq LIMIT {_PAGE}"
    seq, words = 0, memory.journal.evidence.words
    while rows := memory.journal.connection.rows(query, [*values, seq]):
        seq = rows[-1][0]
        for row in rows:
            try:
                found = old_decision(row, words)
            except RecordError:
                continue
            origin = [str(getattr(found.origin, name)) for name in _OF_ORIGIN]
            plain = [getattr(found, name) for name in _PLAIN]
            yield (found.id, *origin, *plain, found.trade_id, row[4])
