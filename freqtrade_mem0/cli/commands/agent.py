"""Show what agents decided and what became of it.

Outcomes that are known by now, from bots' closed trades and from stored candles, are filled in
first.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.cli.options import count, limit_of, memory_options
from freqtrade_mem0.cli.output import print_json, print_lines, print_table, title, when
from freqtrade_mem0.words.numbers import counted, percent

if TYPE_CHECKING:
    import argparse

NAME = "agent"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `agent`."""
    parser.add_argument("what", choices=["log"], help="The log of decisions.")
    parser.add_argument("--agent-id", metavar="NAME", help="Only this agent's.")
    parser.add_argument(
        "--open", action="store_true", help="Only decisions whose outcome is not known."
    )
    parser.add_argument(
        "-n", "--limit", type=count, metavar="N", help="Show at most N: the newest."
    )
    parser.add_argument(
        "--memory-path", type=Path, metavar="PATH", help="Folder of the memory, as of the agent."
    )
    memory_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print what agents decided."""
    from freqtrade_mem0.agents.outcomes import resolve
    from freqtrade_mem0.cli.context import opened_memory, read_config
    from freqtrade_mem0.client import Mem0Client
    from freqtrade_mem0.views.agent_log import agent_log, n_unresolved
    from freqtrade_mem0.views.present import Market

    with opened_memory(arguments) as memory:
        config = read_config(arguments)
        market = Market(memory=memory, config=config.freqtrade, user_data_dir=config.user_data_dir)
        resolve(Mem0Client(memory), market, datetime.now(UTC))
        owner = memory.settings.user_id
        rows = agent_log(
            memory,
            owner,
            agent=arguments.agent_id,
            only_open=arguments.open,
            limit=limit_of(arguments),
        )
        waiting = n_unresolved(memory, owner)
    if arguments.json:
        print_json(rows)
        return 0
    print_table(
        title(rows, "decision", arguments),
        ["decided at (UTC)", "agent", "action", "pair", "Confidence", "Outcome", "by", "reason"],
        [_cells(row) for row in rows],
    )
    print_lines(
        f"The outcome of {counted(waiting, 'decision')} is not known. What agents write never "
        "counts as evidence for a stake."
    )
    return 0


def _cells(row: dict[str, Any]) -> list[str]:
    outcome = row["outcome"] or {}
    ratio = outcome.get("profit_ratio")
    by = outcome.get("source") or row["state"]
    if outcome.get("is_disputed"):
        by = f"{by}, the agent said {percent(outcome['told_ratio'])}"
    elif row["is_hindsight"]:
        by = f"{by}, logged afterwards"
    return [
        when(row["decided_at"]),
        row["agent"],
        row["action"],
        row["pair"],
        "" if row["confidence"] is None else f"{row['confidence']:g}",
        "" if ratio is None else percent(ratio),
        by,
        row["reason"],
    ]
