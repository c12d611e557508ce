"""Measures the trades of a run by their history: a promoted or named backtest, or its own begin."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import compress, repeat
from typing import TYPE_CHECKING, NamedTuple

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.insight.drift.bands import Bands, Left, bands, left
from freqtrade_mem0.insight.drift.history import (
    DAY_MS,
    MIN_DAYS,
    MIN_TRADES,
    DriftTrade,
    History,
)
from freqtrade_mem0.insight.drift.triggers import Alarm, Trigger, alarms, calibrated
from freqtrade_mem0.journal.evidence.trade import TradeEvidence
from freqtrade_mem0.journal.own_records import OwnRecords
from freqtrade_mem0.journal.revoked import NEVER_MS, revoked, revoked_from_ms
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.recall.priors import promotions
from freqtrade_mem0.records.base import Mode, Origin, to_ms
from freqtrade_mem0.records.kinds.trade import TradeRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from freqtrade_mem0.config.drift_settings import DriftSettings
    from freqtrade_mem0.journal.evidence.checked import Trades
    from freqtrade_mem0.journal.evidence.read import Page
    from freqtrade_mem0.journal.journal import Journal
    from freqtrade_mem0.records.kinds.promotion import Promotion

BOTS = (Mode.DRY_RUN, Mode.LIVE)


class Reference(NamedTuple):
    """What the trades of a run are measured by.

    Parameters
    ----------
    history
        Trades that were closed before the first of the run was opened.
    source
        Where they come from, in words.
    run_id
        Of the backtest; "" for the run's own trades, which say nothing about its backtest.
    """

    history: History
    source: str
    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How far a run is from its history.

    Parameters
    ----------
    origin
        The run.
    reference
        What it is measured by.
    seen
        The trades that are measured, all of them but those of its own that are the reference.
    age_days
        Whole days from the first entry among these to now; of a backtest, to its last exit.
    triggers
        One of each name.
    alarms
        Theirs, oldest first.
    bands
        None where there is no backtest to compare with, or it is too short.
    lacks_bands
        Why there are none, in words.
    left
        The look at which the bands were left; None while they were not.
    """

    origin: Origin
    reference: Reference
    seen: History
    age_days: int
    triggers: list[Trigger]
    alarms: list[Alarm]
    bands: Bands | None
    lacks_bands: str
    left: Left | None

    def trade(self, number: int) -> DriftTrade:
        """Return a measured trade by its number in the order of the exits."""
        return self.seen.ordered[int(self.seen.whole.trades[number])]


class DriftMeter:
    """Measures runs; keeps what it computed of the last history, as long as that is the same."""

    def __init__(self) -> None:
        self._known: tuple[object, list[Trigger], Bands | None] | None = None

    def measure(
        self,
        journal: Journal,
        origin: Origin,
        settings: DriftSettings,
        now: datetime,
        pause: Callable[[], object] = lambda: None,
    ) -> Drift:
        """Measure the trades of a run that were closed before `now`.

        `pause` is called every few milliseconds.

        Raises
        ------
        RecordError
            The config names a backtest that is not remembered.
        """
        is_bot, now_ms = origin.mode in BOTS, to_ms(now)
        known = trades_of(journal, origin, pause)
        trades = [t for t in known if not is_bot or t.close_ms < now_ms]
        reference, seen = _reference(journal, origin, settings, trades, pause)
        end_ms = now_ms if is_bot else max((t.close_ms for t in seen), default=0)
        history = History(seen, until_ms=end_ms)
        age_days = max(0, (end_ms - history.begin_ms) // DAY_MS) if seen else 0
        triggers, found = self._measured(reference, age_days, pause)
        lacks = ""
        if found is None:
            lacks = (
                reference.history.lacks
                if reference.run_id
                else "no backtest of it was promoted ('freqtrade-mem0 priors --promote') or named"
                " ('mem0.drift.backtest')"
            )
        return Drift(
            origin=origin,
            reference=reference,
            seen=history,
            age_days=age_days,
            triggers=triggers,
            alarms=alarms(triggers, reference.history, history),
            bands=found,
            lacks_bands=lacks,
            left=None if found is None else left(found, history, age_days),
        )

    def _measured(
        self, reference: Reference, age_days: int, pause: Callable[[], object]
    ) -> tuple[list[Trigger], Bands | None]:
        key = (reference.run_id, tuple(reference.history.ordered))
        if self._known is not None and self._known[0] == key:
            _, triggers, found = self._known
        else:
            triggers, found = calibrated(reference.history, pause), None
        if reference.run_id and not reference.history.lacks:
            found = self._bands(found, reference.history, age_days, pause)
        self._known = (key, triggers, found)
        return triggers, found

    @staticmethod
    def _bands(
        found: Bands | None, history: History, age_days: int, pause: Callable[[], object]
    ) -> Bands:
        """Return the bands at an age; those at the ages of the alarm never change."""
        if found is None or (age_days and age_days not in found.by_age):
            return bands(history, [age_days] if age_days else [], pause)
        return found


def trades_of(
    journal: Journal, origin: Origin, pause: Callable[[], object] = lambda: None
) -> list[DriftTrade]:
    """Return the trades of a run that are evidence; those of a bot that were recorded here."""
    if origin.mode in BOTS:
        return _plain(OwnRecords(journal, origin).pages(), pause)
    return _plain(_pages(journal, origin), pause)


def _reference(
    journal: Journal,
    origin: Origin,
    settings: DriftSettings,
    trades: list[DriftTrade],
    pause: Callable[[], object],
) -> tuple[Reference, list[DriftTrade]]:
    """Return what a run is measured by, and its trades that are measured.

    What closes after the run's first entry is left out of its history: it was not known then.
    """
    first_ms = min((trade.open_ms for trade in trades), default=None)
    named = settings.backtest is not None
    runs = [_named(journal, origin, settings.backtest)] if settings.backtest else []
    if not named:
        promoted = promotions(journal, origin.user_id, origin.strategy)
        newest_first = sorted(promoted, key=lambda each: (each.known_at, each.id), reverse=True)
        runs = [_source(each) for each in newest_first if _source(each) != origin]
    writers = revoked(journal) if runs else ()
    found = None
    for run in runs:
        known = _plain(_pages(journal, run), pause, revoked_from_ms(run, writers))
        if first_ms is not None:
            known = [trade for trade in known if trade.close_ms < first_ms]
        how = "named" if named else "promoted"
        how += "" if known else "; none of its trades had closed when these began"
        source = f"the {run.mode} run {run.run_id[:12]} ({how})"
        earlier = Reference(History(known), source, run.run_id)
        if named or not earlier.history.lacks:
            return earlier, trades
        found = found or earlier
    own, later = _own_begin(trades)
    if found is not None and not own:
        return found, trades
    source = f"its own first {len(own)} trades" if own else "its own first trades"
    return Reference(History(own or trades), source), later


def _source(promotion: Promotion) -> Origin:
    return Origin(
        user_id=promotion.origin.user_id,
        strategy=promotion.source_strategy,
        mode=promotion.source_mode,
        run_id=promotion.source_run_id,
    )


def _pages(journal: Journal, run: Origin) -> Iterator[Page]:
    return journal.evidence.pages(Scope(kind=TradeRecord.kind).in_run(run))


def _has_trades(journal: Journal, run: Origin) -> bool:
    return any(journal.evidence.trades(Scope().in_run(run)))


def _named(journal: Journal, origin: Origin, wanted: str) -> Origin:
    """Return the backtest of the strategy whose run id begins so."""
    found = [
        run
        for run_id in journal.run_ids(wanted)
        if _has_trades(journal, run := replace(origin, mode=Mode.BACKTEST, run_id=run_id))
    ]
    if len(found) == 1:
        return found[0]
    which, more = "No remembered backtest", "'freqtrade-mem0 import' takes result files"
    if found:
        which, more = (
            f"More than one backtest ({len(found)})",
            "more characters of the id tell them apart",
        )
    raise RecordError(
        f"{which} of {origin.strategy} has a run id that begins with {wanted!r}. Name another with "
        f"--backtest, or with mem0.drift.backtest in the config; {more}."
    )


def _own_begin(trades: list[DriftTrade]) -> tuple[list[DriftTrade], list[DriftTrade]]:
    """Return the first trades, as many as a history needs, and the rest; none where too few."""
    by_exit = sorted(trades, key=lambda trade: (trade.close_ms, trade.id))
    if len(by_exit) < MIN_TRADES:
        return [], []
    begin_ms = min(trade.open_ms for trade in trades) // DAY_MS * DAY_MS
    long_enough_ms = begin_ms + (MIN_DAYS - 1) * DAY_MS
    for n in range(MIN_TRADES, len(by_exit) + 1):
        if by_exit[n - 1].close_ms >= long_enough_ms:
            return by_exit[:n], by_exit[n:]
    return [], []


def _plain(
    pages: Iterable[Page], pause: Callable[[], object], until_ms: int = NEVER_MS
) -> list[DriftTrade]:
    """Return the trades that are evidence and were known before `until_ms`, in no order."""
    found: list[DriftTrade] = []
    for page in pages:
        pause()
        for trades in page.trades:
            counts = trades.part.counts & (trades.known_ms < until_ms)
            found += compress(_of_columns(trades, page.words), counts.tolist())
        found += [
            _of_item(item)
            for _, item in page.items
            if isinstance(item, TradeEvidence)
            and item.is_evidence
            and to_ms(item.known_at) < until_ms
        ]
    return found


def _of_columns(trades: Trades, words: Mapping[int, str]) -> Iterator[DriftTrade]:
    volatility = trades.part.numbers.get("volatility")
    columns = zip(
        trades.open_ms.tolist(),
        (trades.close_us // 1_000).tolist(),
        trades.part.ratio.tolist(),
        [words[number] for number in trades.pairs.tolist()],
        repeat(math.nan) if volatility is None else volatility.tolist(),
        trades.record_ids,
        strict=False,  # `repeat` has no end
    )
    return map(DriftTrade._make, columns)


def _of_item(trade: TradeEvidence) -> DriftTrade:
    volatility = trade.situation.get("volatility")
    return DriftTrade(
        open_ms=to_ms(trade.open_date),
        close_ms=to_ms(trade.close_date),
        ratio=trade.profit_ratio,
        pair=trade.pair,
        volatility=volatility if isinstance(volatility, float) else math.nan,
        id=trade.id,
    )
