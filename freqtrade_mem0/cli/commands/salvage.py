"""Make a new journal from a damaged one.

What can still be read of the damaged journal is written to a new one in its place. The damaged file
is kept beside it under a name with the date; nothing is deleted. Stop the bots that use this memory
first. An intact journal is not changed.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from freqtrade_mem0.cli.context import opened_memory
from freqtrade_mem0.cli.options import memory_options
from freqtrade_mem0.cli.output import print_json, print_lines
from freqtrade_mem0.words.numbers import counted

if TYPE_CHECKING:
    import argparse

    from freqtrade_mem0.journal.salvage import Salvaged

NAME = "salvage"

add_options = memory_options


def run(arguments: argparse.Namespace) -> int:
    """Salvage the journal, and print what was saved and what was lost."""
    from freqtrade_mem0.journal.salvage import salvage

    with opened_memory(arguments) as memory:
        path, delivers = memory.journal.path, memory.delivers
    done = salvage(path, datetime.now(UTC))
    if arguments.json:
        facts = {} if done is None else {**asdict(done), "kept": str(done.kept)}
        print_json({"damaged": done is not None, **facts})
    elif done is None:
        print_lines(f"{path} is intact; nothing was done.")
    else:
        print_lines(*_sentences(done, delivers=delivers))
    return 0


def _sentences(done: Salvaged, *, delivers: bool) -> list[str]:
    saved = done.saved
    summary = (
        f"Saved: {counted(saved['records'], 'record')}, "
        f"{counted(saved['decisions'], 'decision')}; "
        f"lost: {counted(done.lost_records, 'record')}."
    )
    sentences = [summary]
    if "decisions" not in done.complete:
        sentences.append("Some decisions may be lost; the ledger then has gaps.")
    if done.n_queued and delivers:
        sentences.append(
            f"Which records are in Mem0 could not be read, so {done.n_queued} are delivered again. "
            "Mem0 keeps each of them once."
        )
    sentences.append(f"The damaged file is kept as {done.kept}.")
    if delivers:
        sentences.append("'freqtrade-mem0 rebuild' reads from Mem0 the lost records it has.")
    sentences.append("A bot restores its trades from Freqtrade's database at its next start.")
    return sentences
