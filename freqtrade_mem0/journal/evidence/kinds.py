"""Which kinds of records are evidence."""

from __future__ import annotations

from freqtrade_mem0.records.kinds.promotion import Promotion
from freqtrade_mem0.records.kinds.retraction import Retraction
from freqtrade_mem0.records.kinds.risk import RiskEvent
from freqtrade_mem0.records.kinds.trade import TradeRecord

WHOLE_KINDS = frozenset({Promotion.kind, Retraction.kind, RiskEvent.kind})
"""Kinds that are evidence as a whole: their facts are their JSON, without what the columns say."""

EVIDENCE_KINDS = WHOLE_KINDS | {TradeRecord.kind}
