"""What becomes of the workers of a comparison whose process is killed."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from freqtrade_mem0.compare.engine import pool
from tests.support.wait import eventually

if TYPE_CHECKING:
    from multiprocessing.connection import Connection


def compares(told: Connection) -> None:
    """Start a worker as `run_all` does, say its process, and wait to be killed."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, pool._begin, (None, None)) as workers:
        told.send(workers.submit(os.getpid).result())
        told.recv()


def test_a_worker_ends_with_a_parent_that_is_killed() -> None:
    """It waited for ever: it holds the queue that it reads from open itself."""
    context = multiprocessing.get_context("spawn")
    told, other = context.Pipe()
    parent = context.Process(target=compares, args=(other,))
    parent.start()
    worker = Path("/proc") / str(told.recv()) / "cmdline"
    parent.kill()
    parent.join()
    assert eventually(lambda: not (worker.exists() and worker.read_bytes()))
