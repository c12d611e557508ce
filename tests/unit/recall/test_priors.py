from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.recall import STRATEGY, Recall
from freqtrade_mem0.recall.priors import Prior, load_prior, promote, promotions, withdraw
from tests.support.samples import BACKTEST, NOTED, ORIGIN, a_trade, at

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.records.base import Origin
    from freqtrade_mem0.records.kinds.promotion import Promotion


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """Return a journal with three trades of one backtest run and one of a bot."""
    journal = Journal(tmp_path)
    journal.append([a_trade(number, origin=BACKTEST) for number in (1, 2, 3)])
    journal.append([a_trade(4, origin=ORIGIN)])
    return journal


def promoted(journal: Journal, source: Origin = BACKTEST) -> Promotion:
    """Promote a run for the strategy that made it."""
    return promote(
        journal,
        user_id=source.user_id,
        source=source,
        strategy=source.strategy,
        provenance="a test",
        now=NOTED,
    )


def prior_of(journal: Journal, discount: float = 0.5) -> Prior:
    """Return the prior of the sample strategy."""
    return load_prior(journal, ORIGIN.user_id, ORIGIN.strategy, discount)


def test_nothing_is_a_prior_without_a_promotion(journal: Journal) -> None:
    """Trades of a backtest are not read by other runs on their own."""
    assert prior_of(journal) == Prior(discount=0.5)


def test_a_promoted_run_is_read_by_its_strategy_alone(journal: Journal) -> None:
    """The prior has the run's trades, all of them and no others, and only for that strategy."""
    promotion = promoted(journal)
    assert [trade.id for trade in prior_of(journal).trades] == [
        a_trade(number, origin=BACKTEST).id for number in (1, 2, 3)
    ]
    assert promotion.provenance == "a test"
    assert load_prior(journal, ORIGIN.user_id, "Another", 0.5).trades == ()
    assert load_prior(journal, "somebody else", ORIGIN.strategy, 0.5).trades == ()


def test_a_withdrawn_run_is_read_no_more_and_can_come_back(journal: Journal) -> None:
    """Withdrawing corrects the promotion; the trades stay; promoting again is possible."""
    withdraw(journal, promoted(journal), NOTED)
    assert prior_of(journal).trades == ()
    assert promotions(journal, ORIGIN.user_id) == []
    assert journal.record(a_trade(1, origin=BACKTEST).id) is not None
    promoted(journal)
    assert len(prior_of(journal).trades) == 3


def test_promoting_a_run_without_trades_is_refused(journal: Journal) -> None:
    """The sentence names the run and what to do."""
    with pytest.raises(RecordError, match=r"run nowhere, is remembered.*import"):
        promoted(journal, replace(BACKTEST, run_id="nowhere"))


def test_trades_without_evidence_are_no_prior(journal: Journal) -> None:
    """A trade cut by the end of the data is left out."""
    journal.append([a_trade(3, origin=BACKTEST, is_evidence=False)])
    promoted(journal)
    assert len(prior_of(journal).trades) == 2


def test_the_fingerprint_tells_what_a_decision_can_depend_on(journal: Journal) -> None:
    """It changes with the trades and the discount, and with nothing else."""
    assert prior_of(journal).fingerprint == ""
    promoted(journal)
    before = prior_of(journal).fingerprint
    assert before != ""
    assert prior_of(journal, 0.25).fingerprint != before
    journal.append([a_trade(5, origin=ORIGIN)])
    assert prior_of(journal).fingerprint == before
    journal.append([a_trade(5, origin=BACKTEST)])
    assert prior_of(journal).fingerprint != before


def test_a_prior_is_known_only_after_its_own_moment(journal: Journal) -> None:
    """Promoted today, a trade still counts only for decisions after it was closed, discounted."""
    promoted(journal)
    recall = Recall((), 1e9)
    for trade in prior_of(journal).trades:
        recall.add(trade, 0.5)
    known = [recall.as_of(at(hours), [STRATEGY])[0].n for hours in (1, 1.5, 3, 10)]
    assert known == pytest.approx([0.0, 0.5, 1.0, 1.5], rel=1e-6)


def test_overlapping_runs_are_one_experience(journal: Journal) -> None:
    """The same trades in five runs are not five times as many; the run promoted last speaks."""
    runs = [replace(BACKTEST, run_id=f"variant-{number}") for number in range(5)]
    for days, run in enumerate(runs):
        journal.append([a_trade(1, origin=run, profit_ratio=0.01 * days)])
        promote(
            journal, user_id="me", source=run, strategy=ORIGIN.strategy, provenance="a test",
            now=NOTED + timedelta(days=days),
        )  # fmt: skip
    (trade,) = prior_of(journal).trades
    assert trade.origin == runs[-1]
