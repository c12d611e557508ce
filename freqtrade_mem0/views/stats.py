"""How many records are in the journal and in Mem0, and how many wait for delivery."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from freqtrade_mem0.core_memory.log import n_unresolved
from freqtrade_mem0.errors import BackendError
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.views.decisions import newest_account
from freqtrade_mem0.views.trust import writers
from freqtrade_mem0.views.values import Facts, iso

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.memory_folder import MemoryFolder


def stats(memory: MemoryFolder, user_id: str | None = None) -> Facts:
    """Return how many records are where, and how many wait.

    Parameters
    ----------
    memory
        The memory.
    user_id
        Whose records are counted; None for the owner in the settings. What waits is everybody's.

    Returns
    -------
    dict
        `folder`, `mode`; `journal` and `mem0`, each with `total`, `by_kind`, `by_category` and
        `by_mode` (`mem0` is None in mode "local", and where Mem0 can not be asked: then
        `mem0_error` says why); `pending`, `dead`, `last_error`, `failures` in a row,
        `delivered_at` (ISO time of the last delivery or None), `lag_s` (age of the oldest
        record that waits, in seconds; 0.0 where none does), `writers` (see `trust.writers`),
        `account` (memory's account in the newest run, None where it keeps none),
        `unresolved_decisions` (decisions of agents whose outcome is not known), `set_aside`
        (records from outside that could not be taken).

    Raises
    ------
    JournalError
        The journal can not be read.
    """
    owner = memory.settings.user_id if user_id is None else user_id
    state = memory.outbox.state()
    in_mem0, mem0_error = None, ""
    if memory.delivers:
        try:
            in_mem0 = _count_in_mem0(memory, owner)
        except BackendError as error:
            mem0_error = str(error)
    now = datetime.now(UTC)
    since = state.waiting_since if memory.delivers else None
    lag = timedelta(0) if since is None else max(now - since, timedelta(0))
    return {
        "folder": str(memory.folder),
        "mode": memory.settings.mode,
        "journal": summary(memory.journal.counts(user_id=owner)),
        "mem0": in_mem0,
        "mem0_error": mem0_error,
        "pending": state.pending if memory.delivers else 0,
        "dead": state.dead,
        "last_error": state.last_error,
        "failures": state.failures,
        "delivered_at": iso(state.delivered_at),
        "lag_s": lag.total_seconds(),
        "writers": writers(memory, owner),
        "account": newest_account(memory, Scope(user_id=owner)),
        "unresolved_decisions": n_unresolved(memory, owner),
        "set_aside": len(memory.journal.set_aside()),
    }


def _count_in_mem0(memory: MemoryFolder, owner: str) -> Facts:
    counts = memory.backend.count(filters={"user_id": owner}, by=("kind", "category", "mode"))
    return summary(
        {(str(kind), str(category), str(mode)): n for (kind, category, mode), n in counts.items()}
    )


def summary(counts: Mapping[tuple[str, str, str], int]) -> Facts:
    """Return counts by kind, category and mode as `total`, `by_kind` and so on."""
    found: Facts = {"total": sum(counts.values())}
    for position, name in enumerate(("by_kind", "by_category", "by_mode")):
        totals: dict[str, int] = {}
        for key, count in sorted(counts.items()):
            totals[key[position]] = totals.get(key[position], 0) + count
        found[name] = totals
    return found
