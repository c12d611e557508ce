"""Keeps the amounts of trades in a file beside the journal, as reading each body takes minutes.

The file is right for the rows up to a place in the journal's chain of hashes, as long as what was
deleted since is still there in a block, or was corrected before.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from freqtrade_mem0.errors import Mem0Error
from freqtrade_mem0.journal.numbers_in_json import Decided, Paid
from freqtrade_mem0.recall import checked_file
from freqtrade_mem0.recall.checked_file import SnapshotError

if TYPE_CHECKING:
    from threading import Lock

    from numpy.typing import NDArray

    from freqtrade_mem0.journal.journal import Journal
    from freqtrade_mem0.views.columns.table import Table

logger = logging.getLogger(__name__)

FORMAT = 201
"""Other files of this form have other hundreds; to be raised with every change of the columns."""

WORTH_IT = 20_000
"""New trades from which the file is written again, or a twentieth of all where that is more."""

NAMES = (*Paid._fields, *Decided._fields)
_STILL_THERE = ("archived", "compacted")


class AmountsFile:
    """The file of one journal; a service writes it."""

    def __init__(self, journal: Journal) -> None:
        self._connection = journal.connection
        # Forgetting, encryption and backups know files of this name: all can be made anew.
        self._path = journal.path.with_name("recall-amounts.snapshot")
        self._n_written = 0

    def restore(self, table: Table) -> tuple[int, int]:
        """Set the amounts that are kept; return the last row they are of, 0 without a file.

        And with how many entries of the chain they were read.
        """
        try:
            with checked_file.opened(self._path, FORMAT, {}) as file:
                heading = file.heading
                self._check(heading)
                size = heading["rows"] * 4
                seqs, *columns = (
                    np.frombuffer(file.take(size), dtype=kind)
                    for kind in ("u4", *["f4"] * len(NAMES))
                )
                file.finish()
        except FileNotFoundError:
            return 0, 0
        except (Mem0Error, OSError) as error:
            logger.info("%s is not used: %s.", self._path, str(error).rstrip("."))
            return 0, 0
        put_amounts(table, seqs, dict(zip(NAMES, columns, strict=True)))
        self._n_written = len(seqs)
        return int(heading["seq"]), int(heading["about"]["n"])

    def write(self, table: Table, lock: Lock, n: int, seq: int) -> None:
        """Write what `table` has up to row `seq`, read with `n` entries of the chain, if due.

        `lock` is held while the columns are copied.
        """
        if table.n - self._n_written < max(WORTH_IT, table.n // 20):
            return
        with lock:
            is_there = table["is_there"] & (table["seq"] <= seq)
            parts = [table[name][is_there].tobytes() for name in ("seq", *NAMES)]
        about = {"n": n, "digest": self._digest(n)}
        heading = {"about": about, "seq": seq, "rows": int(is_there.sum())}
        try:
            checked_file.replace(self._path, FORMAT, heading, parts)
        except OSError as error:
            logger.warning("%s can not be written (%s).", self._path, error)
        self._n_written = table.n

    def _check(self, heading: dict[str, Any]) -> None:
        n = heading["about"]["n"]
        if self._digest(n) != heading["about"]["digest"]:
            raise SnapshotError("the journal is another one, or was set back")
        query = "SELECT EXISTS (SELECT 1 FROM chain_gone WHERE n > ? AND why NOT IN (?, ?))"
        if self._connection.row(query, [n, *_STILL_THERE])[0]:
            raise SnapshotError("rows of the journal were deleted since it was written")

    def _digest(self, n: int) -> str | None:
        row = self._connection.row("SELECT lower(hex(digest)) FROM chain WHERE n = ?", [n])
        return None if row is None else str(row[0])


def put_amounts(table: Table, wanted: NDArray[Any], columns: dict[str, NDArray[Any]]) -> None:
    """Set values of trades by their rows in the journal; rows that are not there are left."""
    seqs = table["seq"]
    if len(seqs) == 0:
        return
    at = np.minimum(np.searchsorted(seqs, wanted), len(seqs) - 1)
    is_known = seqs[at] == wanted
    for name, column in columns.items():
        table[name][at[is_known]] = column[is_known]
