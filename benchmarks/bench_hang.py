"""How long a bot's callbacks are held while Mem0 hangs: the whole runtime, on a silent server.

    python benchmarks/bench_hang.py [--trades 1000]

A server on loopback accepts connections and never answers. A bot's runtime (journal, writer, sync
and delivery threads) works on it, and one in mode `local` beside it, in turn; what Freqtrade's
callbacks do is called and timed. Between two calls there is a pause, as Freqtrade places an order
or asks an exchange there. Prints JSON, microseconds; `late` is the last quarter of the run, in
which an outage that grows would show.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.measuring import machine, print_result
from benchmarks.trouble import silent_server
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.decide.proposal import Proposal
from tests.support.runs import a_bot, a_run
from tests.support.samples import OrderStandIn, TradeStandIn

if TYPE_CHECKING:
    from collections.abc import Callable

BETWEEN_S = 0.004
"""Pause before each call, in seconds; far shorter than in a real bot."""


class Timed:
    """A bot's runtime whose calls are timed."""

    def __init__(self, folder: Path, mem0: dict[str, Any]) -> None:
        settings = Settings.model_validate(mem0)
        self.runtime = a_bot(a_run(folder, settings, run_id="bench"))
        self.microseconds: list[float] = []

    def call(self, action: Callable[[], object]) -> None:
        """Call something and keep how long it took."""
        time.sleep(BETWEEN_S)
        began = time.perf_counter()
        action()
        self.microseconds.append(1e6 * (time.perf_counter() - began))

    def trade(self, number: int) -> None:
        """Walk a trade through all callbacks."""
        session = self.runtime.session
        moment = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=7 * number)
        pair = f"P{number % 20}/USDT"
        order = OrderStandIn(f"dry_run_entry_{number}", "buy", order_date=moment)
        trade = TradeStandIn(id=number, pair=pair, orders=[order], open_date=moment)
        regime: dict[str, float | str] = {
            "volatility_regime": "calm",
            "trend_regime": ("uptrend", "downtrend", "sideways")[number % 3],
            "rsi": 40.0,
        }
        proposal = Proposal(
            pair=pair,
            side="long",
            enter_tag="dip",
            moment=moment,
            stake=100.0,
            min_stake=10.0,
            max_stake=1000.0,
            situation=regime,
        )
        self.call(lambda: session.decide(proposal))
        self.call(lambda: session.entry_confirmed(pair, "long"))
        self.call(lambda: session.entry_filled(trade))
        trade.close(0.01 * ((number * 7919 % 41) - 20) / 20, hours=0.1)
        self.call(lambda: session.trade_closed(trade))

    def summary(self) -> dict[str, float]:
        """Return quantiles of all calls, and of those of the last quarter."""
        times = np.array(self.microseconds)
        late = times[-len(times) // 4 :]
        return {
            "median_us": round(float(np.median(times)), 1),
            "p99_us": round(float(np.quantile(times, 0.99)), 1),
            "p99.9_us": round(float(np.quantile(times, 0.999)), 1),
            "longest_us": round(float(times.max()), 1),
            "late_median_us": round(float(np.median(late)), 1),
            "late_p99.9_us": round(float(np.quantile(late, 0.999)), 1),
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trades", type=int, default=1000)
    n_trades: int = parser.parse_args().trades
    logging.disable(logging.ERROR)
    facts = machine()
    with silent_server() as port, tempfile.TemporaryDirectory() as folder:
        hanging = {
            "mode": "server",
            "host": f"http://127.0.0.1:{port}",
            "timeout_s": 2,
            "delivery": {"retry_s": 0.1, "max_retry_s": 1},
        }
        bots = {
            "mem0_hangs": Timed(Path(folder) / "hangs", hanging),
            "without_mem0": Timed(Path(folder) / "local", {"mode": "local"}),
        }
        for number in range(n_trades):
            for bot in bots.values():
                bot.trade(number)
        results = {name: bot.summary() for name, bot in bots.items()}
        for bot in bots.values():
            bot.runtime.close()
    ratio = results["mem0_hangs"]["median_us"] / results["without_mem0"]["median_us"]
    print_result(
        "hang",
        asked={"trades": n_trades},
        figures={"trades": n_trades, **results, "median_ratio": round(ratio, 2)},
        machine_before=facts,
    )


if __name__ == "__main__":
    main()
