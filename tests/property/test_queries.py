"""Queries: any text is read or refused, what is read can be written, and finds what it should."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freqtrade_mem0.backends.filters import matches, parse_filters
from freqtrade_mem0.backends.payload import as_filterable
from freqtrade_mem0.client.opening import get_mem0_client
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.query.compile import read_query
from freqtrade_mem0.query.fields import FIELDS, Place
from freqtrade_mem0.query.grammar import parse
from freqtrade_mem0.records.mapping import to_memory
from tests.support.samples import ORIGIN, a_trade
from tests.support.written_query import written

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from freqtrade_mem0.records.kinds.trade import TradeRecord

    Holds = Callable[[TradeRecord], bool]

PARTS = [
    *FIELDS, ":", "(", ")", "[", "]", "{", "}", " ", " ", "AND", " OR ", " NOT ", "TO", " TO ", "-",
    '"', "\\", "*", "?", ">", "<=", "<", "now-7d", "2024-06", "10.0", "-5", "dip", "%", "'", ";",
    "\x00", "\n", "é", "日本", "\u202e", "$or", "NaN", "1e999", "9999-12-31", "profit:>1", "pair:X",
]  # fmt: skip
texts = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PARTS), max_size=14).map("".join))
NOW = datetime(2024, 6, 1, tzinfo=UTC)


@given(texts, st.sampled_from(Place), st.booleans())
def test_any_text_is_read_or_refused_with_a_caret(text: str, place: Place, words: bool) -> None:
    """By the one error, and what is read is a filter that backends take."""
    try:
        asked = read_query(text, place, takes_words=words, now=NOW)
    except RecordError as error:
        lines = str(error).split("\n")
        assert lines[-1].strip() == "^"
        assert len(lines) == 3
    else:
        parse_filters(asked.filters)


@given(texts)
def test_what_is_read_can_be_written_and_read(text: str) -> None:
    """As the same tree."""
    try:
        tree = parse(text)
    except RecordError:
        return
    assert parse(written(tree)) == tree


PAIRS = ["BTC/USDT", "ETH/USDT", "BTC/USDT:USDT"]
TAGS = ["", "dip", "big dip", "a*b", 'say "x"', "AND", "trend_5"]
STRATEGIES = ["Trend", "Range"]


def trades(n: int, seed: int) -> list[TradeRecord]:
    """Return trades whose values are often equal, and often just beside a round number."""
    rng = random.Random(seed)
    return [
        a_trade(
            number,
            pair=rng.choice(PAIRS),
            side=rng.choice(["long", "short"]),
            enter_tag=rng.choice(TAGS),
            origin=type(ORIGIN)(
                user_id="me", strategy=rng.choice(STRATEGIES), mode=ORIGIN.mode, run_id="bot-1"
            ),
            profit_ratio=rng.choice([-50, -18, -1, 0, 1, 18, 100, 105]) / 1000,
            closed_at=datetime(2024, 1, 1, tzinfo=UTC)
            + timedelta(hours=rng.choice([12, 6, 1]) * rng.randrange(300)),
            situation={"rsi": float(rng.randrange(20, 80)), "regime": "calm uptrend"},
        )
        for number in range(n)
    ]


def condition(rng: random.Random) -> tuple[str, Holds]:  # noqa: PLR0911 - one for each kind
    """Return a condition and what it means, said in Python."""
    kind = rng.randrange(8)
    if kind == 0:
        pair = rng.choice(PAIRS)
        return f"pair:{rng.choice([pair, pair.lower()])}", lambda each: each.pair == pair
    if kind == 1:
        tag = rng.choice(TAGS)
        quoted = tag.replace('"', '\\"')
        return f'enter_tag:"{quoted}"', lambda each: each.enter_tag == tag
    if kind == 2:
        percent = rng.choice(["-5", "-1.8", "0", "1.8", "10.0", "10.5", "3"])
        ratio = round(float(percent) / 100, 6)
        return rng.choice(
            [
                (f"profit:>{percent}", lambda each: each.profit_ratio > ratio),
                (f"profit:<={percent}", lambda each: each.profit_ratio <= ratio),
                (f"profit:{percent}%", lambda each: each.profit_ratio == ratio),
                (f"profit:[{percent} TO *]", lambda each: each.profit_ratio >= ratio),
                (f"profit:{{* TO {percent}}}", lambda each: each.profit_ratio < ratio),
            ]
        )
    if kind == 3:
        first, last = sorted(NOW - timedelta(days=rng.randrange(150)) for _ in range(2))
        text = f"[{first:%Y-%m-%d} TO {last:%Y-%m-%d}]"
        name = rng.choice(["timestamp", "close_date", "exit_time"])
        days = (f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}")
        return f"{name}:{text}", lambda each: days[0] <= f"{each.close_date:%Y-%m-%d}" <= days[1]
    if kind == 4:
        days_ago = rng.randrange(150)
        since = NOW - timedelta(days=days_ago)
        return f"timestamp:>now-{days_ago}d", lambda each: each.close_date > since
    if kind == 5:
        month = rng.randrange(1, 6)
        return f"close_date:2024-{month:02}", lambda each: each.close_date.month == month
    if kind == 6:
        return "strategy:(T* OR Nobody)", lambda each: each.origin.strategy == "Trend"
    return (
        "direction:buy -at_rsi:>=50",
        lambda each: each.side == "long" and not float(each.situation["rsi"]) >= 50,
    )


def a_query(rng: random.Random, depth: int = 3) -> tuple[str, Holds]:
    """Return a query of nested conditions and what it means."""
    if depth == 0 or rng.random() < 0.3:
        return condition(rng)
    (text, holds), (other_text, other) = a_query(rng, depth - 1), a_query(rng, depth - 1)
    sign = rng.randrange(4)
    if sign == 0:
        return f"({text}) OR ({other_text})", lambda each: holds(each) or other(each)
    if sign == 1:
        return f"NOT ({text})", lambda each: not holds(each)
    joined = " AND " if sign == 2 else " "
    return f"({text}){joined}({other_text})", lambda each: holds(each) and other(each)


def test_queries_find_what_plain_python_finds() -> None:
    """On ten thousand trades, without one difference."""
    rng = random.Random(7)
    payloads = [(each, as_filterable(to_memory(each))) for each in trades(10_000, seed=3)]
    n_found = 0
    for _ in range(150):
        text, holds = a_query(rng)
        node = parse_filters(read_query(text, now=NOW).filters)
        sample = rng.sample(payloads, 700)
        differing = [each for each, payload in sample if matches(node, payload) != holds(each)]
        assert not differing, (text, differing[0])
        n_found += sum(holds(each) for each, _ in sample)
    assert 10_000 < n_found < 95_000


@pytest.mark.parametrize("mode", ["embedded", "local"])
def test_a_recall_finds_them_too(tmp_path: Path, mode: str) -> None:
    """Through client and backend; the order is that of time."""
    rng = random.Random(11)
    known = trades(200, seed=5)
    with get_mem0_client({"mem0": {"mode": mode, "user_id": "me"}}, user_data_dir=tmp_path) as me:
        me.append(*known)
        for _ in range(25):
            text, holds = a_query(rng)
            if "now" in text:
                continue
            found = {each["id"] for each in me.recall(where=text, limit=None)}
            assert found == {each.id for each in known if holds(each)}, text
