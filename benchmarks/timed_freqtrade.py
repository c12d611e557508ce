"""Freqtrade's own `main`, with the loop of a backtest timed: `FILE ARGUMENT...`.

All variants of a benchmark are started by it, so that what it costs is in all of them. What is
noted goes to FILE as JSON: `wall_s` and `cpu_s` of the loop, and `ended_s`, when it ended, by the
machine's monotonic clock, which the process that waits reads as well.
"""

from __future__ import annotations

import json
import sys
import time
from functools import wraps
from pathlib import Path
from typing import Any

from freqtrade.main import main as freqtrade
from freqtrade.optimize.backtesting import Backtesting

from benchmarks.measuring import measured


def main() -> None:
    """Wrap the loop, and let Freqtrade do what the arguments say."""
    file, arguments = Path(sys.argv[1]), sys.argv[2:]
    own = Backtesting.backtest

    @wraps(own)
    def timed(self: Any, *args: Any, **kwargs: Any) -> Any:
        with measured() as cost:
            answer = own(self, *args, **kwargs)
        noted = {"wall_s": cost.wall_s, "cpu_s": cost.cpu_s, "ended_s": time.monotonic()}
        file.write_text(json.dumps(noted), encoding="utf-8")
        return answer

    Backtesting.backtest = timed
    freqtrade(arguments)


if __name__ == "__main__":
    main()
