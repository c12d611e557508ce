"""Helpers that run the real Freqtrade against the exchange stand-in; bots are in `dry_run_bot`."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from freqtrade_mem0.demo import freqtrade_run
from freqtrade_mem0.demo.freqtrade_config import freqtrade_config, write_config
from freqtrade_mem0.demo.freqtrade_run import Backtest, BacktestJob
from tests.support.forked_python import ForkedPython
from tests.support.wait import HANG_S

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")

_POLL_S = 0.1

PLAIN_STRATEGY = '''
from freqtrade.strategy import IStrategy


class Plain(IStrategy):
    """Enters whenever it can and leaves at half a percent; no memory."""

    timeframe = "5m"
    stoploss = -0.2
    minimal_roi = {"0": 0.005}

    def populate_indicators(self, dataframe, metadata):
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        dataframe.loc[dataframe["volume"] > 0, ["enter_long", "enter_tag"]] = (1, "always")
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        return dataframe
'''
"""A strategy without memory; `strategy_with_memory` adds the mixin."""


def strategy_with_memory(source: str = PLAIN_STRATEGY) -> str:
    """Return a strategy's source with the mixin named first among its bases."""
    mixed = re.sub(
        r"^class (\w+)\((?=IStrategy)", r"class \1(Mem0Mixin, ", source, flags=re.MULTILINE
    )
    return f"from freqtrade_mem0.mixin import Mem0Mixin\n{mixed}"


def class_name(source: str) -> str:
    """Return the name of the last class that a source defines."""
    *_, last = re.finditer(r"^class (\w+)", source, flags=re.MULTILINE)
    return last.group(1)


def wait_until(
    condition: Callable[[], T], timeout_s: float = HANG_S, *, why: Callable[[], str] = str
) -> T:
    """Return the first true value of `condition`, asked again and again.

    Parameters
    ----------
    condition
        What must become true.
    timeout_s
        Wall seconds until the test fails.
    why
        Adds to the failure's message, for example the end of a log.
    """
    deadline_s = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline_s:
            raise AssertionError(f"Not true after {timeout_s:.0f} s: {condition}\n{why()}")
        time.sleep(_POLL_S)


def free_port() -> int:
    """Return a TCP port on loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtests:
    """Runs backtests in a folder of its own; what is remembered stays there from run to run.

    Parameters
    ----------
    url
        The stand-in's address.
    datadir, pairs, timeframe
        The candles.
    folder
        Where strategy files and user folders go.
    """

    url: str
    datadir: Path
    pairs: Sequence[str]
    timeframe: str
    folder: Path

    def run(
        self,
        strategy_source: str,
        mem0: Mapping[str, Any] | None = None,
        *,
        userdir: str = "user_data",
        timerange: str | None = None,
        extra: Sequence[str] = (),
        **config: Any,
    ) -> Backtest:
        """Run `freqtrade backtesting` in a process of its own; return what it stored.

        Parameters
        ----------
        strategy_source
            The strategy file.
        mem0
            The `"mem0"` block; None leaves it out.
        userdir
            Name of the user folder: another name is another memory.
        timerange, extra
            See `BacktestJob`.
        config
            Top-level config keys that replace the usual ones.
        """
        return run_backtest(
            self.job(
                strategy_source,
                mem0,
                userdir=userdir,
                timerange=timerange,
                extra=extra,
                **config,
            )
        )

    def job(
        self,
        strategy_source: str,
        mem0: Mapping[str, Any] | None = None,
        *,
        userdir: str = "user_data",
        timerange: str | None = None,
        extra: Sequence[str] = (),
        **config: Any,
    ) -> BacktestJob:
        """Write config and strategy of a backtest, without running it; see `run`."""
        folder = self.folder / userdir
        if mem0 is not None:
            config["mem0"] = dict(mem0)
        name = class_name(strategy_source)
        return BacktestJob(
            config=write_config(
                folder / "config.json",
                freqtrade_config(self.url, self.pairs, self.timeframe, **config),
            ),
            userdir=folder,
            datadir=self.datadir,
            strategy=name,
            strategy_path=write_strategy(folder / "strategies", name, strategy_source),
            timerange=timerange,
            extra=tuple(extra),
        )


def run_backtests(jobs: Sequence[BacktestJob]) -> list[Backtest]:
    """Run backtests at the same time; see `freqtrade_run.run_backtests`."""
    return freqtrade_run.run_backtests(jobs, HANG_S, ForkedPython)


def run_backtest(job: BacktestJob) -> Backtest:
    """Run one backtest."""
    return run_backtests([job])[0]


def write_strategy(folder: Path, name: str, source: str) -> Path:
    """Write a strategy file as Freqtrade finds it; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name.lower()}.py").write_text(source, encoding="utf-8")
    return folder
