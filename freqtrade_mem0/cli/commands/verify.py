"""Check that nothing in the journal was changed since it was written.

The journal has a chain of hashes over its records and over the ledger of decisions, with a root for
each day. Every row is compared with it. Rows that were forgotten, compacted or lost are counted.
Whoever may write the file can make the whole chain anew; so keep a root elsewhere, from time to
time, and give it with --root. Exit code 1 if something does not fit.
"""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from typing import TYPE_CHECKING

from freqtrade_mem0.cli.context import opened_memory
from freqtrade_mem0.cli.options import memory_options
from freqtrade_mem0.cli.output import print_json, print_lines
from freqtrade_mem0.cli.progress import progress_bar
from freqtrade_mem0.words.numbers import counted

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from freqtrade_mem0.views.values import Facts

NAME = "verify"

_SHOWN = 10


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `verify`."""
    parser.add_argument(
        "--root",
        action="append",
        type=_kept_root,
        default=[],
        metavar="DAY=HASH",
        help="A root that was printed earlier and kept elsewhere, as in 2026-11-28=5f1c...; may be "
        "given several times.",
    )
    parser.add_argument("--roots", action="store_true", help="Print the root of every day.")
    memory_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Check the chain, and print the first row that does not fit."""
    from freqtrade_mem0.views.tamper import chain_facts

    with opened_memory(arguments) as memory, progress_bar() as progress:
        task = progress.add_task("Checking the journal", total=None)
        facts = chain_facts(
            memory,
            dict(arguments.root),
            lambda done, n: progress.update(task, completed=done, total=n),
        )
    if arguments.json:
        print_json(facts)
    else:
        print_lines(*_sentences(facts, with_roots=arguments.roots))
    return 0 if facts["intact"] else 1


def _sentences(facts: Facts, *, with_roots: bool) -> Iterator[str]:
    rows, roots = counted(facts["rows"], "row"), facts["roots"]
    if facts["intact"]:
        yield f"{rows} compared with the chain of hashes: nothing was changed."
    else:
        first, *others = facts["first"]
        yield f"Of {rows}, {counted(facts['breaks'], 'break')} of the chain. The first is"
        yield f"{first['what']}: {first['means']}."
        for each in others[: _SHOWN - 1]:
            yield f"Also {each['what']}: {each['means']}."
        if facts["breaks"] > _SHOWN:
            yield f"And {facts['breaks'] - _SHOWN} more; --json lists the first thousand."
    for why, count in facts["gone"].items():
        yield f"{counted(count, 'row')} {why}: the chain has the hash, and nothing else is left."
    if roots:
        began, last = roots[0], roots[-1]
        yield f"The chain began on {began['day']}, with what was in the journal then."
        yield f"Root to keep elsewhere: {last['day']}={last['root']}"
    if with_roots:
        yield from (f"{each['day']}={each['root']}" for each in roots)


def _kept_root(text: str) -> tuple[str, str]:
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)=([0-9a-fA-F]{64})", text.strip())
    if found is None:
        raise ArgumentTypeError(f"write it as DAY=HASH, with 64 hexadecimal digits, not {text!r}")
    return found[1], found[2]
