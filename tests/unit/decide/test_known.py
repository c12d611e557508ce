"""What a policy is told about an entry: as of its moment, nothing it could change, lazily."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.decide.known import EvidenceReader
from freqtrade_mem0.insight.performance import RecentPerformance
from freqtrade_mem0.insight.shrinkage import Shrinkage
from freqtrade_mem0.recall import Recall
from tests.support.samples import a_trade, at

if TYPE_CHECKING:
    from datetime import datetime

    from freqtrade_mem0.sizing.policy import Known

PRIOR = Shrinkage(pseudo_trades=20.0)


def recall_with(n_losses: int) -> Recall:
    """Return recall of losing trades, one an hour."""
    recall = Recall(("pair", "regime", "pair*regime"), 1e6)
    for number in range(n_losses):
        recall.add(a_trade(number, profit_ratio=-0.25, closed_at=at(number)))
    return recall


def known_at(evidence: EvidenceReader, hours: float) -> Known:
    """Return what is known of an entry so many hours after the first trade."""
    return evidence.for_entry(
        strategy="Sample",
        pair="ETH/USDT",
        side="long",
        enter_tag="dip",
        moment=at(hours),
        situation={"regime": "calm", "rsi": 30.0},
    )


def test_everything_is_as_of_the_moment() -> None:
    """Moments, win rates and form; the situation is the entry's."""
    known = known_at(EvidenceReader(recall_with(8), PRIOR), 3)

    assert known.strategy.moments.n == pytest.approx(3.0)
    assert known.strategy.moments.win_rate == 0.0
    assert [(part.name, part.value) for part in known.levels] == [
        ("pair", "ETH/USDT"),
        ("regime", "calm"),
        ("pair*regime", "ETH/USDT & calm"),
    ]
    assert known.levels[2].inside == ("pair", "regime")
    assert known.situation == {"regime": "calm", "rsi": 30.0}
    assert known.form() == RecentPerformance(3, 3, 0.75)


def test_form_is_worked_out_only_if_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """And is then that of the entry's moment, whatever was asked about before."""
    evidence = EvidenceReader(recall_with(8), PRIOR)
    asked: list[datetime] = []
    at_moment = evidence._performance.at

    def counting(moment: datetime) -> RecentPerformance:
        asked.append(moment)
        return at_moment(moment)

    monkeypatch.setattr(evidence._performance, "at", counting)
    late, early = known_at(evidence, 6), known_at(evidence, 2)
    assert asked == []

    assert (late.form().n_trades, early.form().n_trades, late.form().n_trades) == (6, 2, 6)


def test_nothing_that_is_handed_out_can_be_changed() -> None:
    """A policy is a stranger's code; what it spoils would spoil every later entry."""
    known = known_at(EvidenceReader(recall_with(2), PRIOR), 3)
    views: list[Any] = [known.differences, known.situation]

    for view in views:
        with pytest.raises(TypeError):
            view["pair"] = 1.0
