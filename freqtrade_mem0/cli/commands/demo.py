"""Run a real backtest with and without memory, and show what memory did.

Freqtrade backtests the example strategy on generated candles or on your own. It needs no internet.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from freqtrade_mem0.cli.output import console

if TYPE_CHECKING:
    import argparse

NAME = "demo"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `demo`."""
    parser.add_argument(
        "-d",
        "--datadir",
        type=Path,
        metavar="PATH",
        help="Folder of candles in Freqtrade's format (feather). Default: candles are generated.",
    )
    parser.add_argument(
        "--timerange", metavar="RANGE", help="As in Freqtrade. Default: all candles."
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(".demo"),
        metavar="PATH",
        help="Folder for all files of the demo; it is created anew. Default: .demo",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the demo."""
    from freqtrade_mem0.demo.run import run_demo

    return run_demo(
        datadir=arguments.datadir,
        folder=arguments.folder,
        timerange=arguments.timerange,
        console=console(),
    )
