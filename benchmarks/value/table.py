"""The form of a trade table: one row per closed trade, in entry order, with its situation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

MS_PER_DAY = 86_400_000

COLUMNS = (
    "pair",
    "side",
    "enter_tag",
    "exit_reason",
    "open_date",
    "close_date",
    "profit_ratio",
    "leverage",
)


def finished(trades: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """Return Freqtrade's trades in the lab's form.

    Parameters
    ----------
    trades
        As Freqtrade's result file lists them; or in the lab's own columns already.
    features
        Situations by `pair` (spot name) and `open_date`, as `cached_situations` makes them.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`, `open_ms` and `close_ms` (UTC milliseconds), `n_open` (trades of the strategy
        that are open at the moment of entry, this one and others entered then not among them),
        and the features. Sorted by entry; the pair decides between equal moments.
    """
    table = trades.copy()
    if "is_short" in table:
        table["side"] = np.where(table["is_short"].astype(bool), "short", "long")
    table["pair"] = table["pair"].str.split(":").str[0]
    table["enter_tag"] = table["enter_tag"].fillna("")
    for name in ("open_date", "close_date"):
        table[name] = pd.to_datetime(table[name], utc=True).astype("datetime64[ms, UTC]")
    table = table[list(COLUMNS)].sort_values(["open_date", "pair"], ignore_index=True)
    table["open_ms"] = table["open_date"].astype("int64")
    table["close_ms"] = table["close_date"].astype("int64")
    table["n_open"] = n_open(table["open_ms"].to_numpy(), table["close_ms"].to_numpy())
    return table.merge(features, on=["pair", "open_date"], how="left", validate="many_to_one")


def n_open(open_ms: NDArray[np.int64], close_ms: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many trades were entered before each entry and not closed before it.

    A trade that closes in the very millisecond of the entry still counts as open: nothing about it
    is known yet.
    """
    entered = np.searchsorted(np.sort(open_ms), open_ms, side="left")
    closed = np.searchsorted(np.sort(close_ms), open_ms, side="left")
    return np.asarray(entered - closed, dtype=np.int64)
