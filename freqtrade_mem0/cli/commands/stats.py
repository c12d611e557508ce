"""`stats`: how much is remembered where."""

from __future__ import annotations

from datetime import timedelta
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
    out = console()
    if facts["mode"] == "local":
        out.print("Mode 'local': the journal is the memory, nothing goes on to Mem0.")
        return 0
    if facts["mem0_error"]:
        out.print(f"Mem0 can not be asked: {facts['mem0_error']}", markup=False)
    out.print(f"{facts['pending']} wait for delivery to Mem0{_delay(facts)}.", markup=False)
    if facts["dead"]:
        out.print(f"{facts['dead']} were refused; see 'freqtrade-mem0 dead-letters'.")
    if facts["last_error"]:
        out.print(f"Last error: {facts['last_error']}", markup=False)
    return 0


def _delay(facts: dict[str, Any]) -> str:
    parts = []
    if facts["pending"]:
        parts.append(f"the oldest for {timedelta(seconds=round(facts['lag_s']))}")
    if facts["failures"]:
        parts.append(f"{facts['failures']} attempts have failed in a row")
    return f" ({', '.join(parts)})" if parts else ""


def _row(name: str, in_journal: int, mem0: Any, in_mem0: Any) -> list[str]:
    return [name, str(in_journal), "" if mem0 is None else str(in_mem0)]
