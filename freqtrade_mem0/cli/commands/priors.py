"""`priors`: which runs a strategy reads from its first decision on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from freqtrade_mem0.cli.context import memory_options, opened_store, output_options
from freqtrade_mem0.cli.output import print_json, print_table, when
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.journal import Scope
from freqtrade_mem0.recall.priors import promote, promotions, withdraw
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.views.values import iso

if TYPE_CHECKING:
    import argparse

    from freqtrade_mem0.cli.context import Commands
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.base import Origin
    from freqtrade_mem0.records.kinds.promotion import Promotion


def add_commands(commands: Commands) -> None:
    """Add `priors`."""
    parser = commands.add_parser(
        "priors",
        help="list, promote and withdraw what a strategy knows from the start",
        description="List the runs whose trades a strategy reads as a prior, at a discount. A "
        "running bot reads a change within `sync_interval`.",
    )
    action = parser.add_mutually_exclusive_group()
    action.add_argument(
        "--promote", metavar="RUN", help="Promote a run; its id, or the beginning of it."
    )
    action.add_argument("--withdraw", metavar="RUN", help="Withdraw a run.")
    parser.add_argument(
        "-s",
        "--strategy",
        metavar="NAME",
        help="The strategy that reads it. Default: the one that made the run.",
    )
    memory_options(parser)
    output_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Promote or withdraw what is asked for, then list what is promoted."""
    with opened_store(arguments) as store:
        if arguments.promote is not None:
            source = _run_named(store, arguments.promote)
            promote(
                store.journal,
                user_id=store.settings.user_id,
                source=source,
                strategy=arguments.strategy or source.strategy,
                provenance="promoted by hand",
                now=datetime.now(UTC),
            )
        elif arguments.withdraw is not None:
            for promotion in _promotions_named(store, arguments):
                withdraw(store.journal, promotion, datetime.now(UTC))
        active = promotions(store.journal, store.settings.user_id, arguments.strategy)
    if arguments.json:
        print_json([_facts(promotion) for promotion in active])
        return 0
    print_table(
        f"{len(active)} priors",
        ["read by", "trades of", "mode", "run", "promoted at (UTC)", "where from"],
        [
            [
                promotion.origin.strategy,
                promotion.source_strategy,
                str(promotion.source_mode),
                promotion.source_run_id[:12],
                when(promotion.known_at),
                promotion.provenance,
            ]
            for promotion in active
        ],
    )
    return 0


def _run_named(store: MemoryFolder, beginning: str) -> Origin:
    scope = Scope(user_id=store.settings.user_id, kind=TradeRecord.kind)
    found = {
        record.origin
        for _, record in store.journal.records(scope)
        if record.origin.run_id.startswith(beginning)
    }
    if len(found) != 1:
        raise RecordError(
            f"{len(found)} runs begin with {beginning!r}; exactly one must. 'freqtrade-mem0 records"
            " --kind trade --json' names the run of each trade."
        )
    return found.pop()


def _promotions_named(store: MemoryFolder, arguments: argparse.Namespace) -> list[Promotion]:
    found = [
        promotion
        for promotion in promotions(store.journal, store.settings.user_id, arguments.strategy)
        if promotion.source_run_id.startswith(arguments.withdraw)
    ]
    if not found:
        raise RecordError(f"No promoted run begins with {arguments.withdraw!r}.")
    return found


def _facts(promotion: Promotion) -> dict[str, str | None]:
    return {
        "strategy": promotion.origin.strategy,
        "source_strategy": promotion.source_strategy,
        "source_mode": str(promotion.source_mode),
        "source_run_id": promotion.source_run_id,
        "promoted_at": iso(promotion.known_at),
        "provenance": promotion.provenance,
    }
