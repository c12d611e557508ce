"""What a backtest noted in its loop, worked out as entries of the journal.

Everything here runs after the loop, or where a very long run writes a part of its entries. What it
needs of a moment in the loop is in the notes, so it gives what would have been written then. It is
asked again where an attempt to write failed, and gives the same.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.decide.decider import Answer
from freqtrade_mem0.decide.proposal import Proposal
from freqtrade_mem0.recall import Recall
from freqtrade_mem0.records.base import as_utc, utc_ms
from freqtrade_mem0.records.from_trade import trade_ids
from freqtrade_mem0.risk.log import RiskLog
from freqtrade_mem0.run.closed import Closed
from freqtrade_mem0.sizing.policy import Wish

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from freqtrade_mem0.decide.decider import Decider
    from freqtrade_mem0.insight.shrinkage import Moments
    from freqtrade_mem0.journal.append import Entry
    from freqtrade_mem0.records.base import Record
    from freqtrade_mem0.risk.event_type import Lock
    from freqtrade_mem0.run.epoch import Ask, Said
    from freqtrade_mem0.run.setup import SessionSetup
    from freqtrade_mem0.situation import Situation
    from freqtrade_mem0.situation.signals import Signals

    Entries = tuple[Entry, ...]


logger = logging.getLogger(__name__)

_UNKNOWN = None, None
"""Volatility and momentum, which sums of trades do not read."""


class Once:
    """Works something out when it is called, and returns the same at each call."""

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], Entries]) -> None:
        self._make = make
        self._made: Entries | None = None

    def __call__(self) -> Entries:
        """Return it."""
        if self._made is None:
            self._made = self._make()
        return self._made


class Asked:
    """A stake that was asked for and said; calling it returns its journal entries.

    Parameters
    ----------
    explained
        Of its run.
    ask, said
        The stake that was asked for, and the answer.
    situation
        At the moment, or a function that returns it; None where `signals` tell.
    signals
        Of the pair.
    """

    __slots__ = (
        "_answer",
        "_entries",
        "_seen",
        "ask",
        "explained",
        "is_confirmed",
        "n_learned",
        "said",
        "signals",
        "situation",
    )

    def __init__(
        self,
        explained: Explained,
        ask: Ask,
        said: Said,
        situation: Situation | Callable[[], Situation] | None,
        signals: Signals,
    ) -> None:
        self.explained, self.ask, self.said = explained, ask, said
        self.situation, self.signals = situation, signals
        self.n_learned = len(explained.trades)
        self.is_confirmed = False
        self._answer: Answer | None = None
        self._entries: Entries | None = None
        self._seen: tuple[Situation, float | None] | None = None

    def __call__(self) -> Entries:
        """Return the risk event that it showed, and the decision if the entry was confirmed."""
        if self._entries is None:
            pair, jump = self.ask[0]["pair"], self.seen[1]
            events = () if jump is None else self.explained.ranged(pair, jump, self.moment)
            self._entries = (*events, self.answer.decision()) if self.is_confirmed else events
        return self._entries

    @property
    def seen(self) -> tuple[Situation, float | None]:
        """What `signals` tell of the moment."""
        if self._seen is None:
            self._seen = self.signals.at(self.ask[1])
        return self._seen

    @property
    def moment(self) -> datetime:
        """The moment, in UTC."""
        return as_utc(self.ask[0]["current_time"])

    @property
    def answer(self) -> Answer:
        """The answer with its reasons, which a decision keeps."""
        if self._answer is None:
            self._answer = self.explained.answer_to(self)
        return self._answer

    def answer_if_confirmed(self) -> Answer | None:
        """Return the answer for the entry's trade; None also where it can not be explained."""
        try:
            return self.answer if self.is_confirmed else None
        except Exception:
            # Trades are worked out in a row: an error here would be that of all later ones, too.
            pair, moment = self.ask[0]["pair"], self.moment
            logger.exception("The stake of %s at %s can not be explained.", pair, moment)
            return None


class Explained:
    """Works out the entries of one run. For one thread.

    Parameters
    ----------
    setup
        What its session decides with.
    decider
        Of the session; words the reasons.
    now
        Wall clock: risk events were recorded when the run began, however often they are worked out.
    entries_of
        Returns the entries of a closed trade.
    """

    def __init__(
        self,
        setup: SessionSetup,
        decider: Decider,
        now: Callable[[], datetime],
        entries_of: Callable[[Closed], Entries],
    ) -> None:
        self.trades: list[Any] = []
        """Freqtrade's closed trades in the order in which they were learned."""
        self.entries: list[tuple[Asked | None, datetime]] = []
        """What was asked at their entries, and when they were recorded."""
        self.n_to_examine = 0
        """How many of them `examined` was asked about."""
        self._setup, self._decider, self._entries_of = setup, decider, entries_of
        self._recall = Recall(setup.recall.levels, setup.recall.half_life_days)
        self._closed: list[Closed] = []
        self._n_learned = self._n_examined = 0
        self._kept: list[Record] = []
        began = now()
        self._risk = RiskLog(
            origin=setup.origin,
            keep=self._keep,
            now=lambda: began,
            damping=setup.damping,
            puts_off=True,
        )
        self._trade_ids: dict[tuple[str, str], Callable[[int], str]] = {}

    def closed(self, number: int) -> Entries:
        """Return the entries of a closed trade, by its place in `trades`."""
        return self._entries_of(self._closed_trade(number))

    def locked(self, locks: Sequence[Lock]) -> Entries:
        """Return the risk events among some locks."""
        self._risk.locked(locks)
        return self._taken()

    def ranged(self, pair: str, jump: float, moment: datetime) -> Entries:
        """Return the risk events of a jump of a pair's range."""
        self._risk.ranged(pair, jump, moment)
        return self._taken()

    def examined(self, n: int) -> Entries:
        """Return the risk events of the first `n` trades that were closed."""
        for number in range(self._n_examined, n):
            self._risk.closed(self._closed_trade(number))
        self._n_examined = n
        self._risk.until(None)
        return self._taken()

    def answer_to(self, asked: Asked) -> Answer:
        """Return what `Decider.answer` would have returned in the loop."""
        setup = self._setup
        call, now_ms, proposed, _, min_stake = asked.ask
        stake, limited, multiplier, response, account = asked.said
        situation = asked.situation
        proposal = Proposal(
            pair=call["pair"],
            side=call["side"],
            enter_tag=str(call.get("entry_tag") or ""),
            moment=asked.moment,
            stake=proposed,
            min_stake=min_stake,
            max_stake=call["max_stake"],
            situation=asked.seen[0] if situation is None else situation,
            at_ms=now_ms,
        )
        whole = self._whole(asked)
        reasons = self._decider.lone_reasons(multiplier, response, account, whole)
        return Answer(
            setup.origin,
            proposal,
            Wish(multiplier=multiplier, reasons=reasons),
            setup.policy,
            multiplier,
            stake,
            True,
            whole,
            limited,
            False,
            account,
        )

    def _whole(self, asked: Asked) -> tuple[Moments, float]:
        """Return the moments of the trades that were known at an entry; see `Recall.whole`."""
        for number in range(self._n_learned, asked.n_learned):
            closed = self._closed_trade(number)
            if closed.is_evidence:
                trade = self.trades[number]
                times_ms = utc_ms(trade.close_date), utc_ms(trade.open_date)
                ratio, side = closed.profit_ratio, closed.side
                self._recall.add_later(closed, ratio, side, times_ms, _UNKNOWN)
        self._n_learned = max(self._n_learned, asked.n_learned)
        return self._recall.whole(asked.ask[1])

    def _closed_trade(self, number: int) -> Closed:
        for place in range(len(self._closed), number + 1):
            trade, (asked, recorded_at) = self.trades[place], self.entries[place]
            key = trade.pair, trade.trade_direction
            make_id = self._trade_ids.get(key)
            if make_id is None:
                make_id = self._trade_ids[key] = trade_ids(self._setup.origin, *key)
            answer = None if asked is None else asked.answer_if_confirmed()
            make = partial(make_id, utc_ms(trade.open_date))
            self._closed.append(Closed(trade, answer, self._setup.origin, recorded_at, make))
        return self._closed[number]

    def _keep(self, record: Record) -> None:
        if getattr(self._setup.categories, record.category):
            self._kept.append(record)

    def _taken(self) -> Entries:
        kept, self._kept = self._kept, []
        return tuple(kept)
