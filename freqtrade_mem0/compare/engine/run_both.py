"""Runs Freqtrade's backtest engine on one strategy, without and with memory.

Config, candles, markets and indicators are read and computed once. Then the process forks: both
runs start from the very same state, so that nothing the strategy keeps for itself in one run (a
counter, a cache, a class attribute) can reach the other. Where forking is unsafe (macOS), all is
loaded anew for each run.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import redirect_stderr
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.compare.engine import fork
from freqtrade_mem0.compare.engine.result_rows import closed_trade, decisions_in, number
from freqtrade_mem0.compare.trades import Run
from freqtrade_mem0.config.load import BLOCK, load_settings
from freqtrade_mem0.errors import Mem0Error
from freqtrade_mem0.records.base import as_utc

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

_FOLDERS = 12  # more than Freqtrade makes

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
"""Freqtrade's own numbers that are shown side by side, by Freqtrade's own names."""


class EngineError(Mem0Error):
    """Freqtrade could not run a backtest. Whoever wrote config or strategy acts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """How memory is put around a strategy object, and taken off it again.

    Parameters
    ----------
    start, stop
        Take the strategy object. Module-level functions, as they go to other processes.
    """

    start: Callable[[Any], None]
    stop: Callable[[Any], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One strategy to compare.

    Parameters
    ----------
    strategy
        Class name.
    options
        Options of `freqtrade backtesting`, without the strategy's name.
    folder
        An own, empty folder for the memory of the run with memory.
    memory
        Puts memory around the strategy.
    """

    strategy: str
    options: tuple[str, ...]
    folder: Path
    memory: Memory


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    backtesting: Any
    strategy: Any
    data: Any
    processed: Any
    start: datetime
    end: datetime
    block: dict[str, Any]


Tell = Callable[[int, float], None]
"""Takes the run (0 without memory, 1 with) and how much of it is done, 0 to 1."""


def run_both(job: Job, tell: Tell, *, at_once: bool) -> tuple[Run, Run]:
    """Return the runs without and with memory.

    Parameters
    ----------
    job
        The strategy.
    tell
        Called with progress, in whichever process makes it.
    at_once
        Run both at the same time.

    Raises
    ------
    Mem0Error
        The config, the strategy or its data are wrong.
    """
    if not fork.IS_SAFE:
        without = _run(_prepare(job, lambda share: tell(0, share)), job, with_memory=False)
        return without, _run(_prepare(job, lambda share: tell(1, share)), job, with_memory=True)
    which = [0]
    prepared = _prepare(job, lambda share: tell(which[0], share))
    children = []
    for with_memory in (False, True):
        which[0] = int(with_memory)  # each child has its own copy
        child = fork.start(partial(_run, prepared, job, with_memory=with_memory))
        children.append(child)
        if not at_once:
            child.wait()
    without, remembered = (child.result() for child in children)
    return without, remembered


def _configured(job: Job) -> Any:
    """Return Freqtrade's config, which makes the folders that are missing.

    It looks whether a folder is there and then makes it. Several of us start at the same instant.
    """
    from freqtrade.commands.optimize_commands import setup_optimize_configuration
    from freqtrade.enums import RunMode

    for _ in range(_FOLDERS):
        try:
            return setup_optimize_configuration(_arguments(job), RunMode.BACKTEST)
        except FileExistsError as error:
            logger.debug("Another process made %s a moment earlier.", error.filename)
    return setup_optimize_configuration(_arguments(job), RunMode.BACKTEST)


def _prepare(job: Job, tell: Callable[[float], None]) -> _Prepared:
    """Load config, candles and strategy, and compute the indicators, as Freqtrade does it."""
    from freqtrade.data.converter import trim_dataframes
    from freqtrade.data.history import get_timerange
    from freqtrade.exceptions import FreqtradeException
    from freqtrade.optimize.backtesting import Backtesting

    try:
        config = _configured(job)
        config.pop("strategy_list", None)
        block = _block(config, job.folder)
        config[BLOCK] = {"enabled": False}  # a strategy that has the mixin starts without memory
        backtesting = Backtesting(config, progress_callback=_follow(tell))
        (strategy,) = backtesting.strategylist
        data, timerange = backtesting.load_bt_data()
        backtesting._set_strategy(strategy)  # noqa: SLF001 - as Freqtrade's own commands do
        processed = strategy.advise_all_indicators(data)
        trimmed = trim_dataframes(processed, timerange, backtesting.required_startup)
        if not trimmed:
            raise EngineError(
                "No candles are left after those the strategy needs to start. Widen --timerange, "
                "or download more data."
            )
        start, end = get_timerange(trimmed)
    except FreqtradeException as error:
        raise EngineError(_sentence(error)) from error
    return _Prepared(
        backtesting=backtesting,
        strategy=strategy,
        data=data,
        processed=processed,
        start=start,
        end=end,
        block=block,
    )


def _arguments(job: Job) -> dict[str, Any]:
    """Return the options as Freqtrade's own parser reads them.

    Raises
    ------
    EngineError
        Freqtrade does not accept them.
    """
    from freqtrade.commands import Arguments

    # `none`: stored results must not stand in for a run, and a comparison leaves no result files.
    fixed = ("--strategy", job.strategy, "--cache", "none", "--export", "none")
    said = StringIO()
    try:
        with redirect_stderr(said):
            parsed: dict[str, Any] = Arguments(
                ["backtesting", *job.options, *fixed]
            ).get_parsed_arg()
    except SystemExit:
        reason = said.getvalue().strip().splitlines()[-1:] or ["it does not say why"]
        raise EngineError(f"Freqtrade does not accept these options: {reason[0]}") from None
    return parsed


def _block(config: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return the `"mem0"` block of the run with memory: the user's sizing, a memory of its own.

    Raises
    ------
    ConfigError
        The user's block is wrong.
    """
    settings = load_settings(config)
    own = {} if settings is None else dict(config[BLOCK])
    own.pop("knowledge", None)
    for of_mem0 in ("vector_store", "embedder", "llm"):
        own.pop(of_mem0, None)
    sizing = dict(own.get("sizing") or {}) | {"shadow": False}
    return own | {"enabled": True, "mode": "local", "path": str(folder), "sizing": sizing}


def _run(prepared: _Prepared, job: Job, *, with_memory: bool) -> Run:
    """Run the engine; return what it closed, with the decisions behind it where there are some."""
    from freqtrade.exceptions import FreqtradeException
    from freqtrade.optimize.optimize_reports import generate_backtest_stats

    backtesting, strategy = prepared.backtesting, prepared.strategy
    strategy.config[BLOCK] = prepared.block if with_memory else {"enabled": False}
    began_s = time.monotonic()
    try:
        if with_memory:
            job.memory.start(strategy)
        content = backtesting.backtest(
            processed=prepared.processed, start_date=prepared.start, end_date=prepared.end
        )
        if with_memory:
            job.memory.stop(strategy)
    except FreqtradeException as error:
        raise EngineError(_sentence(error)) from error
    seconds = time.monotonic() - began_s
    now_s = int(time.time())
    content |= {"run_id": "", "backtest_start_time": now_s, "backtest_end_time": now_s}
    stats = generate_backtest_stats(
        prepared.data, {job.strategy: content}, prepared.start, prepared.end
    )["strategy"][job.strategy]
    decisions = decisions_in(job.folder) if with_memory else {}
    trades = [closed_trade(row, decisions) for row in content["results"].to_dict(orient="records")]
    return Run(
        trades=tuple(sorted(trades, key=lambda trade: trade.open_date)),
        start=as_utc(prepared.start),
        end=as_utc(prepared.end),
        starting_balance=float(stats["starting_balance"]),
        stake_currency=str(strategy.config["stake_currency"]),
        timeframe=str(backtesting.timeframe),
        metrics={name: number(stats.get(name)) for name in METRICS},
        seconds=seconds,
    )


def _follow(tell: Callable[[float], None]) -> Callable[[Any], None]:
    """Return what Freqtrade calls on every step: it tells how far the engine itself is."""
    from freqtrade.enums import BacktestState

    engine = str(BacktestState.BACKTEST)

    def step(task: Any) -> None:
        # The first task counts phases, the second what is done in the present one.
        if task.id != 0 and task.description == engine and task.total:
            tell(task.completed / task.total)

    return step


def _sentence(error: BaseException) -> str:
    """Return what an error says, and what its cause says: Freqtrade often logs only the latter."""
    said = " ".join(str(error).split()) or type(error).__name__
    if error.__cause__ is None:
        return said
    return f"{said} ({type(error.__cause__).__name__}: {_sentence(error.__cause__)})"
