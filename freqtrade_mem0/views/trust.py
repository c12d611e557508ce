"""Who wrote the records that stakes depend on, what was not taken, and who is revoked."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal import revoked
from freqtrade_mem0.journal.revoked import Revoked
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.recall import priors
from freqtrade_mem0.records.base import from_ms
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.views.values import Facts, iso
from freqtrade_mem0.words.numbers import counted

if TYPE_CHECKING:
    from datetime import datetime

    from freqtrade_mem0.memory_folder import MemoryFolder


def set_aside(memory: MemoryFolder) -> list[Facts]:
    """Return the records that could not be taken: `source`, `id`, `why`, `since`; newest first."""
    return [asdict(each) | {"since": iso(each.since)} for each in memory.journal.set_aside()]


def writers(memory: MemoryFolder, user_id: str) -> list[Facts]:
    """Return who wrote an owner's trades of bots.

    Each has `strategy`, `mode`, `run_id`, `trades`, `from_mem0` (how many of these
    came from Mem0, and nothing here confirms), `first_recorded_at`, `last_recorded_at`, and
    `revoked_since` (None: not revoked).
    """
    rows = memory.journal.connection.rows(
        "SELECT strategy, mode, run_id, count(*),"
        " sum(EXISTS (SELECT 1 FROM adopted WHERE adopted.seq = evidence.seq)),"
        " min(recorded_ms), max(recorded_ms) FROM evidence"
        " JOIN scopes ON scopes.number = evidence.scope"
        " WHERE is_current = 1 AND kind = ? AND user_id = ? AND mode IN ('live', 'dry_run')"
        " GROUP BY strategy, mode, run_id ORDER BY strategy, mode, run_id",
        [TradeRecord.kind, user_id],
    )
    since = {
        (each.strategy, each.run_id): iso(each.since)
        for each in revoked.revoked(memory.journal)
        if each.user_id == user_id
    }
    return [
        {
            "strategy": strategy,
            "mode": mode,
            "run_id": run_id,
            "trades": n_trades,
            "from_mem0": n_adopted,
            "first_recorded_at": iso(from_ms(first)),
            "last_recorded_at": iso(from_ms(last)),
            "revoked_since": since.get((strategy, run_id)) or since.get(("", run_id)),
        }
        for strategy, mode, run_id, n_trades, n_adopted, first, last in rows
    ]


def outside(memory: MemoryFolder) -> tuple[bool, str]:
    """Return whether nothing from outside needs attention, and what there is, as a sentence."""
    owner = memory.settings.user_id
    found = memory.journal.set_aside()
    waiting = priors.waiting(memory.journal, owner)
    foreign = sum(each["from_mem0"] for each in writers(memory, owner))
    text = f"{counted(foreign, 'trade')} of bots came from Mem0"
    if found:
        text += (
            f"; {counted(len(found), 'record')} could not be taken, the newest from "
            f"{found[0].source}: {found[0].why} ('freqtrade-mem0 records --set-aside' lists them)"
        )
    if waiting:
        text += (
            f"; {counted(len(waiting), 'prior')} promoted elsewhere: your consent is missing "
            "('freqtrade-mem0 priors' lists them)"
        )
    return not found and not waiting, text


def revoke_writer(
    memory: MemoryFolder,
    run_id: str,
    strategy: str,
    since: datetime,
    *,
    now: datetime,
    is_agreed: bool,
) -> Facts:
    """Take a writer's records out of evidence if that is agreed; return what that changes.

    `strategy` "" stands for each. A writer that nothing is known of can be revoked beforehand.
    """
    user_id = memory.settings.user_id
    writer = Revoked(user_id=user_id, strategy=strategy, run_id=run_id, since=since, revoked_at=now)
    if is_agreed:
        revoked.revoke(memory.journal, writer)
    scope = Scope(user_id=user_id, strategy=strategy or None, run_id=run_id)
    n_trades = sum(
        revoked.is_revoked(trade, [writer]) for trade in memory.journal.evidence.trades(scope)
    )
    return {"run_id": run_id, "strategy": strategy, "trades": n_trades, "done": is_agreed}


def undo_revocation(memory: MemoryFolder, run_id: str, strategy: str) -> Facts:
    """Let a writer's records count again.

    Raises
    ------
    RecordError
        The writer is not revoked.
    """
    user_id = memory.settings.user_id
    if not revoked.restore(memory.journal, user_id, run_id, strategy):
        of_strategy = f" for strategy {strategy}" if strategy else ""
        raise RecordError(f"No writer {run_id!r} is revoked{of_strategy}.")
    scope = Scope(user_id=user_id, strategy=strategy or None, run_id=run_id)
    n_trades = sum(1 for _ in memory.journal.of_kind(TradeRecord, scope))
    return {"run_id": run_id, "strategy": strategy, "trades": n_trades, "done": True}
