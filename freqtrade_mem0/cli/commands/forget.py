"""Delete a user, a strategy, a run or a bot everywhere, and print a receipt.

It deletes from journal, ledger, Mem0 and its history, search index, snapshots and logs of the
database files, asks again, and names what it can not reach. What was forgotten is not taken in
again from Mem0 or a trade database. Stop the user's bots first. If it is interrupted, run it again.
Without --yes it only counts. 'revoke' is what takes a bot's trades out of stakes and keeps them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.cli.context import opened_memory
from freqtrade_mem0.cli.options import memory_options, not_blank
from freqtrade_mem0.cli.output import print_json, print_lines

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from freqtrade_mem0.lifecycle.forget.scope import ForgetScope
    from freqtrade_mem0.views.values import Facts

NAME = "forget"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `forget`."""
    # An empty --bot, as of a variable that is not set, would forget all bots of the user.
    parser.add_argument(
        "--user",
        required=True,
        type=not_blank,
        metavar="USER",
        help="The owner's whole user id.",
    )
    parser.add_argument(
        "-s", "--strategy", type=not_blank, metavar="NAME", help="Only this strategy."
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--run-id",
        type=not_blank,
        metavar="RUN",
        help="Only this backtest run or bot, by its whole id.",
    )
    which.add_argument(
        "--bot",
        type=not_blank,
        metavar="BOT",
        help="Only what this bot noted in dry-run or live, by its whole id.",
    )
    parser.add_argument(
        "--backups",
        choices=("keep", "delete"),
        default="keep",
        help="Backups hold what was there when they were made. 'keep' (the default) names them in "
        "the receipt; 'delete' deletes all of them, and what they hold of others.",
    )
    parser.add_argument(
        "--allow-return",
        action="store_true",
        help="Delete nothing, but let what was forgotten be taken in again, for example from a "
        "trade database.",
    )
    parser.add_argument("--dry-run", action="store_true", help="Only count, as without --yes.")
    parser.add_argument("--yes", action="store_true", help="Do it. It can not be undone.")
    memory_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Forget, and print the receipt; exit code 1 if something is left."""
    from freqtrade_mem0.lifecycle.forget.scope import ForgetScope
    from freqtrade_mem0.views import forgetting

    scope = ForgetScope(
        user_id=arguments.user,
        strategy=arguments.strategy,
        run_id=arguments.bot or arguments.run_id,
        bots_only=arguments.bot is not None,
    )
    with opened_memory(arguments) as memory:
        if arguments.allow_return:
            facts = forgetting.allow_return(memory, scope)
        elif arguments.dry_run or not arguments.yes:
            facts = forgetting.planned(memory, scope)
        else:
            facts = forgetting.forget(memory, scope, with_backups=arguments.backups == "delete")
    if arguments.json:
        print_json(facts)
    else:
        print_lines(*_sentences(facts, _words(scope)))
    return 0 if facts.get("complete", True) else 1


def _sentences(facts: Facts, what: str) -> Iterator[str]:
    if "may_return" in facts:
        yield f"What was forgotten of {what} may be taken in again."
        return
    if "would_delete" in facts:
        counts = facts["would_delete"]
        yield f"Of {what}, this would be deleted: {_counts(counts)}.{' Add --yes.' * bool(counts)}"
        if facts["running"]:
            yield f"Stop first: {', '.join(facts['running'])}."
        for path in facts["old_copies"]:
            yield f"{path}, which 'salvage' or 'restore' left, would be deleted, too."
        for path in facts["backups"]:
            yield f"The backup {path} would be kept; --backups delete deletes it."
        return
    if facts["complete"]:
        yield f"{what[0].upper()}{what[1:]} was forgotten at {facts['at']}."
    else:
        yield f"Something is left of {what}. Run the same command again."
    yield f"Deleted: {_counts(facts['deleted'])}."
    yield f"Asked again, found: {_counts(facts['probes'])}."
    yield f"Root of the journal's chain before: {facts['root_before']}"
    yield f"Root of the journal's chain after:  {facts['root_after']}"
    yield "Out of reach:"
    yield from (f"- {each}" for each in facts["left"])


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {n}" for name, n in counts.items()) or "nothing"


def _words(scope: ForgetScope) -> str:
    parts = [f"user {scope.user_id}"]
    if scope.strategy is not None:
        parts.append(f"strategy {scope.strategy}")
    if scope.run_id is not None:
        parts.append(f"{'bot' if scope.bots_only else 'run'} {scope.run_id}")
    return ", ".join(parts)
