"""`why --now` and `preview`: memory asked from the command line, as a run would ask it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from freqtrade_mem0.cli.main import main
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.records.base import Mode, Origin
from freqtrade_mem0.run.replay import Replay
from tests.support.samples import BACKTEST, ORIGIN, a_backtest, a_decision, a_trade, at, opened

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = Settings.model_validate({"user_id": "me", "mode": "local"})
N_TRADES = 60


def regime(number: int) -> dict[str, float | str]:
    """Return a situation: every other trade is entered in a downtrend."""
    trend = "downtrend" if number % 2 else "uptrend"
    return {
        "volatility_regime": "calm",
        "trend_regime": trend,
        "regime": f"calm {trend}",
        "session": "00-06h",
    }


def fill(store: MemoryFolder, origin: Origin) -> None:
    """Let a run win in uptrends and lose in downtrends; it decided under other settings."""
    for number in range(1, N_TRADES):
        situation = regime(number)
        profit = (-0.02 if number % 2 else 0.02) + 0.001 * (number % 5)
        decision = a_decision(number, origin=origin, situation=situation, applied=False)
        trade = a_trade(
            number + 2,
            origin=origin,
            profit_ratio=profit,
            situation=situation,
            decision_id=decision.id,
        )
        store.journal.append([decision])
        store.journal.append([opened(decision, trade), trade])


@pytest.fixture
def userdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user folder with a backtest in memory, in shadow."""
    monkeypatch.chdir(tmp_path)
    userdir = tmp_path / "user_data"
    configure(tmp_path)
    store = MemoryFolder(SETTINGS, userdir)
    fill(store, BACKTEST)
    store.close()
    return userdir


def configure(folder: Path, **sizing: Any) -> None:
    """Write the config."""
    block = {"user_id": "me", "mode": "local", "sizing": {"policy": "bayes"} | sizing}
    config = {"mem0": block, "user_data_dir": str(folder / "user_data")}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


def asked(capsys: pytest.CaptureFixture[str], *argv: str) -> Any:
    """Return what a command prints as JSON."""
    assert main([*argv, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.usefixtures("userdir")
def test_now_tells_situations_apart(capsys: pytest.CaptureFixture[str]) -> None:
    """Raised where it won, cut where it lost; with what was known, from how many trades."""
    question = ("why", "--now", "eth/usdt", "--tag", "dip", "--feature")
    good = asked(capsys, *question, "trend_regime=uptrend", "volatility_regime=calm")
    bad = asked(capsys, *question, "trend_regime=downtrend", "volatility_regime=calm")
    assert good["multiplier"] > 1.05
    assert bad["multiplier"] < 0.95
    assert good["expected_ratio"] > bad["expected_ratio"]
    assert (good["mode"], good["run_id"], good["pair"]) == ("backtest", "run-1", "ETH/USDT")
    assert good["n_effective"] == pytest.approx(N_TRADES - 1, rel=0.01)
    assert good["not_told"] == {}
    effects = sum(reason["effect"] for reason in good["reasons"])
    assert 1.0 + effects == pytest.approx(good["multiplier"])
    assert "the stake would be raised to" in good["text"]


@pytest.mark.usefixtures("userdir")
def test_now_says_what_was_never_seen(capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped value or pair is no "nothing to say": the values that trades had are named."""
    answer = asked(
        capsys,
        *("why", "--now", "XXX/USDT", "--tag", "dop"),
        *("--feature", "trend_regime=up", "volatility_regime=calm"),
    )
    assert answer["not_seen"] == {
        "pair": ["ETH/USDT"],
        "enter_tag": ["dip"],
        "trend_regime": ["uptrend", "downtrend"],
    }
    assert "trend_regime up is in no trade" in answer["text"]
    assert "(seen: uptrend, downtrend)" in answer["text"]
    assert asked(capsys, "why", "--now", "ETH/USDT")["not_seen"] == {}


@pytest.mark.usefixtures("userdir")
def test_now_says_what_it_was_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    """With the values that were seen; such levels say nothing."""
    answer = asked(capsys, "why", "--now", "ETH/USDT")
    assert answer["not_told"] == {
        "volatility_regime": ["calm"],
        "trend_regime": ["downtrend", "uptrend"],
        "enter_tag": ["dip"],
    }
    names = {reason["name"] for reason in answer["reasons"]}
    assert names == {"strategy", "pair", "side", "session"}
    assert "not told, so not counted: enter_tag (seen: dip)" in answer["text"]
    assert main(["why", "--now", "ETH/USDT"]) == 0
    assert "the stake would be" in capsys.readouterr().out


@pytest.mark.usefixtures("userdir")
def test_now_without_a_pair_asks_about_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In each pair of the config's list, patterns left out, else of the trades that are known."""
    assert [each["pair"] for each in asked(capsys, "why", "--now")] == ["ETH/USDT"]
    path = tmp_path / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    exchange = {"name": "binance", "pair_whitelist": ["BTC/USDT", "eth/usdt", ".*/EUR"]}
    path.write_text(json.dumps(config | {"exchange": exchange}), encoding="utf-8")
    answers = asked(capsys, "why", "--now")
    assert [each["pair"] for each in answers] == ["BTC/USDT", "ETH/USDT"]
    assert answers[1] == asked(capsys, "why", "--now", "ETH/USDT") | {
        "decided_at": answers[1]["decided_at"]
    }
    assert main(["why", "--now"]) == 0
    assert "No candle was looked at" in capsys.readouterr().out


@pytest.mark.usefixtures("userdir")
def test_an_exchange_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """And the option is refused where it has no effect."""
    assert main(["why", "--now", "ETH/USDT", "--ask-exchange", "-i", "5m"]) == 1
    assert "The config names no exchange" in capsys.readouterr().err
    assert main(["why", "--ask-exchange"]) == 1
    assert "--ask-exchange looks at the market for --now" in capsys.readouterr().err


def test_now_asks_the_dry_run_bot_where_there_is_one(
    userdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As of this moment; another run by its mode."""
    store = MemoryFolder(SETTINGS, userdir)
    recent = datetime.now(UTC) - timedelta(hours=1)
    live = replace(ORIGIN, mode=Mode.LIVE, run_id="bot-2")
    store.journal.append([a_trade(1, closed_at=recent), a_trade(2, closed_at=recent, origin=live)])
    store.close()
    answer = asked(capsys, "why", "--now", "ETH/USDT")
    assert (answer["mode"], answer["run_id"]) == ("dry_run", "bot-1")
    assert answer["n_effective"] == pytest.approx(2.0, rel=0.001)  # a dry-run bot counts both
    live_bot = asked(capsys, "why", "--now", "ETH/USDT", "--mode", "live")
    assert live_bot["n_effective"] == pytest.approx(1.5**2 / (1.0 + 0.5**2), rel=0.001)
    assert asked(capsys, "why", "--now", "ETH/USDT", "--mode", "backtest")["run_id"] == "run-1"


@pytest.mark.usefixtures("userdir")
@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (("--feature", "trend_regim=uptrend"), "Did you mean trend_regime?"),
        (("--feature", "rsi=30"), "There are: session, volatility_regime, trend_regime."),
        (("-s", "Nobody"), "No trade of strategy Nobody"),
        (("BTC/USDT",), "ask about one of them"),
    ],
)
def test_a_question_that_makes_no_sense_is_one_sentence(
    capsys: pytest.CaptureFixture[str], argv: tuple[str, ...], sentence: str
) -> None:
    """Instead of an answer that means something else."""
    assert main(["why", "--now", "ETH/USDT", *argv]) == 1
    assert sentence in capsys.readouterr().err


@pytest.mark.usefixtures("userdir")
def test_an_entry_is_described_only_with_now(capsys: pytest.CaptureFixture[str]) -> None:
    """Else the options would be passed over."""
    assert main(["why", "ETH/USDT", "--tag", "dip"]) == 1
    assert "name its pair with --now" in capsys.readouterr().err


def test_a_preview_shows_what_switching_on_would_do(
    userdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In shadow every trade got the proposed stake; nothing is written."""
    journal = userdir / "mem0" / "journal.sqlite"
    before = journal.read_bytes()
    answer = asked(capsys, "preview")
    assert (answer["n_trades"], answer["n_in_shadow"]) == (N_TRADES - 1, N_TRADES - 1)
    assert answer["mean_multiplier_applied"] == 1.0
    assert answer["mean_multiplier_preview"] != 1.0
    assert answer["share_changed"] > 0.8
    changes = [
        abs(line["stake_preview"] - line["stake_applied"]) for line in answer["largest_changes"]
    ]
    assert len(changes) == 5
    assert changes == sorted(changes, reverse=True)
    assert journal.read_bytes() == before
    assert main(["preview"]) == 0
    assert "59 of them in shadow" in capsys.readouterr().out


def test_a_preview_with_the_policy_off_changes_nothing(
    userdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As every trade had the proposed stake."""
    configure(userdir.parent, policy="off")
    answer = asked(capsys, "preview")
    assert (answer["share_changed"], answer["largest_changes"]) == (0.0, [])
    assert main(["preview", "-s", "Nobody"]) == 1
    assert "No decision of strategy Nobody" in capsys.readouterr().err


def test_a_replay_knows_only_what_was_known_then(userdir: Path) -> None:
    """The first decision knew nothing; a later one what had closed strictly before it."""
    store = MemoryFolder(SETTINGS, userdir)
    replay = Replay(store, BACKTEST)
    decisions = [line.decision for line in store.journal.ledger()]
    store.close()
    known = [round(replay.again(decision).n_effective) for decision in decisions]
    # Trade `n` closes two hours after decision `n`; decision 4 is at the close of trade 2.
    assert known[:5] == [0, 0, 0, 1, 2]
    assert replay.again(decisions[0]).multiplier == 1.0
    assert decisions[0].decided_at == at(1)


def store_candles(userdir: Path, until: datetime, *, n: int = 300, step: float = 1.0) -> None:
    """Store hourly candles whose last one closes at a time; a price that climbs with a step > 0."""
    folder = userdir / "data" / "binance"
    folder.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(1).normal(0.0, 0.3, n)
    close = 1_000.0 + step * np.arange(n) + noise
    frame = pd.DataFrame(
        {
            "date": pd.date_range(end=until - timedelta(hours=1), periods=n, freq="h"),
            "open": close - step,
            "high": close + 2.0,
            "low": close - 2.0,
            "close": close,
            "volume": 5.0,
        }
    )
    frame.to_feather(folder / "ETH_USDT-1h.feather")


def with_candles(userdir: Path, **config: Any) -> None:
    """Name an exchange in the config, and a timeframe."""
    block = {"user_id": "me", "mode": "local", "sizing": {"policy": "bayes"}}
    config = {"mem0": block, "user_data_dir": str(userdir), "timeframe": "1h", **config}
    config.setdefault("exchange", {"name": "binance"})
    (userdir.parent / "config.json").write_text(json.dumps(config), encoding="utf-8")


def test_now_looks_the_market_up(userdir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At the newest closed candle, which is named; the candle that is still open does not count."""
    with_candles(userdir)
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    answers = {}
    for step in (2.0, -2.0):
        store_candles(userdir, hour + timedelta(hours=1), step=step)
        answers[step] = asked(capsys, "why", "--now", "eth/usdt", "--tag", "dip")
        assert answers[step]["candle"] == hour.isoformat()
        assert (
            f"from the 1h candle that closed at {hour:%Y-%m-%d %H:%M} UTC" in answers[step]["text"]
        )
        assert "ago" not in answers[step]["text"]
        assert answers[step]["not_told"] == {}
    assert answers[2.0]["situation"]["trend_regime"] == "uptrend"
    assert answers[-2.0]["situation"]["trend_regime"] == "downtrend"
    assert answers[2.0]["multiplier"] > answers[-2.0]["multiplier"]


def test_now_says_that_candles_are_old(userdir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are used, and their age is shown."""
    with_candles(userdir)
    store_candles(userdir, datetime(2024, 5, 1, tzinfo=UTC))
    answer = asked(capsys, "why", "--now", "ETH/USDT")
    assert answer["candle"] == "2024-05-01T00:00:00+00:00"
    assert "ago: 'freqtrade download-data' stores newer ones" in answer["text"]


def test_a_feature_that_is_told_is_not_looked_up(
    userdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever describes a situation asks about that one."""
    with_candles(userdir)
    store_candles(userdir, datetime.now(UTC))
    answer = asked(capsys, "why", "--now", "ETH/USDT", "--feature", "trend_regime=uptrend")
    assert answer["candle"] is None
    assert "volatility_regime" in answer["not_told"]


@pytest.mark.parametrize(
    ("config", "argv", "why"),
    [
        ({"exchange": {}}, [], "the config names neither an exchange nor a datadir"),
        ({"timeframe": None}, [], "the timeframe is not known; name it with --timeframe"),
        ({}, ["--timeframe", "5m"], "there are no 5m candles of ETH/USDT in "),
        ({}, ["--timeframe", "7x"], "the 7x candles of ETH/USDT in "),
        ({"exchange": {"name": "kraken"}}, [], "there are no 1h candles of ETH/USDT in "),
    ],
    ids=["no exchange", "no timeframe", "other timeframe", "no timeframe of any", "no folder"],
)
def test_now_says_why_the_market_is_not_known(
    userdir: Path,
    capsys: pytest.CaptureFixture[str],
    config: dict[str, Any],
    argv: list[str],
    why: str,
) -> None:
    """The answer comes all the same, without the situation."""
    with_candles(userdir, **config)
    store_candles(userdir, datetime.now(UTC))
    answer = asked(capsys, "why", "--now", "ETH/USDT", *argv)
    assert f"market: not looked up, {why}" in answer["text"]
    assert answer["candle"] is None
    assert "trend_regime" in answer["not_told"]


def test_too_few_candles_are_no_situation(
    userdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A new pair, for example."""
    with_candles(userdir)
    store_candles(userdir, datetime.now(UTC), n=5)
    assert (
        "closed 1h candles of ETH/USDT are too few"
        in asked(capsys, "why", "--now", "ETH/USDT")["text"]
    )


def test_the_timeframe_is_that_of_the_newest_backtest(
    userdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the config names none, as most do: the strategy does."""
    with_candles(userdir, timeframe=None)
    store_candles(userdir, datetime.now(UTC))
    store = MemoryFolder(SETTINGS, userdir)
    store.journal.append([a_backtest(timeframe="1h")])
    store.close()
    assert asked(capsys, "why", "--now", "ETH/USDT")["candle"] is not None
