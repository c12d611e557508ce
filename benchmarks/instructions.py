"""Counts the instructions of a command, for figures that are too noisy to time.

    python -m benchmarks.instructions python -c "import freqtrade_mem0.mixin"

valgrind runs the command on a processor of its own making and counts; that takes about fifty times
as long, and what other programs do meanwhile changes nothing: two counts of one import are equal to
the last instruction. Threads that wait for each other make a difference, of some percent.
Processes that the command starts are not counted.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# Cachegrind without its caches: it counts each instruction once and is the fastest that does.
_COUNTING = ("--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
_COUNTED = re.compile(rb"I\s+refs:\s+([\d,]+)")
_STEADY = {
    "PYTHONHASHSEED": "0",  # the order of sets changes how often their items are compared
    "OPENBLAS_NUM_THREADS": "1",  # idle threads spin
    "OMP_NUM_THREADS": "1",
}


def is_available() -> bool:
    """Tell whether there is a valgrind here."""
    return shutil.which("valgrind") is not None


def count(command: Sequence[str], environment: Mapping[str, str] = os.environ) -> int:
    """Return how many instructions a command takes, from its start to its end.

    Parameters
    ----------
    command
        The command.
    environment
        Its variables.

    Raises
    ------
    SystemExit
        There is no valgrind, or the command failed.
    """
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise SystemExit(
            "Instructions are counted by valgrind, which is not installed here: install your "
            "system's package `valgrind`, or measure times instead."
        )
    done = subprocess.run(
        [valgrind, *_COUNTING, *command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={**environment, **_STEADY},
        check=False,
    )
    counted = _COUNTED.search(done.stderr)
    if done.returncode != 0 or counted is None:
        said = done.stderr.decode(errors="replace")[-2_000:]
        raise SystemExit(f"valgrind could not count `{' '.join(command)}`:\n{said}")
    return int(counted[1].replace(b",", b""))


def each_of(command_of: Callable[[int], Sequence[str]], n: int) -> float:
    """Return the instructions of one item, from a command with n items and one with 2 n.

    The difference leaves out the start of the interpreter, all imports, and what is filled first.

    Parameters
    ----------
    command_of
        Gives the command that does so many items.
    n
        Items, >= 1; so many that what is done once for several of them is spread evenly.
    """
    return (count(command_of(2 * n)) - count(command_of(n))) / n


if __name__ == "__main__":
    print(count(sys.argv[1:]))
