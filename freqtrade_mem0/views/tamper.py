"""Whether a journal still says what was written to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.journal.chain_check import check_chain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.views.values import Facts


def chain_facts(
    memory: MemoryFolder,
    kept: Mapping[str, str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Facts:
    """Return what a check of the chain of hashes found; see `journal.chain_check`.

    `intact`, `rows` and `items` that were compared, `breaks` (how many), `first` (the breaks in the
    order of the chain, each with `what` and `means`), `gone` (rows that freqtrade-mem0 deleted
    itself, counted by why), `deletions` (`at`, `why`, `table`, `rows`), `roots` (`day`, `root`,
    `items`; oldest first).
    """
    found = check_chain(memory.journal.connection, kept, progress)
    return {
        "intact": not found.n_breaks,
        "rows": found.n_rows,
        "items": found.n_items,
        "breaks": found.n_breaks,
        "first": [{"what": each.what, "means": each.means} for each in found.breaks],
        "gone": dict(found.gone),
        "deletions": found.noted,
        "roots": [
            {"day": each.day, "root": each.root, "items": each.n_items} for each in found.roots
        ],
    }
