"""The file format of a snapshot of recall: numbers and texts, no executable content.

It is a `checked_file`. Version 4 has in its heading `n_rows`, `asked_ms`, and `groups`: [level,
value, numbers of the groups it is inside of, six sums in hexadecimal]. Its parts are pages of
`PAGE_ROWS` rows, see `TradeColumns.packed_rows`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.insight.shrinkage import Key
from freqtrade_mem0.recall import checked_file
from freqtrade_mem0.recall.index.columns import TradeColumns
from freqtrade_mem0.recall.index.state import PAGE_ROWS
from freqtrade_mem0.recall.index.sums import Plain

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.recall import Recall
    from freqtrade_mem0.recall.index.state import RecallState

VERSION = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The checked content of a file.

    Parameters
    ----------
    about
        As given by the writer.
    columns
        Trades by time, then id.
    asked_ms
        Trades known before this moment are in the sums.
    groups
        Key, groups it is inside of, and sums, in the order of their numbers in `columns`.
    """

    about: Mapping[str, Any]
    columns: TradeColumns
    asked_ms: int
    groups: list[tuple[Key, tuple[Key, ...], Plain]]

    def restore(self, recall: Recall) -> None:
        """Load it into a recall of the same levels and half-life."""
        recall.restore(self.columns, self.asked_ms, self.groups)


def write(path: Path, about: Mapping[str, Any], state: RecallState) -> None:
    """Write a file in the place of an earlier one, or leave that; raise OSError on failure."""
    rows = state.journal_rows()
    numbers = {key: number for number, (key, _, _) in enumerate(state.groups)}
    heading = {
        "about": about,
        "n_rows": len(rows),
        "asked_ms": state.asked_ms,
        "groups": [
            [*key, [numbers[other] for other in inside], *(f"{term:x}" for term in sums)]
            for (key, inside, _), sums in zip(state.groups, state.journal_sums(), strict=True)
        ],
    }
    pages = (column for page in state.pages(rows) for column in page)
    checked_file.replace(path, VERSION, heading, pages)


def read(path: Path, about: Mapping[str, Any], n_levels: int) -> Snapshot:
    """Read the file of a recall with so many levels; see `checked_file.opened`."""
    columns = TradeColumns(n_levels)
    with checked_file.opened(path, VERSION, about) as file:
        heading = file.heading
        left = heading["n_rows"]
        while left > 0:
            n_rows = min(left, PAGE_ROWS)
            columns.extend(file.take(n_rows * columns.row_bytes))
            left -= n_rows
        file.finish()
        return Snapshot(
            about=heading["about"],
            columns=columns,
            asked_ms=heading["asked_ms"],
            groups=_groups(heading["groups"]),
        )


def _groups(plain: list[list[Any]]) -> list[tuple[Key, tuple[Key, ...], Plain]]:
    keys: list[Key] = [(level, value) for level, value, *_ in plain]
    return [
        (
            key,
            tuple(keys[number] for number in inside),
            _plain(sums),
        )
        for key, (_, _, inside, *sums) in zip(keys, plain, strict=True)
    ]


def _plain(sums: list[str]) -> Plain:
    weight, weighted, squares, won, squared, cubed = (int(each, 16) for each in sums)
    return weight, weighted, squares, won, squared, cubed
