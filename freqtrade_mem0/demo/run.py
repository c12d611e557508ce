"""The demo: `freqtrade backtesting` without and with memory, side by side."""

from __future__ import annotations

import fcntl
import shutil
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from freqtrade_mem0.config.load import load_settings
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.demo import report
from freqtrade_mem0.demo.candle_choice import chosen_candles, generated_candles
from freqtrade_mem0.demo.exchange.markets import markets_in
from freqtrade_mem0.demo.exchange.server import ExchangeStandIn
from freqtrade_mem0.demo.freqtrade_config import freqtrade_config, write_config
from freqtrade_mem0.demo.freqtrade_run import Backtest, BacktestJob, run_backtests
from freqtrade_mem0.errors import ConfigError, Mem0Error
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.words.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from freqtrade_mem0.demo.candle_choice import Candles
    from freqtrade_mem0.journal.ledger_line import LedgerLine

STRATEGY = "Mem0Example"
TIMEOUT_S = 1_800.0
"""Wall seconds after which both backtests are taken to hang, also on a small computer."""

_STRATEGY_SOURCE = Path(__file__).with_name("mem0_example.txt")
"""A copy of `user_data/strategies/mem0_example.py` for installed wheels."""

_MARKER = ".freqtrade-mem0-demo"
_MAX_FOLDERS = 9
_FILE_TABLE_CHARS = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class _Runs:
    without: Backtest
    with_memory: Backtest
    config: Path
    settings: Settings


def run_demo(*, datadir: Path | None, folder: Path, timerange: str | None, console: Console) -> int:
    """Run the demo; return the exit code.

    Parameters
    ----------
    datadir
        Candles in Freqtrade's feather layout; None for generated ones.
    folder
        The demo's folder, emptied first. A folder with other files is refused. While another demo
        uses it, the next free name (`.demo-2`, ...) is taken.
    timerange
        In Freqtrade's format; None for all candles.
    console
        Where to print.

    Returns
    -------
    int
        0; 1 after a failure, which is printed with what to do about it.
    """
    start_s = time.monotonic()
    try:
        with _own_folder(folder) as own:
            if own != folder:
                text = f"Another demo is using {folder}; this one goes to {own}."
                console.print(Text(visible(text)))
            _demo(own, datadir, timerange, console)
    except (Mem0Error, OSError) as error:
        console.print(Text("The demo failed.", style="bold red"))
        console.out(str(error), highlight=False)
        console.print("Correct this and run the demo again; it starts from the beginning.")
        return 1
    console.print(f"\nDone in {time.monotonic() - start_s:.0f} s.")
    return 0


def _demo(folder: Path, datadir: Path | None, timerange: str | None, console: Console) -> None:
    candles = (
        generated_candles(folder / "data", timerange)
        if datadir is None
        else chosen_candles(datadir, timerange)
    )
    report.show_candles(console, candles)
    console.print(
        "Running `freqtrade backtesting` twice, without and with memory (about a minute) ..."
    )
    runs = _run_both(folder, candles, console.width if console.is_terminal else _FILE_TABLE_CHARS)
    report.show_backtest(console, "Without memory", runs.without)
    report.show_backtest(console, "With memory", runs.with_memory)
    lines = _show_memory(console, runs)
    report.show_comparison(
        console,
        runs.without.metrics,
        runs.with_memory.metrics,
        currency=candles.currency,
        generated=candles.generated,
    )
    if lines:
        trade_id = next(iter(report.examples(lines).values()), lines[-1]).decision.trade_id or ""
        report.show_commands(console, runs.config, trade_id)


def _run_both(folder: Path, candles: Candles, table_chars: int) -> _Runs:
    strategies = folder / "strategies"
    strategies.mkdir()
    shutil.copyfile(_STRATEGY_SOURCE, strategies / "mem0_example.py")
    with ExchangeStandIn(markets_in(candles.datadir)) as exchange:
        # Only memory differs between the runs.
        common = freqtrade_config(
            exchange.url,
            candles.pairs,
            candles.timeframe,
            stake_currency=candles.currency,
            bot_name="demo",
            datadir=str(candles.datadir.resolve()),
        )
        memory = {"enabled": True, "path": str((folder / "memory").resolve())}
        configs = {
            "without": common | {"mem0": {"enabled": False}},
            "with": common | {"mem0": memory},
        }
        jobs = [
            BacktestJob(
                config=write_config(
                    folder / ("config.json" if name == "with" else "config-without.json"), config
                ),
                userdir=folder / f"user_data_{name}",
                datadir=candles.datadir,
                strategy=STRATEGY,
                strategy_path=strategies,
                timerange=candles.timerange,
                table_chars=table_chars,
            )
            for name, config in configs.items()
        ]
        without, with_memory = run_backtests(jobs, TIMEOUT_S)
    return _Runs(
        without=without,
        with_memory=with_memory,
        config=jobs[1].config,
        settings=_settings(configs["with"]),
    )


def _show_memory(console: Console, runs: _Runs) -> list[LedgerLine]:
    store = MemoryFolder(runs.settings, runs.config.parent)
    try:
        lines = list(store.journal.ledger(Scope(run_id=runs.with_memory.run_id)))
        in_journal: Counter[tuple[str, str]] = Counter()
        for (kind, category, _mode), count in store.journal.counts().items():
            in_journal[category, kind] += count
        in_mem0 = {
            (str(category), str(kind)): count
            for (category, kind), count in store.backend.count(
                filters={"user_id": runs.settings.user_id}, by=["category", "kind"]
            ).items()
        }
        report.show_remembered(console, in_journal, in_mem0, store.outbox.state().pending)
    finally:
        store.close()
    if lines:
        report.show_stakes(console, lines)
        report.show_examples(console, report.examples(lines))
    return lines


def _settings(config: dict[str, Any]) -> Settings:
    settings = load_settings(config)
    assert settings is not None  # noqa: S101 - the block was written just above
    return settings


@contextmanager
def _own_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder, locked while this demo runs."""
    for number in range(1, _MAX_FOLDERS + 1):
        own = folder if number == 1 else folder.with_name(f"{folder.name}-{number}")
        if own.exists() and any(own.iterdir()) and not (own / _MARKER).is_file():
            raise ConfigError(
                f"The folder {own} has files that no demo wrote, and the demo empties its folder. "
                "Give another --folder."
            )
        own.mkdir(parents=True, exist_ok=True)
        with (own / _MARKER).open("w") as marker:
            try:
                fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            _empty(own)
            yield own
            return
    raise ConfigError(f"{_MAX_FOLDERS} demos use {folder} and its neighbours; wait until one ends.")


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != _MARKER:
            path.unlink()
