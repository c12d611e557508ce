"""Which part of a memory a view shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.records.base import Mode

if TYPE_CHECKING:
    from freqtrade_mem0.memory_folder import MemoryFolder


def find_scope(
    memory: MemoryFolder,
    *,
    strategy: str | None = None,
    mode: str | None = None,
    run_id: str | None = None,
    pair: str | None = None,
) -> Scope:
    """Return the scope of the memory's owner that some filters select.

    None selects any value. A run id may be given by its first characters, a pair in lower case.

    Raises
    ------
    RecordError
        No run id begins with `run_id`, or several do.
    """
    if run_id is not None:
        found = memory.journal.run_ids(run_id)
        if run_id not in found:
            if len(found) != 1:
                if not found:
                    raise RecordError(
                        f"No run id begins with {run_id!r}. 'freqtrade-mem0 runs' lists runs and "
                        "bots."
                    )
                named = ", ".join(found[:5])
                raise RecordError(
                    f"{len(found)} run ids begin with {run_id!r}: {named}. Write more of the id."
                )
            run_id = found[0]
    return Scope(
        user_id=memory.settings.user_id,
        strategy=strategy,
        modes=None if mode is None else [Mode(mode)],
        run_id=run_id,
        pair=None if pair is None else pair.upper(),
    )


def described(scope: Scope) -> str:
    """Return a scope in words."""
    named = {
        "strategy": scope.strategy,
        "mode": scope.modes and next(iter(scope.modes)),
        "run": scope.run_id,
        "pair": scope.pair,
    }
    words = [f"{name} {value}" for name, value in named.items() if value is not None]
    return ", ".join(words) or "any strategy"
