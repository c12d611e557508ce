"""A memory as pandas DataFrames, for notebooks: `trades`, `ledger`, `insights`, `situations`.

Each function finds the memory as the command line does: `config` is the path of a Freqtrade config
or a config itself, `userdir` Freqtrade's user data folder, `path` the memory's own folder.
`strategy`, `mode`, `run_id` and `pair` select a part of it. Bots may go on meanwhile.

    from freqtrade_mem0 import frames

    trades = frames.trades("config.json", mode="live")

Times are `datetime64[ms, UTC]`, numbers `float64`, names that repeat `category`, ids `string`. An
empty frame has the same columns and dtypes. `ConfigError`: there is no such config or memory;
`RecordError`: no run, or several, begin with `run_id`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Unpack

import pandas as pd

from freqtrade_mem0.frames.closed import read_closed
from freqtrade_mem0.frames.columns import INSIGHTS, LEDGER, SITUATIONS, TRADES, typed
from freqtrade_mem0.frames.decided import with_outcomes
from freqtrade_mem0.frames.opened import Config, Wanted, opened
from freqtrade_mem0.views.insights import insights as insights_of
from freqtrade_mem0.views.insights import newest_of

__all__ = ["insights", "ledger", "situations", "trades"]


def trades(config: Config = None, **wanted: Unpack[Wanted]) -> pd.DataFrame:
    """Return the closed trades, in the order in which they closed.

    `profit_abs` and `stake_amount` are in stake currency, and missing where they are no longer
    kept. `is_evidence` says whether stakes may depend on the trade.
    """
    with opened(config, **wanted) as (memory, scope):
        return typed(read_closed(memory, scope), TRADES)


def ledger(
    config: Config = None, *, only_opened: bool = True, **wanted: Unpack[Wanted]
) -> pd.DataFrame:
    """Return the sizing decisions with their outcomes, in the order in which they were made.

    Outcomes are missing where the trade is open or was never opened. `applied` is False in shadow
    mode, where the trade got the proposed stake. `only_opened` leaves out decisions whose entry
    order was never filled. The reasons are in `freqtrade-mem0 why` and `ledger --json`.
    """
    with opened(config, **wanted) as (memory, scope):
        return typed(with_outcomes(memory, scope, only_opened=only_opened), LEDGER)


def insights(config: Config = None, **wanted: Unpack[Wanted]) -> pd.DataFrame:
    """Return what the trades of the newest run say: a row for the strategy, then one per group.

    `low_ratio` and `high_ratio` are the 95 % interval of `mean_ratio`; trades count less with age,
    and `n_effective` is how many they are worth.
    """
    with opened(config, **wanted) as (memory, scope):
        is_empty = newest_of(memory, scope) is None
        rows = [] if is_empty else insights_of(memory, scope, datetime.now(UTC))["insights"]
    return typed(pd.DataFrame(rows), INSIGHTS)


def situations(config: Config = None, **wanted: Unpack[Wanted]) -> pd.DataFrame:
    """Return what the market was at the entry of each closed trade, in the order of `trades`.

    After the fixed columns there is one for each feature: `float64`, or `category` for words. A
    feature that a trade lacks is missing.
    """
    with opened(config, **wanted) as (memory, scope):
        return typed(read_closed(memory, scope, with_features=True), SITUATIONS, others=True)
