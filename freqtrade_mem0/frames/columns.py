"""The columns of each frame with their dtypes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

TIME, NUMBER, NAME, ID, TRUTH = "datetime64[ms, UTC]", "float64", "category", "string", "bool"

TRADES: Mapping[str, str] = {
    "trade_id": ID,
    "strategy": NAME,
    "mode": NAME,
    "run_id": NAME,
    "pair": NAME,
    "side": NAME,
    "enter_tag": NAME,
    "exit_reason": NAME,
    "open_date": TIME,
    "close_date": TIME,
    "profit_ratio": NUMBER,
    "profit_abs": NUMBER,
    "stake_amount": NUMBER,
    "is_evidence": TRUTH,
}

LEDGER: Mapping[str, str] = {
    "decision_id": ID,
    "trade_id": ID,
    "strategy": NAME,
    "mode": NAME,
    "run_id": NAME,
    "pair": NAME,
    "side": NAME,
    "enter_tag": NAME,
    "decided_at": TIME,
    "proposed_stake": NUMBER,
    "multiplier": NUMBER,
    "stake": NUMBER,
    "applied": TRUTH,
    "policy": NAME,
    "n_effective": NUMBER,
    "expected_ratio": NUMBER,
    "close_date": TIME,
    "exit_reason": NAME,
    "profit_ratio": NUMBER,
    "profit_abs": NUMBER,
    "stake_amount": NUMBER,
}

INSIGHTS: Mapping[str, str] = {
    "level": NAME,
    "value": ID,
    "n_effective": NUMBER,
    "mean_ratio": NUMBER,
    "low_ratio": NUMBER,
    "high_ratio": NUMBER,
    "believed_shift_ratio": NUMBER,
}

SITUATIONS: Mapping[str, str] = {
    name: TRADES[name]
    for name in ("trade_id", "strategy", "mode", "run_id", "pair", "side", "enter_tag")
} | {"open_date": TIME, "profit_ratio": NUMBER}


def typed(frame: pd.DataFrame, columns: Mapping[str, str], *, others: bool = False) -> pd.DataFrame:
    """Return a frame with these columns in their order and dtypes; `others` are kept behind them.

    Columns that are not there are made, which is the case where there are no rows.
    """
    kept = [name for name in frame if name not in columns and name not in TRADES] if others else []
    found = frame.reindex(columns=[*columns, *kept])
    return found.astype(dict(columns)).reset_index(drop=True)
