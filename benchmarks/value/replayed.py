"""The package's own evidence and policies over a trade table: what a bot would have done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from freqtrade_mem0.config.sizing import SizingSettings
from freqtrade_mem0.decide.known import EvidenceReader
from freqtrade_mem0.insight.shrinkage import Shrinkage
from freqtrade_mem0.recall import Recall
from freqtrade_mem0.records.base import from_ms
from freqtrade_mem0.situation import calendar
from freqtrade_mem0.sizing.registry import policy_for

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from freqtrade_mem0.records.kinds.trade import TradeRecord


@dataclass(frozen=True, slots=True)
class _Trade:
    """What recall reads of a trade record."""

    id: str
    open_date: datetime
    known_at: datetime
    pair: str
    side: str
    enter_tag: str
    situation: dict[str, float | str]
    profit_ratio: float
    is_evidence: bool = True


def replayed(table: pd.DataFrame, policy: str) -> NDArray[np.float64]:
    """Return what a `sizing.policy` makes of each trade of a table, shape (n_trades,)."""
    settings = SizingSettings(policy=policy)
    recall = Recall(settings.levels, settings.half_life_days)
    decide = policy_for(settings)
    evidence = EvidenceReader(recall, Shrinkage(pseudo_trades=settings.pseudo_trades), decide)
    rows: list[Any] = list(table.itertuples(index=False))
    situations = [_situation(row) for row in rows]
    for number, (row, situation) in enumerate(zip(rows, situations, strict=True)):
        trade = _Trade(
            id=str(number),
            open_date=from_ms(int(row.open_ms)),
            known_at=from_ms(int(row.close_ms)),
            pair=row.pair,
            side=row.side,
            enter_tag=row.enter_tag,
            situation=situation,
            profit_ratio=float(row.profit_ratio),
        )
        recall.add(cast("TradeRecord", trade))
    multipliers = []
    for row, situation in zip(rows, situations, strict=True):
        known = evidence.for_entry(
            strategy="",
            pair=row.pair,
            side=row.side,
            enter_tag=row.enter_tag,
            moment=from_ms(int(row.open_ms)),
            situation=situation,
        )
        multipliers.append(decide(known).multiplier)
    return np.array(multipliers)


def _situation(row: Any) -> dict[str, float | str]:
    found: dict[str, float | str] = dict(calendar(int(row.open_ms)))
    for name in ("volatility", "momentum", "volatility_regime", "trend_regime"):
        value = getattr(row, name)
        if value and value == value:  # noqa: PLR0124 - NaN is not equal to itself
            found[name] = value if isinstance(value, str) else float(value)
    return found
