"""Saves recall to a file beside the journal, so that a bot's start need not read all rows.

The snapshot names the row up to which the journal had been read. Later rows, which include
corrections and retractions, are read from the journal. Where the snapshot can not be used, the
journal is read from its beginning; where it can not be written, the bot goes on without.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.errors import Mem0Error
from freqtrade_mem0.journal.identity import identity_of, last_row
from freqtrade_mem0.recall import snapshot_file
from freqtrade_mem0.recall.checked_file import SnapshotError
from freqtrade_mem0.records.codec import SCHEMA_VERSION

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.journal.journal import Journal
    from freqtrade_mem0.recall import Recall
    from freqtrade_mem0.recall.index.state import RecallState
    from freqtrade_mem0.records.base import Origin

logger = logging.getLogger(__name__)

WORTH_IT = 1_000
"""New rows since the last snapshot from which a bot writes another one when it ends."""

SHARE = 50
"""A running bot waits until the new rows are 1 / `SHARE` of recall's, if that is more: reading
them again takes a fraction of a second."""

N_KEPT = 16
"""Newest snapshots kept of one strategy, for different bots and settings."""

_ABANDONED_S = 3_600.0
"""Age at which an unfinished file is deleted."""

_SUFFIX = ".snapshot"


class Snapshots:
    """The snapshot of one bot's recall. For one thread at a time; it writes in its own thread.

    Bots with the same settings share a file: the snapshot of either is right for both, and the last
    one written stays. The file is replaced atomically.

    Parameters
    ----------
    journal
        The snapshot is kept beside it.
    recall
        What is saved.
    origin, discount
        As in `follow.JournalFollower`.
    """

    def __init__(self, journal: Journal, recall: Recall, origin: Origin, discount: float) -> None:
        self._journal = journal
        self._recall = recall
        self._about: dict[str, Any] = {
            "user_id": origin.user_id,
            "strategy": origin.strategy,
            "mode": str(origin.mode),
            "run_id": origin.run_id,  # own trades that nothing confirmed are left out
            "discount": discount,
            "levels": list(recall.levels),
            "half_life_days": recall.half_life_days,
            "schema": SCHEMA_VERSION,
        }
        owner = _short_hash([origin.user_id, origin.strategy, str(origin.mode)])
        self._family = f"recall-{owner}-"
        self.path = journal.path.with_name(
            f"{self._family}{_short_hash(list(self._about.values()))}{_SUFFIX}"
        )
        self._identity = ""
        """Of the journal that recall was read from."""
        self._seq = self._n_unsaved = 0
        self._writing: threading.Thread | None = None
        self._is_given_up = False

    def restore(self, revoked: str = "") -> int:
        """Load the snapshot, if there is one; return the row up to which the journal was read.

        `revoked` is the fingerprint of the writers that are revoked, see `journal.revoked`.
        """
        self._about["revoked"] = revoked
        try:
            self._identity = identity_of(self._journal)
            about = self._about | {"journal": self._identity}
            snapshot = snapshot_file.read(self.path, about, len(self._recall.levels))
            seq: int = snapshot.about.get("seq", 0)
            self._check_row(seq, snapshot.about.get("row"))
            self._check_adopted(seq, snapshot.about.get("n_adopted"))
            snapshot.restore(self._recall)
        except FileNotFoundError:
            return 0
        except (Mem0Error, OSError) as error:
            logger.info(
                "%s is not used, the journal is read instead: %s.",
                self.path,
                str(error).rstrip("."),
            )
            return 0
        except Exception:
            # Nothing in a file beside the journal may keep a bot from starting.
            logger.exception("%s is not used, the journal is read instead.", self.path)
            self._recall.clear()
            return 0
        return seq

    def _check_row(self, seq: int, written: object) -> None:
        row = last_row(self._journal, seq)
        if row is None or row != written:
            raise SnapshotError(f"the journal has no such record in row {seq}")

    def _check_adopted(self, seq: int, written: object) -> None:
        if self._journal.n_adopted(seq) != written:
            raise SnapshotError("trades that came from Mem0 were confirmed since it was written")

    def forget(self, revoked: str) -> None:
        """Write the next snapshot for other revoked writers; see `restore`."""
        self._about["revoked"] = revoked

    def note(self, seq: int, n_read: int) -> None:
        """Take note that recall has read the journal up to row `seq`; save it if that is due.

        `n_read` is the number of records of this strategy since the last note.
        """
        self._seq = seq
        self._n_unsaved += n_read
        if self._n_unsaved >= max(WORTH_IT, len(self._recall) // SHARE):
            self._begin_writing()

    def give_up(self) -> None:
        """Write no more snapshots: they would not match the journal, or can not be written."""
        self._is_given_up = True

    def close(self, timeout_s: float) -> bool:
        """Write a snapshot if it is due and wait for it; return whether it was finished in time."""
        if self._n_unsaved >= WORTH_IT:
            self._begin_writing()
        if self._writing is None:
            return True
        self._writing.join(timeout_s)
        return not self._writing.is_alive()

    def _begin_writing(self) -> None:
        if self._is_given_up or (self._writing is not None and self._writing.is_alive()):
            return
        self._n_unsaved = 0
        self._writing = threading.Thread(
            target=self._write,
            args=(self._seq, self._recall.state()),
            name="freqtrade-mem0-snapshot",
            daemon=True,
        )
        self._writing.start()

    def _write(self, seq: int, state: RecallState) -> None:
        try:
            row = last_row(self._journal, seq)
            if row is None or identity_of(self._journal) != self._identity:
                self.give_up()
                return
            self._tidy()
            n_adopted = self._journal.n_adopted(seq)
            about = self._about | {"journal": self._identity, "seq": seq, "row": row}
            about["n_adopted"] = n_adopted
            snapshot_file.write(self.path, about, state)
        except (Mem0Error, OSError) as error:
            self.give_up()
            logger.warning(
                "%s can not be written (%s). The bot continues; its next start takes longer.",
                self.path,
                error,
            )
        except Exception:
            self.give_up()
            logger.exception("%s can not be written. The bot continues without.", self.path)

    def _tidy(self) -> None:
        """Delete files that killed processes left unfinished, and snapshots for old settings."""
        folder = self.path.parent
        for path in folder.glob(f"recall-*{_SUFFIX}.*.tmp"):
            if time.time() - _modified_s(path) > _ABANDONED_S:
                _remove(path)
        others = [path for path in folder.glob(f"{self._family}*{_SUFFIX}") if path != self.path]
        others.sort(key=_modified_s)
        for path in others[: max(len(others) + 1 - N_KEPT, 0)]:
            _remove(path)


def _short_hash(values: list[Any]) -> str:
    return sha256(json.dumps(values).encode()).hexdigest()[:12]


def _modified_s(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # deleted by another process
        return 0.0


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        logger.debug("%s could not be removed: %s", path, error)
