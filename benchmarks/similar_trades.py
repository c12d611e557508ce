"""Whether "trades like this one" are trades in a similar market.

    python benchmarks/similar_trades.py --data FOLDER     # Freqtrade's feather files of 1h candles

Trades are random entries on real candles, held for a day. For some of them, the five trades that
`analyze_signal` and `similar_trades` would show (`agents/nearest.py`) are compared with what the
chart looked like, which the ranking does not see: a trade counts as like this one if the closes
of the 48 hours before both entries correlate by at least 0.7, and the spreads of their hourly
returns differ by at most half. The ranking sees features of the last candles (trend, momentum,
volatility and others), the pair, the side and the tag. Beside it: a search with the trade's own
sentence, and the share of all earlier trades that are alike, which is what chance finds. Pairs and
sides are drawn independently of the market, so that they help nobody.
"""

from __future__ import annotations

import argparse
import logging
import random
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from benchmarks.measuring import print_result, readable
from freqtrade_mem0.agents.nearest import NearestTrades
from freqtrade_mem0.backends.in_process.backend import EmbeddedBackend
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.recall import Recall
from freqtrade_mem0.records.base import Mode, Origin, record_id
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.records.mapping import to_memory
from freqtrade_mem0.situation.candles import Candles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ORIGIN = Origin(user_id="me", strategy="Sample", mode=Mode.DRY_RUN, run_id="bot")
HOURS = 48
ALIKE = 0.7
FEWEST_KNOWN = 500
AT = 5


class Chart(NamedTuple):
    """The market before an entry, as a person sees it."""

    shape: NDArray[np.float64]
    spread: float


class Asked(NamedTuple):
    """What `NearestTrades` needs to know of an entry."""

    pair: str
    side: str
    enter_tag: str
    situation: Any
    decided_at: Any


def read_trades(folder: Path, n_trades: int) -> list[tuple[TradeRecord, Chart]]:
    """Return random entries of all pairs, oldest first, with what was before them."""
    draw = random.Random(7)
    files = sorted(folder.glob("*-1h.feather"))
    found = []
    for file in files:
        frame = pd.read_feather(file)
        candles, closes = Candles(frame), frame["close"].to_numpy()
        for at in draw.sample(range(600, len(frame) - 30), n_trades // len(files)):
            opened, closed = (frame["date"].iloc[n].to_pydatetime() for n in (at, at + 24))
            profit = closes[at + 24] / closes[at] - 1
            side = draw.choice(("long", "short"))
            record = TradeRecord(
                id=record_id("bench", file.name, at),
                origin=ORIGIN,
                known_at=closed,
                recorded_at=closed,
                pair=file.name.split("-")[0].replace("_", "/"),
                side=side,
                enter_tag=draw.choice(("one", "two")),
                exit_reason="time",
                open_date=opened,
                close_date=closed,
                open_rate=closes[at],
                close_rate=closes[at + 24],
                amount=1.0,
                stake_amount=100.0,
                max_stake_amount=100.0,
                leverage=1.0,
                fee_open=0.001,
                fee_close=0.001,
                funding_fees=0.0,
                profit_ratio=float(profit if side == "long" else -profit),
                profit_abs=1.0,
                n_entries=1,
                n_exits=1,
                situation=candles.features(at),
            )
            before = np.log(closes[at - HOURS : at])
            found.append((record, Chart(before, float(np.diff(before).std()))))
    return sorted(found, key=lambda each: each[0].known_at)


def alike(one: Chart, others: Sequence[Chart]) -> NDArray[np.bool_]:
    """Tell which charts look like one."""
    shapes = np.array([other.shape for other in others])
    spreads = np.array([other.spread for other in others])
    correlations = np.corrcoef(np.vstack([one.shape, shapes]))[0, 1:]
    ratio = spreads / max(one.spread, 1e-12)
    result: NDArray[np.bool_] = (correlations >= ALIKE) & (ratio <= 1.5) & (ratio >= 1 / 1.5)
    return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="Folder with *-1h.feather files.")
    parser.add_argument("--trades", type=int, default=3_000)
    parser.add_argument("--questions", type=int, default=300)
    asked = parser.parse_args()
    logging.disable(logging.WARNING)
    both = read_trades(asked.data, asked.trades)
    trades, charts = [record for record, _ in both], [chart for _, chart in both]
    place = {trade.id: at for at, trade in enumerate(trades)}
    nearest = NearestTrades(trades, Recall(Settings().sizing.levels, 365.0))
    hits: dict[str, list[float]] = {"nearest": [], "sentence": [], "chance": []}
    with tempfile.TemporaryDirectory() as folder:
        backend = EmbeddedBackend(Path(folder))
        backend.write([to_memory(trade) for trade in trades])
        for at in sorted(random.Random(8).sample(range(len(trades)), asked.questions)):
            trade = trades[at]
            known = [n for n, each in enumerate(trades) if each.known_at < trade.open_date]
            if len(known) < FEWEST_KNOWN:
                continue
            good = dict(zip(known, alike(charts[at], [charts[n] for n in known]), strict=True))
            entry = Asked(trade.pair, trade.side, trade.enter_tag, trade.situation, trade.open_date)
            shown: Any = nearest.find(entry, AT)  # type: ignore[arg-type]
            ids = [each.id for each in shown]
            hits["nearest"].append(float(np.mean([good[place[each]] for each in ids])))
            before = {"lt": (trade.open_date - timedelta(seconds=1)).isoformat()}
            read = backend.search(
                trade.sentence(), filters={"user_id": "me", "created_at": before}, limit=AT
            )
            hits["sentence"].append(float(np.mean([good[place[each.id]] for each in read])))
            hits["chance"].append(float(np.mean(list(good.values()))))
        backend.close()
    print_result(
        "similar",
        asked={"trades": len(trades), "questions": len(hits["nearest"])},
        figures={
            f"precision_at_{AT}": {
                name: readable(float(np.mean(values))) for name, values in hits.items()
            }
        },
    )


if __name__ == "__main__":
    main()
