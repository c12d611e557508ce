"""The package's own recall, outlook and policy over a trade table: what a bot would have done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from freqtrade_mem0.config.sizing import SizingSettings
from freqtrade_mem0.insight import Part, Shrinkage
from freqtrade_mem0.outlook import Outlook
from freqtrade_mem0.recall import STRATEGY, Recall
from freqtrade_mem0.records.base import from_ms
from freqtrade_mem0.situation import calendar
from freqtrade_mem0.sizing.policy import Known
from freqtrade_mem0.sizing.registry import policy_for

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from freqtrade_mem0.records.trade import TradeRecord


@dataclass(frozen=True, slots=True)
class _Trade:
    """What recall reads of a trade record."""

    id: str
    known_at: datetime
    pair: str
    side: str
    enter_tag: str
    situation: dict[str, float | str]
    profit_ratio: float
    is_evidence: bool = True


def shipped_multipliers(table: pd.DataFrame) -> NDArray[np.float64]:
    """Return what `sizing.policy: bayes` makes of each trade of a table, shape (n_trades,)."""
    settings = SizingSettings()
    recall = Recall(settings.levels, settings.half_life_days)
    outlook = Outlook(recall, Shrinkage(pseudo_trades=settings.pseudo_trades))
    policy = policy_for(settings)
    rows: list[Any] = list(table.itertuples(index=False))
    for number, row in enumerate(rows):
        recall.add(cast("TradeRecord", _trade(number, row)))
    multipliers = []
    for row in rows:
        moment = from_ms(int(row.open_ms))
        keys = recall.keys(row.pair, row.side, row.enter_tag, _situation(row))
        differences = outlook.differences(moment)
        whole, *levels = recall.as_of(moment, [STRATEGY, *keys])
        known = Known(
            strategy=Part("strategy", "", whole),
            levels=[
                Part(name, value, moments, 0.0, recall.parts_of[name])
                for (name, value), moments in zip(keys, levels, strict=True)
            ],
            differences=differences,
        )
        multipliers.append(policy(known).multiplier)
    return np.array(multipliers)


def _trade(number: int, row: Any) -> _Trade:
    return _Trade(
        id=str(number),
        known_at=from_ms(int(row.close_ms)),
        pair=row.pair,
        side=row.side,
        enter_tag=row.enter_tag,
        situation=_situation(row),
        profit_ratio=float(row.profit_ratio),
    )


def _situation(row: Any) -> dict[str, float | str]:
    found: dict[str, float | str] = dict(calendar(from_ms(int(row.open_ms))))
    for name in ("volatility_regime", "trend_regime"):
        value = getattr(row, name)
        if isinstance(value, str) and value:
            found[name] = value
    return found
