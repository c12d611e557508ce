"""The form of a trade table: one row per closed trade, in entry order, with its situation."""

from __future__ import annotations

import numpy as np
import pandas as pd

MS_PER_DAY = 86_400_000

COLUMNS = [
    *("pair", "side", "enter_tag", "exit_reason", "open_date", "close_date"),
    *("profit_ratio", "leverage"),
]


def finished(trades: pd.DataFrame, situations: pd.DataFrame) -> pd.DataFrame:
    """Return Freqtrade's trades in the lab's form.

    Parameters
    ----------
    trades
        As Freqtrade's result file lists them.
    situations
        By `pair` (spot name) and `open_date`, as `cached_situations` makes them.

    Returns
    -------
    pandas.DataFrame
        Also `open_ms` and `close_ms` (UTC milliseconds). Sorted by entry; the pair decides between
        equal moments.
    """
    table = trades.copy()
    table["side"] = np.where(table["is_short"].astype(bool), "short", "long")
    table["pair"] = table["pair"].str.split(":").str[0]
    table["enter_tag"] = table["enter_tag"].fillna("")
    for name in ("open", "close"):
        moments = pd.to_datetime(table[f"{name}_date"], utc=True).astype("datetime64[ms, UTC]")
        table[f"{name}_date"], table[f"{name}_ms"] = moments, moments.astype("int64")
    table = table[[*COLUMNS, "open_ms", "close_ms"]]
    table = table.sort_values(["open_date", "pair"], ignore_index=True)
    return table.merge(situations, on=["pair", "open_date"], how="left", validate="many_to_one")
