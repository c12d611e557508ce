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
from freqtrade_mem0.records.base import Mode, Origin, as_utc
from freqtrade_mem0.records.codec import encode
from freqtrade_mem0.records.from_trade import mode_of, trade_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

logger = logging.getLogger(__name__)


def lines(job: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield for each trade its record, or why there is none; `job` is that of `read_database`."""
    from freqtrade.persistence import Trade, init_db

    init_db(f"sqlite:///{Path(job['path'])}")
    recorded_at = datetime.fromisoformat(job["recorded_at"])
    closed, unreadable = _loaded(Trade, is_open=False)
    # In the order of a bot's own start; a trade without a close date is skipped below.
    closed.sort(key=lambda trade: (as_utc(trade.close_date or datetime.max), trade.id))  # noqa: DTZ901
    for trade in closed:
        what = f"trade {trade.id} in {trade.pair}"
        strategy = trade.strategy or job["strategy"]
        if not strategy:
            why = "it names no strategy; name it with --strategy"
            yield {"skipped": what, "why": why}
            continue
        try:
            origin = Origin(
                user_id=job["user_id"],
                strategy=strategy,
                mode=Mode(job["mode"]) if job["mode"] else mode_of(trade),
                run_id=job["bot_id"],
            )
            record = trade_record(trade, origin, recorded_at)
        except RecordError as error:
            yield {"skipped": what, "why": str(error)}
            continue
        except Exception as error:  # noqa: BLE001 - a column can hold anything
            unreadable[what] = str(error)
            continue
        try:
            yield {"trade": encode(record)}
        except RecordError as error:
            unreadable[what] = str(error)
    still_open, more = _loaded(Trade, is_open=True)
    for what, why in (unreadable | more).items():
        yield {"skipped": what, "why": why, "is_bad": True}
    for trade in still_open:
        yield {"skipped": f"trade {trade.id} in {trade.pair}", "why": "it is still open"}


def _loaded(trade_type: Any, *, is_open: bool) -> tuple[list[Any], dict[str, str]]:
    """Return the trades that can be read, and for the others why not."""
    wanted = trade_type.is_open.is_(is_open)
    try:
        return list(trade_type.get_trades([wanted]).all()), {}
    except Exception:
        logger.debug("Not every trade can be read; each is read alone.", exc_info=True)
    trades, unreadable = [], {}
    session = trade_type.session
    for (trade_id,) in session.query(trade_type.id).filter(wanted).all():
        try:
            trades.append(trade_type.get_trades([trade_type.id == trade_id]).one())
        except Exception as error:  # noqa: BLE001 - as above
            session.rollback()
            unreadable[f"trade {trade_id}"] = f"{type(error).__name__}: {error}"
    return trades, unreadable


def main() -> None:
    """Read the job from standard input; print its lines."""
    logging.getLogger("freqtrade").setLevel(logging.WARNING)
    for line in lines(json.load(sys.stdin)):
        print(json.dumps(line))  # noqa: T201 - the parent reads it


if __name__ == "__main__":
    main()
