"""Show what the present settings would have done to the stakes of a run.

The stakes of the newest run in the ledger are compared with the stakes that the settings in the
config would give them, as if shadow mode were off. For a bot in shadow this shows what switching it
on would do. Nothing is changed. Each stake uses only what was known before it, without the limits
of exchange and wallet. 'compare' measures whether it pays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.cli.context import opened_memory, scope_of
from freqtrade_mem0.cli.options import memory_options, scope_options
from freqtrade_mem0.cli.output import print_json, print_lines, print_table, when
from freqtrade_mem0.words.numbers import amount, counted

if TYPE_CHECKING:
    import argparse

NAME = "preview"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `preview`."""
    scope_options(parser)
    memory_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print how stakes would differ."""
    from freqtrade_mem0.views.preview import preview

    with opened_memory(arguments) as memory:
        facts = preview(memory, scope_of(arguments, memory))
    if arguments.json:
        print_json(facts)
        return 0
    print_lines(_summary(facts))
    if facts["largest_changes"]:
        print_table(
            "Largest changes; 'why ID' explains the decision of that time",
            ["decided at (UTC)", "pair", "side", "tag", "Proposed", "Was", "Would be", "trade"],
            [_cells(change) for change in facts["largest_changes"]],
            optional=["side", "tag"],
        )
    return 0


def _summary(facts: dict[str, Any]) -> str:
    shadow = f", {facts['n_in_shadow']} of them in shadow" if facts["n_in_shadow"] else ""
    return (
        f"{facts['strategy']}, {facts['mode']} {facts['run_id'][:12]}: "
        f"{counted(facts['n_trades'], 'trade')}{shadow}. "
        f"With the present settings (policy {facts['policy']}) "
        f"{facts['share_changed']:.0%} of the stakes would have been different. Their mean "
        f"multiplier would have been x{facts['mean_multiplier_preview']:.3f}; it was "
        f"x{facts['mean_multiplier_applied']:.3f}."
    )


def _cells(change: dict[str, Any]) -> list[str]:
    return [
        when(change["decided_at"]),
        change["pair"],
        change["side"],
        change["enter_tag"],
        amount(change["proposed_stake"]),
        amount(change["stake_applied"]),
        amount(change["stake_preview"]),
        (change["trade_id"] or "")[:8],
    ]
