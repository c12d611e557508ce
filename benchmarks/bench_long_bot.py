"""What a bot's memory costs after very many trades: bytes, microseconds, seconds to start.

    python benchmarks/bench_long_bot.py [--trades 100000] [--prefill 0] [--without-recall]

A whole runtime (session, journal with its writer thread, chores in theirs) beside a real SQLite
trade database, filled by Freqtrade's own classes. `--prefill` puts so many trades into both, in
bulk, before the bot starts. The index that answers what is known grows with what is known;
`--without-recall` leaves it out, to show the rest. Prints JSON.

Two things tell what is the bot's from what is not: who holds the memory (see `holders.py`), and the
time in which Freqtrade's own classes make a trade. That depends on nothing the bot knows: where it
takes longer in the end as well, the machine does.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from array import array
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from freqtrade.persistence import Order, Trade, init_db
from freqtrade.persistence.key_value_store import KeyValueStore
from sqlalchemy import event, insert

from benchmarks.holders import held, rss_mb
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.decide.proposal import Proposal
from freqtrade_mem0.host.trade_database import database_identity
from freqtrade_mem0.journal.append import SeenIn
from freqtrade_mem0.journal.journal import FILE_NAME, Journal
from freqtrade_mem0.recall import Recall
from freqtrade_mem0.recall.follow import JournalFollower, News
from freqtrade_mem0.records.base import Mode, Origin
from freqtrade_mem0.records.from_trade import EntryContext, trade_record
from tests.support import runs

if TYPE_CHECKING:
    from freqtrade_mem0.run.bot.runtime import BotRuntime

BEGAN = datetime(2024, 1, 1, tzinfo=UTC)
SETTINGS = Settings.model_validate({"mode": "local", "user_id": "me", "sync_interval": 5})
ORIGIN = Origin(user_id="me", strategy="Sample", mode=Mode.DRY_RUN, run_id="bot-1")
SITUATION: dict[str, float | str] = {
    "rsi": 48.1234,
    "trend": -0.512345,
    "volatility": 0.00412345,
    "regime": "volatile downtrend",
    "session": "12-18h",
    "weekday": "Mon",
}
_BULK = 5_000
_SETTLE_S = 600.0


def at(number: int) -> datetime:
    """Return when a trade is opened: one a minute."""
    return BEGAN + timedelta(minutes=number)


def ratio(number: int) -> float:
    """Return a trade's profit ratio: scattered, a little above zero."""
    return 0.001 * ((number * 7919 % 41) - 19)


def an_order(number: int, side: str, rate: float, moment: datetime) -> dict[str, Any]:
    """Return a filled order."""
    return {
        "ft_order_side": side, "ft_pair": pair(number), "ft_is_open": False, "ft_amount": 1.0,
        "ft_price": rate, "order_id": f"dry_run_{side}_{number}", "status": "closed", "side": side,
        "order_type": "limit", "symbol": pair(number), "price": rate, "average": rate,
        "amount": 1.0, "filled": 1.0, "remaining": 0.0, "cost": rate, "order_date": naive(moment),
        "order_filled_date": naive(moment), "order_update_date": naive(moment),
    }  # fmt: skip


def an_open_trade(number: int) -> dict[str, Any]:
    """Return an open trade."""
    return {
        "pair": pair(number), "base_currency": "X", "stake_currency": "USDT", "exchange": "binance",
        "strategy": ORIGIN.strategy, "open_date": naive(at(number)), "open_rate": 100.0,
        "amount": 1.0, "stake_amount": 100.0, "max_stake_amount": 100.0, "fee_open": 0.0,
        "fee_close": 0.0, "is_open": True, "is_short": False, "leverage": 1.0, "enter_tag": "dip",
        "timeframe": 5,
    }  # fmt: skip


def outcome(number: int) -> dict[str, Any]:
    """Return what closing a trade changes."""
    return {
        "is_open": False, "close_date": naive(at(number) + timedelta(minutes=30)),
        "close_rate": 100.0 * (1.0 + ratio(number)), "close_profit": ratio(number),
        "close_profit_abs": 100.0 * ratio(number),
        "exit_reason": "stop_loss" if number % 11 == 0 else "roi",
    }  # fmt: skip


def pair(number: int) -> str:
    """Return which of thirty pairs a trade is in."""
    return f"P{number % 30}/USDT"


def naive(moment: datetime) -> datetime:
    """Return a time as Freqtrade stores it."""
    return moment.replace(tzinfo=None)


def open_database(folder: Path) -> None:
    """Open the trade database. Its own waits for the disk, and its reloads, are not measured."""
    init_db(f"sqlite:///{folder}/trades.sqlite")
    Trade.use_db = True
    engine = Trade.session.get_bind()
    event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous = OFF"))
    engine.dispose()
    Trade.session.remove()
    Trade.session.configure(expire_on_commit=False)
    KeyValueStore.store_value("bot_start_time", BEGAN)


def prefill(folder: Path, n: int) -> None:
    """Put closed trades into database and journal, in bulk."""
    journal, database = Journal(folder / "mem0"), database_identity()
    context = EntryContext(situation=SITUATION)
    for first in range(0, n, _BULK):
        numbers = range(first, min(first + _BULK, n))
        rows = [{"id": m + 1, **an_open_trade(m), **outcome(m)} for m in numbers]
        orders = [
            {"ft_trade_id": m + 1, **an_order(m, side, 100.0, at(m))}
            for m in numbers
            for side in ("buy", "sell")
        ]
        Trade.session.execute(insert(Trade), rows)
        Trade.session.execute(insert(Order), orders)
        Trade.session.commit()
        entries: list[Any] = []
        for number in numbers:
            trade = Trade(**an_open_trade(number), id=number + 1)
            trade.orders.append(Order(**an_order(number, "buy", 100.0, at(number))))
            for name, value in outcome(number).items():
                setattr(trade, name, value)
            record = trade_record(trade, ORIGIN, at(number), context)
            entries += [record, SeenIn(record_id=record.id, database=database)]
        journal.append(entries)
    journal.close()


def a_bot(folder: Path) -> BotRuntime:
    """Return a bot's memory, as Freqtrade's `bot_start` builds it."""
    return runs.a_bot(runs.a_run(folder, SETTINGS, database_lasts=True))


class Clock:
    """How long each of some calls takes, in microseconds: by the clock, and of this thread's own.

    A thread's own time leaves out what others on the machine, and in the process, make it wait.
    """

    def __init__(self) -> None:
        self.wall_us, self.own_us = array("d"), array("d")

    def __call__(self, call: Any, *args: Any) -> Any:
        """Call, and note the times."""
        wall_ns, own_ns = time.perf_counter_ns(), time.thread_time_ns()
        result = call(*args)
        self.own_us.append((time.thread_time_ns() - own_ns) / 1_000.0)
        self.wall_us.append((time.perf_counter_ns() - wall_ns) / 1_000.0)
        return result

    def summary(self) -> dict[str, float]:
        """Return the own means of the first and the last tenth, their ratio, and the slow ends."""
        tenth = max(1, len(self.own_us) // 10)
        first, last = fmean(self.own_us[:tenth]), fmean(self.own_us[-tenth:])
        return {
            "first_tenth_us": round(first, 1),
            "last_tenth_us": round(last, 1),
            "ratio": round(last / first, 2),
            "p999_us": _at(self.own_us, 0.999),
            "wall_p50_us": _at(self.wall_us, 0.5),
            "wall_p999_us": _at(self.wall_us, 0.999),
        }


def _at(values: array[float], share: float) -> float:
    return round(sorted(values)[int(share * len(values))], 1)


def trade_on(bot: BotRuntime, first: int, n: int, marks: list[int]) -> dict[str, Any]:
    """Open and close so many trades, one after another, as Freqtrade's loop would."""
    decide, close, tick, yardstick = Clock(), Clock(), Clock(), Clock()
    memory = {}
    for number in range(first, first + n):
        moment = at(number)
        tick(bot.tick, moment)
        decide(bot.session.decide, a_proposal(number))
        bot.entry_confirmed(pair(number), "long")
        trade = yardstick(a_trade_with_its_entry, number)
        Trade.session.add(trade)
        Trade.commit()
        bot.session.entry_filled(trade)
        for name, value in outcome(number).items():
            setattr(trade, name, value)
        trade.orders.append(Order(**an_order(number, "sell", 100.0, moment)))
        Trade.commit()
        close(bot.session.trade_closed, trade)
        if number + 1 - first in marks:
            assert bot.writer is not None  # noqa: S101
            bot.writer.flush(_SETTLE_S)
            memory[str(number + 1 - first)] = held()
    clocks = {"decide": decide, "close": close, "tick": tick, "freqtrade_alone": yardstick}
    return {"memory": memory, **{name: clock.summary() for name, clock in clocks.items()}}


def a_trade_with_its_entry(number: int) -> Trade:
    """Return an open trade whose entry order is filled."""
    trade = Trade(**an_open_trade(number))
    trade.orders.append(Order(**an_order(number, "buy", 100.0, at(number))))
    return trade


def a_proposal(number: int) -> Proposal:
    """Return a proposed stake."""
    return Proposal(
        pair=pair(number),
        side="long",
        enter_tag="dip",
        moment=at(number),
        stake=100.0,
        min_stake=10.0,
        max_stake=1_000.0,
        situation=SITUATION,
    )


def start_again(folder: Path, *, without_recall: bool) -> dict[str, Any]:
    """Return what a new process's start costs, and its first comparison."""
    open_database(folder)
    if without_recall:
        leave_recall_out()
    before_mb, began_s = rss_mb(), time.perf_counter()
    bot = a_bot(folder)
    started_s, started_mb = time.perf_counter() - began_s, rss_mb()
    began_s = time.perf_counter()
    bot.tick(datetime.now(UTC))
    in_loop_us = (time.perf_counter() - began_s) * 1e6
    while not bot.has_compared:
        time.sleep(0.01)
    compared_s = time.perf_counter() - began_s
    bot.close()
    return {
        "start_s": round(started_s, 3),
        "start_mb": round(started_mb - before_mb, 1),
        "first_tick_us": round(in_loop_us, 1),
        "first_comparison_s": round(compared_s, 3),
        "compared_mb": round(rss_mb() - before_mb, 1),
    }


def leave_recall_out() -> None:
    """Let nothing be known, and nothing be read for it."""
    nothing = News(own=(), prior_changed=False)
    for owner, name, instead in (
        (Recall, "add", lambda *_, **__: None),
        (JournalFollower, "begin", lambda *_: None),
        (JournalFollower, "run", lambda *_: nothing),
    ):
        setattr(owner, name, instead)


def main() -> None:
    """Trade, and print what it cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trades", type=int, default=100_000)
    parser.add_argument("--prefill", type=int, default=0)
    parser.add_argument("--without-recall", action="store_true")
    parser.add_argument("--start-in", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.start_in is not None:
        print(json.dumps(start_again(arguments.start_in, without_recall=arguments.without_recall)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder, n = Path(name), arguments.trades
        open_database(folder)
        prefill(folder, arguments.prefill)
        if arguments.without_recall:
            leave_recall_out()
        before = held()
        bot = a_bot(folder)
        found = trade_on(bot, arguments.prefill, n, [n // 10, n // 2, n])
        bot.close()
        written = sum(file.stat().st_size for file in (folder / "mem0").glob(f"{FILE_NAME}*"))
        command = [sys.executable, __file__, "--start-in", str(folder)]
        command += ["--without-recall"] if arguments.without_recall else []
        again = json.loads(subprocess.check_output(command, text=True))
        found = {
            "trades": n,
            "prefill": arguments.prefill,
            "memory_before": before,
            **found,
            "journal_bytes_per_trade": round(written / (n + arguments.prefill)),
            "start_again": again,
        }
        print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
