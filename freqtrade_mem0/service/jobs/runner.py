"""Runs the queued jobs, one at a time, each in a process of its own."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import Mem0Error
from freqtrade_mem0.sqlite_files.alone import alone
from freqtrade_mem0.sqlite_files.opening import make_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.service.jobs.queue import Jobs

logger = logging.getLogger(__name__)

LOCK = "service-job.lock"
_POLL_S = 1.0


class JobRunner:
    """A thread that starts a process for each job.

    A job's process holds a lock while it works. It goes on when the service stops or is killed; the
    next service waits for it.

    Parameters
    ----------
    memory
        The memory.
    user_data_dir
        Freqtrade's user data folder.
    jobs
        The queue.
    after
        Called when a job has ended, which may have changed everything.
    """

    def __init__(
        self,
        memory: MemoryFolder,
        user_data_dir: Path,
        jobs: Jobs,
        after: Callable[[], None] = lambda: None,
    ) -> None:
        self._after = after
        self._memory = memory
        self._user_data_dir = user_data_dir
        self._jobs = jobs
        self._stop = threading.Event()
        self._news = threading.Event()
        self._thread = threading.Thread(target=self._run, name="freqtrade-mem0-jobs", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Look at the queue now."""
        self._news.set()

    def stop(self) -> None:
        """Start no more jobs. One that runs goes on."""
        self._stop.set()
        self._news.set()
        self._thread.join(2 * _POLL_S)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._news.clear()
            try:
                self._do_what_waits()
            except (Mem0Error, OSError):
                logger.exception("Jobs can not be run now; they wait.")
            self._news.wait(_POLL_S)

    def _do_what_waits(self) -> None:
        make_folder(self._memory.folder)
        with alone(self._memory.folder / LOCK) as lock:
            if lock is None:
                return  # the job of a service before this one still runs
            self._jobs.were_ended_by_force()
            job_id = self._jobs.next_waiting()
            if job_id is None:
                return
            process = self._started(job_id, lock)
        # A process that is left behind when the service stops goes on by itself.
        while os.waitpid(process, os.WNOHANG)[0] == 0 and not self._stop.is_set():
            self._stop.wait(0.05)
        self._after()

    def _started(self, job_id: str, lock: int) -> int:
        """Start the process of a job, and return its id."""
        given = {
            "settings": self._memory.settings.model_dump(mode="json"),
            "user_data_dir": str(self._user_data_dir),
            "job_id": job_id,
        }
        self._jobs.began(job_id)
        os.set_inheritable(lock, True)  # the process holds the lock until it ends
        reading, writing = os.pipe()
        with open(reading, "rb") as pipe, open(writing, "wb") as told:  # noqa: PTH123 - descriptors
            told.write(json.dumps(given).encode())  # it fits into the pipe
            return os.posix_spawn(
                sys.executable,
                [sys.executable, "-m", "freqtrade_mem0.service.jobs.work"],
                os.environ,
                file_actions=[(os.POSIX_SPAWN_DUP2, pipe.fileno(), 0)],
                setsid=True,  # an interrupt from the keyboard is for the service
            )
