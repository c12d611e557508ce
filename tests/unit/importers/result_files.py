"""Result files as Freqtrade writes them, with contents that a test chooses."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.memory_folder import MemoryFolder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ASSETS = Path(__file__).parents[2] / "assets"
OLD_RESULT = ASSETS / "backtest-result-2021-05-12_04-18-28.json"
OLD_EPOCHS = ASSETS / "strategy_Tuned_2021-05-12_04-18-27.fthypt"
OLD_DATABASE = ASSETS / "tradesv3-2021.dryrun.sqlite"

MINUTE_MS = 60_000
START_MS = 1_704_067_200_000
"""2024-01-01."""

RUN_ID = "a" * 40
RAN_AT_S = 1_717_243_200
"""2024-06-01 12:00."""


def a_store(folder: Path, **settings: Any) -> MemoryFolder:
    """Return a memory without Mem0 behind it."""
    return MemoryFolder(Settings(mode="local", **settings), folder)


def a_result_trade(number: int = 1, **changes: Any) -> dict[str, Any]:
    """Return a trade as it stands in a result file, told from others by its number."""
    opened = START_MS + number * 60 * MINUTE_MS
    entry = {"ft_is_entry": True, "order_filled_timestamp": opened, "ft_order_side": "buy"}
    leave = {"ft_is_entry": False, "order_filled_timestamp": opened, "ft_order_side": "sell"}
    return {
        "pair": "ETH/USDT",
        "stake_amount": 100.0,
        "max_stake_amount": 100.0,
        "amount": 0.05,
        "open_date": "2024-01-01 00:00:00+00:00",
        "close_date": "2024-01-01 00:00:00+00:00",
        "open_timestamp": opened,
        "close_timestamp": opened + 30 * MINUTE_MS,
        "open_rate": 2_000.0,
        "close_rate": 2_020.0,
        "fee_open": 0.001,
        "fee_close": 0.001,
        "profit_ratio": 0.00798,
        "profit_abs": 0.798,
        "exit_reason": "roi",
        "enter_tag": "dip",
        "is_open": False,
        "is_short": False,
        "leverage": 1.0,
        "funding_fees": 0.0,
        "orders": [entry, leave],
    } | changes


def statistics(trades: Sequence[Mapping[str, Any]], **changes: Any) -> dict[str, Any]:
    """Return what Freqtrade reports of a strategy; a few numbers of it."""
    total = sum(trade["profit_abs"] for trade in trades)
    return {
        "trades": list(trades),
        "total_trades": len(trades),
        "profit_total": total / 1_000,
        "profit_total_abs": total,
        "backtest_start_ts": START_MS,
        "backtest_end_ts": START_MS + 7 * 1_440 * MINUTE_MS,
        "backtest_run_start_ts": RAN_AT_S,
        "backtest_run_end_ts": RAN_AT_S + 3,
        "pairlist": ["ETH/USDT", "BTC/USDT"],
        "stake_currency": "USDT",
        "timeframe": "5m",
        "sharpe": 1.25,
        "wallet_stats": {"sharpe": 1.5},
        "max_open_trades_setting": -1,
        "trailing_stop": False,
        "results_per_pair": [{"key": "TOTAL", "trades": len(trades)}],
    } | changes


def write_result(
    folder: Path,
    strategies: Mapping[str, Mapping[str, Any]],
    *,
    name: str = "backtest-result-2024-06-01_12-00-03",
    run_id: str = RUN_ID,
    ran_at_s: int = RAN_AT_S,
    config: Mapping[str, Any] | None = None,
    source: str = "from freqtrade_mem0 import Mem0Mixin",
) -> Path:
    """Write an archive with its metadata as Freqtrade does; return the archive."""
    folder.mkdir(parents=True, exist_ok=True)
    about = {
        strategy: {
            # As in Freqtrade, no two strategies have the same.
            "run_id": f"{strategy}-{run_id}",
            "backtest_start_time": ran_at_s,
            "timeframe": "5m",
            "backtest_start_ts": content["backtest_start_ts"] // 1_000,
            "backtest_end_ts": content["backtest_end_ts"] // 1_000,
        }
        for strategy, content in strategies.items()
    }
    (folder / f"{name}.meta.json").write_text(json.dumps(about), encoding="utf-8")
    path = folder / f"{name}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        result = {"strategy": strategies, "strategy_comparison": []}
        archive.writestr(f"{name}.json", json.dumps(result))
        stored = {"mem0": {"enabled": True}} if config is None else config
        archive.writestr(f"{name}_config.json", json.dumps(stored))
        for strategy in strategies:
            archive.writestr(f"{name}_{strategy}.py", source)
        archive.writestr(f"{name}_Sample.json", "{}")
    return path
