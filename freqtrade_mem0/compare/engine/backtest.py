"""One backtest in Freqtrade's own engine, in this process, without or with memory."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from contextlib import redirect_stderr
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.compare.engine.block import block_of_run, memory_block
from freqtrade_mem0.compare.engine.noise import spread_on_noise
from freqtrade_mem0.compare.engine.result_rows import (
    Openings,
    closed_trade,
    decisions_in,
    n_ruled,
    number,
)
from freqtrade_mem0.compare.trades import Run
from freqtrade_mem0.config.load import BLOCK, load_settings
from freqtrade_mem0.errors import Mem0Error
from freqtrade_mem0.records.base import as_utc
from freqtrade_mem0.strategy import attach

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from freqtrade_mem0.compare.engine.result_rows import Decisions
    from freqtrade_mem0.compare.trades import ClosedTrade
    from freqtrade_mem0.records.decision import AccountState

logger = logging.getLogger(__name__)

_MAX_FOLDERS = 12  # more than Freqtrade creates

METRICS = (
    "total_trades",
    "winrate",
    "profit_total",
    "profit_total_abs",
    "cagr",
    "sharpe",
    "sortino",
    "calmar",
    "sqn",
    "profit_factor",
    "expectancy",
    "max_drawdown_account",
    "avg_stake_amount",
    "total_volume",
    "rejected_signals",
    "final_balance",
    "market_change",
)
"""Freqtrade's own numbers in the comparison, by Freqtrade's names."""

_DISABLED = {"enabled": False}


class EngineError(Mem0Error):
    """Freqtrade could not run a backtest. The author of the config or the strategy acts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A strategy to compare.

    Parameters
    ----------
    strategy
        Class name.
    options
        Options of `freqtrade backtesting`, without the strategy's name.
    folder
        An empty folder of its own for the memory of the run with memory.
    rule
        A learned rule in the form of `sizing.trial_rules`, with its `id`: both runs have memory,
        the second one also the rule. None compares without and with memory.
    """

    strategy: str
    options: tuple[str, ...]
    folder: Path
    rule: Mapping[str, Any] | None = None

    def memory(self, *, second: bool) -> Path | None:
        """Return the folder of the memory of the first or second run; None without memory."""
        if self.rule is None:
            return self.folder if second else None
        return self.folder / ("with-rule" if second else "without-rule")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A backtest that is ready to run: config, candles and indicators are loaded."""

    job: Job
    backtesting: Any
    strategy: Any
    data: Any
    processed: Any
    start: datetime
    end: datetime
    block: dict[str, Any]


def prepare(job: Job, tell: Callable[[float], None]) -> Prepared:
    """Load config, candles and strategy, and compute the indicators, as Freqtrade does it.

    Parameters
    ----------
    job
        The strategy.
    tell
        Called during the run with the share that is done, 0 to 1.

    Raises
    ------
    Mem0Error
        The config, the strategy or its data are wrong.
    """
    from freqtrade.data.converter import trim_dataframes
    from freqtrade.data.history import get_timerange
    from freqtrade.exceptions import FreqtradeException
    from freqtrade.optimize.backtesting import Backtesting

    try:
        config = _load_config(job)
        config.pop("strategy_list", None)
        block = memory_block(config, job.folder)
        config[BLOCK] = _DISABLED  # a strategy that has the mixin starts without memory
        backtesting = Backtesting(config, progress_callback=_progress(tell))
        (strategy,) = backtesting.strategylist
        data, timerange = backtesting.load_bt_data()
        backtesting._set_strategy(strategy)  # noqa: SLF001 - as Freqtrade's own commands do
        processed = strategy.advise_all_indicators(data)
        trimmed = trim_dataframes(processed, timerange, backtesting.required_startup)
        if not trimmed:
            raise EngineError(
                "No candles are left after the strategy's startup candles. Take a wider "
                "--timerange, or download more data."
            )
        start, end = get_timerange(trimmed)
    except FreqtradeException as error:
        raise EngineError(_message(error)) from error
    return Prepared(
        job=job,
        backtesting=backtesting,
        strategy=strategy,
        data=data,
        processed=processed,
        start=start,
        end=end,
        block=block,
    )


def run(prepared: Prepared, *, second: bool) -> Run:
    """Run a prepared backtest once; return its closed trades with memory's decisions.

    The first run is without memory, the second with it; or both are with it, see `Job.rule`.

    Raises
    ------
    EngineError
        Freqtrade failed.
    """
    from freqtrade.exceptions import FreqtradeException
    from freqtrade.optimize.optimize_reports import generate_backtest_stats

    job, backtesting, strategy = prepared.job, prepared.backtesting, prepared.strategy
    folder = job.memory(second=second)
    block = (
        _DISABLED
        if folder is None
        else block_of_run(prepared.block, job.rule, folder, second=second)
    )
    strategy.config[BLOCK] = block
    began_s = time.monotonic()
    try:
        if folder is not None:
            attach.attach(strategy)
        content = backtesting.backtest(
            processed=prepared.processed, start_date=prepared.start, end_date=prepared.end
        )
        if folder is not None:
            attach.stop(strategy)
    except FreqtradeException as error:
        raise EngineError(_message(error)) from error
    seconds = time.monotonic() - began_s
    now_s = int(time.time())
    content |= {"run_id": "", "backtest_start_time": now_s, "backtest_end_time": now_s}
    stats = generate_backtest_stats(
        prepared.data, {job.strategy: content}, prepared.start, prepared.end
    )["strategy"][job.strategy]
    decisions = {} if folder is None else decisions_in(folder)
    openings = Openings(prepared.processed)
    rows = content["results"].to_dict(orient="records")
    trades = [closed_trade(row, decisions, openings) for row in rows]
    trades.sort(key=lambda trade: trade.open_date)
    return Run(
        trades=tuple(trades),
        start=as_utc(prepared.start),
        end=as_utc(prepared.end),
        starting_balance=float(stats["starting_balance"]),
        stake_currency=str(strategy.config["stake_currency"]),
        timeframe=str(backtesting.timeframe),
        metrics={name: number(stats.get(name)) for name in METRICS},
        seconds=seconds,
        spread_on_noise=_spread_on_noise(prepared, trades, decisions)
        if folder is not None and job.rule is None
        else None,
        account=_account(decisions),
        n_ruled=n_ruled(folder, str(job.rule["id"])) if job.rule and folder and second else 0,
    )


def _account(decisions: Decisions) -> AccountState | None:
    """Return memory's account at the last decision."""
    newest = max(decisions.values(), key=lambda decision: decision.decided_at, default=None)
    return None if newest is None else newest.account


def _spread_on_noise(
    prepared: Prepared, trades: Sequence[ClosedTrade], decisions: Decisions
) -> float | None:
    settings = load_settings({BLOCK: prepared.block})
    entries = [(decisions[trade.entry], trade) for trade in trades if trade.entry in decisions]
    if settings is None or not all(decision.applied for decision, _ in entries):
        return None
    return spread_on_noise(settings, prepared.job.strategy, prepared.job.folder, entries)


def _load_config(job: Job) -> Any:
    """Return Freqtrade's config.

    Freqtrade checks whether a folder exists and then creates it. Several processes start at the
    same time, so it can exist by then: try again.
    """
    from freqtrade.commands.optimize_commands import setup_optimize_configuration
    from freqtrade.enums import RunMode

    for _ in range(_MAX_FOLDERS):
        try:
            return setup_optimize_configuration(_arguments(job), RunMode.BACKTEST)
        except FileExistsError as error:
            logger.debug("Another process created %s a moment earlier.", error.filename)
    return setup_optimize_configuration(_arguments(job), RunMode.BACKTEST)


def _arguments(job: Job) -> dict[str, Any]:
    """Return the options as Freqtrade's own parser reads them."""
    from freqtrade.commands import Arguments

    # `none`: a stored result must not replace a run, and a comparison stores no results.
    fixed = ("--strategy", job.strategy, "--cache", "none", "--export", "none")
    errors = StringIO()
    try:
        with redirect_stderr(errors):
            parsed: dict[str, Any] = Arguments(
                ["backtesting", *job.options, *fixed]
            ).get_parsed_arg()
    except SystemExit:
        reason = errors.getvalue().strip().splitlines()[-1:] or ["it gives no reason"]
        raise EngineError(f"Freqtrade does not accept these options: {reason[0]}") from None
    return parsed


def _progress(tell: Callable[[float], None]) -> Callable[[Any], None]:
    """Return Freqtrade's progress callback, which reports the engine's own progress."""
    from freqtrade.enums import BacktestState

    engine = str(BacktestState.BACKTEST)

    def step(task: Any) -> None:
        # Freqtrade's first task counts phases, the second one the work of the current phase.
        if task.id != 0 and task.description == engine and task.total:
            tell(task.completed / task.total)

    return step


def _message(error: BaseException) -> str:
    """Return an error's message and that of its cause, which Freqtrade often only logs."""
    message = " ".join(str(error).split()) or type(error).__name__
    if "Could not load markets" in message:  # "the above error" is in a log that nobody sees
        message = (
            "Freqtrade could not load the markets of the exchange, which it needs also for a "
            "backtest. Check 'exchange' in the config and whether this machine reaches it. That of "
            "'freqtrade-mem0 demo' ended with the demo: name another config with --config."
        )
    if error.__cause__ is None:
        return message
    return f"{message} ({type(error.__cause__).__name__}: {_message(error.__cause__)})"
