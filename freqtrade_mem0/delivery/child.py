"""A child process that delivers what a backtest leaves in the journal.

It starts with the backtest and delivers full batches beside it, so that little is left to wait for
at the end. It has to be a process: an interpreter that is ending starts no threads and can not
import Mem0, and a Mem0 that hangs must not hold up Freqtrade's exit.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.config.settings import Settings

logger = logging.getLogger(__name__)

_GRACE_S = 5.0
_NICENESS = 10  # the backtest goes first


class Deliverer:
    """Runs `freqtrade-mem0 deliver` and tells it on its standard input when the run has ended.

    Parameters
    ----------
    settings
        The `"mem0"` block.
    user_data_dir
        Freqtrade's user data folder.
    """

    def __init__(self, settings: Settings, user_data_dir: Path) -> None:
        self._timeout_s = settings.delivery.flush_timeout_s + _GRACE_S
        command = [sys.executable, "-m", "freqtrade_mem0.cli.main", "deliver"]
        self._process = subprocess.Popen(  # noqa: S603 - our own module, in the same interpreter
            [*command, "--settings-from-stdin", "--userdir", str(user_data_dir)],
            stdin=subprocess.PIPE,
            # An interrupt from the keyboard is for Freqtrade; what waits is still delivered.
            start_new_session=True,
        )
        self._say(settings.model_dump_json())

    def lower_priority(self) -> None:
        """Lower the priority of the process, so that a running backtest goes first."""
        try:
            process = (os.PRIO_PROCESS, self._process.pid)
            os.setpriority(*process, max(_NICENESS, os.getpriority(*process)))
        except (AttributeError, OSError) as error:  # no such thing here, or it has ended
            logger.debug("The delivering process keeps its priority: %s", error)

    def finish(self) -> None:
        """Let it deliver the rest, and wait for it for a bounded time."""
        self._say("finish")
        try:
            self._process.communicate(timeout=self._timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            logger.warning("Mem0 takes too long. What waits in the journal is delivered later.")

    def _say(self, line: str) -> None:
        if self._process.stdin is None:
            return
        try:
            self._process.stdin.write(f"{line}\n".encode())
            self._process.stdin.flush()
        except BrokenPipeError:
            logger.debug("The delivering process has ended already.")
