"""Reads closed trades into a frame, a million of them in some seconds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from freqtrade_mem0.journal.evidence.ids import id_of
from freqtrade_mem0.journal.evidence.many import in_parts
from freqtrade_mem0.journal.evidence.read import in_scope
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.views.columns.amounts import paid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from freqtrade_mem0.journal.evidence.many import Part
    from freqtrade_mem0.journal.scope import Scope
    from freqtrade_mem0.memory_folder import MemoryFolder

_PAGE = 20_000
_NO_WORD = -1


def read_closed(
    memory: MemoryFolder,
    scope: Scope,
    *,
    with_features: bool = False,
    of_trades: pd.Series[Any] | None = None,
) -> pd.DataFrame:
    """Return the current closed trades of a scope by close date; the columns of `TRADES`.

    `with_features` adds the situations, and leaves amounts out. With `of_trades` only these ids are
    returned, with what a decision does not have: close date, exit reason, profit and largest stake.
    """
    parts = list(_parts(memory, scope, with_features=with_features))
    if not parts:
        return pd.DataFrame({"trade_id": pd.Series(dtype="string")})
    found = pd.concat(parts, ignore_index=True)
    words = memory.journal.evidence.words
    query = "SELECT number, strategy, mode, run_id FROM scopes"
    scopes = {number: texts for number, *texts in memory.journal.connection.rows(query, [])}
    numbers = found.pop("scope")
    for at, name in enumerate(("strategy", "mode", "run_id")):
        found[name] = _named(numbers, {number: texts[at] for number, texts in scopes.items()})
    for name in [str(each) for each in found if str(each).startswith("word ")]:
        found[name.removeprefix("word ")] = _named(found.pop(name), words)
    found = found.sort_values(["close_ms", "trade_id"], kind="stable")
    for name in ("open", "close"):
        times = pd.to_datetime(found.pop(f"{name}_ms").astype("int64"), unit="ms", utc=True)
        found[f"{name}_date"] = times.astype("datetime64[ms, UTC]")
    if of_trades is not None:
        kept = ["trade_id", "close_date", "exit_reason", "profit_ratio"]
        kept += ["profit_abs", "stake_amount"]
        return found.loc[found["trade_id"].isin(of_trades), kept]
    return found


def _parts(memory: MemoryFolder, scope: Scope, *, with_features: bool) -> Iterator[pd.DataFrame]:
    connection, words = memory.journal.connection, memory.journal.evidence.words
    condition, values = in_scope(replace(scope, kind=TradeRecord.kind))
    query = (
        "SELECT seq, id, scope, pair, known_ms, facts FROM evidence NOT INDEXED"  # noqa: S608 - bound
        f" WHERE {condition} AND is_current = 1 AND seq > ? ORDER BY seq LIMIT {_PAGE}"
    )
    seq = 0
    while rows := connection.rows(query, [*values, seq]):
        seq = rows[-1][0]
        amounts = {} if with_features else paid(connection, [row[0] for row in rows])
        for part in in_parts([row[-1] for row in rows], words):
            some = [rows[place] for place in part.places.tolist()]
            yield pd.DataFrame(_columns(some, part, amounts, with_features=with_features))


def _columns(
    rows: list[Any], part: Part, amounts: Mapping[int, Any], *, with_features: bool
) -> dict[str, Any]:
    seqs, ids, scopes, pairs, known_ms, _ = zip(*rows, strict=True)
    close_ms = np.array(known_ms, dtype=np.int64)
    columns: dict[str, Any] = {
        "trade_id": pd.array([id_of(each) for each in ids], dtype="string"),
        "scope": np.array(scopes),
        "word pair": np.array(pairs),
        **{f"word {name}": numbers for name, numbers in part.texts.items()},
        "open_ms": close_ms - part.open_ms,
        "close_ms": close_ms,
        "profit_ratio": part.ratio,
        "is_evidence": part.counts,
    }
    if with_features:
        columns |= part.numbers
        return columns | {f"word {name}": numbers for name, numbers in part.words.items()}
    known = [amounts.get(seq, (np.nan, np.nan)) for seq in seqs]
    stakes, profits = zip(*known, strict=True)
    columns["stake_amount"] = np.array(stakes, dtype=float)
    columns["profit_abs"] = np.array(profits, dtype=float)
    for field, name in (("profit_abs", "profit_abs"), ("max_stake_amount", "stake_amount")):
        if field in part.unknown:
            columns[name] = np.full(len(rows), np.nan)
    return columns


def _named(numbers: pd.Series[Any], names: Mapping[int, str]) -> pd.Categorical:
    """Return numbers as the words they stand for, missing where there is none."""
    unique, places = np.unique(numbers.fillna(_NO_WORD).to_numpy(), return_inverse=True)
    return pd.Categorical([names.get(int(each)) for each in unique]).take(places)
