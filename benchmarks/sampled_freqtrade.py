"""Freqtrade's own `main`, its stack sampled every few ms of processor time: `FILE ARGUMENT...`.

It says where the time of one run is, without a second run to compare it with. Other work on the
machine changes little, as its time is not counted. Each sample belongs to a part of
the run (`start`, `loop`, `end`, and `child` for a forked one), and to the package if one of its
functions is on the stack. FILE gets, for each process, a line of JSON with its samples by part:
`all`, `memory`, and in `functions` those of memory by its function nearest to the top.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections import Counter, defaultdict
from functools import wraps
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import CodeType, FrameType

INTERVAL_S = 0.001
"""Asked of the system, which may count in steps of 4 ms."""
PACKAGE = "freqtrade_mem0"


class Samples:
    """What the stack of this process was, and of each process forked from it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        found = find_spec(PACKAGE)  # which does not import it
        self._package = f"{Path(found.origin or '').parent}{os.sep}" if found else PACKAGE
        self.part = "start"
        self.loop: CodeType | None = None
        self._functions: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._n: Counter[str] = Counter()

    def start(self) -> None:
        """Begin to sample."""
        os.register_at_fork(after_in_child=self._in_child)
        signal.signal(signal.SIGPROF, self._take)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)

    def write(self) -> None:
        """Append what this process has to the file, as one line."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        found = {
            part: {
                "all": n,
                "memory": self._functions[part].total(),
                "functions": dict(self._functions[part]),
            }
            for part, n in self._n.items()
        }
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(found) + "\n")

    def _take(self, _signal: int, frame: FrameType | None) -> None:
        self._n[self.part] += 1
        while frame is not None:
            code = frame.f_code
            if code is self.loop:  # what is below it only waits for its end
                return
            if code.co_filename.startswith(self._package):
                module = code.co_filename.removeprefix(self._package)
                self._functions[self.part][f"{module}:{code.co_qualname}"] += 1
                return
            frame = frame.f_back

    def _in_child(self) -> None:
        """Forget what the parent saw, and go on; a fork has no timer."""
        self._n.clear()
        self._functions.clear()
        self.part = "child"
        signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)


def main() -> None:
    """Sample what the arguments tell Freqtrade to do."""
    samples, arguments = Samples(Path(sys.argv[1])), sys.argv[2:]
    samples.start()
    from freqtrade.main import main as freqtrade
    from freqtrade.optimize.backtesting import Backtesting

    loop, leave = Backtesting.backtest, os._exit
    samples.loop = loop.__code__

    @wraps(loop)
    def in_parts(self: Any, *args: Any, **kwargs: Any) -> Any:
        samples.part = "loop"
        try:
            return loop(self, *args, **kwargs)
        finally:
            samples.part = "end"

    def left(code: int) -> None:
        samples.write()
        leave(code)

    Backtesting.backtest = in_parts
    os._exit = left  # type: ignore[assignment] # how a forked child ends
    try:
        freqtrade(arguments)
    finally:
        samples.write()


if __name__ == "__main__":
    main()
