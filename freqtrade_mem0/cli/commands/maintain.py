"""Keep the memory in order: age it through its tiers, prune it, find patterns, shrink its files.

A backup is made first if `mem0.backup.every_days` asks for one. Bots may keep running; one cycle at
a time works on a memory. If it is interrupted, the next one continues. No stake changes. Run it
every day, by cron for example.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from freqtrade_mem0.cli.context import opened_memory, stored_candles
from freqtrade_mem0.cli.options import memory_options
from freqtrade_mem0.cli.output import print_json, print_lines
from freqtrade_mem0.cli.progress import progress_bar
from freqtrade_mem0.words.numbers import counted

if TYPE_CHECKING:
    import argparse

    from rich.progress import Progress

    from freqtrade_mem0.lifecycle.report import CycleReport

NAME = "maintain"
GIVES_WAY = True

_PRUNED = (
    " Searches no longer find what is pruned; of pruned trades they find monthly summaries. The"
    " records stay in the journal, and stakes do not change. The keys 'mem0.retention' say how long"
    " memories stay."
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `maintain`."""
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="Only tell what would be done. It notes which memories written by hand it has "
        "named: only those may be pruned later.",
    )
    parser.add_argument(
        "--explain",
        metavar="ID",
        help="Run nothing; show what decides over one memory: its tier and age, and each factor of "
        "its relevance. The first characters of the id are enough.",
    )
    memory_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run one cycle, with a progress bar on a terminal, and print its report."""
    from freqtrade_mem0.archive.rotation import rotate
    from freqtrade_mem0.journal.in_use import is_in_use
    from freqtrade_mem0.lifecycle.cycle import run_cycle

    if arguments.explain is not None:
        return _explain(arguments)
    now = datetime.now(UTC)
    with opened_memory(arguments) as memory, progress_bar() as progress:
        alone = not is_in_use(memory.journal.path)  # before this process opens the file itself
        made = None if arguments.dry_run else rotate(memory, now).made
        report = run_cycle(
            memory,
            now,
            dry_run=arguments.dry_run,
            alone=alone,
            progress=_Bar(progress),
            candles=stored_candles(arguments),
        )
    if arguments.json:
        print_json(report.as_dict() | {"backup": None if made is None else str(made.path)})
    else:
        print_lines(*([f"A backup was made: {made.path}."] if made else []), *_sentences(report))
    return 0


def _explain(arguments: argparse.Namespace) -> int:
    from freqtrade_mem0.lifecycle.explained import explained

    with opened_memory(arguments) as memory:
        facts = explained(memory, arguments.explain, datetime.now(UTC))
    if arguments.json:
        print_json(facts)
        return 0
    days = facts["retention_days"]
    kept = "for ever" if days is None else f"for {days:g} days"
    said = {name: _rounded(value) for name, value in facts.items()}
    names = ("importance", "success", "profit", "access", "recency")
    factors = " x ".join(f"{name} {said[name]}" for name in names)
    goes = "be pruned" if facts["may_go_by_relevance"] else "stay all the same"
    lines = [
        f"The {said['kind']} {said['id']} ({said['category']}) is {said['tier']}.",
        f"Age: {said['age_days']} days. Kept {kept}. Asked for {said['asked']} times.",
        f"Relevance: {said['relevance']} = {said['base']} x {factors}, at most 1.",
        f"With a relevance below {said['least_relevance']} it would {goes}.",
    ]
    if not facts["may_be_pruned"]:
        lines.append("It was written by hand: it goes only after a dry run has named it.")
    print_lines(*lines)
    return 0


def _rounded(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


class _Bar:
    """A task of the progress display, for one step after another."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("Maintaining", total=None)

    def __call__(self, what: str, done: int, total: int) -> None:
        self._progress.update(self._task, description=what, completed=done, total=total or None)


def _sentences(report: CycleReport) -> list[str]:
    would = "would be " if report.dry_run else ""
    pruned, patterns = report.counts["pruned"], report.counts["patterns"]
    moved = sum(report.counts["migrated"].values())
    compressed = report.counts["compressed"]
    ways = ", ".join(f"{n} {way.replace('_', ' ')}" for way, n in pruned.items())
    resolved = counted(report.counts["outcomes"], "decision")
    found = ", ".join(f"{n} {what}" for what, n in patterns.items())
    memories = counted(sum(pruned.values()), "memory", "memories")
    return [
        f"{counted(moved, 'memory', 'memories')} {would}moved to a colder tier.",
        f"{counted(compressed, 'memory', 'memories')} {would}compressed.",
        f"{memories} {would}pruned: {ways}." + (_PRUNED if any(pruned.values()) else ""),
        f"Patterns: {found}.",
        f"Outcomes of {resolved} of agents {would or 'were '}filled in.",
        *report.notes,
    ]
