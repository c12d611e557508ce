"""`demo`: a real backtest with and without memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from freqtrade_mem0.cli.output import console

if TYPE_CHECKING:
    import argparse

    from freqtrade_mem0.cli.context import Commands


def add_commands(commands: Commands) -> None:
    """Add `demo`."""
    parser = commands.add_parser(
        "demo",
        help="run a real backtest with and without memory, and show what memory did",
        description="Run Freqtrade's backtest of the example strategy without and with memory, on "
        "generated candles or on your own, without internet.",
    )
    parser.add_argument(
        "-d",
        "--datadir",
        type=Path,
        metavar="PATH",
        help="Candles in Freqtrade's format (feather). Default: candles are generated.",
    )
    parser.add_argument(
        "--timerange", metavar="RANGE", help="As in Freqtrade. Default: all there is."
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(".demo"),
        metavar="PATH",
        help="Where the demo writes; made anew. Default: .demo",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the demo."""
    from freqtrade_mem0.demo.run import run_demo

    return run_demo(
        datadir=arguments.datadir,
        folder=arguments.folder,
        timerange=arguments.timerange,
        console=console(),
    )
