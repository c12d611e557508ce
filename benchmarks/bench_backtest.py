"""What memory costs a backtest: the whole `freqtrade backtesting` command, with and without it.

    python benchmarks/bench_backtest.py [--rounds 5]

Generated candles, the example strategy, real processes, in turn: without memory, with it in mode
`local`, with it in mode `embedded` (delivery to Mem0 included). Prints JSON; ratios are paired by
round, as machines are noisy.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from freqtrade_mem0.demo.candles import CandlePlan, write_candles
from freqtrade_mem0.demo.exchange import ExchangeStandIn
from freqtrade_mem0.demo.freqtrade_config import freqtrade_config, write_config
from freqtrade_mem0.demo.freqtrade_run import BacktestJob, run_backtest
from freqtrade_mem0.demo.markets import markets_in

VARIANTS: dict[str, dict[str, Any]] = {
    "without": {"enabled": False},
    "local": {"enabled": True, "mode": "local"},
    "embedded": {"enabled": True, "mode": "embedded"},
}
STRATEGIES = Path(__file__).parents[1] / "user_data" / "strategies"
TIMEOUT_S = 600.0


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="Runs of each variant.")
    rounds: int = parser.parse_args().rounds
    seconds: dict[str, list[float]] = {name: [] for name in VARIANTS}
    n_trades = 0
    with tempfile.TemporaryDirectory() as folder:
        datadir = Path(folder) / "data"
        plan = CandlePlan(
            pairs=("ADA/USDT", "BTC/USDT", "DOGE/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT"),
            timeframe_minutes=5,
            days=120,
            seed=3,
        )
        write_candles(datadir, plan)
        with ExchangeStandIn(markets_in(datadir)) as exchange:
            for number in range(rounds):
                for name, mem0 in VARIANTS.items():
                    userdir = Path(folder) / f"{name}-{number}"  # an empty memory each time
                    config = freqtrade_config(exchange.url, plan.pairs, plan.timeframe, mem0=mem0)
                    job = BacktestJob(
                        config=write_config(userdir / "config.json", config),
                        userdir=userdir,
                        datadir=datadir,
                        strategy="Mem0Example",
                        strategy_path=STRATEGIES,
                    )
                    result = run_backtest(job, TIMEOUT_S)
                    seconds[name].append(result.seconds)
                    n_trades = result.metrics.n_trades
    print(
        json.dumps(
            {
                "benchmark": "backtest",
                "trades": n_trades,
                "rounds": rounds,
                "cores": os.cpu_count(),
                "python": sys.version.split()[0],
                "median_s": {name: round(statistics.median(s), 2) for name, s in seconds.items()},
                "ratio_to_without": {
                    name: _ratios(seconds[name], seconds["without"])
                    for name in ("local", "embedded")
                },
            },
            indent=2,
        )
    )
    return 0


def _ratios(with_memory: list[float], without: list[float]) -> dict[str, float]:
    ratios = [a / b for a, b in zip(with_memory, without, strict=True)]
    return {
        "median": round(statistics.median(ratios), 3),
        "min": round(min(ratios), 3),
        "max": round(max(ratios), 3),
    }


if __name__ == "__main__":
    sys.exit(main())
