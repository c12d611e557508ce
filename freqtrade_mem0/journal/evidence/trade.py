"""The part of a closed trade that stakes are computed from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from freqtrade_mem0.records.codec import content_hash
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.records.told import Told

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from freqtrade_mem0.records.base import Origin

_NOT_KEPT = (
    *("open_rate", "close_rate", "amount", "stake_amount", "max_stake_amount", "leverage"),
    *("fee_open", "fee_close", "funding_fees", "profit_abs", "n_entries", "n_exits"),
)
"""Fields of a trade's record that no stake depends on."""


class TradeEvidence(NamedTuple):
    """A closed trade as recall and the risk detectors read it; the fields are `TradeRecord`'s.

    Parameters
    ----------
    said
        The first 32 digits of the record's content hash.
    said_without_execution
        The same of the record without its `execution`; "" where it has none.
    """

    id: str
    origin: Origin
    known_at: datetime
    recorded_at: datetime
    said: str
    pair: str
    side: str
    enter_tag: str
    exit_reason: str
    open_date: datetime
    close_date: datetime
    profit_ratio: float
    is_evidence: bool
    stop_sold_part: bool
    decision_id: str | None
    situation: Mapping[str, float | str]
    unknown: tuple[str, ...] = ()
    said_without_execution: str = ""

    @property
    def retracts(self) -> None:
        """Nothing, as with a trade's record."""

    def completed(self, record: TradeRecord) -> tuple[TradeRecord, bool]:
        """Return another version of the trade with what only this one knows of its entry.

        And whether both say the same, as far as that can be told without this one's execution.
        """
        if record.decision_id is None and not record.situation:
            record = replace(record, decision_id=self.decision_id, situation=self.situation)
        said = content_hash(record)
        if self.said_without_execution and record.execution is None:
            return record, said.startswith(self.said_without_execution)
        return record, said.startswith(self.said)

    def as_record(self) -> TradeRecord:
        """Return a record whose other fields are marked as unknown, for people."""
        return TradeRecord(
            id=self.id,
            origin=self.origin,
            known_at=self.known_at,
            recorded_at=self.recorded_at,
            pair=self.pair,
            side=self.side,
            enter_tag=self.enter_tag,
            exit_reason=self.exit_reason,
            open_date=self.open_date,
            close_date=self.close_date,
            open_rate=0.0,
            close_rate=0.0,
            amount=0.0,
            stake_amount=0.0,
            max_stake_amount=0.0,
            leverage=1.0,
            fee_open=0.0,
            fee_close=0.0,
            funding_fees=0.0,
            profit_ratio=self.profit_ratio,
            profit_abs=0.0,
            n_entries=0,
            n_exits=0,
            is_evidence=self.is_evidence,
            decision_id=self.decision_id,
            situation=self.situation,
            stop_sold_part=self.stop_sold_part,
            told=Told(unknown=tuple(dict.fromkeys([*_NOT_KEPT, *self.unknown]))),
        )
