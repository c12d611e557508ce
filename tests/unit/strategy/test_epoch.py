"""Memory around a strategy in hyperopt and analyses, where nothing is recorded."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from freqtrade.enums import RunMode
from freqtrade.strategy.strategy_wrapper import strategy_safe_wrapper

from freqtrade_mem0.host.run_kind import RunKind
from freqtrade_mem0.strategy import attach
from tests.unit.strategy import test_mixin_composition as mixin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MINE = "class Mine(Mem0Mixin, Base):\n    pass\n"
FELT = """
class Mine(Mem0Mixin, Base):
    asked = 0

    def mem0_situation(self, **asked):
        self.asked += 1
        return {"volatility": 0.02}
"""
RULE = {"tighten": {"multiplier": 0.5}}


@pytest.fixture
def loader(tmp_path: Path) -> Iterator[mixin.Loader]:
    """A loader in a folder of its own, whose strategies' memories are closed at the end."""
    loader = mixin.Loader(tmp_path, [])
    yield loader
    for strategy in loader.started:
        attach.stop(strategy)


def load(loader: mixin.Loader, source: str, runmode: RunMode, **block: Any) -> Any:
    """Start a strategy in a run mode with a block of its own."""
    return loader.load(source, runmode=runmode, mem0={"mode": "local", **block})


def stake(strategy: Any) -> Any:
    """Ask for a stake as Freqtrade does."""
    return strategy_safe_wrapper(strategy.custom_stake_amount, default_retval=80.0)(
        pair=mixin.PAIR,
        current_time=mixin.MOMENT,
        current_rate=2_000.0,
        proposed_stake=80.0,
        min_stake=10.0,
        max_stake=1_000.0,
        leverage=1.0,
        entry_tag="dip",
        side="long",
    )


@pytest.mark.parametrize("runmode", [RunMode.HYPEROPT, RunMode.UTIL_NO_EXCHANGE])
def test_where_nothing_is_recorded_memory_stands_around_the_stake_alone(
    loader: mixin.Loader, runmode: RunMode
) -> None:
    """Freqtrade calls the strategy's own confirmation of an entry."""
    strategy = load(loader, MINE, runmode)
    assert "confirm_trade_entry" not in vars(strategy)
    assert stake(strategy) == 80.0


@pytest.mark.parametrize(
    ("runmode", "block"),
    [
        (RunMode.BACKTEST, {}),
        (RunMode.HYPEROPT, {"sizing": {"policy": "bayes"}}),
        (RunMode.HYPEROPT, {"sizing": {"split": {"experts": {"bayes": 0.2, "response": 0.2}}}}),
        (RunMode.HYPEROPT, {"sizing": {"veto_below": 0.5}}),
        (RunMode.HYPEROPT, {"sizing": {"shadow": True}}),
        (RunMode.HYPEROPT, {"risk": {"damping": {"enabled": True}}}),
    ],
)
def test_memory_confirms_entries_wherever_that_can_matter(
    loader: mixin.Loader, runmode: RunMode, block: dict[str, Any]
) -> None:
    """For records, for policies that read more of a trade, for vetoes and for risk."""
    assert "confirm_trade_entry" in vars(load(loader, MINE, runmode, **block))


def test_a_prior_or_a_rule_on_trial_needs_the_whole_session(loader: mixin.Loader) -> None:
    """Both act on stakes beside the default policy."""
    run = getattr(load(loader, MINE, RunMode.HYPEROPT), attach._RUN)
    assert (run.kind, run.says_stakes_only) == (RunKind.HYPEROPT, True)
    assert not replace(run, has_prior=True).says_stakes_only
    sizing = run.settings.sizing.model_copy(update={"trial_rules": (RULE,)})
    settings = run.settings.model_copy(update={"sizing": sizing})
    assert not replace(run, settings=settings).says_stakes_only


def test_the_strategys_own_features_count_in_an_epoch(loader: mixin.Loader) -> None:
    """It is asked for them at each stake."""
    strategy = load(loader, FELT, RunMode.HYPEROPT)
    assert [stake(strategy), stake(strategy), strategy.asked] == [80.0, 80.0, 2]


def test_a_failure_in_an_epoch_leaves_the_proposed_stake(
    loader: mixin.Loader, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And is logged once."""
    strategy = load(loader, MINE, RunMode.HYPEROPT)
    monkeypatch.setattr("freqtrade_mem0.run.epoch.within_limits", None)
    with caplog.at_level(logging.ERROR):
        assert [stake(strategy), stake(strategy)] == [80.0, 80.0]
    assert len(caplog.records) == 1
