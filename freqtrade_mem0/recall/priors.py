"""Priors: promoted runs, whose trades count for a strategy at a discount from the start.

A promotion is a record like any other: it is dated, delivered to Mem0, and withdrawn by a
correction. There is no look-ahead: a prior's trade counts only after its own `known_at`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from operator import attrgetter
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.append import Confirmed
from freqtrade_mem0.journal.evidence.trade import TradeEvidence
from freqtrade_mem0.journal.revoked import is_revoked, revoked
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.records.base import Mode, Origin, record_id
from freqtrade_mem0.records.kinds.promotion import Promotion
from freqtrade_mem0.records.kinds.trade import TradeRecord

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from freqtrade_mem0.journal.journal import Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """The trades of all promoted runs of a strategy.

    Parameters
    ----------
    trades
        Sorted by `(known_at, id)`.
    discount
        Weight of each, relative to a trade of the bot, in (0, 1].
    """

    trades: tuple[TradeRecord | TradeEvidence, ...] = ()
    discount: float = 1.0

    @property
    def fingerprint(self) -> str:
        """Hash of everything in it that a decision can depend on; "" without trades."""
        if not self.trades:
            return ""
        parts = [repr(self.discount), *(repr(_all_of(trade)) for trade in self.trades)]
        return sha256("\n".join(parts).encode()).hexdigest()[:16]


_all_of = attrgetter(
    *("id", "known_at", "pair", "side", "enter_tag", "exit_reason", "open_date", "profit_ratio"),
    *("is_evidence", "stop_sold_part", "situation"),
)


def promote(
    journal: Journal,
    *,
    user_id: str,
    source: Origin,
    strategy: str,
    provenance: str,
    now: datetime,
) -> Promotion:
    """Make the trades of a run a prior of a strategy, until it is withdrawn.

    Parameters
    ----------
    journal
        Has the run's trades.
    user_id
        Owner.
    source
        The run.
    strategy
        For which they will count.
    provenance
        Where they come from, for people.
    now
        Aware UTC wall time.

    Raises
    ------
    RecordError
        No trade of the run is in the journal.
    """
    scope = Scope(
        user_id=user_id,
        strategy=source.strategy,
        modes=[source.mode],
        run_id=source.run_id,
    )
    if not any(True for _ in journal.of_kind(TradeRecord, scope, limit=1)):
        raise RecordError(
            f"No trade of {source.strategy}, {source.mode} run {source.run_id}, is remembered: "
            "there is nothing to promote. 'freqtrade-mem0 import' takes result files."
        )
    promotion = Promotion(
        id=record_id("promotion", user_id, strategy, source.strategy, source.mode, source.run_id),
        origin=Origin(user_id=user_id, strategy=strategy, mode=Mode.MANUAL, run_id=source.run_id),
        known_at=now,
        recorded_at=now,
        source_strategy=source.strategy,
        source_mode=source.mode,
        source_run_id=source.run_id,
        is_active=True,
        provenance=provenance,
    )
    journal.append([promotion])
    return promotion


def withdraw(journal: Journal, promotion: Promotion, now: datetime) -> None:
    """Withdraw a prior. Its trades stay in memory."""
    journal.append([replace(promotion, is_active=False, recorded_at=now)])


def promotions(journal: Journal, user_id: str, strategy: str | None = None) -> list[Promotion]:
    """Return the active promotions, of one strategy or of all.

    A promotion that came from Mem0 is none until it is accepted on this machine, see `accept`.
    """
    return [each for seq, each in _promotions(journal, user_id, strategy) if seq is None]


def waiting(journal: Journal, user_id: str, strategy: str | None = None) -> list[Promotion]:
    """Return the promotions that were made elsewhere and wait for consent on this machine."""
    return [each for seq, each in _promotions(journal, user_id, strategy) if seq is not None]


def accept(journal: Journal, promotion: Promotion) -> None:
    """Let a promotion that was made elsewhere have its effect on this machine."""
    journal.append([Confirmed(record_id=promotion.id)])


def _promotions(
    journal: Journal, user_id: str, strategy: str | None
) -> Iterator[tuple[int | None, Promotion]]:
    """Yield the active promotions, each with its row where it waits for consent."""
    # All have mode "manual"; with it in the scope the query need not go through a bot's trades.
    scope = Scope(user_id=user_id, strategy=strategy, modes=[Mode.MANUAL])
    scope = replace(scope, kind=Promotion.kind)
    read = list(journal.evidence.items(scope))
    adopted = journal.adopted(scope) if read else set()
    for seq, record in read:
        if isinstance(record, Promotion) and record.is_active:
            yield (seq if seq in adopted else None), record


def load_prior(journal: Journal, user_id: str, strategy: str, discount: float) -> Prior:
    """Return the prior of a strategy.

    Runs over the same candles contain the same trades. Trades of one pair and side with one open
    date are counted once, as in the run that was promoted last.
    """
    trades: dict[tuple[str, str, datetime], TradeEvidence] = {}
    writers = revoked(journal)
    by_age = sorted(promotions(journal, user_id, strategy), key=lambda p: (p.known_at, p.id))
    for promotion in by_age:
        scope = Scope(
            user_id=user_id,
            strategy=promotion.source_strategy,
            modes=[promotion.source_mode],
            run_id=promotion.source_run_id,
        )
        for trade in journal.evidence.trades(replace(scope, kind=TradeRecord.kind)):
            if trade.is_evidence and not is_revoked(trade, writers):
                trades[trade.pair, trade.side, trade.open_date] = trade
    ordered = sorted(trades.values(), key=lambda trade: (trade.known_at, trade.id))
    return Prior(trades=tuple(ordered), discount=discount)
