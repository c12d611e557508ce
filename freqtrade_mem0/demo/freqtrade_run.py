"""Runs `freqtrade backtesting` in child processes and reads their results."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.errors import Mem0Error

if TYPE_CHECKING:
    from collections.abc import Sequence

_TAIL_LINES = 25
_STOP_GRACE_S = 5.0

Trades = tuple[Mapping[str, Any], ...]


class FreqtradeRunError(Mem0Error):
    """A Freqtrade process failed or took too long; the message quotes its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestJob:
    """One `freqtrade backtesting`, in a user folder of its own.

    Freqtrade's output goes there, to `freqtrade.log` and `tables.txt`. `extra` are more arguments.
    """

    config: Path
    userdir: Path
    datadir: Path
    strategy: str
    strategy_path: Path
    timerange: str | None = None
    extra: tuple[str, ...] = ()
    table_chars: int = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Freqtrade's own numbers of one backtest; a profit ratio of 0.018 is 1.8 % of the wallet."""

    n_trades: int
    profit_ratio: float
    profit_quote: float
    sharpe: float
    daily_sharpe: float | None
    sortino: float
    calmar: float
    profit_factor: float
    max_drawdown_ratio: float
    mean_stake_quote: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """A finished backtest: Freqtrade's numbers, trades, run id, printed output and log."""

    metrics: Metrics
    trades: Trades
    run_id: str
    tables: str
    log: str
    seconds: float


def child_environment() -> dict[str, str]:
    """Return this process's environment without variables that change Freqtrade's config."""
    return {k: v for k, v in os.environ.items() if not k.upper().startswith("FREQTRADE__")}


def run_backtests(
    jobs: Sequence[BacktestJob],
    timeout_s: float,
    process: type[subprocess.Popen[bytes]] = subprocess.Popen,
) -> list[Backtest]:
    """Run backtests at the same time, each in a process of its own, which `process` starts.

    Raises
    ------
    FreqtradeRunError
        One failed, wrote no result or took too long; the others are stopped.
    """
    deadline_s = time.monotonic() + timeout_s
    with ExitStack() as stack:
        started = []
        for job in jobs:
            started.append((job, child := _start(job, process), time.monotonic()))
            stack.callback(stop, child)
        return [_finish(job, child, start_s, deadline_s) for job, child, start_s in started]


def stop(process: subprocess.Popen[bytes]) -> None:
    """Terminate a running child; kill it if it does not end."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_STOP_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def load_backtest(userdir: Path, strategy: str) -> tuple[Metrics, Trades, str]:
    """Return metrics, trades and run id of the last backtest Freqtrade stored in `userdir`."""
    folder = userdir / "backtest_results"
    name = json.loads((folder / ".last_result.json").read_text())["latest_backtest"]
    with zipfile.ZipFile(folder / name) as archive:
        stored = json.loads(archive.read(name.replace(".zip", ".json")))
    about = json.loads((folder / name.replace(".zip", ".meta.json")).read_text())[strategy]
    result = stored["strategy"][strategy]
    metrics = Metrics(
        n_trades=result["total_trades"],
        profit_ratio=result["profit_total"],
        profit_quote=result["profit_total_abs"],
        sharpe=result["sharpe"],
        daily_sharpe=result.get("wallet_stats", {}).get("sharpe"),
        sortino=result["sortino"],
        calmar=result["calmar"],
        profit_factor=result["profit_factor"],
        max_drawdown_ratio=result["max_drawdown_account"],
        mean_stake_quote=result["avg_stake_amount"],
    )
    return metrics, tuple(result["trades"]), about["run_id"]


def tail(text: str, n_lines: int = _TAIL_LINES) -> str:
    r"""Return the last lines of a log.

    >>> tail("a\nb\nc", 2)
    'b\nc'
    """
    return "\n".join(text.rstrip().splitlines()[-n_lines:])


def _start(job: BacktestJob, process: type[subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    job.userdir.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "freqtrade", "backtesting"]
    command += ["--config", str(job.config), "--userdir", str(job.userdir)]
    command += ["--datadir", str(job.datadir), "--strategy", job.strategy]
    command += ["--strategy-path", str(job.strategy_path)]
    # A stored result must not replace a run: memory would not be used.
    command += ["--cache", "none", "--export", "trades"]
    command += [] if job.timerange is None else ["--timerange", job.timerange]
    # Files instead of pipes, which would have to be read while the children run.
    with _tables(job).open("wb") as tables, _log(job).open("wb") as log:
        return process(
            [*command, *job.extra],
            stdin=subprocess.DEVNULL,
            stdout=tables,
            stderr=log,
            env=child_environment() | {"COLUMNS": str(job.table_chars)},
        )


def _finish(
    job: BacktestJob, process: subprocess.Popen[bytes], start_s: float, deadline_s: float
) -> Backtest:
    command = f"freqtrade backtesting --config {job.config}"
    try:
        code = process.wait(max(0.0, deadline_s - time.monotonic()))
    except subprocess.TimeoutExpired:
        stop(process)
        raise FreqtradeRunError(
            f"`{command}` was stopped: it took more than its time limit. Its log, {_log(job)}, "
            f"ends with:\n{tail(_read(_log(job)))}"
        ) from None
    seconds = time.monotonic() - start_s
    log, tables = _read(_log(job)), _read(_tables(job))
    # Freqtrade exits with 0 and without a result if there are no trades or no data.
    if code != 0 or not (job.userdir / "backtest_results" / ".last_result.json").is_file():
        raise FreqtradeRunError(
            f"`{command}` failed with exit code {code}. "
            f"Its log, {_log(job)}, ends with:\n{tail(log)}"
        )
    metrics, trades, run_id = load_backtest(job.userdir, job.strategy)
    return Backtest(
        metrics=metrics, trades=trades, run_id=run_id, tables=tables, log=log, seconds=seconds
    )


def _log(job: BacktestJob) -> Path:
    return job.userdir / "freqtrade.log"


def _tables(job: BacktestJob) -> Path:
    return job.userdir / "tables.txt"


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
