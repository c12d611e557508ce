"""Backtest strategies with and without memory, and test the difference.

Freqtrade's backtest runs the unchanged strategies, and memory starts empty in a temporary folder;
strategy files, results and your own memory are not changed. The sizing settings are those of the
"mem0" block, or the defaults. How many different settings were compared for a strategy and a time
is counted in the memory's folder, because the best of many looks good by chance.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.cli import rule_trial
from freqtrade_mem0.cli.context import CliConfig, read_config
from freqtrade_mem0.cli.options import (
    config_options,
    count,
    output_options,
    strategy_search_options,
)
from freqtrade_mem0.cli.output import console, print_error, print_json, write_page
from freqtrade_mem0.cli.progress import progress_bar
from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from rich.progress import Progress

    from freqtrade_mem0.compare.comparison import Comparison
    from freqtrade_mem0.compare.engine.pool import Outcome

NAME = "compare"

_N_WARNINGS = 3
_PASSED_ON = (
    ("config", "--config"),
    ("userdir", "--userdir"),
    ("datadir", "--datadir"),
    ("strategy_path", "--strategy-path"),
    ("timerange", "--timerange"),
    ("timeframe", "--timeframe"),
    ("timeframe_detail", "--timeframe-detail"),
    ("fee", "--fee"),
    ("pairs", "--pairs"),
    ("enable_protections", "--enable-protections"),
    ("recursive_strategy_search", "--recursive-strategy-search"),
)
"""Options that are passed on to Freqtrade unchanged: our name, Freqtrade's."""

_TRIED = ("timeframe", "timeframe_detail", "fee", "pairs", "enable_protections")
"""Options that make a comparison a try of its own; the time is told apart by its candles."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `compare`."""
    parser.add_argument(
        "-s",
        "--strategy",
        nargs="+",
        action="extend",
        metavar="NAME",
        help="Class name of a strategy. With several, the tests are corrected for their number.",
    )
    parser.add_argument(
        "--rule",
        metavar="ID",
        help="Try a learned rule instead: its strategy with memory, without and with the rule. "
        "What comes out is kept with the rule; see `agent rules`.",
    )
    parser.add_argument("--html", type=Path, metavar="FILE", help="Also write a report with plots.")
    output_options(parser)
    parser.add_argument(
        "--jobs",
        type=count,
        default=os.cpu_count() or 1,
        metavar="N",
        help="Backtests that run at the same time. Default: one per core.",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="Seed of the resampling: the same seed gives the same figures. Default: 0.",
    )
    parser.add_argument(
        "--periods",
        type=count,
        metavar="N",
        help="Split the time into N equal parts. Default: years, quarters, months or weeks.",
    )
    group = parser.add_argument_group("as in `freqtrade backtesting`")
    config_options(group)
    group.add_argument("-d", "--datadir", metavar="PATH", type=Path, help="Folder of the candles.")
    strategy_search_options(group)
    group.add_argument("--timerange", metavar="RANGE", help="Default: all candles.")
    group.add_argument("-i", "--timeframe", metavar="TF", help="Default: the strategy's.")
    group.add_argument("--timeframe-detail", metavar="TF", help="Simulate within candles.")
    group.add_argument("-p", "--pairs", nargs="+", metavar="PAIR", help="Only these pairs.")
    group.add_argument("--fee", metavar="RATIO", help="For each entry and exit.")
    group.add_argument(
        "--enable-protections", action="store_true", help="Apply the strategy's protections."
    )


def run(arguments: argparse.Namespace) -> int:
    """Compare; the exit code is 1 where a strategy could not be run."""
    from freqtrade_mem0.compare.comparison import adjusted
    from freqtrade_mem0.compare.engine.find_strategy import check_names

    rule_trial.check(arguments)
    config = read_config(arguments)
    if arguments.rule is not None:
        return _try_rule(arguments, config)
    strategies = list(dict.fromkeys(arguments.strategy))
    check_names(strategies, config.strategy_folders, recursive=config.recursive_strategy_search)
    if arguments.html is not None and not arguments.html.absolute().parent.is_dir():
        raise ConfigError(f"--html {arguments.html}: its folder does not exist. Create it first.")
    with _work_folder(config.user_data_dir) as folder, progress_bar() as progress:
        outcomes = _run_all(strategies, arguments, folder, progress)
    comparisons = adjusted([each.comparison for each in outcomes if each.comparison is not None])
    failed = [outcome for outcome in outcomes if outcome.runs is None]
    notes = _notes(config)
    try:
        comparisons = _count_all(comparisons, arguments, config)
    except OSError as error:
        notes.append(f"This comparison is not counted among those made so far: {error}.")
    if arguments.json:
        _print_as_json(comparisons, outcomes, notes, arguments.seed)
    else:
        from freqtrade_mem0.compare.report.terminal import show

        warnings = {outcome.strategy: outcome.warnings for outcome in outcomes}
        show(console(), comparisons, notes, warnings)
    if arguments.html is not None and comparisons:
        from freqtrade_mem0.compare.report.page import report

        write_page(arguments.html, report(comparisons, notes))
        print_error(f"The report is in {arguments.html}.")
    for outcome in failed:
        print_error(f"freqtrade-mem0: {outcome.strategy}: {outcome.error}")
        for warning in outcome.warnings[-_N_WARNINGS:]:
            print_error(f"    Freqtrade: {warning}")
    return 1 if failed else 0


def _try_rule(arguments: argparse.Namespace, config: CliConfig) -> int:
    from freqtrade_mem0.compare.engine.find_strategy import check_names

    def run_all(strategies: Sequence[str], rule: dict[str, Any]) -> list[Outcome]:
        recursive = config.recursive_strategy_search
        check_names(strategies, config.strategy_folders, recursive=recursive)
        with _work_folder(config.user_data_dir) as folder, progress_bar() as progress:
            return _run_all(strategies, arguments, folder, progress, rule)

    tried = [getattr(arguments, option) for option in _TRIED]
    return rule_trial.try_rule(arguments, config, run_all, tried)


@contextmanager
def _work_folder(user_data_dir: Path) -> Iterator[Path]:
    """Give a temporary folder; SIGTERM deletes it and ends the backtests in it, as Ctrl-C does."""

    def end(*_: object) -> None:
        for child in multiprocessing.active_children():
            child.terminate()
        raise SystemExit(128 + signal.SIGTERM)

    with _temporary_folder(user_data_dir) as name:
        before = signal.signal(signal.SIGTERM, end)
        try:
            yield Path(name)
        finally:
            signal.signal(signal.SIGTERM, before)


def _temporary_folder(user_data_dir: Path) -> TemporaryDirectory[str]:
    for place in (None, user_data_dir):
        with suppress(OSError):
            return TemporaryDirectory(dir=place, prefix="freqtrade-mem0-")
    raise ConfigError(
        f"Neither the system's temporary folder nor {user_data_dir} can be written to. Set "
        "TMPDIR to a folder that can."
    )


def _options(arguments: argparse.Namespace) -> tuple[str, ...]:
    """Return the options for `freqtrade backtesting`."""
    options: list[str] = []
    for name, option in _PASSED_ON:
        value = getattr(arguments, name)
        if value is True:
            options.append(option)
        elif name == "config":
            options += [part for path in value or () for part in (option, path)]
        elif isinstance(value, list):
            options += [option, *value]
        elif value is not None and value is not False:
            options += [option, str(value)]
    return tuple(options)


def _run_all(
    strategies: Sequence[str],
    arguments: argparse.Namespace,
    folder: Path,
    progress: Progress,
    rule: dict[str, Any] | None = None,
) -> list[Outcome]:
    from freqtrade_mem0.compare.comparison import compare
    from freqtrade_mem0.compare.engine.backtest import Job
    from freqtrade_mem0.compare.engine.pool import run_all

    jobs = [
        Job(strategy=name, options=_options(arguments), folder=folder / str(n), rule=rule)
        for n, name in enumerate(strategies)
    ]
    what = "memory" if rule is None else "the rule"
    tasks = [
        progress.add_task(f"{name}, {run}", total=1.0)
        for name in strategies
        for run in (f"without {what}", f"with {what}")
    ]

    def watch(shares: Sequence[float]) -> None:
        for task, share in zip(tasks, shares, strict=True):
            progress.update(task, completed=share)

    # A rule is judged by its trial, see `compare.rule_trial`.
    judge = partial(compare, seed=arguments.seed, n_periods=arguments.periods)
    return run_all(
        jobs, n_processes=arguments.jobs, watch=watch, judge=judge if rule is None else None
    )


def _count_all(
    comparisons: Sequence[Comparison], arguments: argparse.Namespace, config: CliConfig
) -> list[Comparison]:
    """Count the comparisons among those made so far; see `compare.trials`."""
    from freqtrade_mem0.compare.engine.find_strategy import file_of
    from freqtrade_mem0.compare.trials import fingerprint, with_trials
    from freqtrade_mem0.config import policies
    from freqtrade_mem0.config.load import folder

    settings, place = config.settings, folder(config.settings, config.user_data_dir)
    stakes = settings.model_dump(mode="json", include={"sizing", "risk", "situation"})
    counted = []
    for c in comparisons:
        file = file_of(
            c.strategy, config.strategy_folders, recursive=config.recursive_strategy_search
        )
        name = fingerprint(
            stakes,
            policies.fingerprint(settings.sizing.policy),
            [getattr(arguments, option) for option in _TRIED],
            "" if file is None else file.read_text(encoding="utf-8", errors="replace"),
        )
        counted.append(with_trials(c, place, name))
    return counted


def _notes(config: CliConfig) -> list[str]:
    """Return what a reader should know about the settings."""
    sizing = config.settings.sizing
    notes = []
    if not config.has_block:
        notes.append('The config has no "mem0" block: memory ran with its default settings.')
    if sizing.shadow:
        notes.append('"mem0.sizing.shadow" is true in the config; here stakes were changed.')
    if sizing.policy == "off":
        notes.append('"mem0.sizing.policy" is "off" in the config: no stake is ever changed.')
    return notes


def _print_as_json(
    comparisons: Sequence[Comparison], outcomes: Sequence[Outcome], notes: list[str], seed: int
) -> None:
    from freqtrade_mem0.compare.report.as_json import as_json

    warnings = {outcome.strategy: list(outcome.warnings) for outcome in outcomes}
    answer: dict[str, Any] = {
        "strategies": [as_json(c) | {"warnings": warnings[c.strategy]} for c in comparisons],
        "failed": [
            {
                "strategy": outcome.strategy,
                "error": outcome.error,
                "warnings": list(outcome.warnings),
            }
            for outcome in outcomes
            if outcome.runs is None
        ],
        "notes": notes,
        "seed": seed,
    }
    print_json(answer)
