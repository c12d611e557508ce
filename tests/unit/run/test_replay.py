"""A replay decides as the run does: same bounds, vetoes, damping, and guard around the policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.decide.vetoes import is_vetoed
from freqtrade_mem0.run.replay import Replay
from tests.support.own_policies import install
from tests.support.runs import a_bot, a_run
from tests.support.samples import a_trade, at
from tests.support.session_stage import SITUATION, proposal

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.records.decision import Decision

POLICIES = """
from freqtrade_mem0.records.decision import Reason
from freqtrade_mem0.sizing.policy import Wish

def wishes(multiplier):
    reason = Reason(name="always", text="always", effect=multiplier - 1.0)
    return lambda settings: lambda known: Wish(multiplier=multiplier, reasons=(reason,))

bold, shy = wishes(5.0), wishes(0.3)

def broken(settings):
    def policy(known):
        raise RuntimeError("no idea")
    return policy
"""
NAMES = ("bold", "shy", "broken")
DAMPED = {"damping": {"enabled": True, "severity": {"liquidation": 0.6}}}


@pytest.fixture(autouse=True)
def _policies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three policies of another distribution."""
    site = tmp_path / "site"
    site.mkdir()
    install(site, "wished", "wished", POLICIES, {name: f"wished:{name}" for name in NAMES})
    monkeypatch.syspath_prepend(site)


def both(folder: Path, block: dict[str, Any]) -> tuple[Decision, Decision]:
    """Return the decision of a bot and of a replay on the same entry, with the same memory."""
    settings = Settings.model_validate({"mode": "local", "user_id": "me", **block})
    run = a_run(folder, settings)
    bot = a_bot(run)
    liquidated = a_trade(50, exit_reason="liquidation", profit_ratio=-0.4)
    bot.store.journal.append([*(a_trade(number) for number in range(30)), liquidated])
    bot.close()
    bot = a_bot(run)
    decided = bot.session.decide(proposal(60))
    replayed = Replay(bot.store, run.origin).asked(
        "ETH/USDT", "long", "dip", at(60), SITUATION, stake=100.0
    )
    bot.close()
    return decided, replayed


@pytest.mark.parametrize(
    ("block", "multiplier", "vetoed"),
    [
        ({"sizing": {"policy": "bold"}}, 1.75, False),
        ({"sizing": {"policy": "shy", "veto_below": 0.5}}, 0.3, True),
        ({"sizing": {"policy": "shy"}}, 0.3, False),
        ({"sizing": {"policy": "broken"}}, 1.0, False),
        ({"sizing": {"policy": "bold"}, "risk": DAMPED}, None, False),
        ({"risk": DAMPED}, None, False),
        ({}, None, False),
    ],
    ids=["beyond the bound", "vetoed", "low", "raising", "damped", "damped default", "default"],
)
def test_a_replay_decides_as_the_run(
    tmp_path: Path, block: dict[str, Any], multiplier: float | None, *, vetoed: bool
) -> None:
    """Multiplier, reasons and veto are the same."""
    decided, replayed = both(tmp_path, block)

    assert (replayed.multiplier, replayed.reasons) == (decided.multiplier, decided.reasons)
    assert is_vetoed(replayed) == is_vetoed(decided) == vetoed
    if multiplier is not None:
        assert replayed.multiplier == multiplier
    if "risk" in block:
        assert "risk" in {reason.name for reason in replayed.reasons}


def test_in_shadow_a_replay_can_say_what_switching_on_would_do(tmp_path: Path) -> None:
    """In shadow no entry is vetoed; asked to leave shadow aside, it is."""
    block = {"sizing": {"policy": "shy", "veto_below": 0.5, "shadow": True}}
    decided, replayed = both(tmp_path, block)
    assert not is_vetoed(decided)
    assert not is_vetoed(replayed)

    run = a_run(tmp_path, Settings.model_validate({"mode": "local", "user_id": "me", **block}))
    bot = a_bot(run)
    replay = Replay(bot.store, run.origin, in_shadow=False)
    assert is_vetoed(replay.again(decided))
    bot.close()
