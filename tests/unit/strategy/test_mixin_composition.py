"""The mixin beside a strategy's own callbacks: any order of bases, with and without `super()`."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from freqtrade.enums import RunMode
from freqtrade.exceptions import OperationalException
from freqtrade.resolvers import StrategyResolver
from freqtrade.strategy.strategy_wrapper import strategy_safe_wrapper

from freqtrade_mem0.run.backtest import BacktestRuntime
from freqtrade_mem0.strategy import attach
from tests.support.samples import a_trade

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from freqtrade_mem0.run.bot.entries.exits import AskedExit

MOMENT = datetime(2024, 1, 2, 12, tzinfo=UTC)
PAIR = "ETH/USDT"

HEAD = """
from freqtrade.strategy import IStrategy

from freqtrade_mem0.mixin import Mem0Mixin


class Base(IStrategy):
    timeframe = "5m"
    stoploss = -0.1
    minimal_roi = {"0": 0.01}

    def populate_indicators(self, dataframe, metadata):
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        return dataframe
"""

OWN = """
    calls = None

    def note(self, name):
        self.calls = [*(self.calls or []), name]

    def custom_stake_amount(self, pair, current_time, current_rate, proposed_stake, min_stake,
                            max_stake, leverage, entry_tag, side, **kwargs):
        self.note("custom_stake_amount")
        {stake_super}
        return proposed_stake * 2

    def confirm_trade_entry(self, pair, order_type, amount, rate, time_in_force, current_time,
                            entry_tag, side, **kwargs):
        self.note("confirm_trade_entry")
        {entry_super}
        return entry_tag != "unwanted"

    def order_filled(self, pair, trade, order, current_time, **kwargs):
        self.note("order_filled")
        {filled_super}

    def bot_loop_start(self, current_time, **kwargs):
        self.note("bot_loop_start")
        {loop_super}
"""

_SUPERS = {
    "stake_super": "super().custom_stake_amount(pair=pair, current_time=current_time,"
    " current_rate=current_rate, proposed_stake=proposed_stake, min_stake=min_stake,"
    " max_stake=max_stake, leverage=leverage, entry_tag=entry_tag, side=side, **kwargs)",
    "entry_super": "super().confirm_trade_entry(pair, order_type, amount, rate, time_in_force,"
    " current_time, entry_tag, side, **kwargs)",
    "filled_super": "super().order_filled(pair, trade, order, current_time, **kwargs)",
    "loop_super": "super().bot_loop_start(current_time, **kwargs)",
}
WITHOUT_SUPER = OWN.format(**dict.fromkeys(_SUPERS, "pass"))
WITH_SUPER = OWN.format(**_SUPERS)

COMPOSITIONS = {
    "mixin first": "class Mine(Mem0Mixin, Base):{own}",
    "mixin before a core": "class Core(Base):{own}\n\nclass Mine(Mem0Mixin, Core):\n    pass",
    "mixin after a core": "class Core(Base):{own}\n\nclass Mine(Core, Mem0Mixin):\n    pass",
    "several levels": "class Low(Base):{own}\n\nclass Middle(Mem0Mixin, Low):\n    pass\n\n"
    "class Mine(Middle):\n    pass",
    "overridden above the mixin": "class Low(Mem0Mixin, Base):\n    pass\n\nclass Mine(Low):{own}",
}
SUPERS = {"without super": WITHOUT_SUPER, "with super": WITH_SUPER}
EVERY = pytest.mark.parametrize("composition", COMPOSITIONS)
BOTH = pytest.mark.parametrize("own", SUPERS)


@dataclass
class Loader:
    """Loads strategies as Freqtrade does and starts them as a backtest would."""

    folder: Path
    started: list[Any]

    def load(self, source: str, **changes: Any) -> Any:
        """Write a source that defines `Mine`, resolve it, give it candles, start it."""
        (self.folder / "mine.py").write_text(HEAD + "\n\n" + source)
        config: dict[str, Any] = {
            "strategy": "Mine",
            "strategy_path": str(self.folder),
            "user_data_dir": self.folder,
            "runmode": RunMode.BACKTEST,
            "stake_currency": "USDT",
            "stake_amount": 100,
            "mem0": {"mode": "local", "sizing": {"policy": "bayes"}},
            **changes,
        }
        strategy = StrategyResolver.load_strategy(config)
        strategy.dp = SimpleNamespace(
            get_analyzed_dataframe=lambda *_: (_candles(), MOMENT), market=lambda _: None
        )
        strategy.ft_bot_start()
        self.started.append(strategy)
        return strategy


@pytest.fixture
def loader(tmp_path: Path) -> Iterator[Loader]:
    """A loader in a folder of its own, whose strategies' memories are closed at the end."""
    loader = Loader(tmp_path, [])
    yield loader
    for strategy in loader.started:
        attach.stop(strategy)


@EVERY
@BOTH
def test_each_own_callback_is_called_once(loader: Loader, composition: str, own: str) -> None:
    """One call of Freqtrade is one call of the strategy's own callback, whatever the bases."""
    strategy = loader.load(COMPOSITIONS[composition].format(own=SUPERS[own]))
    assert _stake(strategy) == 200.0
    assert _confirmed(strategy) is True
    assert strategy_safe_wrapper(strategy.bot_loop_start)(current_time=MOMENT) is None
    _fill(strategy)
    assert strategy.calls == [
        "custom_stake_amount",
        "confirm_trade_entry",
        "bot_loop_start",
        "order_filled",
    ]


@EVERY
@BOTH
def test_the_own_stake_is_what_memory_scales(loader: Loader, composition: str, own: str) -> None:
    """The ledger's proposal is what the strategy returned, and Freqtrade gets it scaled."""
    strategy = loader.load(COMPOSITIONS[composition].format(own=SUPERS[own]))
    _stake(strategy)
    _teach(strategy, -0.02)
    decided = _stake(strategy)
    assert 50.0 < decided < 190.0
    decision = _decision(strategy)
    assert decision.proposed_stake == 200.0
    assert decision.stake == decided


@EVERY
@BOTH
def test_the_own_veto_stands(loader: Loader, composition: str, own: str) -> None:
    """An entry that the strategy refuses stays refused, and its decision is not kept."""
    strategy = loader.load(COMPOSITIONS[composition].format(own=SUPERS[own]))
    _stake(strategy, "unwanted")
    assert _confirmed(strategy, "unwanted") is False
    assert _journal(strategy) == []
    _stake(strategy)
    assert _confirmed(strategy) is True
    assert len(_journal(strategy)) == 1


@pytest.mark.parametrize("proposal", ["None", "0", "-5.0", "float('nan')", "'much'"])
def test_a_proposal_that_is_no_stake_is_handed_through(loader: Loader, proposal: str) -> None:
    """No stake, or nonsense, is Freqtrade's to judge: it gets exactly what the strategy said."""
    strategy = loader.load(
        "class Mine(Mem0Mixin, Base):\n"
        f"    said = {proposal}\n"
        "    def custom_stake_amount(self, **kwargs):\n        return self.said"
    )
    assert _stake(strategy) is strategy.said


@pytest.mark.parametrize(
    ("callback", "answer"),
    [("custom_stake_amount", 100.0), ("confirm_trade_entry", True)],
)
def test_an_own_callback_that_raises_behaves_as_without_the_mixin(
    loader: Loader, callback: str, answer: object, caplog: pytest.LogCaptureFixture
) -> None:
    """Freqtrade's own fallback applies, and memory says nothing about an error that is not its."""
    strategy = loader.load(
        f"class Mine(Mem0Mixin, Base):\n    def {callback}(self, **kwargs):\n"
        "        raise ValueError('the author made a mistake')"
    )
    with caplog.at_level(logging.WARNING, logger="freqtrade_mem0"):
        given = _stake(strategy) if callback == "custom_stake_amount" else _confirmed(strategy)
    assert given == answer
    assert [record for record in caplog.records if record.name.startswith("freqtrade_mem0")] == []


def test_an_own_order_filled_that_raises_loses_no_entry(loader: Loader) -> None:
    """A bot's decision is tied to its trade although the strategy's own part fails afterwards."""
    strategy = loader.load(
        "class Mine(Mem0Mixin, Base):\n    def order_filled(self, **kwargs):\n"
        "        raise ValueError('the author made a mistake')",
        runmode=RunMode.DRY_RUN,
    )
    _stake(strategy)
    _confirmed(strategy)
    _fill(strategy)
    assert len(_journal(strategy, only_opened=True)) == 1


def test_a_backtest_leaves_order_filled_alone(loader: Loader) -> None:
    """Its trades are read from Freqtrade's own list; a fill costs what it costs without memory."""
    assert "order_filled" not in vars(loader.load("class Mine(Mem0Mixin, Base):\n    pass"))


def test_order_filled_keeps_the_name_freqtrade_looks_for(loader: Loader) -> None:
    """Where a strategy does not override it, Freqtrade sees the base's and copies no trade."""
    plain = loader.load("class Mine(Mem0Mixin, Base):\n    pass")
    assert plain.order_filled.__qualname__ == "IStrategy.order_filled"
    filling = _filling()
    strategy_safe_wrapper(plain.order_filled)(**filling)
    assert filling["trade"].copies == 0


def test_an_overridden_order_filled_gets_its_copy(loader: Loader) -> None:
    """A strategy's own `order_filled` is given a copy, as without the mixin."""
    own = loader.load(COMPOSITIONS["mixin first"].format(own=WITHOUT_SUPER))
    filling = _filling()
    strategy_safe_wrapper(own.order_filled)(**filling)
    assert filling["trade"].copies == 1


@pytest.mark.parametrize("answer", [True, False, None, 0, "yes"])
def test_a_bot_notes_the_exit_and_returns_the_strategys_answer(
    loader: Loader, answer: object
) -> None:
    """The same object, whatever it is; the candles of the exit are closed ones."""
    strategy = loader.load(
        "class Mine(Mem0Mixin, Base):\n"
        f"    said = {answer!r}\n"
        "    def confirm_trade_exit(self, **kwargs):\n        return self.said",
        runmode=RunMode.DRY_RUN,
    )
    noted: list[AskedExit] = []
    session = vars(strategy)["_mem0_runtime"].session
    session.exit_asked = lambda _, asked: noted.append(asked)
    assert _exit(strategy) is strategy.said
    (asked,) = noted
    assert (asked.reason, asked.rate, asked.moment) == ("roi", 2_010.0, MOMENT)
    assert asked.is_confirmed is bool(answer)
    assert "regime" in asked.situation
    _stake(strategy)
    assert asked.situation == _decision(strategy).situation


def test_an_exit_that_can_not_be_noted_is_the_strategys_alone(
    loader: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing of ours reaches Freqtrade; the log says what failed, once."""
    strategy = loader.load("class Mine(Mem0Mixin, Base):\n    pass", runmode=RunMode.DRY_RUN)
    strategy.dp = None
    with caplog.at_level(logging.ERROR, logger="freqtrade_mem0"):
        assert _exit(strategy) is True
        assert _exit(strategy) is True
    assert [r.message.partition(" for ")[0] for r in caplog.records] == [
        "Memory failed in confirm_trade_exit"
    ]


def test_an_exit_of_an_unchanged_strategy_copies_no_trade(loader: Loader) -> None:
    """Freqtrade copies the trade for a strategy's own callback only."""
    strategy = loader.load("class Mine(Mem0Mixin, Base):\n    pass", runmode=RunMode.DRY_RUN)
    trade = _Trade()
    _exit(strategy, trade)
    assert trade.copies == 0


def test_a_backtest_leaves_exits_alone(loader: Loader) -> None:
    """It has no slippage, and an exit costs what it costs without memory."""
    assert "confirm_trade_exit" not in vars(loader.load("class Mine(Mem0Mixin, Base):\n    pass"))


def test_a_strategy_adds_to_the_situation(loader: Loader) -> None:
    """What `mem0_situation` returns stands in the decision beside the features of the market."""
    strategy = loader.load(
        "class Mine(Mem0Mixin, Base):\n"
        "    def mem0_situation(self, *, pair, candles, current_time, side, enter_tag):\n"
        "        return {'n_candles': len(candles), 'who': f'{pair} {side} {enter_tag}'}"
    )
    assert _stake(strategy) == 100.0
    situation = _decision(strategy).situation
    assert (situation["n_candles"], situation["who"]) == (240.0, "ETH/USDT long dip")
    assert "regime" in situation


def test_indicators_stand_in_the_decision_and_in_the_frame_an_author_gets(loader: Loader) -> None:
    """By TA-Lib's name, with a bucket that a level can name."""
    strategy = loader.load(
        "class Mine(Mem0Mixin, Base):\n"
        "    def mem0_situation(self, *, candles, **kwargs):\n"
        "        return {'last': candles['ADX(14)'].iloc[-1]}",
        mem0={
            "mode": "local",
            "situation": {"indicators": ["ADX(14)"]},
            "sizing": {"levels": ["ADX(14)"]},
        },
    )
    _stake(strategy)
    decision = _decision(strategy)
    assert decision.situation["last"] == decision.situation["ADX(14)"]
    assert decision.situation["ADX(14)_bucket"] in ("low", "middle", "high")


def test_candles_in_the_situation_are_closed(loader: Loader) -> None:
    """A strategy's own features see no candle that is still open at the entry."""
    strategy = loader.load(
        "class Mine(Mem0Mixin, Base):\n"
        "    def mem0_situation(self, *, candles, **kwargs):\n"
        "        return {'last': str(candles['date'].iloc[-1])}"
    )
    _stake(strategy)
    assert _decision(strategy).situation["last"] == "2024-01-02 11:55:00+00:00"


@pytest.mark.parametrize(
    "body",
    [
        "raise ValueError('no news today')",
        "return None",
        "return 7",
        "return {1: object()}",
        "return {'a': float('inf'), 'b': [], 'c': None}",
        "return {'regime': {'nested': 1}}",
    ],
)
def test_a_wrong_own_situation_changes_nothing_for_the_trade(loader: Loader, body: str) -> None:
    """An exception or nonsense there: the stake is scaled as without it, and entry goes on."""
    plain = loader.load("class Mine(Mem0Mixin, Base):\n    pass")
    wrong = loader.load(
        f"class Mine(Mem0Mixin, Base):\n    def mem0_situation(self, **kwargs):\n        {body}"
    )
    stakes = []
    for strategy in (plain, wrong):
        _stake(strategy)
        _teach(strategy, -0.02)
        stakes.append(_stake(strategy))
        assert _decision(strategy).stake == stakes[-1]
    assert stakes[0] == stakes[1]
    assert stakes[0] < 100.0


def test_own_candles_can_not_be_changed_through_the_situation(loader: Loader) -> None:
    """An author who writes into the candles there changes neither Freqtrade's nor the features."""
    strategy = loader.load(
        "class Mine(Mem0Mixin, Base):\n"
        "    def mem0_situation(self, *, candles, **kwargs):\n"
        "        candles['close'] = 0.0\n"
        "        return {}"
    )
    frame = _candles()
    before = frame.copy()
    strategy.dp = SimpleNamespace(get_analyzed_dataframe=lambda *_: (frame, MOMENT))
    _stake(strategy)
    pd.testing.assert_frame_equal(frame, before)


def test_stopping_leaves_the_strategy_as_it_was(loader: Loader) -> None:
    """After its end no wrapper is left on the object; starting again puts them there once."""
    strategy = loader.load("class Mine(Mem0Mixin, Base):\n    pass")
    strategy.ft_bot_cleanup()
    assert "order_filled" not in vars(strategy)
    assert _stake(strategy) == 100.0
    strategy.ft_bot_start()
    strategy.ft_bot_start()
    _stake(strategy)
    _confirmed(strategy)
    assert len(_journal(strategy)) == 1


@pytest.mark.parametrize("runmode", [RunMode.PLOT, RunMode.UTIL_EXCHANGE, RunMode.OTHER])
def test_utilities_get_the_strategy_without_memory(loader: Loader, runmode: RunMode) -> None:
    """Plots and lists load the strategy; nothing is wrapped and nothing is written."""
    strategy = loader.load("class Mine(Mem0Mixin, Base):\n    pass", runmode=runmode)
    assert "order_filled" not in vars(strategy)
    assert not (loader.folder / "mem0").exists()


def test_a_missing_block_is_said_in_one_sentence(loader: Loader) -> None:
    """With the mixin and without a block, Freqtrade stops with what to add."""
    with pytest.raises(OperationalException, match=r'"mem0": \{"enabled": true\}'):
        loader.load("class Mine(Mem0Mixin, Base):\n    pass", mem0=None)


class _Trade:
    """As much of Freqtrade's trade as an entry fill shows; counts its deep copies."""

    def __init__(self) -> None:
        self.id = 1
        self.pair = PAIR
        self.trade_direction = "long"
        self.entry_side, self.exit_side = "buy", "sell"
        self.open_date = MOMENT
        self.is_open = True
        self.orders = [_order()]
        self.copies = 0

    def __deepcopy__(self, memo: Mapping[int, Any]) -> _Trade:
        self.copies += 1
        return self


def _order() -> SimpleNamespace:
    return SimpleNamespace(
        ft_order_side="buy",
        safe_filled=1.0,
        safe_price=2_000.0,
        order_id="dry_run_entry-1",
        order_date=MOMENT,
        order_date_utc=MOMENT,
    )


def _filling() -> dict[str, Any]:
    return {"pair": PAIR, "trade": _Trade(), "order": _order(), "current_time": MOMENT}


def _fill(strategy: Any) -> None:
    strategy_safe_wrapper(strategy.order_filled, supress_error=True)(**_filling())


def _stake(strategy: Any, tag: str = "dip") -> Any:
    """Ask for a stake as Freqtrade does."""
    return strategy_safe_wrapper(strategy.custom_stake_amount, default_retval=100.0)(
        pair=PAIR,
        current_time=MOMENT,
        current_rate=2_000.0,
        proposed_stake=100.0,
        min_stake=10.0,
        max_stake=1_000.0,
        leverage=1.0,
        entry_tag=tag,
        side="long",
    )


def _confirmed(strategy: Any, tag: str = "dip") -> Any:
    """Ask for an entry as Freqtrade does."""
    return strategy_safe_wrapper(strategy.confirm_trade_entry, default_retval=True)(
        pair=PAIR,
        order_type="limit",
        amount=0.05,
        rate=2_000.0,
        time_in_force="GTC",
        current_time=MOMENT,
        entry_tag=tag,
        side="long",
    )


def _exit(strategy: Any, trade: _Trade | None = None) -> Any:
    """Ask for an exit as Freqtrade does."""
    return strategy_safe_wrapper(strategy.confirm_trade_exit, default_retval=True)(
        pair=PAIR,
        trade=trade or _Trade(),
        order_type="limit",
        amount=0.05,
        rate=2_010.0,
        time_in_force="GTC",
        exit_reason="roi",
        sell_reason="roi",
        current_time=MOMENT,
    )


def _teach(strategy: Any, profit_ratio: float) -> None:
    """Let memory know trades of one outcome, closed before `MOMENT`."""
    recall = vars(strategy)["_mem0_runtime"].session.recall
    for number in range(30):
        closed_at = MOMENT - timedelta(hours=1, minutes=number)
        recall.add(a_trade(number, profit_ratio=profit_ratio, closed_at=closed_at, situation={}))


def _decision(strategy: Any) -> Any:
    """Confirm the entry and return the decision that is kept for it."""
    _confirmed(strategy)
    return _journal(strategy)[-1].decision


def _journal(strategy: Any, *, only_opened: bool = False) -> list[Any]:
    runtime = vars(strategy)["_mem0_runtime"]
    if isinstance(runtime, BacktestRuntime):
        runtime.session.end_run()  # what its loop noted is handed over
    assert runtime.writer.flush(5.0)
    return list(runtime.store.journal.ledger(only_opened=only_opened))


def _candles() -> pd.DataFrame:
    """Return 300 candles of 5m, the last of which is open at `MOMENT`."""
    dates = pd.date_range(end=MOMENT, periods=300, freq="5min")
    close = 2_000.0 + pd.Series(range(300)) % 17
    return pd.DataFrame(
        {
            "date": dates,
            "open": close - 1.0,
            "high": close + 3.0,
            "low": close - 3.0,
            "close": close,
            "volume": 10.0 + pd.Series(range(300)) % 5,
        }
    )
