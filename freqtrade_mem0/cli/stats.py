"""`stats`: how much is remembered where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.cli.context import memory_options, opened_store, output_options
from freqtrade_mem0.cli.output import console, print_json, print_table

if TYPE_CHECKING:
    import argparse

    from freqtrade_mem0.cli.context import Commands


def add_commands(commands: Commands) -> None:
    """Add `stats`."""
    parser = commands.add_parser(
        "stats",
        help="count what is remembered in the journal and in Mem0",
        description="Count records in the journal and memories in Mem0, by kind, category and "
        "mode, and what still waits for delivery.",
    )
    memory_options(parser)
    output_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the counts."""
    with opened_store(arguments) as store:
        facts = store.stats()
    if arguments.json:
        print_json(facts)
        return 0
    journal, mem0 = facts["journal"], facts["mem0"]
    rows = [_row("all", journal["total"], mem0, mem0 and mem0["total"])]
    for group, title in (("by_kind", "kind"), ("by_category", "category"), ("by_mode", "mode")):
        names = sorted({*journal[group], *((mem0 or {}).get(group, {}))})
        rows += [
            _row(
                f"{title} {name}",
                journal[group].get(name, 0),
                mem0,
                mem0 and mem0[group].get(name, 0),
            )
            for name in names
        ]
    print_table(f"Memory in {facts['folder']}", ["what", "Journal", "Mem0"], rows)
    if mem0 is None:
        console().print("Mode 'local': the journal is the memory, nothing goes on to Mem0.")
        return 0
    console().print(f"{facts['pending']} wait for delivery to Mem0, {facts['dead']} are refused.")
    if facts["last_error"]:
        console().print(f"Last error: {facts['last_error']}")
    return 0


def _row(name: str, in_journal: int, mem0: Any, in_mem0: Any) -> list[str]:
    return [name, str(in_journal), "" if mem0 is None else str(in_mem0)]
