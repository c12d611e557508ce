"""Count the records in the journal and in Mem0.

They are counted by kind, category and mode, with the records that wait for delivery.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.cli.context import opened_memory
from freqtrade_mem0.cli.options import memory_options
from freqtrade_mem0.cli.output import print_json, print_lines, print_table
from freqtrade_mem0.words.numbers import counted

if TYPE_CHECKING:
    import argparse

NAME = "stats"

add_options = memory_options


def run(arguments: argparse.Namespace) -> int:
    """Print the counts."""
    from freqtrade_mem0.views.stats import stats

    with opened_memory(arguments) as memory:
        facts = stats(memory)
    if arguments.json:
        print_json(facts)
    else:
        print_table(f"Memory in {facts['folder']}", ["what", "Journal", "Mem0"], _rows(facts))
        print_lines(*_sentences(facts))
    return 0


def _rows(facts: dict[str, Any]) -> list[list[str]]:
    journal, mem0 = facts["journal"], facts["mem0"]
    rows = [["all", str(journal["total"]), "" if mem0 is None else str(mem0["total"])]]
    for title in ("kind", "category", "mode"):
        in_journal = journal[f"by_{title}"]
        in_mem0 = {} if mem0 is None else mem0[f"by_{title}"]
        rows += [
            [
                f"{title} {name}",
                str(in_journal.get(name, 0)),
                "" if mem0 is None else str(in_mem0.get(name, 0)),
            ]
            for name in sorted({*in_journal, *in_mem0})
        ]
    return rows


def _sentences(facts: dict[str, Any]) -> list[str]:
    foreign = [writer for writer in facts["writers"] if writer["from_mem0"]]
    sentences = [
        f"{counted(writer['from_mem0'], 'trade')} came from Mem0, by {writer['mode']} run "
        f"{writer['run_id']} of {writer['strategy']}"
        f"{', revoked' if writer['revoked_since'] else ''}."
        for writer in foreign
    ]
    if facts["account"]:
        account = facts["account"]
        sentences.append(f"{account['strategy']}, {account['mode']}: {account['text']}.")
    if facts["unresolved_decisions"]:
        sentences.append(
            f"Decisions of agents whose outcome is not known: {facts['unresolved_decisions']}; see "
            "'freqtrade-mem0 agent log --open'."
        )
    if facts["set_aside"]:
        sentences.append(
            f"Records that could not be taken: {facts['set_aside']}; see 'freqtrade-mem0 records "
            "--set-aside'."
        )
    return sentences + _delivery(facts)


def _delivery(facts: dict[str, Any]) -> list[str]:
    if facts["mode"] == "local":
        return ["Mode 'local': all records stay in the journal, none are delivered to Mem0."]
    sentences = []
    if facts["mem0_error"]:
        sentences.append(f"Mem0 can not be asked: {facts['mem0_error']}")
    waiting = f"Waiting for delivery to Mem0: {facts['pending']}"
    if facts["pending"]:
        waiting += f", the oldest for {timedelta(seconds=round(facts['lag_s']))}"
    if facts["failures"]:
        waiting += f"; {facts['failures']} attempts have failed in a row"
    sentences.append(f"{waiting}.")
    if facts["dead"]:
        sentences.append(f"Mem0 refused {facts['dead']}; see 'freqtrade-mem0 dead-letters'.")
    if facts["last_error"]:
        sentences.append(f"Last error: {facts['last_error']}")
    return sentences
