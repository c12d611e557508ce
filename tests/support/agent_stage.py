"""A memory of an agent, with trades of a bot and a clock that tests set."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.agents import AgentMemory
from tests.support.samples import a_trade, at

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from freqtrade_mem0.records.kinds.trade import TradeRecord

N_TRADES = 60


def bots_trades(n: int = N_TRADES, seed: int = 1) -> list[TradeRecord]:
    """Return trades of one bot in two pairs, ten hours apart."""
    rng = Random(seed)
    return [
        a_trade(
            number,
            closed_at=at(10.0 * number),
            profit_ratio=rng.gauss(0.004, 0.02),
            pair=rng.choice(["ETH/USDT", "BTC/USDT"]),
            situation={
                "rsi": rng.uniform(10.0, 90.0),
                "volatility": rng.uniform(0.01, 0.05),
                "trend_regime": rng.choice(["uptrend", "downtrend"]),
            },
        )
        for number in range(1, n + 1)
    ]


class Stage:
    """An agent's memory in a folder; `now` is what its clock says."""

    def __init__(self, folder: Path, *, hours: float = 700.0, **block: Any) -> None:
        self.now: datetime = at(hours)
        self.folder = folder
        self.config = {
            "mem0": {"mode": "local", "user_id": "me", **block},
            "datadir": str(folder / "candles"),
        }
        self.memory = AgentMemory(
            "trader_1", folder / "mem0", config=self.config, now=lambda: self.now
        )

    def remember(self, *records: Any) -> None:
        """Write records to the journal."""
        self.memory.client.folder.journal.append(records)
