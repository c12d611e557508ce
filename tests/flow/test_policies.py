"""Every policy in a real backtest: ours, and one of another distribution."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.run.replay import Replay
from tests.flow.scenarios import CORE, complaints, ledger, memory_in, run_freqtrade
from tests.support.own_policies import install_the_documented_one

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.journal.ledger_line import LedgerLine
    from tests.flow.harness import Backtests

pytestmark = pytest.mark.flow

TIMERANGE = "20240102-20240108"
"""Closed at both ends: Freqtrade caches no other."""

REUSED = "Reusing result of previous backtest"

TAGGED = f'''{CORE}

class Tagged(Mem0Mixin, Core):
    """Nothing but the mixin."""
'''


def decided(backtests: Backtests, **sizing: Any) -> tuple[list[LedgerLine], str]:
    """Return the ledger and the log of a backtest with a policy."""
    mem0 = {"enabled": True, "sizing": sizing}
    job = backtests.job(TAGGED, mem0, userdir=str(sizing["policy"]), timerange=TIMERANGE)
    ended = run_freqtrade("backtesting", job)
    assert ended.code == 0, ended.output
    with memory_in(job.userdir) as store:
        return ledger(store), ended.output


@pytest.mark.parametrize("policy", ["kelly", "rules"])
def test_our_policies_scale_real_stakes(backtests: Backtests, policy: str) -> None:
    """Within the bounds, explained to the last digit, without a complaint."""
    lines, log = decided(backtests, policy=policy)
    decisions = [line.decision for line in lines]

    assert len(decisions) > 20
    assert {decision.policy for decision in decisions} == {policy}
    assert complaints(log) == []
    for decision in decisions:
        explained = sum(reason.effect for reason in decision.reasons)
        assert explained == pytest.approx(decision.multiplier - 1.0, abs=1e-9)
        assert 0.25 <= decision.multiplier <= 1.75
    assert len({decision.multiplier for decision in decisions}) > 1


def test_the_default_follows_its_experts_as_far_as_they_earned_it(backtests: Backtests) -> None:
    """Not in the first 20 days; then in part, with its account, and the same when asked again."""
    sizing = {"policy": "split", "split": {"experts": {"response": 0.3, "kelly": 0.1}}}
    job = backtests.job(TAGGED, {"enabled": True, "sizing": sizing}, userdir="split")
    ended = run_freqtrade("backtesting", job)
    assert ended.code == 0, ended.output
    assert complaints(ended.output) == []
    with memory_in(job.userdir, {"enabled": True, "sizing": sizing}) as store:
        decisions = [line.decision for line in ledger(store)]
        replay = Replay(store, decisions[0].origin)
        again = [replay.again(decision) for decision in decisions]

    first = min(decision.decided_at for decision in decisions).date()
    early = [each for each in decisions if each.decided_at.date() - first < timedelta(days=20)]
    late = [each for each in decisions if each.decided_at.date() - first > timedelta(days=22)]
    assert {decision.multiplier for decision in early} == {1.0}
    assert len({decision.multiplier for decision in late}) > 20
    for decision in late:
        assert decision.account is not None
        assert set(decision.account.experts) == {"response", "kelly"}
        assert decision.account.earned >= decision.account.floor
        assert abs(decision.multiplier - 1.0) <= 0.75 * decision.account.followed + 1e-9
    # From the closed trades alone, in another process.
    assert [each.reasons for each in again] == [each.reasons for each in decisions]
    assert [each.account for each in again] == [each.account for each in decisions]


def test_an_own_policy_scales_real_stakes(
    backtests: Backtests, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one of the docs; a new version of it is never served from the old one's cache."""
    site = tmp_path / "site"
    site.mkdir()
    install_the_documented_one(site)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")]))
    lines, log = decided(backtests, policy="careful")

    assert complaints(log) == []
    assert {line.decision.policy for line in lines} == {"careful"}
    assert {line.decision.multiplier for line in lines} >= {1.0, 0.5}
    assert REUSED in decided(backtests, policy="careful")[1]
    with (site / "careful.py").open("a", encoding="utf-8") as file:
        file.write("# mended\n")
    assert REUSED not in decided(backtests, policy="careful")[1]
