"""The runs and bots in a memory, and which bots run now."""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import replace
from functools import cache
from math import fsum
from typing import TYPE_CHECKING, NamedTuple

from freqtrade_mem0.journal.evidence.trade import TradeEvidence
from freqtrade_mem0.records.base import from_ms, to_ms
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.run.bot.namesakes import MARK, signs
from freqtrade_mem0.views.columns.amounts import paid
from freqtrade_mem0.views.values import Facts, iso, origin_facts
from freqtrade_mem0.words.numbers import stake_currency

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from freqtrade_mem0.journal.journal import Journal
    from freqtrade_mem0.journal.scope import Scope
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.base import Origin

_PROFIT = "profit_abs"


def runs(
    memory: MemoryFolder, scope: Scope, now: datetime, since: datetime | None = None
) -> list[Facts]:
    """Return the runs and bots of a scope with closed trades, the newest first.

    Parameters
    ----------
    since
        Only those that closed a trade at or after this moment.

    Returns
    -------
    list of dict
        `strategy`, `mode`, `run_id`, `is_running` (a bot's process wrote here within the last
        minutes), `first` (the first entry), `last` (the last close), `n_trades`, `n_won`,
        `profit_abs` in `stake_currency` (null where amounts are no longer kept, or where a run has
        several currencies), `mean_profit_ratio`.
    """
    totals: dict[Origin, _Totals] = defaultdict(_Totals)
    for origin, closed in _closed(memory.journal, replace(scope, kind=TradeRecord.kind)):
        totals[origin].add(closed)
    running = running_bots(memory, now)
    found = [_run(origin, each, running) for origin, each in totals.items()]
    start = iso(since) or ""
    return sorted(
        (each for each in found if each["last"] >= start),
        key=lambda each: (each["last"], each["run_id"]),
        reverse=True,
    )


def running_bots(memory: MemoryFolder, now: datetime) -> set[str]:
    """Return the names of the bots that wrote into a memory within the last minutes."""
    marks = memory.marks.all(MARK).items()
    return {name for name, mark in marks if signs(mark, now.timestamp())}


def bot_name(origin: Origin) -> str:
    """Return a bot's name as in `running_bots`."""
    return f"{origin.user_id} {origin.strategy} {origin.mode} {origin.run_id}"


class _Closed(NamedTuple):
    """What a run's figures need of a closed trade; `profit` is None where it is not kept."""

    currency: str
    open_ms: int
    close_ms: int
    ratio: float
    profit: float | None


class _Totals:
    """The trades of one run, in 16 bytes each."""

    def __init__(self) -> None:
        self.ratios, self.profits = array("d"), array("d")
        self.first_ms = self.last_ms = 0
        self.currencies: set[str] = set()

    def add(self, closed: _Closed) -> None:
        """Add a trade."""
        is_first = not self.ratios
        self.first_ms = closed.open_ms if is_first else min(self.first_ms, closed.open_ms)
        self.last_ms = closed.close_ms if is_first else max(self.last_ms, closed.close_ms)
        self.currencies.add(closed.currency)
        self.ratios.append(closed.ratio)
        if closed.profit is not None:
            self.profits.append(closed.profit)


def _closed(journal: Journal, scope: Scope) -> Iterator[tuple[Origin, _Closed]]:
    """Yield the trades of a scope with their runs, a page at a time."""
    currency_of = cache(stake_currency)
    for page in journal.evidence.pages(scope):
        for trades in page.trades:
            seqs = trades.seqs.tolist()
            won = {} if _PROFIT in trades.part.unknown else paid(journal.connection, seqs)
            close_ms = trades.close_us // 1_000
            columns = (trades.scopes, trades.pairs, trades.open_ms, close_ms, trades.part.ratio)
            for seq, number, pair, opened, closed, ratio in zip(
                seqs, *(column.tolist() for column in columns), strict=True
            ):
                profit = won[seq].profit if seq in won else None
                currency = currency_of(page.words[pair])
                trade = _Closed(currency, opened, closed, ratio, profit)
                yield journal.evidence.origin(number), trade
        for seq, item in page.items:
            if isinstance(item, TradeEvidence):
                won = {} if _PROFIT in item.unknown else paid(journal.connection, [seq])
                yield (
                    item.origin,
                    _Closed(
                        currency_of(item.pair),
                        to_ms(item.open_date),
                        to_ms(item.close_date),
                        item.profit_ratio,
                        won[seq].profit if seq in won else None,
                    ),
                )


def _run(origin: Origin, totals: _Totals, running: set[str]) -> Facts:
    n, currencies = len(totals.ratios), totals.currencies
    is_known = len(currencies) == 1 and len(totals.profits) == n
    return origin_facts(origin) | {
        "is_running": bot_name(origin) in running,
        "first": iso(from_ms(totals.first_ms)),
        "last": iso(from_ms(totals.last_ms)),
        "n_trades": n,
        "n_won": sum(ratio > 0.0 for ratio in totals.ratios),
        "profit_abs": fsum(totals.profits) if is_known else None,
        "stake_currency": currencies.pop() if len(currencies) == 1 else None,
        "mean_profit_ratio": fsum(totals.ratios) / n,
    }
