"""What Freqtrade's REST server gets of memory for its charts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from freqtrade.enums import RunMode
from freqtrade.exceptions import StrategyError

from freqtrade_mem0.strategy import attach
from tests.support.samples import a_risk_event
from tests.unit.strategy import test_mixin_composition as mixin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLAIN = "class Mine(Mem0Mixin, Base):\n    pass"
OWN = (
    "class Mine(Mem0Mixin, Base):\n    def plot_annotations(self, **kwargs):\n"
    "        return [{'type': 'line', 'label': 'own'}]"
)
BROKEN = OWN.replace("return [{'type': 'line', 'label': 'own'}]", "raise ValueError('my own')")
BOT: dict[str, Any] = {"runmode": RunMode.DRY_RUN, "bot_name": "one", "dry_run": True}


@pytest.fixture
def loader(tmp_path: Path) -> Iterator[mixin.Loader]:
    """A loader in a folder of its own, whose strategies' memories are closed at the end."""
    loader = mixin.Loader(tmp_path, [])
    yield loader
    for strategy in loader.started:
        attach.stop(strategy)


def labels(strategy: Any, *, after_event: bool = True) -> list[str]:
    """Return the labels of a chart of a day, in which there was a stop loss, as Freqtrade does."""
    runtime = vars(strategy).get("_mem0_runtime")
    if after_event and runtime is not None:
        at_noon = mixin.MOMENT - timedelta(hours=6)
        event = a_risk_event(origin=runtime.run.origin, known_at=at_noon, pair=mixin.PAIR)
        runtime.submit(event)
        runtime.writer.flush(5.0)
    dates = pd.date_range(end=mixin.MOMENT, periods=24, freq="1h")
    found = strategy.ft_plot_annotations(mixin.PAIR, pd.DataFrame({"date": dates}))
    return [each["label"] for each in found]


def test_risk_events_stand_beside_the_strategys_own_annotations(loader: mixin.Loader) -> None:
    """The own ones come first and are kept."""
    assert labels(loader.load(OWN, **BOT)) == ["own", "stop loss -4.0%"]


def test_a_strategy_without_annotations_shows_memorys(loader: mixin.Loader) -> None:
    """Nothing but the mixin is needed."""
    assert labels(loader.load(PLAIN, **BOT)) == ["stop loss -4.0%"]


@pytest.mark.parametrize(
    "changes",
    [
        BOT | {"mem0": {"mode": "local", "frequi": {"annotations": False}}},
        {"runmode": RunMode.BACKTEST},
    ],
)
def test_switched_off_and_in_backtests_the_own_ones_are_alone(
    loader: mixin.Loader, changes: dict[str, Any]
) -> None:
    """Freqtrade gets the strategy's own method, unwrapped."""
    strategy = loader.load(OWN, **changes)
    assert "plot_annotations" not in vars(strategy)
    assert labels(strategy, after_event=False) == ["own"]


def test_an_error_of_the_strategy_stays_its_own(loader: mixin.Loader) -> None:
    """Freqtrade says it as without memory."""
    with pytest.raises(StrategyError, match="my own"):
        labels(loader.load(BROKEN, **BOT))


def test_a_memory_that_can_not_be_read_leaves_the_own_ones(
    loader: mixin.Loader, caplog: pytest.LogCaptureFixture
) -> None:
    """And is logged once."""
    strategy = loader.load(OWN, **BOT)
    vars(strategy)["_mem0_runtime"]._own = None
    assert [labels(strategy, after_event=False) for _ in range(2)] == [["own"], ["own"]]
    (said,) = [each.message for each in caplog.records if "plot_annotations" in each.message]
    assert said.startswith("Memory failed in plot_annotations for ETH/USDT; Freqtrade goes on")
