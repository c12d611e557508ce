"""All that decisions are computed from, as a journal says it: to compare two of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.journal.own_records import OwnRecords
from freqtrade_mem0.recall import Recall
from freqtrade_mem0.recall.follow import JournalFollower
from freqtrade_mem0.recall.priors import load_prior
from tests.support.samples import ORIGIN, at

if TYPE_CHECKING:
    from freqtrade_mem0.journal.journal import Journal
    from freqtrade_mem0.records.base import Origin


def known(journal: Journal, origin: Origin = ORIGIN) -> list[object]:
    """Return what recall, priors, the risk detectors and reconciliation read."""
    recall = Recall(("pair", "regime"), 30.0)
    JournalFollower(journal, recall, origin, 0.5).begin()
    own = OwnRecords(journal, origin)
    prior = load_prior(journal, origin.user_id, origin.strategy, 0.5)
    trades = list(own.trades())
    outcomes = own.outcomes([trade.id for trade in trades])
    groups = recall.groups(at(500))
    return [groups, trades, list(own.events()), prior, prior.fingerprint, own.newest(3), outcomes]
