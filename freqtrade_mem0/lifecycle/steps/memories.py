"""Moves memories to colder tiers: compressed when warm, in a summary when cold.

Only trades become cold: a summary says what there is to say about them. Other memories stay warm
until they are pruned.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from freqtrade_mem0.journal.aged import State
from freqtrade_mem0.lifecycle.aging import HOUR_MS, unused_ms, with_memory, without_memory
from freqtrade_mem0.lifecycle.pruning import Pruned, prune
from freqtrade_mem0.lifecycle.step import StepReport
from freqtrade_mem0.lifecycle.tiers import Tier
from freqtrade_mem0.records.kinds.trade import TradeRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freqtrade_mem0.journal.aged import Aging
    from freqtrade_mem0.lifecycle.step import Work

NAME = "Moving memories to colder tiers"
ORDER = 70

_PER_WRITE = 500
_ORDERED = tuple(Tier)
_STATES = {Tier.WARM: State.WARM, Tier.COLD: State.COLD, Tier.ARCHIVE: State.ARCHIVE}


def run(work: Work) -> StepReport:
    """Move memories by age, use and number; the oldest beyond a tier's size go to the next one."""
    moves = _moves(work)
    migrated = Counter[str]()
    ids: dict[str, list[str]] = {}
    notes: list[str] = []
    n_compressed = 0
    for tier, rows in moves.items():
        moved = _move(work, tier, rows)
        n_compressed += sum(row.state is not State.COLD for row in moved.rows)
        notes += moved.notes
        for row in moved.rows:
            for border in _borders(_tier_of(row), tier):
                migrated[border] += 1
                ids.setdefault(f"migrated.{border}", []).append(row.id)
    counts = {"migrated": dict(migrated), "compressed": n_compressed}
    return StepReport(counts=counts, ids=ids, notes=notes)


def _moves(work: Work) -> dict[Tier, list[Aging]]:
    """Return the memories that are to move, by the tier they move to."""
    room = {
        Tier.HOT: work.settings.lifecycle.max_hot,
        Tier.WARM: work.settings.lifecycle.max_warm,
        Tier.COLD: work.settings.lifecycle.max_cold,
    }
    cold = [row for row in without_memory(work, [TradeRecord.kind]) if row.state is State.COLD]
    moves: dict[Tier, list[Aging]] = {tier: [] for tier in _STATES}
    for row in (*with_memory(work), *cold):
        tier = max(_by_age(work, row), _tier_of(row), key=_ORDERED.index)
        while room.get(tier) == 0:
            tier = _ORDERED[_ORDERED.index(tier) + 1]
        if row.kind != TradeRecord.kind:
            tier = min(tier, Tier.WARM, key=_ORDERED.index)
        if tier in room:
            room[tier] = max(room[tier] - 1, 0)
        if tier is not _tier_of(row):
            moves[tier].append(row)
    return moves


def _move(work: Work, tier: Tier, rows: Sequence[Aging]) -> Pruned:
    if tier is not Tier.WARM:
        new = [row for row in rows if row.state is not State.COLD]
        moved = prune(work, NAME, new, _STATES[tier])
        rows = [row for row in rows if row.state is State.COLD]
    else:
        moved = Pruned()
    moved.rows += rows
    for start in range(0, 0 if work.dry_run else len(rows), _PER_WRITE):
        part = rows[start : start + _PER_WRITE]
        if tier is Tier.WARM and work.memory.delivers:
            work.memory.backend.compress([row.id for row in part])
        work.memory.aged.note([row.seq for row in part], _STATES[tier])
        work.progress(NAME, start + len(part), len(rows))
    return moved


def _tier_of(row: Aging) -> Tier:
    return Tier.HOT if row.state is None else Tier(row.state)


def _by_age(work: Work, row: Aging) -> Tier:
    lifecycle = work.settings.lifecycle
    hours = unused_ms(work, row) / HOUR_MS
    ends = (lifecycle.hot_hours, lifecycle.warm_hours, lifecycle.cold_hours)
    return _ORDERED[sum(hours > end for end in ends)]


def _borders(before: Tier, after: Tier) -> list[str]:
    """Return the borders that a memory passed, as in "hot_to_warm"."""
    first, last = _ORDERED.index(before), _ORDERED.index(after)
    return [f"{_ORDERED[n]}_to_{_ORDERED[n + 1]}" for n in range(first, last)]
