"""Child process of `database.py`: prints the closed trades of a database as JSON lines.

Freqtrade migrates the file, so it must be a copy.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.base import Mode, Origin
from freqtrade_mem0.records.codec import encode
from freqtrade_mem0.records.from_trade import trade_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def lines(job: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Yield for each trade its record, or why there is none; `job` is that of `read_database`."""
    from freqtrade.persistence import Trade, init_db

    init_db(f"sqlite:///{Path(job['path'])}")
    recorded_at = datetime.fromisoformat(job["recorded_at"])
    closed: list[Any] = list(Trade.get_trades([Trade.is_open.is_(False)]).all())
    # In the order of a bot's own start; a trade without a close date is skipped below.
    closed.sort(key=lambda trade: (trade.close_date or datetime.max, trade.id))  # noqa: DTZ901
    for trade in closed:
        what = f"trade {trade.id} in {trade.pair}"
        strategy = trade.strategy or job["strategy"]
        if not strategy:
            why = "it names no strategy; name it with --strategy"
            yield {"skipped": what, "why": why}
            continue
        origin = Origin(
            user_id=job["user_id"], strategy=strategy, mode=Mode(job["mode"]), run_id=job["bot_id"]
        )
        try:
            yield {"trade": encode(trade_record(trade, origin, recorded_at))}
        except (RecordError, TypeError, ValueError, AttributeError) as error:
            yield {"skipped": what, "why": str(error)}
    for trade in Trade.get_open_trades():
        yield {"skipped": f"trade {trade.id} in {trade.pair}", "why": "it is still open"}


def main() -> None:
    """Read the job from standard input; print its lines."""
    logging.getLogger("freqtrade").setLevel(logging.WARNING)
    for line in lines(json.load(sys.stdin)):
        print(json.dumps(line))  # noqa: T201 - the parent reads it


if __name__ == "__main__":
    main()
