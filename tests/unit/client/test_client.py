"""The client and `TradeMemory`: what scripts store they find again; mistakes are sentences."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0 import TradeMemory, get_mem0_client, initialize_mem0
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.base import Category, Mode
from tests.servers.mem0_platform import PlatformServer
from tests.support.samples import BACKTEST, ORIGIN, a_trade, at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freqtrade_mem0 import Mem0Client

TRADE: dict[str, Any] = {
    "pair": "ETH/USDT",
    "profit_ratio": 0.018,
    "open_date": "2024-03-01T10:00:00Z",
    "close_date": datetime(2024, 3, 1, 13, 20, tzinfo=UTC),
}


@pytest.fixture(params=["embedded", "local"])
def client(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Mem0Client]:
    """A client of an empty memory, with Mem0 and without it; no key is around."""
    monkeypatch.chdir(tmp_path)
    for name in ("M0_API_KEY", "MEM0_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    config = {"mem0": {"mode": request.param, "user_id": "me"}}
    with get_mem0_client(config, user_data_dir=tmp_path) as client:
        yield client


def test_what_is_stored_is_recalled_by_category_and_words(client: Mem0Client) -> None:
    """Each in its category, the nearest first; without words the newest first."""
    client.store("risk_profile", "Never more than two percent in one coin", {"weight": 0.5})
    client.store("risk_profile", "No trades on Sundays")
    client.store("user_preferences", "Reports in the morning")

    found = client.recall("risk_profile", "how many percent in one coin", limit=1)
    assert [memory["content"] for memory in found] == ["Never more than two percent in one coin"]
    assert found[0]["metadata"]["weight"] == 0.5
    newest = client.recall("risk_profile")
    assert next(memory["content"] for memory in newest) == "No trades on Sundays"
    assert len(client.recall()) == 3


def test_the_same_text_is_remembered_once_and_can_be_deleted(client: Mem0Client) -> None:
    """Storing it again changes nothing; deleting it leaves nothing to find."""
    first = client.store("risk_profile", "No trades on Sundays")
    assert client.store("risk_profile", "No trades on Sundays") == first
    assert client.stats()["journal"]["by_kind"] == {"note": 1}
    assert client.delete(first)
    assert not client.delete(first)
    assert client.recall("risk_profile") == []


@pytest.mark.parametrize(
    ("category", "content", "metadata", "sentence"),
    [
        ("risks", "x", {}, r"category 'risks' is unknown; the six are user_.* mean 'risk'\?"),
        ("risk_profile", "  ", {}, "content must be a text that is not blank"),
        ("risk_profile", "x", {"a": object()}, r"metadata 'a' must be text, a number"),
        ("risk_profile", "x", {"a": {"b": float("nan")}}, "metadata 'a.b' must be a finite"),
        ("risk_profile", "x", {"a.b": 1, "a": {"b": 2}}, "metadata 'a.b' is given twice"),
        ("risk_profile", "x", {1: 2}, "the name 1; names must be texts"),
        (
            "risk_profile",
            "x",
            {"mode": "live"},
            "metadata 'mode' is the kind of run here; choose",
        ),
        ("risk_profile", "x", {"category": "preferences"}, "is 'risk_profile', but metadata says"),
        ("risk_profile", "x", {"strategy": "smart money"}, "strategy must be a name without bl"),
        ("risk_profile", "x", {"user_id": "y"}, "a name Mem0 keeps for itself"),
    ],
)
def test_a_mistake_is_a_sentence(
    client: Mem0Client, category: str, content: str, metadata: dict[str, Any], sentence: str
) -> None:
    """It names what was wrong, and nothing is stored."""
    with pytest.raises(RecordError, match=sentence):
        client.store(category, content, metadata)
    assert client.stats()["journal"]["total"] == 0


def test_a_key_alone_means_the_platform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where it can not be reached the journal is used; the key is shown nowhere."""
    server = PlatformServer(key="m0-another-key")
    with server:
        block = {"mode": "platform", "host": server.url, "user_id": "me"}
        with initialize_mem0("m0-s3cr3t", {"mem0": block}, user_data_dir=tmp_path) as client:
            client.store("risk_profile", "No trades on Sundays")
            assert [each["content"] for each in client.recall()] == ["No trades on Sundays"]
            stats = client.stats()
    assert (stats["mode"], stats["pending"]) == ("platform", 1)
    assert "The journal on this machine is used" in caplog.text
    assert "s3cr3t" not in caplog.text + json.dumps(stats)
    with get_mem0_client(api_key="m0-s3cr3t", user_data_dir=tmp_path / "other") as client:
        assert client.folder.settings.mode == "platform"
    monkeypatch.setenv("M0_API_KEY", "m0-s3cr3t")
    with get_mem0_client(user_data_dir=tmp_path / "third") as client:
        assert client.folder.settings.mode == "platform"
    with get_mem0_client({"mem0": {}}, user_data_dir=tmp_path / "fourth") as client:
        assert client.folder.settings.mode == "embedded"


def test_a_trade_is_recorded_once_and_corrected_by_itself(client: Mem0Client) -> None:
    """Pair, side and open date tell it; what is recorded last counts."""
    memory = TradeMemory(client)
    first = memory.record_trade({**TRADE, "strategy": "Mine"})
    assert memory.record_trade({**TRADE, "strategy": "Mine", "profit_ratio": -0.01}) == first
    (trade,) = memory.recall_strategy_performance("Mine")
    assert (trade["profit_ratio"], trade["close_date"]) == (-0.01, "2024-03-01T13:20:00Z")
    assert memory.recall_strategy_performance("Another") == []
    similar = memory.recall_similar_trades("long ETH trade", strategy="Mine")
    assert [found["id"] for found in similar] == [first]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"profit_ration": 0.1}, "'profit_ration' is not a key of a trade. Did you mean 'profit_r"),
        ({"pair": None}, r"A trade needs 'pair' \(or 'asset'\)"),
        ({"pair": 7}, "pair: Input should be a valid string"),
        ({"profit_ratio": float("nan")}, "profit_ratio: nan is no finite number"),
        ({"close_date": "2024-02-01T00:00:00Z"}, "lies before open_date"),
        ({"close_date": "soon"}, "close_date: 'soon' is no time"),
        ({"close_date": "2200-01-01"}, "lies in the future"),
        ({"asset": "BTC/USDT"}, "'pair' and 'asset' of a trade are the same, but one says"),
        ({"action": "HOLD"}, r"is 'HOLD'\. It must be what opened the trade: BUY or LONG"),
        ({"duration_minutes": -1}, "duration_minutes must be at least 0"),
        ({"mode": "paper"}, "metadata 'mode' is the kind of run here"),
        ({"category": "risk"}, "metadata 'category' is the category of the memory here"),
        ({"Action": "BUY"}, "'Action' is not a key of a trade. Did you mean 'action'"),
        ({"pnl": "n/a"}, "pnl: 'n/a' is no finite number"),
        ({"strategy": "smart money"}, "strategy must be a name without blanks"),
    ],
)
def test_a_wrong_trade_is_refused(
    client: Mem0Client, change: dict[str, Any], sentence: str
) -> None:
    """With the key, the rule and the value."""
    with pytest.raises(RecordError, match=sentence):
        TradeMemory(client).record_trade({**TRADE, **change})
    with pytest.raises(RecordError, match="A trade needs 'pair'"):
        TradeMemory(client).record_trade({})
    assert client.stats()["journal"]["total"] == 0


def test_the_success_rate_is_of_trades_in_the_window(client: Mem0Client) -> None:
    """Of this strategy and pair; what is no evidence does not count; no trades give None."""
    client.append(
        a_trade(1, profit_ratio=0.01),
        a_trade(2, profit_ratio=-0.02),
        a_trade(3, profit_ratio=0.03, closed_at=at(-24 * 40)),
        a_trade(4, profit_ratio=0.04, is_evidence=False),
        a_trade(5, profit_ratio=0.05, pair="BTC/USDT"),
    )
    memory = TradeMemory(client)
    rate = memory.explain_success_rate("ETH/USDT", strategy="Sample", now=at(24))
    assert (rate["n_trades"], rate["success_rate"], rate["mean_profit_ratio"]) == (2, 0.5, -0.005)
    assert rate["low"] < 0.5 < rate["high"]
    assert str(rate).endswith("1 trade without a known profit ratio left out.")
    longer = memory.explain_success_rate(strategy="Sample", time_window_days=60, now=at(24))
    assert longer["n_trades"] == 4
    unknown = memory.explain_success_rate(strategy="Nobody", now=at(24))
    assert (unknown["success_rate"], memory.get_success_rate(strategy="Nobody")) == (None, 0.5)
    assert str(unknown) == "Nothing is known about Nobody in 30 days."
    with pytest.raises(RecordError, match=r"is a strategy\. Write strategy='Sample'"):
        memory.get_success_rate("Sample", now=at(24))


def test_backtests_are_told_apart_and_never_added_up(client: Mem0Client) -> None:
    """Five runs over the same candles are no evidence five times as strong; asked for, one is."""
    for number in range(5):
        run = replace(BACKTEST, run_id=f"run-{number}")
        client.append(*(a_trade(n, origin=run) for n in range(1, 11)))
    client.append(a_trade(1), a_trade(2, origin=replace(ORIGIN, mode=Mode.LIVE, run_id="live")))
    memory = TradeMemory(client)
    now = at(24)
    assert memory.explain_success_rate(strategy="Sample", now=now)["n_trades"] == 2
    assert memory.explain_success_rate(strategy="Sample", now=now, run_id="run-3")["n_trades"] == 10
    assert round(memory.get_strategy_insights("Sample", now=now)["n_effective"]) == 2
    insight = memory.get_strategy_insights("Sample", now=now + timedelta(days=1), run_id="run-3")
    assert insight["low_ratio"] <= insight["mean_ratio"] <= insight["high_ratio"]
    assert insight["text"].startswith("Sample: 10.0 trades")


def test_risk_events_and_market_conditions_are_filed(client: Mem0Client) -> None:
    """Each in its category."""
    memory = TradeMemory(client)
    memory.record_risk_event("exchange_outage", "no prices for 20 minutes", -0.01, pair="ETH/USDT")
    memory.record_market_condition("high_volatility", "BTC moves five percent a day")
    (event,) = client.recall(Category.RISK_PROFILE)
    (condition,) = client.recall("market_conditions")
    assert (event["metadata"]["event_type"], event["metadata"]["impact"]) == (
        "exchange_outage",
        -0.01,
    )
    assert condition["content"] == "high_volatility: BTC moves five percent a day"
    with pytest.raises(RecordError, match="event_type must be a text that is not blank"):
        memory.record_risk_event(" ", "x")
    for impact in (float("nan"), True, [1]):
        with pytest.raises(RecordError, match="impact must be a finite number or a sentence"):
            memory.record_risk_event("x", "y", impact)  # type: ignore[arg-type]
    with pytest.raises(RecordError, match="metrics must be a mapping"):
        memory.record_backtest("Mine", "good")  # type: ignore[arg-type]
