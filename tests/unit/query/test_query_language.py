"""Queries as people write them: what they mean, and what they are told about a mistake."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0 import get_mem0_client
from freqtrade_mem0.backends.filters import matches, parse_filters
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.query.compile import names_a_field, read_query
from freqtrade_mem0.query.fields import Place

if TYPE_CHECKING:
    from pathlib import Path

TRADE = {
    "strategy": "MyStrategy",
    "kind": "trade",
    "category": "strategy_performance",
    "pair": "BTC/USDT:USDT",
    "side": "long",
    "enter_tag": "big dip",
    "profit_ratio": 0.12,
    "profit_abs": 8.0,
    "is_evidence": True,
    "data": "Closed long BTC/USDT:USDT +12.00%",
    "created_at": "2024-06-27T23:30:00+00:00",
    "close_ts": 1719531000.0,
    "topic": "AND",
    "metrics.sharpe": 1.5,
    "at_regime": "calm uptrend",
}


@pytest.mark.parametrize(
    "query",
    [
        "strategy:MyStrategy",
        "timestamp:[2024-01-01 TO 2024-06-27]",
        "profit:>10.0",
        "strategy:MyStrategy AND profit:>10.0",
        "profit:12%",
        "pair:btc/usdt:usdt -side:short",
        "asset:BTC/USDT:USDT AND pnl:[8 TO 8]",
        'enter_tag:"big dip" enter_tag:(x OR BIG*)',
        "profit:<-0.02 OR profit:{-5 TO 20}",
        "NOT NOT (kind:trades AND category:trade)",
        "timestamp:2024 timestamp:2024-06 timestamp:<=2024-06-27 -timestamp:>2024-06-27",
        'close_date:"2024-06-27 23:30" close_date:[2024-06-28T01:00+02:00 TO *]',
        "text:closed text:b*usdt is_evidence:yes pair:* -exit_reason:*",
        'metadata.topic:"AND" metrics.sharpe:>1 at_regime:calm*',
        "type:trade profit_ratio:.12 profit_ratio:1.2e-1",
    ],
)
def test_a_query_finds_the_trade(query: str) -> None:
    """And its opposite does not."""
    assert matches(parse_filters(read_query(query).filters), TRADE)
    assert not matches(parse_filters(read_query(f"NOT ({query})").filters), TRADE)


@pytest.mark.parametrize(
    ("query", "column", "told"),
    [
        ("", 1, "empty"),
        ("stratgy:X", 1, "Did you mean 'strategy'"),
        ("topic:X", 1, "metadata.topic"),
        ("pair:X AND profit:ten", 19, "number in percent"),
        ("profit>10", 1, "write profit:>10"),
        ("pair:X or pair:Y", 8, "Write OR for 'or', in capital"),
        ("not pair:X", 1, "Write NOT"),
        ("dips Or profit:>3", 6, "Write OR"),
        ("pair:X && pair:Y", 8, "Write AND"),
        ("strategy:(A or B)", 13, "Write OR"),
        ("side:!=short", 6, "Write NOT side:short"),
        ("kind:backtset", 6, "Did you mean 'backtest'"),
        ("profit:", 8, "A value is missing"),
        ("(pair:X", 8, r"A '\)' is missing"),
        ("pair:X)", 7, r"no '\('"),
        ("()", 2, "missing before"),
        ('pair:"X', 6, "quote has no end"),
        ("timestamp:[2024 2025]", 17, "a TO b"),
        ("timestamp:2024-13", 11, "is a time"),
        ("pair:[a TO b]", 7, "have a range"),
        ("crash OR pair:X", 1, "text:word"),
        ("pair:X AND", 11, "missing at the end"),
        ("multiplier:>1", 1, "field of the ledger"),
        ("is_evidence:maybe", 13, "true or false"),
        ("user_id:you", 1, "no field 'user_id'"),
        ("profit:>1e999", 9, "is a number"),
    ],
)
def test_a_mistake_is_shown_at_its_column(query: str, column: int, told: str) -> None:
    """With a caret below it, and what was meant."""
    with pytest.raises(RecordError, match=rf"see column {column}: .*{told}") as error:
        read_query(query)
    shown, caret = str(error.value).split("\n")[1:]
    assert shown == f"    {query}"
    assert caret.index("^") == 4 + column - 1


def test_a_caret_stands_below_wide_and_control_characters() -> None:
    """Which take two places, or are shown as codes."""
    with pytest.raises(RecordError) as error:
        read_query("pair:日本 \x1b AND bad:1")
    shown, caret = str(error.value).split("\n")[1:]
    assert shown == r"    pair:日本 \x1b AND bad:1"
    assert caret.index("^") == shown.index("bad") + 2


@pytest.mark.parametrize(
    "query",
    [
        "a OR " * 20_000,
        "(" * 2_000,
        "(" * 900 + "pair:X" + ")" * 900,
        "-(" * 600 + "pair:X",
        "NOT " * 400 + "pair:X",
        "pair:X OR " * 150 + "pair:X",
        "pair:(" + "NOT " * 400 + "X)",
        "a OR " * 399 + "a",
        '"' * 1_999,
        '"\\' * 999,
    ],
)
def test_hostile_queries_end_soon(query: str) -> None:
    """They are refused before they are parsed: in less than 5 ms on a machine that does nothing."""
    read_query("pair:X")
    started_s = time.process_time()
    for _ in range(5):
        with pytest.raises(RecordError):
            read_query(query)
    assert (time.process_time() - started_s) / 5 < 0.02


def test_a_pattern_with_many_stars_ends_soon() -> None:
    """On a text that nearly passes it."""
    node = parse_filters(read_query("enter_tag:" + "*a" * 60 + "b").filters)
    started = time.perf_counter()
    assert not matches(node, {"enter_tag": "a" * 20_000})
    assert time.perf_counter() - started < 2.0


def test_free_words_stay_words() -> None:
    """Beside conditions; in the ledger there is no search by meaning."""
    asked = read_query('stop after a "hard crash" AND pair:X')
    assert (asked.words, asked.filters) == ("stop after a hard crash", read_query("pair:X").filters)
    with pytest.raises(RecordError, match="Free words"):
        read_query("crash pair:X", Place.LEDGER, takes_words=False)
    assert (
        read_query("stop and reverse, or not at all pair:X").words
        == "stop and reverse, or not at all"
    )
    assert names_a_field("-(pair:X)")
    assert not names_a_field("what about 12:30, http://x.y and note:this?")


def test_a_recall_takes_words_and_conditions(tmp_path: Path) -> None:
    """Best matches among what passes; another owner's memories never."""
    with get_mem0_client(user_data_dir=tmp_path) as client:
        for topic in ("crash", "calm"):
            client.store("market_conditions", f"BTC fell in a {topic}", {"topic": topic})
        client.for_user("you").store("market_conditions", "BTC fell", {"topic": "crash"})
        found = client.recall(where="BTC fell metadata.topic:crash")
        assert [each["metadata"]["topic"] for each in found] == ["crash"]
        assert found[0]["score"] is not None
        assert len(client.recall(where="metadata.topic:c* OR run_id:nobody")) == 2
        narrowed = client.recall(where="text:btc", filters={"topic": "calm"}, limit=None)
        assert [each["metadata"]["topic"] for each in narrowed] == ["calm"]
        with pytest.raises(RecordError, match="user"):
            client.recall(where="metadata.user_id:you")
