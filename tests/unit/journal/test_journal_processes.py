"""Several processes, forks and kills: what was acknowledged is there, once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.journal.outbox import Outbox
from tests.support.samples import a_trade
from tests.support.wait import HANG_S

if TYPE_CHECKING:
    from freqtrade_mem0.journal.journal import Journal

pytestmark = pytest.mark.usefixtures("forked")

ROOT = Path(__file__).parents[3]

WRITER = """
import sys
from pathlib import Path
from freqtrade_mem0.journal.journal import Journal
from tests.support.samples import a_trade

journal = Journal(Path(sys.argv[1]))
for number in range(int(sys.argv[2]), int(sys.argv[3])):
    journal.append([a_trade(number)])
    print(a_trade(number).id, flush=True)
"""


def writer(folder: Path, first: int, last: int) -> subprocess.Popen[str]:
    """Start a process that appends trades one by one and prints each acknowledged id."""
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), str(first), str(last)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def ids_in(journal: Journal) -> Counter[str]:
    """Count the ids of the journal's current records."""
    return Counter(record.id for _, record in journal.records())


def test_processes_at_once_lose_and_double_nothing(journal: Journal) -> None:
    """Three bots write into a file that none of them has made yet; half of it is the same."""
    folder = journal.path.parent
    processes = [writer(folder, first, first + 100) for first in (0, 50, 100)]
    acknowledged = [process.communicate()[0].split() for process in processes]

    assert [process.returncode for process in processes] == [0, 0, 0]
    assert [len(ids) for ids in acknowledged] == [100, 100, 100]
    assert Counter(a_trade(number).id for number in range(200)) == ids_in(journal)
    assert len(Outbox(journal).pending(1_000)) == 200
    assert journal.check() == "ok"


@pytest.mark.parametrize("seed", range(3))
def test_a_kill_loses_nothing_that_was_acknowledged(journal: Journal, seed: int) -> None:
    """SIGKILL at any instant: each id the process printed is there once, the file is sound."""
    process = writer(journal.path.parent, 0, 100_000)
    assert process.stdout is not None
    acknowledged = [
        process.stdout.readline().strip() for _ in range(random.Random(seed).randrange(5, 60))
    ]
    process.send_signal(signal.SIGKILL)
    acknowledged += process.stdout.read().split()
    process.wait()
    process.stdout.close()

    assert process.returncode == -signal.SIGKILL
    found = ids_in(journal)
    assert set(acknowledged) - set(found) == set()
    assert set(found.values()) == {1}
    # At most the one that was committed and not printed yet is more.
    assert len(found) - len(set(acknowledged)) <= 1
    assert found.keys() == {record.id for _, record in Outbox(journal).pending(10_000)}
    assert journal.check() == "ok"


def test_a_forked_child_uses_a_connection_of_its_own(journal: Journal) -> None:
    """Freqtrade's workers are forks: parent and child both go on writing."""
    journal.append([a_trade(0)])
    child = os.fork()
    if child == 0:
        code = 1
        try:
            for number in range(1, 30):
                journal.append([a_trade(number)])
            journal.close()
            code = 0
        finally:
            os._exit(code)
    for number in range(30, 60):
        journal.append([a_trade(number)])
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert Counter(a_trade(number).id for number in range(60)) == ids_in(journal)
    assert journal.check() == "ok"


def test_a_fork_while_the_journal_is_in_use_does_not_hang(journal: Journal) -> None:
    """The lock held at the fork is the parent's; the child does not wait for it."""
    with journal.connection.write():
        child = os.fork()
        if child == 0:
            signal.alarm(int(HANG_S))
            code = 1
            try:
                code = 0 if list(journal.records()) == [] else 2
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
