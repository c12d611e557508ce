"""Appends of many threads in one transaction: each gets what it would have got alone."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.errors import JournalError
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.together import Together
from tests.support.samples import a_note
from tests.support.wait import eventually

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class Held(Journal):
    """A journal whose first append waits until it is let go; it refuses texts with "bad"."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.may_go = threading.Event()
        self.batches: list[int] = []
        self.n_taken = 0

    def append(self, entries: Iterable[Any]) -> int:
        """Append."""
        given = list(entries)
        self.n_taken += len(given)
        self.may_go.wait()
        if any("bad" in each.content for each in given):
            raise JournalError("bad")
        self.batches.append(len(given))
        return super().append(given)


@pytest.fixture
def journal(tmp_path: Path) -> Held:
    """A journal."""
    return Held(tmp_path)


def tell(journal: Held, contents: list[str]) -> list[BaseException | None]:
    """Append a note in a thread of its own for each content; return what each raised."""
    together = Together(journal)
    with ThreadPoolExecutor(len(contents)) as threads:
        notes = [a_note(n, content=each) for n, each in enumerate(contents)]
        asked = [threads.submit(together.append, [note]) for note in notes]
        assert eventually(lambda: len(together._waiting) + journal.n_taken == len(notes))
        journal.may_go.set()
        return [each.exception() for each in asked]


def test_who_waits_is_appended_together(journal: Held) -> None:
    """One transaction for the first, one for all that came meanwhile; nobody is left out."""
    assert tell(journal, [f"note {n}" for n in range(8)]) == [None] * 8
    assert len(journal.batches) == 2
    assert sum(journal.counts().values()) == 8


def test_only_who_is_wrong_is_told_so(journal: Held) -> None:
    """The others' records are stored all the same."""
    raised = tell(journal, ["good", "bad", "good too", "also good"])
    assert [type(each) for each in raised] == [type(None), JournalError, type(None), type(None)]
    assert sum(journal.counts().values()) == 3
