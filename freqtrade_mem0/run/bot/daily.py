"""A report on the last day for the owner, once a day, over restarts too."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from math import fsum
from typing import TYPE_CHECKING

from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.journal.sized_trades import profits, sized_trades
from freqtrade_mem0.records.kinds.risk import RiskEvent
from freqtrade_mem0.run.bot.alerts.throttle import dated
from freqtrade_mem0.words.numbers import counted, stake_currency
from freqtrade_mem0.worth.bots import by_bot
from freqtrade_mem0.worth.in_words import finding_in_words
from freqtrade_mem0.worth.judge import worth_of
from freqtrade_mem0.worth.stakes import stakes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from freqtrade_mem0.journal.sized_trades import SizedTrade
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.base import Origin

_DAY = timedelta(days=1)


class DailyReport:
    """Tells once a day, at the hour of `alerts.daily_hour`. For the thread of the chores.

    Parameters
    ----------
    store
        The bot's memory.
    origin
        The bot.
    tell
        Takes the text; never blocks.
    """

    def __init__(self, store: MemoryFolder, origin: Origin, tell: Callable[[str], None]) -> None:
        self._store = store
        self._origin = origin
        self._tell = tell
        self._hour = store.settings.alerts.daily_hour
        self._mark = f"daily {origin.user_id} {origin.strategy} {origin.mode} {origin.run_id}"
        self._told = ""

    def run(self, moment: datetime) -> None:
        """Tell, if the hour of the day has come and this day's report was not sent.

        A bot that was never asked to does not report on the day before its start.
        """
        if self._hour is None:
            return
        due = (moment - timedelta(hours=self._hour)).date().isoformat()
        if due == self._told:
            return
        earlier = self._store.marks.get(self._mark).get("day")
        # Noted before it is sent: a report may be lost with the process, but never comes twice.
        self._store.marks.set(self._mark, {"day": due})
        self._told = due
        if isinstance(earlier, str) and earlier < due:
            self._tell(dated(self._text(moment), moment))

    def _text(self, moment: datetime) -> str:
        origin, since = self._origin, moment - _DAY
        own = Scope().in_run(origin)
        trades = list(sized_trades(self._store.journal, own))
        recent = [each for each in trades if each.trade.known_at >= since]
        events = self._store.journal.of_kind(RiskEvent, replace(own, since=since))
        n_events = sum(1 for _ in events)
        parts = [
            f"{origin.strategy}, {origin.mode}, the last day: {_closed(recent)}",
            *_stakes(recent),
            *([f"{counted(n_events, 'risk event')}"] if n_events else []),
            *_delivery(self._store),
            _worth(trades),
        ]
        return ". ".join(part.rstrip(".") for part in parts) + "."


def _closed(recent: Sequence[SizedTrade]) -> str:
    if not recent:
        return "no trade closed"
    n_won = sum(each.trade.profit_ratio > 0.0 for each in recent)
    profit = profits(recent)
    currency = stake_currency(recent[-1].trade.pair)
    amount = "" if profit is None else f": {profit:+,.2f} {currency}".rstrip()
    return f"{counted(len(recent), 'trade')} closed, {n_won} with a profit{amount}"


def _stakes(recent: Sequence[SizedTrade]) -> list[str]:
    sized = [each.sized for each in recent if each.sized is not None]
    if not sized:
        return []
    raised, cut = (
        sum(each.multiplier > 1.0 for each in sized),
        sum(each.multiplier < 1.0 for each in sized),
    )
    effect = fsum(each.effect for each in recent)
    changed = (
        "that changed" if any(each.applied for each in sized) else "in shadow, it would change"
    )
    return [f"Stakes: {raised} raised, {cut} cut; {changed} the profit by {effect:+,.2f}"]


def _delivery(store: MemoryFolder) -> list[str]:
    if not store.delivers:
        return []
    state = store.outbox.state()
    return [f"Mem0 refused {state.dead}: see freqtrade-mem0 dead-letters"] if state.dead else []


def _worth(trades: Sequence[SizedTrade]) -> str:
    """Return the finding on the stakes of the newest kind: applied, or in shadow mode."""
    bots = by_bot(trades)
    if not bots:
        return finding_in_words(worth_of(None), applied=True)
    newest = max(bots, key=lambda bot: bots[bot][-1].trade.known_at)
    return finding_in_words(worth_of(stakes_of(bots[newest])), applied=newest.applied)
