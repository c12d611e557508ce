"""Tests stakes against chance in a process of its own, so that pages do not wait for it.

With a million trades the tests take minutes and hundreds of megabytes, which the system gets back
when the process ends.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from freqtrade_mem0.views.columns.chance import Band, band
from freqtrade_mem0.worth.judge import Worth, worth_of

if TYPE_CHECKING:
    from freqtrade_mem0.worth.stakes import Stakes

_FEW = 5_000
"""So many trades are judged at once, in a second or two."""
_NICE = 5


class Judge:
    """Judges stakes, one after the other; `close` ends what is under way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_closed = False

    def judged(self, stakes: Stakes) -> tuple[Worth, Band]:
        """Return the tests against chance, and the band of random sizing."""
        if len(stakes.base) <= _FEW:
            return worth_of(stakes), band(stakes)
        with self._lock:
            if self._is_closed:
                raise OSError("The service ends.")
            process = self._process = subprocess.Popen(  # noqa: S603 - this module itself
                [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        with process:
            assert process.stdin is not None  # noqa: S101 - both are pipes
            assert process.stdout is not None  # noqa: S101
            pickle.dump(stakes, process.stdin)
            process.stdin.close()
            found: tuple[Worth, Band] = pickle.load(process.stdout)  # noqa: S301 - our own process
        return found

    def close(self) -> None:
        """End what is under way."""
        with self._lock:
            self._is_closed = True
            if self._process is not None:
                self._process.kill()


def main() -> None:
    """Judge the stakes on standard input."""
    os.nice(_NICE)
    stakes: Stakes = pickle.loads(sys.stdin.buffer.read())  # noqa: S301 - from our own process
    sys.stdout.buffer.write(pickle.dumps((worth_of(stakes), band(stakes))))


if __name__ == "__main__":
    main()
