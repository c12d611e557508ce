"""One cycle: which steps run, what the report says, and who may run it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.errors import JournalError
from freqtrade_mem0.lifecycle.cycle import run_cycle, steps
from freqtrade_mem0.lifecycle.lock import only_one
from freqtrade_mem0.lifecycle.report import summed
from freqtrade_mem0.lifecycle.step import StepReport
from freqtrade_mem0.memory_folder import MemoryFolder
from tests.support.samples import NOTED, a_trade

if TYPE_CHECKING:
    from pathlib import Path

REPORT = {
    "dry_run",
    "finished",
    "duration_s",
    "before",
    "after",
    "migrated",
    "pruned",
    "patterns",
    "compressed",
    "reduction_ratio",
    "notes",
}
HOLDER = """
import sys
from pathlib import Path
from freqtrade_mem0.lifecycle.lock import only_one
with only_one(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_every_step_has_what_the_port_names() -> None:
    """Each module in the folder has a name, an order and a function."""
    for step in steps():
        assert isinstance(step.NAME, str)
        assert isinstance(step.ORDER, int)
        assert callable(step.run)


def test_the_report_has_the_keys_that_were_promised(tmp_path: Path) -> None:
    """Programs that read `maintain --json` find each of its keys."""
    memory = MemoryFolder(Settings(mode="local", path=tmp_path), tmp_path)
    memory.journal.append([a_trade()])

    report = run_cycle(memory, NOTED).as_dict()
    memory.close()

    assert report.keys() >= REPORT
    assert report["before"].keys() == {"hot", "warm", "cold", "archive"}
    assert report["pruned"].keys() == {"by_age", "by_relevance", "by_redundancy"}
    assert report["patterns"].keys() == {"tested", "found", "withdrawn"}


def test_counts_of_steps_are_added_up() -> None:
    """Two steps may prune for the same reason."""
    one = StepReport(counts={"pruned": {"by_age": 2}, "compressed": 1})
    other = StepReport(counts={"pruned": {"by_age": 3}, "files": {"bytes": 7}})

    total = summed([one, other])

    assert (total["pruned"]["by_age"], total["compressed"]) == (5, 1)
    assert total["files"] == {"bytes": 7}


def test_memories_of_another_embedder_are_embedded_anew(tmp_path: Path) -> None:
    """The report says how many; a dry run does nothing, and the next cycle finds none."""
    hashed = {"provider": "hashing", "config": {}}
    before = MemoryFolder(Settings(path=tmp_path, embedder=hashed), tmp_path)
    before.journal.append([a_trade()])
    run_cycle(before, NOTED)
    before.close()
    memory = MemoryFolder(Settings(path=tmp_path), tmp_path)

    counts = [
        run_cycle(memory, NOTED, dry_run=dry_run).as_dict().get("embedded_anew")
        for dry_run in (True, False, False)
    ]

    memory.close()
    assert counts == [None, 1, None]


def test_one_cycle_at_a_time(tmp_path: Path) -> None:
    """A second cycle on the folder is refused, also from another process."""
    with only_one(tmp_path), pytest.raises(JournalError, match="maintain"), only_one(tmp_path):
        pass


def test_a_killed_cycle_leaves_no_lock(tmp_path: Path) -> None:
    """After the process that held the lock was killed, the next cycle may run."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(JournalError), only_one(tmp_path):
        pass
    holder.kill()
    holder.communicate()

    with only_one(tmp_path):
        pass
