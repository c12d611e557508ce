"""Strategies and helpers of the flow tests that look at memory: what was traded, what is kept."""

from __future__ import annotations

import math
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.config.load import load_settings
from freqtrade_mem0.demo.freqtrade_run import child_environment, stop
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.records.kinds.trade import TradeRecord
from tests.flow.harness import PLAIN_STRATEGY, strategy_with_memory
from tests.support.forked_python import ForkedPython
from tests.support.wait import HANG_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from freqtrade_mem0.demo.freqtrade_run import BacktestJob
    from freqtrade_mem0.journal.ledger_line import LedgerLine
    from tests.flow.dry_run_bot import DryRunBot

ENABLED: Mapping[str, Any] = {"enabled": True}
"""The smallest `"mem0"` block: everything else is the default."""

MOVING: Mapping[str, Any] = {"enabled": True, "sizing": {"policy": "response"}}
"""Stakes move from the first closed trades on; those of the default only after weeks."""

REMEMBERING = strategy_with_memory()
BUSY = (
    strategy_with_memory(PLAIN_STRATEGY.replace('{"0": 0.005}', '{"0": -1.0}'))
    + """
    def lock_pair(self, *args, **kwargs):
        pass
"""
)
"""Leaves whatever it holds at once and enters again in the same candle: trades all the time."""

CORE = '''
import talib.abstract as ta
from freqtrade.strategy import IStrategy

from freqtrade_mem0.mixin import Mem0Mixin


class Core(IStrategy):
    """Three kinds of entries that win and lose often; no memory of its own."""

    timeframe = "5m"
    startup_candle_count = 60
    minimal_roi = {"0": 0.012, "180": 0.004, "600": -0.02}
    stoploss = -0.018

    def populate_indicators(self, dataframe, metadata):
        dataframe["rsi"] = ta.RSI(dataframe, timeperiod=14)
        dataframe["mean"] = dataframe["close"].rolling(48).mean()
        dataframe["highest"] = dataframe["high"].rolling(48).max().shift(1)
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        dip = (dataframe["rsi"] < 32) & (dataframe["close"] < dataframe["mean"])
        ahead = dataframe["close"] > dataframe["highest"]
        calm = (dataframe["rsi"] - 50).abs() < 0.5
        for tag, signal in (("calm", calm), ("ahead", ahead), ("dip", dip)):
            dataframe.loc[signal, ["enter_long", "enter_tag"]] = (1, tag)
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        dataframe.loc[dataframe["rsi"] > 74, ["exit_long", "exit_tag"]] = (1, "hot")
        return dataframe
'''
"""What the scenario strategies have in common; several enter tags, many trades of a few hours."""

SPOT = f'''{CORE}

class Tagged(Mem0Mixin, Core):
    """Nothing but the mixin."""


class Stepwise(Mem0Mixin, Core):
    """Builds positions up and takes them down in steps; calls its own stake's callback."""

    position_adjustment_enable = True

    def adjust_trade_position(self, trade, current_time, current_rate, current_profit,
                              min_stake, max_stake, current_entry_rate, current_exit_rate,
                              current_entry_profit, current_exit_profit, **kwargs):
        if current_profit < -0.008 and trade.nr_of_successful_entries < 3:
            stake = self.custom_stake_amount(
                trade.pair, current_time, current_rate, 120.0, min_stake, max_stake,
                trade.leverage, None, trade.trade_direction)
            return stake, "deeper"
        if current_profit > 0.005 and trade.nr_of_successful_exits < 2:
            return -trade.stake_amount / 3, "some_off"
        return None


class Patient(Mem0Mixin, Core):
    """Limit orders away from the price: some entries and exits time out unfilled."""

    order_types = {{"entry": "limit", "exit": "limit", "stoploss": "market",
                   "stoploss_on_exchange": False}}
    unfilledtimeout = {{"entry": 10, "exit": 10, "unit": "minutes"}}

    def custom_entry_price(self, pair, trade, current_time, proposed_rate, entry_tag, side,
                           **kwargs):
        return proposed_rate * 0.998

    def custom_exit_price(self, pair, trade, current_time, proposed_rate, current_profit,
                          exit_tag, **kwargs):
        return proposed_rate * 1.001


class Choosy(Mem0Mixin, Core):
    """Vetoes entries and exits now and then, by the minute of the hour.

    Freqtrade switches its stop on the exchange off, after it has computed the run id.
    """

    order_types = {{"entry": "limit", "exit": "limit", "stoploss": "limit",
                   "stoploss_on_exchange": True}}

    def confirm_trade_entry(self, pair, order_type, amount, rate, time_in_force, current_time,
                            entry_tag, side, **kwargs):
        return current_time.minute % 15 != 0

    def confirm_trade_exit(self, pair, trade, order_type, amount, rate, time_in_force,
                           exit_reason, current_time, **kwargs):
        return current_time.minute % 20 != 0


class OwnStake(Mem0Mixin, Core):
    """Proposes stakes of its own, none at all for one pair in some hours."""

    def custom_stake_amount(self, pair, current_time, current_rate, proposed_stake, min_stake,
                            max_stake, leverage, entry_tag, side, **kwargs):
        if pair == "DOGE/USDT" and current_time.hour < 6:
            return 0.0
        return proposed_stake * {{"dip": 0.5, "ahead": 1.5}}.get(entry_tag, 1.0)


class Protected(Mem0Mixin, Core):
    """Is locked by Freqtrade's protections now and then."""

    protections = [
        {{"method": "CooldownPeriod", "stop_duration_candles": 6}},
        {{"method": "StoplossGuard", "lookback_period_candles": 60, "trade_limit": 2,
         "stop_duration_candles": 24, "only_per_pair": False}},
        {{"method": "LowProfitPairs", "lookback_period_candles": 144, "trade_limit": 3,
         "stop_duration_candles": 48, "required_profit": 0.0}},
    ]
'''
"""Strategies for spot; the last one needs `--enable-protections`."""

SPOT_NAMES = ("Tagged", "Stepwise", "Patient", "Choosy", "OwnStake", "Protected")

FUTURES = f'''{CORE}

class Leveraged(Mem0Mixin, Core):
    """Longs and shorts with leverage and a trailing stop."""

    can_short = True
    minimal_roi = {{"0": 0.05, "600": 0.0}}
    stoploss = -0.07
    trailing_stop = True
    trailing_stop_positive = 0.02
    trailing_stop_positive_offset = 0.04

    def populate_entry_trend(self, dataframe, metadata):
        dataframe = super().populate_entry_trend(dataframe, metadata)
        high = (dataframe["rsi"] > 68) & (dataframe["enter_long"] != 1)
        dataframe.loc[high, ["enter_short", "enter_tag"]] = (1, "high")
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        return dataframe

    def leverage(self, pair, current_time, current_rate, proposed_leverage, max_leverage,
                 entry_tag, side, **kwargs):
        return 3.0 if side == "short" else 5.0


class Steps(Leveraged):
    """The same in steps, half of them back."""

    position_adjustment_enable = True

    def adjust_trade_position(self, trade, current_time, current_rate, current_profit,
                              min_stake, max_stake, current_entry_rate, current_exit_rate,
                              current_entry_profit, current_exit_profit, **kwargs):
        if current_profit < -0.02 and trade.nr_of_successful_entries < 3:
            return 60.0
        if current_profit > 0.015 and trade.nr_of_successful_exits < 1:
            return -trade.stake_amount / 2
        return None


class Reckless(Leveraged):
    """Is liquidated now and then."""

    minimal_roi = {{"0": 0.3, "2880": 0.0}}
    stoploss = -0.99
    trailing_stop = False

    def leverage(self, pair, current_time, current_rate, proposed_leverage, max_leverage,
                 entry_tag, side, **kwargs):
        return 30.0
'''
"""Strategies for futures."""

FUTURES_NAMES = ("Leveraged", "Steps", "Reckless")

_TRADE_NUMBERS = (
    "pair",
    "exit_reason",
    "open_rate",
    "close_rate",
    "amount",
    "stake_amount",
    "max_stake_amount",
    "leverage",
    "fee_open",
    "fee_close",
    "funding_fees",
    "profit_ratio",
    "profit_abs",
)


_CLOSED_TRADES = """
    SELECT pair, is_short, enter_tag, exit_reason, open_rate, close_rate, amount, stake_amount,
           fee_open, fee_close, leverage, close_profit, close_profit_abs, open_date, close_date
    FROM trades WHERE is_open = 0 ORDER BY open_date, pair
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A command that ended.

    Parameters
    ----------
    code
        Its exit code.
    output
        All it printed and logged.
    """

    code: int
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """How much a memory holds.

    Parameters
    ----------
    records, decisions
        Rows in the journal, corrected records included.
    waiting
        Records on their way to Mem0.
    memories
        Memories in Mem0.
    """

    records: int
    decisions: int
    waiting: int
    memories: int


def run_freqtrade(
    subcommand: str,
    job: BacktestJob,
    *extra: str,
    bare: bool = False,
    timeout_s: float = HANG_S,
) -> Ended:
    """Run a Freqtrade command with a job's config, folders and strategy, and wait for its end.

    Parameters
    ----------
    subcommand
        For example "hyperopt".
    job
        Made by `Backtests.job`; its `extra` is left out.
    extra
        More command line arguments.
    bare
        Give it the config and `extra` alone, for commands that take no data and no strategy.
    timeout_s
        Wall seconds until the test fails.
    """
    command = [sys.executable, "-m", "freqtrade", subcommand]
    command += ["--config", str(job.config)]
    if not bare:
        command += ["--userdir", str(job.userdir), "--datadir", str(job.datadir)]
        command += ["--strategy", job.strategy, "--strategy-path", str(job.strategy_path)]
        command += [] if job.timerange is None else ["--timerange", job.timerange]
    # The workers of hyperopt import the module that was started, which a fork has not.
    has_workers = subcommand == "hyperopt" and extra[:2] != ("-j", "1")
    start = subprocess.Popen if has_workers else ForkedPython
    with TemporaryFile() as output:
        process = start(
            [*command, *extra],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=child_environment(),
        )
        try:
            code = process.wait(timeout_s)
        finally:
            stop(process)
        output.seek(0)
        return Ended(code=code, output=output.read().decode(errors="replace"))


@contextmanager
def memory_in(userdir: Path, mem0: Mapping[str, Any] = ENABLED) -> Iterator[MemoryFolder]:
    """Open the memory of a user folder, as a second process beside Freqtrade."""
    settings = load_settings({"mem0": dict(mem0)})
    assert settings is not None
    store = MemoryFolder(settings, userdir)
    try:
        yield store
    finally:
        store.close()


def trade_records(store: MemoryFolder, **scope: Any) -> list[TradeRecord]:
    """Return the closed trades in a journal, in order of arrival."""
    found = [record for _, record in store.journal.records(Scope(kind="trade", **scope))]
    return [record for record in found if isinstance(record, TradeRecord)]


def ledger(store: MemoryFolder, **scope: Any) -> list[LedgerLine]:
    """Return the decisions that became trades, by market time."""
    return list(store.journal.ledger(Scope(**scope)))


def rows(store: MemoryFolder) -> Rows:
    """Return how much a memory holds."""
    with store.journal.connection.read() as sqlite:
        records, decisions, waiting = sqlite.execute(
            "SELECT (SELECT count(*) FROM records), (SELECT count(*) FROM decisions),"
            " (SELECT count(*) FROM outbox)"
        ).fetchone()
    return Rows(
        records=records, decisions=decisions, waiting=waiting, memories=memories_in_mem0(store)
    )


def memories_in_mem0(store: MemoryFolder, **filters: Any) -> int:
    """Return how many memories of the default user Mem0 holds."""
    return sum(store.backend.count(filters={"user_id": "freqtrade", **filters}).values())


def closed_in_database(bot: DryRunBot) -> list[sqlite3.Row]:
    """Return the closed trades in Freqtrade's own database."""
    with closing(sqlite3.connect(f"file:{bot.folder / 'trades.sqlite'}?mode=ro", uri=True)) as file:
        file.row_factory = sqlite3.Row
        return file.execute(_CLOSED_TRADES).fetchall()


def assert_journal_equals_database(bot: DryRunBot) -> None:
    """Compare every closed trade to the last digit."""
    with memory_in(bot.userdir) as store:
        found = trade_records(store)
    records = sorted(found, key=lambda record: (record.open_date, record.pair))
    assert [_as_database_row(record) for record in records] == [
        dict(row) for row in closed_in_database(bot)
    ]


def _as_database_row(record: TradeRecord) -> dict[str, Any]:
    """Return a record as its row in Freqtrade's database."""
    same = ["pair", "enter_tag", "exit_reason", "open_rate", "close_rate", "amount"]
    same += ["stake_amount", "fee_open", "fee_close", "leverage"]
    return {name: getattr(record, name) for name in same} | {
        "is_short": record.side == "short",
        "close_profit": record.profit_ratio,
        "close_profit_abs": record.profit_abs,
        # SQLAlchemy writes times naive, in UTC, with all six digits.
        "open_date": record.open_date.strftime("%Y-%m-%d %H:%M:%S.%f"),
        "close_date": record.close_date.strftime("%Y-%m-%d %H:%M:%S.%f"),
    }


def numbers_of_record(record: TradeRecord) -> dict[str, Any]:
    """Return what memory keeps of a trade, under Freqtrade's names."""
    numbers = {name: getattr(record, name) for name in _TRADE_NUMBERS}
    # Freqtrade rounds these two where it writes its file, and nowhere else.
    rounded = {name: round(numbers[name], 8) for name in ("stake_amount", "max_stake_amount")}
    return (
        numbers
        | rounded
        | {
            "enter_tag": record.enter_tag,
            "is_short": record.side == "short",
            "open_timestamp": to_ms(record.open_date),
            "close_timestamp": to_ms(record.close_date),
            "n_entries": record.n_entries,
            "n_exits": record.n_exits,
        }
    )


def numbers_of_trade(trade: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same of a trade in Freqtrade's result file."""
    numbers = {name: trade[name] for name in _TRADE_NUMBERS}
    filled = [order for order in trade["orders"] if order["order_filled_timestamp"]]
    entries = sum(bool(order["ft_is_entry"]) for order in filled)
    return numbers | {
        "enter_tag": trade["enter_tag"] or "",
        "is_short": trade["is_short"],
        "open_timestamp": trade["open_timestamp"],
        "close_timestamp": trade["close_timestamp"],
        "n_entries": entries,
        "n_exits": len(filled) - entries,
    }


def in_order(numbers: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sort trades by what identifies them."""
    key: Callable[[dict[str, Any]], Any] = lambda n: (n["open_timestamp"], n["pair"])  # noqa: E731
    return sorted(numbers, key=key)


def known_trades(
    trades: Sequence[Mapping[str, Any]], moment_ms: int, half_life_days: float
) -> float:
    """Return Kish's effective number of trades closed before a moment, from Freqtrade's own file.

    Parameters
    ----------
    trades
        Of Freqtrade's result file.
    moment_ms
        Epoch milliseconds; a trade closed at this very moment does not count.
    half_life_days
        A trade this old counts half.
    """
    ages_days = [
        (moment_ms - trade["close_timestamp"]) / 86_400_000
        for trade in trades
        if trade["close_timestamp"] < moment_ms and trade["exit_reason"] != "force_exit"
    ]
    weights = [0.5 ** (age / half_life_days) for age in ages_days]
    squares = math.fsum(weight**2 for weight in weights)
    return math.fsum(weights) ** 2 / squares if weights else 0.0


def placed_amount(stake: float, rate: float, leverage: float, step: float) -> float:
    """Return the amount Freqtrade orders for a stake: cut to a multiple of the market's step."""
    from freqtrade.exchange import amount_to_contract_precision
    from freqtrade.exchange.exchange_utils import TICK_SIZE

    amount = (stake / rate) * leverage
    placed: float = amount_to_contract_precision(amount, step, TICK_SIZE, 1)
    return placed


def without_memory(source: str) -> str:
    """Return a strategy's source without the mixin."""
    return source.replace("Mem0Mixin, ", "").replace(
        "from freqtrade_mem0.mixin import Mem0Mixin\n", ""
    )


def complaints(log: str) -> list[str]:
    """Return the lines of a log in which our own code reports trouble."""
    ours = ("Memory failed", "Memory could not", "freqtrade_mem0")
    return [
        line
        for line in log.splitlines()
        if any(mark in line for mark in ours)
        and any(w in line for w in ("ERROR", "WARNING", "failed"))
    ]
