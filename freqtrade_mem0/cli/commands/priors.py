"""List, promote and withdraw the runs that a strategy knows from the start.

A strategy reads the trades of such a run as a prior, at a discount. A running bot reads a change
within `sync_interval`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from freqtrade_mem0.cli.context import opened_memory
from freqtrade_mem0.cli.options import memory_options
from freqtrade_mem0.cli.output import print_json, print_table, when
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.words.numbers import counted

if TYPE_CHECKING:
    import argparse

    from freqtrade_mem0.memory_folder import MemoryFolder

NAME = "priors"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `priors`."""
    action = parser.add_mutually_exclusive_group()
    action.add_argument(
        "--promote", metavar="RUN", help="Promote the run with this id, or its first characters."
    )
    action.add_argument("--withdraw", metavar="RUN", help="Withdraw a promoted run.")
    action.add_argument(
        "--accept",
        metavar="ID",
        help="Let a run that was promoted on another machine have its effect on this one: the id "
        "of its promotion, or its first characters.",
    )
    parser.add_argument(
        "-s",
        "--strategy",
        metavar="NAME",
        help="The strategy that reads it. Default: the strategy of the run.",
    )
    memory_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Promote or withdraw a run if asked for, then list what is promoted."""
    from freqtrade_mem0.views.records import priors

    with opened_memory(arguments) as memory:
        if arguments.promote is not None:
            _promote(memory, arguments.promote, arguments.strategy)
        elif arguments.withdraw is not None:
            _withdraw(memory, arguments.withdraw, arguments.strategy)
        elif arguments.accept is not None:
            _accept(memory, arguments.accept, arguments.strategy)
        active = priors(memory, arguments.strategy)
    if arguments.json:
        print_json(active)
        return 0
    print_table(
        counted(len(active), "prior"),
        ["read by", "trades of", "mode", "run", "promoted at (UTC)", "where from", "state"],
        [
            [
                prior["strategy"],
                prior["source_strategy"],
                prior["source_mode"],
                prior["source_run_id"][:12],
                when(prior["promoted_at"]),
                prior["provenance"],
                f"waits: --accept {prior['id'][:8]}" if prior["is_waiting"] else "read",
            ]
            for prior in active
        ],
        optional=["mode", "promoted at (UTC)"],
        empty="--promote RUN lets a strategy know the trades of a run from the start; see "
        "docs/concepts/memory.md.",
    )
    return 0


def _promote(memory: MemoryFolder, beginning: str, strategy: str | None) -> None:
    from freqtrade_mem0.recall.priors import promote
    from freqtrade_mem0.records.kinds.trade import TradeRecord

    user_id = memory.settings.user_id
    found = {
        record.origin
        for record in memory.records(user_id=user_id, kind=TradeRecord.kind)
        if record.origin.run_id.startswith(beginning)
    }
    if len(found) != 1:
        raise RecordError(
            f"{len(found)} runs begin with {beginning!r}; exactly one must. 'freqtrade-mem0 records"
            " --kind trade --json' names the run of each trade."
        )
    source = found.pop()
    promote(
        memory.journal,
        user_id=user_id,
        source=source,
        strategy=strategy or source.strategy,
        provenance="promoted by hand",
        now=datetime.now(UTC),
    )


def _withdraw(memory: MemoryFolder, beginning: str, strategy: str | None) -> None:
    from freqtrade_mem0.recall.priors import promotions, withdraw

    found = [
        promotion
        for promotion in promotions(memory.journal, memory.settings.user_id, strategy)
        if promotion.source_run_id.startswith(beginning)
    ]
    if not found:
        raise RecordError(f"No promoted run begins with {beginning!r}.")
    for promotion in found:
        withdraw(memory.journal, promotion, datetime.now(UTC))


def _accept(memory: MemoryFolder, beginning: str, strategy: str | None) -> None:
    from freqtrade_mem0.recall.priors import accept, waiting

    found = [
        promotion
        for promotion in waiting(memory.journal, memory.settings.user_id, strategy)
        if promotion.id.startswith(beginning)
    ]
    if len(found) != 1:
        raise RecordError(
            f"{len(found)} promotions that wait begin with {beginning!r}; exactly one must. "
            "'freqtrade-mem0 priors --json' lists them."
        )
    accept(memory.journal, found[0])
