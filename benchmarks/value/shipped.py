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
    known_at: datetime
    pair: str
    side: str
    enter_tag: str
    situation: dict[str, float | str]
    profit_ratio: float
    is_evidence: bool = True


def shipped_multipliers(table: pd.DataFrame, policy: str = "bayes") -> NDArray[np.float64]:
    """Return what a `sizing.policy` makes of each trade of a table, shape (n_trades,)."""
    settings = SizingSettings(policy=policy)
    recall = Recall(settings.levels, settings.half_life_days)
    evidence = EvidenceReader(recall, Shrinkage(pseudo_trades=settings.pseudo_trades))
    decide = policy_for(settings)
    rows: list[Any] = list(table.itertuples(index=False))
    for number, row in enumerate(rows):
        recall.add(cast("TradeRecord", _trade(number, row)))
    multipliers = []
    for row in rows:
        known = evidence.for_entry(
            strategy="",
            pair=row.pair,
            side=row.side,
            enter_tag=row.enter_tag,
            moment=from_ms(int(row.open_ms)),
            situation=_situation(row),
        )
        multipliers.append(decide(known).multiplier)
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
    found: dict[str, float | str] = dict(calendar(int(row.open_ms)))
    for name in ("volatility_regime", "trend_regime"):
        value = getattr(row, name)
        if isinstance(value, str) and value:
            found[name] = value
    return found
