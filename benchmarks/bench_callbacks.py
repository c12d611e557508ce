"""How long each trading callback holds a bot, while its disk is busy and while Mem0 is gone.

    python -m benchmarks.bench_callbacks [--rounds 3] [--trades 1000] [--remembered 100000]

A dry-run bot as far as its callbacks go: the mixin resolved and started by Freqtrade's own loader,
its own database of trades, fresh candles (999) for each entry, each callback called the way
Freqtrade calls it. It walks trades through `leverage`, `custom_stake_amount`,
`confirm_trade_entry`, `confirm_trade_exit`, `order_filled` (of the entry and of the exit) and
`bot_loop_start`, with a pause before each, in which a bot would wait for an exchange, and a longer
one before the exit. Garbage is collected as Freqtrade's command sets it. Before each
trade Freqtrade analyses the candles, which makes the situation ready (`analysis`); of every second
trade it does so without memory first (`analysis_alone`). Conditions,
in turn, each in a process of its own, each with an empty memory:

* `quiet`: journal alone, an idle disk;
* `disk_busy`: another process writes and syncs in the same folder all the time;
* `mem0_gone`: mode `server`; the server takes connections and never answers;
* `both`;
* `watched`: journal alone; the HTTP service runs on the same folder, a dashboard is open in it
  (the stream of news, and each page loaded once a second);
* `all`: a busy disk, Mem0 gone, and the service with its dashboard;
* `embedded`: Mem0 in the bot's own process, at work;
* `remembers`: the same, with a memory of `--remembered` trades;
* `maintained`: the same again, while another process runs a cycle of `maintain` over that memory.
  Its writes and the bot's share two files. Its `p99_ratio` is to `remembers`.

Prints JSON, microseconds, all rounds of a condition together; `p99_ratio` is to `quiet`. `own_us`
is the processor time of the calling thread alone: what a callback computes itself. `late` counts
the calls of more than 1 ms and says why: they computed so long (`own`), another process had the
processor in between (`preempted`), or they waited for a lock, a disk or another thread of this
process that held the interpreter (`waited`). On a machine with other work, look at `own_us` and
`waited`.
"""

from __future__ import annotations

import argparse
import json
import logging
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import partial
from logging.handlers import BufferingHandler
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx

from benchmarks.bench_cycle import filled
from benchmarks.bench_dashboard import PAGES, asked, listen, running
from benchmarks.freqtrade_commands import EXAMPLE_NAME, run, write_strategies
from benchmarks.measuring import in_turn, machine, print_result, quantiles, readable
from benchmarks.trouble import busy_disk, silent_server
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.scope import Scope
from tests.support.samples import at
from tests.support.wait import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

CONDITIONS = (
    *("quiet", "disk_busy", "mem0_gone", "both", "watched", "all"),
    *("embedded", "remembers", "maintained"),
)
LONG = ("remembers", "maintained")
ANALYSES = ("analysis_alone", "analysis")
"""Freqtrade's analysis of a new candle, without memory and with it; no order waits for it."""
CALLBACKS = (
    "leverage",
    "custom_stake_amount",
    "confirm_trade_entry",
    "order_filled_entry",
    "confirm_trade_exit",
    "order_filled_exit",
    "bot_loop_start",
)
PAIRS = tuple(f"C{number:02d}/USDT" for number in range(20))
N_CANDLES = 999  # what Freqtrade holds of a pair
CANDLE = timedelta(minutes=5)
LOOP = timedelta(seconds=5)
MARKET = {
    "precision": {"amount": 0.0001, "price": 0.01},
    "limits": {"amount": {"min": 0.0001}, "cost": {"min": 5.0}},
    "taker": 0.001,
}
"""As ccxt describes it."""
CYCLE = """
import logging, os, sys
from datetime import UTC, datetime
from pathlib import Path
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.lifecycle.cycle import run_cycle
from freqtrade_mem0.memory_folder import MemoryFolder
os.nice(10)  # as `freqtrade-mem0 maintain` does
logging.disable(logging.WARNING)
settings = Settings.model_validate({"mode": "embedded", "user_id": "me"})
memory = MemoryFolder(settings, Path(sys.argv[1]))
print("works", flush=True)
run_cycle(memory, datetime.fromtimestamp(int(sys.argv[2]) / 1e3, UTC), alone=False)
memory.close()
"""
BETWEEN_S = 0.004
"""Pause before each call, in seconds; far shorter than in a real bot."""
TRADE_S = 0.15
"""How long a trade is open; a real bot looks at its exit in a later loop, seconds after."""
LATE_US = 1_000.0


class Call(NamedTuple):
    """How long a call took by the clock, what its thread computed, and how often it stood still.

    `waits` is how often the thread waited by itself, `preempted` how often the system took the
    processor away from it.
    """

    us: float
    own_us: float
    waits: int
    preempted: int


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3, help="Runs of each condition.")
    parser.add_argument("--trades", type=int, default=1_000, help="Of each run.")
    parser.add_argument(
        "--conditions", nargs="+", choices=CONDITIONS, default=CONDITIONS, help="Which ones."
    )
    parser.add_argument("--remembered", type=int, default=100_000, help="Trades of a long memory.")
    parser.add_argument("--walk", nargs=2, metavar="X", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.walk:
        walk(Path(asked.walk[0]), json.loads(asked.walk[1]), asked.trades)
        return 0
    facts = machine()
    conditions = list(dict.fromkeys(["quiet", *asked.conditions]))
    calls: dict[str, dict[str, list[Call]]] = {each: defaultdict(list) for each in conditions}
    with tempfile.TemporaryDirectory() as name:
        kept = Path(name) / "kept"
        if set(LONG) & set(conditions):
            filled(kept, asked.remembered, pairs=20, risk_every=5).close()
        for number, condition in in_turn(conditions, asked.rounds):
            folder = Path(name) / f"{condition}-{number}"
            if condition in LONG:
                shutil.copytree(kept, folder)
            found = under(condition, folder, asked.trades, asked.remembered)
            if condition in LONG:
                shutil.rmtree(folder / "mem0")
            for callback, some in found.items():
                calls[condition][callback] += some
    times = _times(calls, "us")
    print_result(
        "callbacks",
        asked={"rounds": asked.rounds, "trades": asked.trades, "remembered": asked.remembered},
        figures={
            "us": figures(times),
            "p99_ratio": compared(times),
            "own_us": figures(_times(calls, "own_us")),
            "late": {condition: late(by_callback) for condition, by_callback in calls.items()},
        },
        goals={
            f"{name}.{each}.all": "p99.9 <= 1000"
            for name in ("us", "own_us")
            for each in conditions
        },
        machine_before=facts,
    )
    return 0


@contextmanager
def maintained(folder: Path, n_remembered: int) -> Iterator[None]:
    """Run a cycle over a memory in another process; end it with the block."""
    later_ms = int((at(n_remembered * 2.4) + timedelta(days=400)).timestamp() * 1_000)
    command = [sys.executable, "-c", CYCLE, str(folder), str(later_ms)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            next(process.stdout or iter(("",)))  # it works
            yield
            has_ended = process.poll() is not None
            print(
                f"The cycle {'ended before the bot did' if has_ended else 'outlasted the bot'}.",
                file=sys.stderr,
            )
        finally:
            process.kill()


@contextmanager
def watched(memory: Path, block: dict[str, Any]) -> Iterator[None]:
    """Run the service on a memory, with a dashboard open in it."""
    stopped = threading.Event()

    def look(url: str) -> None:
        with httpx.Client(base_url=url, timeout=60.0) as client:
            while not stopped.wait(1.0):
                for page in PAGES:
                    asked(client, page)

    with running(memory, block) as (url, _):
        look_at = threading.Thread(target=look, args=(url,), daemon=True)
        hears = threading.Thread(
            target=listen, args=(url, []), kwargs={"is_stopped": stopped}, daemon=True
        )
        for thread in (look_at, hears):
            thread.start()
        try:
            yield
        finally:
            stopped.set()
            look_at.join()  # it ends with an answer, not in the middle of one


def under(condition: str, folder: Path, n_trades: int, n_remembered: int) -> dict[str, list[Call]]:
    """Return the calls of each callback of a bot that walks trades under a condition."""
    with ExitStack() as trouble:
        block: dict[str, Any] = {"mode": "local"}
        if condition in ("embedded", *LONG):
            block = {"mode": "embedded", "user_id": "me"}
        if condition == "maintained":
            trouble.enter_context(maintained(folder, n_remembered))
        if condition in ("mem0_gone", "both", "all"):
            port = trouble.enter_context(silent_server())
            block = {
                "mode": "server",
                "host": f"http://127.0.0.1:{port}",
                "timeout_s": 2,
                "delivery": {"retry_s": 0.1, "max_retry_s": 1},
            }
        if condition in ("disk_busy", "both", "all"):
            trouble.enter_context(busy_disk(folder / "mem0"))
        if condition in ("watched", "all"):
            Journal(folder / "mem0").close()
            trouble.enter_context(watched(folder / "mem0", block))
        walked = ["--walk", str(folder), json.dumps(block), "--trades", str(n_trades)]
        run([__file__, *walked], folder / "log")
    found = json.loads((folder / "calls.json").read_text("utf-8"))
    return {name: [Call(*each) for each in some] for name, some in found.items()}


def late(by_callback: dict[str, list[Call]]) -> dict[str, int]:
    """Return how many calls took more than 1 ms, and of these how many for which reason."""
    found = [each for name in CALLBACKS for each in by_callback[name] if each.us > LATE_US]
    return {
        "calls": len(found),
        "own": sum(each.own_us > LATE_US for each in found),
        "preempted": sum(each.own_us <= LATE_US and each.preempted > 0 for each in found),
        "waited": sum(
            each.own_us <= LATE_US and not each.preempted and each.waits > 0 for each in found
        ),
    }


def figures(times: dict[str, dict[str, list[float]]]) -> dict[str, Any]:
    """Return quantiles by condition and callback; `all` is all callbacks together."""
    return {
        condition: {
            **{name: quantiles(by_callback[name]) for name in (*ANALYSES, *CALLBACKS)},
            "all": quantiles([each for name in CALLBACKS for each in by_callback[name]]),
        }
        for condition, by_callback in times.items()
    }


def compared(times: dict[str, dict[str, list[float]]]) -> dict[str, dict[str, float]]:
    """Return how many times the 99 % quantile of `quiet` that of each condition is."""

    def late(condition: str) -> dict[str, float]:
        to = "remembers" if condition == "maintained" else "quiet"
        return {
            name: readable(
                quantiles(times[condition][name])["p99"] / quantiles(times[to][name])["p99"]
            )
            for name in CALLBACKS
        }

    return {condition: late(condition) for condition in times if condition != "quiet"}


def _times(calls: dict[str, dict[str, list[Call]]], what: str) -> dict[str, dict[str, list[float]]]:
    return {
        condition: {name: [getattr(each, what) for each in some] for name, some in found.items()}
        for condition, found in calls.items()
    }


def walk(folder: Path, block: dict[str, Any], n_trades: int) -> None:
    """Walk trades through a bot's callbacks and write how long each call took."""
    logging.disable(logging.WARNING)
    errors = BufferingHandler(capacity=1_000)
    logging.getLogger("freqtrade_mem0").addHandler(errors)
    bot = Bot(folder, block)
    for number in range(n_trades):
        bot.trade(number)
    bot.strategy.ft_bot_cleanup()
    if errors.buffer:  # what fails in a callback is fast, and logged only
        raise SystemExit(errors.format(errors.buffer[0]))
    journal = Journal(folder / "mem0")

    def n_recorded() -> int:
        return len(journal.ids(Scope(kind="trade", strategy=EXAMPLE_NAME)))

    # On a busy disk the journal's thread is still writing when the bot stops to wait for it.
    if not eventually(lambda: n_recorded() == n_trades):
        raise SystemExit(f"{n_recorded()} of {n_trades} trades were recorded in {folder}.")
    journal.close()
    (folder / "calls.json").write_text(json.dumps(bot.calls), encoding="utf-8")


class Bot:
    """A strategy with the mixin, as a dry-run bot loads and calls it, and what calls took."""

    def __init__(self, folder: Path, block: dict[str, Any]) -> None:
        from freqtrade.enums import RunMode
        from freqtrade.persistence import init_db
        from freqtrade.resolvers import StrategyResolver
        from freqtrade.system import gc_set_threshold

        from freqtrade_mem0.demo.candles import CandlePlan, generate

        gc_set_threshold()
        folder.mkdir(parents=True, exist_ok=True)
        database = f"sqlite:///{folder / 'trades.sqlite'}"
        init_db(database)
        config: dict[str, Any] = {
            "strategy": EXAMPLE_NAME,
            "strategy_path": str(write_strategies(folder / "strategies", has_memory=True)),
            "user_data_dir": folder,
            "runmode": RunMode.DRY_RUN,
            "dry_run": True,
            "db_url": database,
            "timeframe": "5m",
            "stake_currency": "USDT",
            "stake_amount": 100,
            "max_open_trades": 5,
            # The callback of leverage is left alone unless memory may damp it.
            "mem0": block | {"risk": {"damping": {"enabled": True}, "leverage": True}},
        }
        self.strategy = StrategyResolver.load_strategy(config)
        self._analysed: Any = None
        # One long series; each entry sees the window that had closed by then, as a frame anew.
        self._series = generate("ETH/USDT", CandlePlan(timeframe_minutes=5, days=30))
        self.strategy.dp = SimpleNamespace(
            ohlcv=lambda *_, **__: self._frame,
            get_analyzed_dataframe=lambda *_: (self._analysed, None),
            _set_cached_df=lambda _pair, _timeframe, frame, **_: setattr(self, "_analysed", frame),
            _emit_df=lambda *_: None,
            send_msg=lambda *_, **__: None,
            market=lambda _: MARKET,
        )
        self.strategy.ft_bot_start()
        self.after_analysis: Callable[[], None] = lambda: None
        self.calls: dict[str, list[Call]] = {name: [] for name in (*ANALYSES, *CALLBACKS)}

    def trade(self, number: int) -> None:
        """Walk one trade through all callbacks, from its entry to its exit."""
        from freqtrade.persistence import Trade

        begin = number % (len(self._series) - N_CANDLES)
        self._frame = self._series.iloc[begin : begin + N_CANDLES].copy()
        # Market time goes on for ever, the candles begin again after some weeks.
        last = self._series["date"].iloc[0] + CANDLE * (N_CANDLES + number)
        self._frame["date"] += last - self._frame["date"].iloc[-1]
        now: datetime = (last + CANDLE).to_pydatetime()
        pair, rate = PAIRS[number % len(PAIRS)], float(self._frame["close"].iloc[-1])
        if number % 2:
            alone = type(self.strategy).analyze_pair
            self._timed("analysis_alone", partial(alone, self.strategy, pair))
            self.strategy.analyze([pair])  # Freqtrade skips a candle it has seen
        else:
            self._timed("analysis", partial(self.strategy.analyze, [pair]))
        self.after_analysis()
        asked = {"pair": pair, "current_time": now, "side": "long", "entry_tag": "dip"}
        prices = {"current_rate": rate, "max_stake": 1_000.0, "min_stake": 10.0}
        self._call("leverage", **asked, current_rate=rate, proposed_leverage=3.0, max_leverage=5.0)
        stake = self._call(
            "custom_stake_amount", **asked, **prices, proposed_stake=100.0, leverage=1.0
        )
        entry = {"order_type": "limit", "amount": stake / rate, "rate": rate}
        self._call("confirm_trade_entry", **asked, **entry, time_in_force="GTC")
        trade = Trade(
            pair=pair,
            stake_amount=stake,
            max_stake_amount=stake,
            open_rate=rate,
            amount=stake / rate,
            open_date=now,
            is_open=True,
            enter_tag="dip",
            fee_open=0.001,
            fee_close=0.001,
            exchange="binance",
            leverage=1.0,
            strategy=EXAMPLE_NAME,
        )
        Trade.session.add(trade)
        self._fill("order_filled_entry", trade, self._order(trade, "buy", rate, now), now)
        time.sleep(TRADE_S)
        trade.exit_reason = "roi"
        left = now + timedelta(minutes=3)
        closed_at = rate * (1.0 + 0.001 * ((number * 7919 % 41) - 20))
        exit_ = {"order_type": "limit", "amount": trade.amount, "rate": closed_at}
        self._call(
            "confirm_trade_exit",
            **exit_,
            pair=pair,
            trade=trade,
            time_in_force="GTC",
            exit_reason="roi",
            current_time=left,
        )
        order = self._order(trade, "sell", closed_at, left)
        trade.close(closed_at, show_msg=False)
        trade.close_date = left.replace(tzinfo=None)
        self._fill("order_filled_exit", trade, order, left)
        self._call("bot_loop_start", current_time=left + LOOP)

    def _order(self, trade: Any, side: str, rate: float, at: datetime) -> Any:
        """Add a filled order to a trade and return it."""
        from freqtrade.persistence import Order

        order = Order(
            ft_order_side=side,
            ft_pair=trade.pair,
            ft_is_open=False,
            side=side,
            ft_amount=trade.amount,
            ft_price=rate,
            price=rate,
            average=rate,
            amount=trade.amount,
            filled=trade.amount,
            remaining=0.0,
            order_id=f"dry_run_{side}_{at.timestamp()}",
            status="closed",
            symbol=trade.pair,
            order_date=at,
            order_filled_date=at,
            order_update_date=at,
            order_type="limit",
        )
        trade.orders.append(order)
        return order

    def _fill(self, name: str, trade: Any, order: Any, at: datetime) -> None:
        """Store a trade, as Freqtrade does before it tells the strategy of a fill, and tell it."""
        from freqtrade.persistence import Trade

        Trade.commit()
        self._call(name, pair=trade.pair, trade=trade, order=order, current_time=at)

    def _call(self, name: str, **arguments: Any) -> Any:
        """Call a callback as Freqtrade does, and keep how long it took."""
        from freqtrade.strategy.strategy_wrapper import strategy_safe_wrapper

        method: Callable[..., Any] = getattr(
            self.strategy, "order_filled" if name.startswith("order_filled") else name
        )
        call = strategy_safe_wrapper(method, default_retval=None, supress_error=False)
        return self._timed(name, partial(call, **arguments))

    def _timed(self, name: str, call: Callable[[], Any]) -> Any:
        """Call something after a pause, and keep how long it took."""
        time.sleep(BETWEEN_S)
        before = resource.getrusage(resource.RUSAGE_THREAD)
        began_s, own_s = time.perf_counter(), time.thread_time()
        answer = call()
        own_s, took_s = time.thread_time() - own_s, time.perf_counter() - began_s
        after = resource.getrusage(resource.RUSAGE_THREAD)
        self.calls[name].append(
            Call(
                1e6 * took_s,
                1e6 * own_s,
                after.ru_nvcsw - before.ru_nvcsw,
                after.ru_nivcsw - before.ru_nivcsw,
            )
        )
        return answer


if __name__ == "__main__":
    sys.exit(main())
