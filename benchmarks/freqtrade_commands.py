"""Real Freqtrade commands for benchmarks: what they run on, and what each of them took.

The plain variant of a strategy is its own source without the mixin, so that both enter and leave by
the same code, under the same name.
"""

from __future__ import annotations

import compileall
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measuring import ROOT
from freqtrade_mem0.demo.candles import CandlePlan, write_candles
from freqtrade_mem0.demo.exchange.markets import candle_files, markets_in
from freqtrade_mem0.demo.exchange.server import ExchangeStandIn
from freqtrade_mem0.demo.freqtrade_config import freqtrade_config, write_config
from freqtrade_mem0.demo.freqtrade_run import child_environment, tail

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping, Sequence

EXAMPLE = ROOT / "user_data" / "strategies" / "mem0_example.py"
EXAMPLE_NAME = "Mem0Example"
_MIXIN_IMPORT = "from freqtrade_mem0.mixin import Mem0Mixin\n"
_MIXIN_BASE = "Mem0Mixin, "
_QUOTE = "/USDT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What commands trade, beside a stand-in of the exchange that names its markets.

    Parameters
    ----------
    url
        The stand-in's address.
    datadir, pairs, timeframe
        The candles.
    timerange
        As Freqtrade reads it; None takes all.
    """

    url: str
    datadir: Path
    pairs: tuple[str, ...]
    timeframe: str
    timerange: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """What a command took.

    Parameters
    ----------
    wall_s
        Seconds until it had ended.
    cpu_s
        Seconds of processor time, those of processes that it started and waited for included.
    ended_s
        When it had ended, by the machine's monotonic clock.
    """

    wall_s: float
    cpu_s: float
    ended_s: float


def market_options(parser: argparse.ArgumentParser, *, days: int) -> None:
    """Add what candles a benchmark runs on: generated ones, or those of a folder."""
    parser.add_argument("--days", type=int, default=days, help="Of generated candles.")
    parser.add_argument("--datadir", type=Path, help="Candles of a folder, not generated ones.")
    parser.add_argument("--timeframe", default="5m", help="Of these candles.")
    parser.add_argument("--timerange", help="Which of these candles.")


def asked_market(asked: argparse.Namespace) -> dict[str, Any]:
    """Return what `market_options` were given, as far as it matters."""
    if asked.datadir is None:
        return {"days": asked.days, "timeframe": asked.timeframe}
    named = {"datadir": str(asked.datadir), "timeframe": asked.timeframe}
    return named | ({} if asked.timerange is None else {"timerange": asked.timerange})


@contextmanager
def market(asked: argparse.Namespace, folder: Path) -> Iterator[Market]:
    """Give the candles that were asked for, and a stand-in of the exchange while they are used.

    Raises
    ------
    SystemExit
        The folder that was named has no candles of this timeframe.
    """
    datadir, timeframe = asked.datadir, asked.timeframe
    if datadir is None:
        minutes = {"1m": 1, "5m": 5, "15m": 15, "1h": 60}[timeframe]
        plan = CandlePlan(
            pairs=("ADA/USDT", "BTC/USDT", "DOGE/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT"),
            timeframe_minutes=minutes,
            days=asked.days,
            seed=3,
        )
        datadir = folder / "candles"
        write_candles(datadir, plan)
    files = candle_files(datadir).get(timeframe, {})
    pairs = tuple(pair for pair in files if pair.endswith(_QUOTE))
    if not pairs:
        raise SystemExit(
            f"--datadir {datadir} has no candles of {timeframe} against {_QUOTE[1:]}; there are: "
            f"{', '.join(candle_files(datadir)) or 'none at all'}. Name another --timeframe."
        )
    with ExchangeStandIn(markets_in(datadir)) as exchange:
        yield Market(
            url=exchange.url,
            datadir=datadir,
            pairs=pairs,
            timeframe=timeframe,
            timerange=asked.timerange,
        )


def write_strategies(folder: Path, *, has_memory: bool, more: str = "") -> Path:
    """Write the example strategy, with the mixin or without, and `more` below it; return `folder`.

    Raises
    ------
    ValueError
        The example does not name the mixin where it is taken out.
    """
    source = EXAMPLE.read_text(encoding="utf-8")
    if not has_memory:
        if _MIXIN_IMPORT not in source or _MIXIN_BASE not in source:
            raise ValueError(
                f"{EXAMPLE} names the mixin in another way than {_MIXIN_IMPORT!r} and "
                f"{_MIXIN_BASE!r}: it can not be taken out. Change these two texts."
            )
        source = source.replace(_MIXIN_IMPORT, "").replace(_MIXIN_BASE, "")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / EXAMPLE.name).write_text(f"{source}{more}", encoding="utf-8")
    return folder


def arguments_of(
    market: Market, userdir: Path, *, strategies: Path, name: str, mem0: Mapping[str, Any] | None
) -> list[str]:
    """Write the config of a command; return the arguments that commands with candles share.

    Parameters
    ----------
    market
        What is traded.
    userdir
        A folder of its own: an empty memory.
    strategies, name
        Folder and class of the strategy.
    mem0
        The `"mem0"` block; None leaves it out.
    """
    block: dict[str, Any] = {} if mem0 is None else {"mem0": dict(mem0)}
    config = freqtrade_config(market.url, market.pairs, market.timeframe, **block)
    arguments = ["--config", str(write_config(userdir / "config.json", config))]
    arguments += ["--userdir", str(userdir), "--datadir", str(market.datadir)]
    arguments += ["--strategy", name, "--strategy-path", str(strategies)]
    return arguments + ([] if market.timerange is None else ["--timerange", market.timerange])


def environment() -> dict[str, str]:
    """Return the variables of a process that a benchmark starts.

    The package is compiled first, as pip compiles what it installs: with PYTHONDONTWRITEBYTECODE
    set, each process would compile more than two hundred modules of a checkout again.
    """
    compileall.compile_dir(ROOT / "freqtrade_mem0", quiet=2)
    return child_environment() | {"PYTHONPATH": _python_path()}


def run(arguments: Sequence[str], log: Path) -> Took:
    """Run Python with these arguments in a process of its own, and wait for its end.

    Raises
    ------
    SystemExit
        It failed; the end of its log says why.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    variables = environment()
    with log.open("wb") as file:
        began_s = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=variables,
        )
        _, status, used = os.wait4(process.pid, 0)
        ended_s = time.monotonic()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        said = tail(log.read_text(encoding="utf-8", errors="replace"))
        raise SystemExit(f"`python {' '.join(arguments)}` failed:\n{said}")
    return Took(wall_s=ended_s - began_s, cpu_s=used.ru_utime + used.ru_stime, ended_s=ended_s)


def _python_path() -> str:
    return os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
