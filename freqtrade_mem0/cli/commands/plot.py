"""Draw what memory did to the stakes of a run or bot, into one HTML file.

Profit with memory's and with the proposed stakes, the multipliers, how trades ended by multiplier
or forecast, and a heat map of situations. The newest run is drawn unless the options choose
another. The file needs no network and holds no script.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from freqtrade_mem0.cli.context import opened_memory, scope_of
from freqtrade_mem0.cli.options import memory_options, scope_options
from freqtrade_mem0.cli.output import print_json, print_lines, write_page
from freqtrade_mem0.errors import ConfigError, RecordError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    import pandas as pd

NAME = "plot"

_FEATURES = "volatility_regime", "trend_regime"
_NO_FEATURE = ("trade_id", "strategy", "mode", "run_id")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `plot`."""
    parser.add_argument(
        "--html",
        type=Path,
        default=Path("mem0-plot.html"),
        metavar="FILE",
        help="The file to write; it is replaced. Default: mem0-plot.html",
    )
    parser.add_argument(
        "--by",
        nargs=2,
        metavar=("ROWS", "COLUMNS"),
        help="Two features of a situation for the heat map, also pair, side or enter_tag. Default: "
        f"{' '.join(_FEATURES)}",
    )
    scope_options(parser)
    memory_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the file."""
    from freqtrade_mem0.frames.closed import read_closed
    from freqtrade_mem0.frames.columns import LEDGER, SITUATIONS, typed
    from freqtrade_mem0.frames.decided import with_outcomes
    from freqtrade_mem0.plot.page import page
    from freqtrade_mem0.views.insights import newest_of
    from freqtrade_mem0.views.scope import described

    with opened_memory(arguments) as memory:
        scope = scope_of(arguments, memory)
        newest = newest_of(memory, scope)
        if newest is None:
            raise RecordError(
                f"No trade of {described(scope)} is in {memory.folder}. 'freqtrade-mem0 runs' "
                "lists what is."
            )
        one = scope.in_run(newest)
        ledger = with_outcomes(memory, one, only_opened=True)
        closed = read_closed(memory, one, with_features=True)
    name = f"{newest.strategy}, {newest.mode} {newest.run_id[:12]}"
    situations = typed(closed, SITUATIONS, others=True)
    if arguments.by is not None:
        _check_features(arguments.by, situations)
    text = page(name, typed(ledger, LEDGER), situations, tuple(arguments.by or _FEATURES))
    path: Path = arguments.html
    write_page(path, text)
    if arguments.json:
        print_json({"path": str(path), "decisions": len(ledger)})
    else:
        print_lines(f"{path}: {name}, {len(ledger):,} decisions. Open it in a browser.")
    return 0


def _check_features(names: Sequence[str], situations: pd.DataFrame) -> None:
    """Refuse features that no trade has, and numbers, of which nearly each trade has its own."""
    known = [
        str(name)
        for name in situations
        if name not in _NO_FEATURE and situations[name].dtype.kind not in "fM"
    ]
    for name in names:
        if name not in known:
            raise ConfigError(
                f"--by {name}: the trades of this run can not be grouped by it. Choose from "
                f"{', '.join(known)}."
            )
