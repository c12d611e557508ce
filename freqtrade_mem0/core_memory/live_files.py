"""Writes the files of agents' memory as things happen, where the config asks for it.

The log is only appended to. Before lines are appended they stand in a mark of the journal, together
with the size of the file; whoever finds such a mark completes what a killed process left. So no
line is lost, and none is there twice. A file that was deleted is written anew from the journal.
"""

from __future__ import annotations

import heapq
import os
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.core_memory.files import (
    CORE_LOG,
    PARAMETERS,
    Line,
    dated,
    decision_lines,
    outcome_lines,
    parameter_days,
    write_whole,
)
from freqtrade_mem0.core_memory.lessons import Lessons
from freqtrade_mem0.core_memory.log import add_trades, decision_facts
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.journal.verify import sound
from freqtrade_mem0.records.kinds.agent_decision import AgentDecision
from freqtrade_mem0.records.kinds.agent_outcome import AgentOutcome
from freqtrade_mem0.records.kinds.parameter_update import ParameterStep
from freqtrade_mem0.sqlite_files.alone import alone
from freqtrade_mem0.words.visible import strict_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.base import Record
    from freqtrade_mem0.words.plain import Facts

MARK = "agent_files"
LOCK = "agent_files.lock"

_LARGEST = 10_000_000
"""Bytes of the log beyond which a new file is begun."""

_KEPT = 5
"""Full files that are kept, `.1` the newest; the oldest goes. The journal keeps everything."""

_BATCH = 500
"""Records whose lines are appended at once."""


_KINDS = (AgentDecision, AgentOutcome, ParameterStep)
_number = itemgetter(0)


class LiveFiles:
    """The files of one owner's agents. Threads and processes take turns.

    Parameters
    ----------
    memory
        The memory; `agents.write_files` says whether anything is written.
    user_id
        The owner.
    largest
        Bytes of the log beyond which a new file is begun.
    """

    def __init__(self, memory: MemoryFolder, user_id: str, *, largest: int = _LARGEST) -> None:
        self.is_on = memory.settings.agents.write_files
        self.folder = memory.folder
        self._memory = memory
        self._user_id = user_id
        self._largest = largest
        self._name = f"{MARK} {user_id}"
        self._path = self.folder / CORE_LOG
        self._lessons: Lessons | None = None
        self._learned_seq = 0

    def update(self) -> bool:
        """Append what is new in the journal; return False where another process does it just now.

        Raises
        ------
        OSError
            A file can not be written. The next call does it.
        JournalError
            The journal can not be used.
        """
        if not self.is_on:
            return True
        self.folder.mkdir(parents=True, exist_ok=True)
        with alone(self.folder / LOCK) as lock:
            if lock is not None:
                try:
                    self._update()
                except BaseException:
                    self._lessons = None  # it may know more than what is written
                    raise
        return lock is not None

    def _update(self) -> None:
        marks, first = self._memory.marks, self._path.with_name(f"{CORE_LOG}.1")
        mark = marks.get(self._name)
        last_seq = self._memory.journal.last_seq()
        is_new = not mark or not (self._path.exists() or first.exists())
        if is_new or last_seq < mark["seq"]:
            self._rotate()  # what an export, or another memory, left
            mark = {"seq": 0}
            marks.set(self._name, mark)
            self._lessons = None
        elif "text" in mark:
            self._complete(mark)
            self._write_parameters()
            mark = {"seq": mark["next"]}
            marks.set(self._name, mark)
        if last_seq == mark["seq"]:
            return
        seq = mark["seq"]
        for next_seq, lines, has_parameters in self._news(seq, last_seq):
            if self._path.exists() and self._path.stat().st_size >= self._largest:
                self._rotate()
            size = self._path.stat().st_size if self._path.exists() else 0
            text = "".join(f"{line}\n" for line in lines)
            if text:
                marks.set(self._name, {"seq": seq, "next": next_seq, "size": size, "text": text})
                self._append(text.encode())
            if has_parameters or not (self.folder / PARAMETERS).exists():
                self._write_parameters()
            marks.set(self._name, {"seq": next_seq})
            seq = next_seq

    def _news(self, seq: int, last_seq: int) -> Iterator[tuple[int, list[str], bool]]:
        """Yield, batch by batch, the lines of what is new, and whether parameters changed."""
        lessons = self._lessons_until(seq)
        batch: list[Record] = []
        for number, record in heapq.merge(*map(partial(self._after, seq), _KINDS), key=_number):
            batch.append(record)
            if len(batch) >= _BATCH:
                yield number, self._lines(batch, lessons, seq), _has_parameters(batch)
                self._learned_seq, batch = number, []
            last_seq = max(last_seq, number)
        yield last_seq, self._lines(batch, lessons, seq), _has_parameters(batch)
        self._learned_seq = last_seq

    def _after(self, seq: int, kind: type[Record]) -> Iterator[tuple[int, Record]]:
        scope = Scope(user_id=self._user_id, kind=kind.kind)
        return self._memory.journal.records(scope, after_seq=seq)

    def _lessons_until(self, seq: int) -> Lessons:
        """Return the lessons with all outcomes up to a row."""
        if self._lessons is None or self._learned_seq != seq:
            self._lessons = Lessons()
            for number, outcome in self._after(0, AgentOutcome):
                if number <= seq and isinstance(outcome, AgentOutcome):
                    row = self._row(outcome)
                    if row is not None:
                        self._lessons.of(row)
            self._learned_seq = seq
        return self._lessons

    def _lines(self, batch: list[Record], lessons: Lessons, seq: int) -> list[str]:
        """Return the lines of records; what came up to a row is written already."""
        found: list[Line] = []
        for record in batch:
            if isinstance(record, AgentDecision):
                found += decision_lines(decision_facts(record, None))
            elif isinstance(record, AgentOutcome):
                row = self._row(record)
                earlier = self._written(record, seq)
                if row is None or (earlier is not None and earlier.says_profit_of(record)):
                    continue
                add_trades(self._memory.journal, [row])
                row["lesson"] = lessons.of(row)
                found += outcome_lines(row, is_corrected=earlier is not None)
        return [dated(line) for line in found]

    def _written(self, outcome: AgentOutcome, seq: int) -> AgentOutcome | None:
        """Return the version of an outcome whose lines are written; None where none are."""
        row = self._memory.journal.connection.row(
            "SELECT id, body, content_hash FROM records WHERE id = ? AND seq <= ?"
            " ORDER BY seq DESC LIMIT 1",
            [outcome.id, seq],
        )
        earlier = None if row is None else sound(AgentOutcome, *row)
        return earlier if earlier is not None and earlier.is_resolved else None

    def _row(self, outcome: AgentOutcome) -> Facts | None:
        """Return the row of a resolved decision; None where it is not, or the decision is gone."""
        decision = self._memory.journal.record_of(AgentDecision, outcome.decision_id)
        row = None if decision is None else decision_facts(decision, outcome)
        return row if row is not None and row["state"] == "resolved" else None

    def _complete(self, mark: dict[str, Any]) -> None:
        """Append what a killed process did not, of the text that it was about to append."""
        text: bytes = mark["text"].encode()
        with self._path.open("ab+") as file:
            file.seek(mark["size"])
            there = file.read(len(text))
        pairs = enumerate(zip(text, there, strict=False))
        n_same = next((n for n, (one, other) in pairs if one != other), len(there))
        self._append(text[n_same:])

    def _append(self, text: bytes) -> None:
        if text:
            with self._path.open("ab") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())

    def _write_parameters(self) -> None:
        days = parameter_days(self._memory, self._user_id)
        write_whole(self.folder / PARAMETERS, f"{strict_json(days)}\n")

    def _rotate(self) -> None:
        """Begin a new file; the full ones move up by one number."""
        if not self._path.exists():
            return
        paths = [
            self._path,
            *(self._path.with_name(f"{CORE_LOG}.{n}") for n in range(1, _KEPT + 1)),
        ]
        free = next((n for n, path in enumerate(paths) if n and not path.exists()), _KEPT)
        for n in range(free, 0, -1):
            paths[n - 1].replace(paths[n])


def _has_parameters(batch: list[Record]) -> bool:
    return any(isinstance(record, ParameterStep) for record in batch)
