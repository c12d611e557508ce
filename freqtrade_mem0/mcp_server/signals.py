"""The tools that ask about an entry. They change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.mcp_server.tool import (
    LIMIT,
    LIST,
    NUMBER,
    OBJECT,
    RUN,
    SKIP,
    SWITCH,
    TEXT,
    Tool,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.agents import AgentMemory
    from freqtrade_mem0.views.values import Facts

_SIGNAL = {
    "symbol": {**TEXT, "description": "BTC/USDT or BTCUSDT"},
    "action": {**TEXT, "description": "BUY, LONG, SELL or SHORT: what opens the trade"},
    "strategy": {**TEXT, "description": "Default: that of the newest bot or backtest"},
    "enter_tag": TEXT,
    "situation": {
        **OBJECT,
        "description": 'Market features, as {"rsi": 31}. Default: newest stored candle',
    },
}
_TRADE = ("id", "rank", "pair", "side", "enter_tag", "exit_reason", "profit_ratio", "open_date")


def _signal_answer(memory: AgentMemory, given: Mapping[str, Any], shown: slice) -> Facts:
    facts = memory.analyze_signal(given, shown)
    if not facts["pair"] or not facts["side"]:
        wrong = (f"{each['key']}: {each['rule']}" for each in facts["problems"])
        raise RecordError(f"The signal can not be read: {'; '.join(wrong)}.")
    trades = [{name: each[name] for name in _TRADE} for each in facts["nearest_trades"]]
    return facts | {"nearest_trades": trades}


def _analyze_signal(memory: AgentMemory, given: Mapping[str, Any]) -> Facts:
    facts = _signal_answer(memory, given, slice(5))
    names = (
        *("is_known", "multiplier", "confidence", "reason", "expected_ratio", "interval"),
        *("n_effective", "is_vetoed", "pair", "side", "strategy", "mode", "nearest_trades"),
    )
    told = {name: facts[name] for name in ("problems", "guesses") if facts[name]}
    return {name: facts[name] for name in names} | told


def _similar_trades(memory: AgentMemory, given: Mapping[str, Any]) -> Facts:
    signal = {name: value for name, value in given.items() if name not in ("limit", "skip")}
    first = given.get("skip", 0)
    facts = _signal_answer(memory, signal, slice(first, first + given.get("limit", 5)))
    known = {name: facts[name] for name in ("is_known", "pair", "side", "strategy", "mode")}
    if not facts["is_known"]:
        known |= {"text": facts["reason"]}
    return known | {"trades": sorted(facts["nearest_trades"], key=lambda each: each["rank"])}


SIGNALS = (
    Tool(
        name="analyze_signal",
        description="Before an entry: what the memory of the bots makes of it. multiplier is for "
        "the stake (1 where nothing is known), confidence the probability that such entries gain, "
        "interval 95 %. nearest_trades: losses first.",
        arguments=_SIGNAL,
        required=("symbol", "action"),
        is_open=True,
        answer=RUN
        | {
            "multiplier": NUMBER,
            "confidence": NUMBER,
            "reason": TEXT,
            "expected_ratio": NUMBER,
            "interval": {"type": "array", "items": NUMBER},
            "n_effective": NUMBER,
            "is_vetoed": SWITCH,
            "nearest_trades": LIST,
        },
        more="similar_trades shows more trades, one page after another.",
        run=_analyze_signal,
    ),
    Tool(
        name="similar_trades",
        description="Closed trades most like an entry, nearest first.",
        arguments=_SIGNAL | {"limit": {**LIMIT, "default": 5}, "skip": SKIP},
        required=("symbol", "action"),
        answer=RUN | {"pair": TEXT, "trades": LIST},
        pages="trades",
        run=_similar_trades,
    ),
)
