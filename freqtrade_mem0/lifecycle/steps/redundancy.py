"""Prunes texts that say what another one says; the best of them stays and names the others."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from freqtrade_mem0.journal.aged import Aging, State
from freqtrade_mem0.lifecycle.aging import with_memory
from freqtrade_mem0.lifecycle.likeness import clusters, near
from freqtrade_mem0.lifecycle.pruning import may_be_pruned, prune
from freqtrade_mem0.lifecycle.relevance import relevance
from freqtrade_mem0.lifecycle.step import StepReport
from freqtrade_mem0.lifecycle.steps import deliver
from freqtrade_mem0.records.kinds import record_types
from freqtrade_mem0.records.kinds.note import Note

if TYPE_CHECKING:
    from freqtrade_mem0.lifecycle.step import Work
    from freqtrade_mem0.records.base import Record

NAME = "Pruning by redundancy"
ORDER = 40

STANDS_FOR = "stands_for"
"""The key of a note's metadata that names the notes that said the same."""


class _Text(NamedTuple):
    row: Aging
    record: Record


def run(work: Work) -> StepReport:
    """Prune near-duplicates inside owner, kind, strategy and category."""
    going: list[Aging] = []
    for group in _groups(work).values():
        for places in clusters([each.record.sentence() for each in group], _threshold(work)):
            going += _superfluous(work, [group[place] for place in places])
    pruned = prune(work, NAME, going, State.BY_REDUNDANCY)
    deliver.run(work)  # what the notes that stay say now
    return StepReport(
        counts={"pruned": {"by_redundancy": len(pruned.rows)}, "compressed": len(pruned.rows)},
        ids={"pruned.by_redundancy": pruned.ids},
        notes=pruned.notes,
    )


def _threshold(work: Work) -> float:
    return work.settings.lifecycle.similarity_threshold


def _groups(work: Work) -> dict[tuple[object, ...], list[_Text]]:
    """Return the texts that can say the same: of one owner, kind, strategy and category.

    Where their writers gave names or switches with them, these must be the same, too.
    """
    kinds = [kind for kind, each in record_types().items() if each.text_is_content]
    groups: defaultdict[tuple[object, ...], list[_Text]] = defaultdict(list)
    for row in with_memory(work, kinds):
        record = work.memory.journal.record(row.id)
        if record is None:
            continue
        own = sorted(
            (key, value)
            for key, value in record.filter_keys().items()
            if isinstance(value, str | bool) and key != STANDS_FOR
        )
        key = (row.user_id, row.kind, row.strategy, row.mode, row.category, tuple(own))
        groups[key].append(_Text(row, record))
    return groups


def _superfluous(work: Work, cluster: list[_Text]) -> list[Aging]:
    """Return the rows of a cluster that go, and let the best one name them."""

    def value(text: _Text) -> tuple[float, int, int, int]:
        score = relevance(work, text.row, text.record).score
        return score, len(text.record.sentence()), text.row.known_ms, text.row.seq

    best = max(cluster, key=value)
    others = [each for each in cluster if each is not best]
    says_the_same = near(
        best.record.sentence(), [each.record.sentence() for each in others], _threshold(work)
    )
    rows = [each.row for each, same in zip(others, says_the_same, strict=True) if same]
    n_bytes = sum(len(each.record.sentence().encode()) for each in cluster)
    if len(best.record.sentence().encode()) > work.settings.lifecycle.compression_ratio * n_bytes:
        return []
    going = [row for row in rows if may_be_pruned(work, row)]
    if going and not work.dry_run and isinstance(best.record, Note):
        _let_name(work, best.record, going)
    return rows


def _let_name(work: Work, best: Note, going: list[Aging]) -> None:
    before = str(best.metadata.get(STANDS_FOR, "")).split()
    names = " ".join(sorted({*before, *(row.id for row in going)}))
    if names != " ".join(before):
        named = replace(best, metadata={**best.metadata, STANDS_FOR: names})
        work.memory.journal.append([replace(named, recorded_at=work.now)])
