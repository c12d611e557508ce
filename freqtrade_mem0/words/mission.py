"""The mission's words, and ours: the one table of aliases.

Code reads it where it takes words from a caller, and `docs/reference/words.md` is written from it.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import NamedTuple

CATEGORIES = {
    "preferences": "user_preferences",
    "preference": "user_preferences",
    "user_preference": "user_preferences",
    "market_condition": "market_conditions",
    "market_observations": "market_conditions",
    "market_observation": "market_conditions",
    "observation": "market_conditions",
    "opportunities": "market_conditions",
    "opportunity": "market_conditions",
    "trades": "strategy_performance",
    "trade": "strategy_performance",
    "backtest": "strategy_performance",
    "performance": "strategy_performance",
    "risk": "risk_profile",
    "risk_events": "risk_profile",
    "failures": "risk_profile",
    "failure": "risk_profile",
    "portfolio": "portfolio_patterns",
    "patterns": "learning_insights",
    "pattern": "learning_insights",
    "insights": "learning_insights",
    "insight": "learning_insights",
    "knowledge": "learning_insights",
}
"""Names of categories -> one of the six."""

KINDS = {
    "trades": "trade",
    "swap": "trade",
    "liquidity": "trade",
    "live": "trade",
    "backtests": "backtest",
    "backtest_result": "backtest",
    "risk_events": "risk_event",
    "risk": "risk_event",
    "failures": "failure",
    "opportunities": "opportunity",
    "notes": "note",
    "analysis": "note",
    "general": "note",
    "market_condition": "note",
    "preference": "note",
    "patterns": "pattern",
    "trade_pattern": "pattern",
    "timing_pattern": "pattern",
    "market_pattern": "pattern",
    "exit_pattern": "pattern",
}
"""Kinds of memories -> one of our kinds of record. Read in filters only."""

SIDES = {"long": "long", "buy": "long", "short": "short", "sell": "short"}
"""What opened a trade -> its side. In small letters."""

SIDELESS_ACTIONS = ("swap", "liquidity", "add_liquidity", "remove_liquidity")
"""Actions that are no bet on a direction: the side of such a trade is not known."""

TRADE_KEYS = {
    "asset": "pair",
    "symbol": "pair",
    "pool": "pair",
    "action": "side",
    "action_type": "side",
    "direction": "side",
    "entry_price": "open_rate",
    "entry": "open_rate",
    "open_price": "open_rate",
    "exit_price": "close_rate",
    "exit": "close_rate",
    "close_price": "close_rate",
    "pnl": "profit_abs",
    "profit": "profit_abs",
    "profit_loss": "profit_abs",
    "pnl_ratio": "profit_ratio",
    "strategy_name": "strategy",
    "duration": "duration_minutes",
    "opened_at": "open_date",
    "entry_time": "open_date",
    "closed_at": "close_date",
    "exit_time": "close_date",
    "timestamp": "close_date",
    "id": "trade_id",
    "quantity": "amount",
    "qty": "amount",
    "stake": "stake_amount",
    "entry_tag": "enter_tag",
}
"""Keys of a trade -> ours. Filters know those of keys that Mem0's metadata has, too."""

KEPT_KEYS = (
    "tokens",
    "amounts",
    "fees",
    "fee",
    "gas_used",
    "success",
    "result",
    "market_conditions",
    "market_context",
    "decision_confidence",
    "confidence",
    "tx_hash",
    "type",
    "searchable_text",
)
"""Keys of a trade that look like others, and are kept under the caller's own name."""


class Variable(NamedTuple):
    """A variable of the environment that stands for keys of the `"mem0"` block.

    `kind` is the type of its value: switch, number, port or text.
    """

    keys: tuple[str, ...]
    kind: str
    note: str = ""


_CATEGORY_NAMES = (
    "user_preferences",
    "market_conditions",
    "strategy_performance",
    "risk_profile",
    "portfolio_patterns",
    "learning_insights",
)

ENVIRONMENT = {
    "MEM0_ENABLED": Variable(("enabled",), "switch"),
    "MEM0_LOCAL_FALLBACK": Variable(("local_fallback",), "switch"),
    **{
        f"MEM0_STORE_{name.upper()}": Variable((f"categories.{name}",), "switch")
        for name in _CATEGORY_NAMES
    },
    "MEM0_MAX_TRADE_MEMORIES": Variable(("retention.max_trades",), "number"),
    "MEM0_RETENTION_DAYS": Variable(
        tuple(
            f"retention.{name}"
            for name in (*_CATEGORY_NAMES[1:], "failures", "opportunities", "patterns")
        ),
        "number",
        "Preferences are kept for ever.",
    ),
    "MEM0_SYNC_INTERVAL": Variable(("sync_interval",), "number"),
    "MEM0_ENABLE_WEBHOOKS": Variable(("webhooks.enabled",), "switch"),
    "MEM0_URL": Variable(("host",), "text", "Where a Mem0 server is."),
    "MEM0_HOST": Variable(
        ("service.host",),
        "text",
        "Where our service listens. In mode `server`, where nothing says where the server is, it is"
        " the server's address, with a warning.",
    ),
    "MEM0_PORT": Variable(("service.port",), "port", "As MEM0_HOST."),
    "MEM_MEMORY_PATH": Variable(("path",), "text"),
}
"""Variables in the environment and in `.env.mem0` -> keys of the `"mem0"` block."""


CALLS = {
    "from src.memory import ...": "from freqtrade_mem0 import ...",
    "from fastagentic.memory import ...": "from freqtrade_mem0 import ...",
    "from mem0 import Memory, MemoryClient": "Mem0's own classes; ours is Mem0Client",
    "trade_memory.mem0": "works: the client of a TradeMemory",
    "client.memories[category]": "works: client.recall(category, limit=None)",
    "inject_memory(...)": "works: a decorator of an agent's coroutine",
    "Mem0Provider(api_key=..., config=...)": "works: a provider that opens its memory",
    "Mem0Provider(encryption_key=...)": "the key by which the files of the memory are encrypted",
    "RedisProvider(url=..., ttl_seconds=..., prefix=...)": "works: memory of a session, in Redis",
    "python -m MEM...mem_connector --agent-id ...": (
        "python -m freqtrade_mem0.agents --agent-id ..."
    ),
    'connector.send_command("place_order", ...)': "refused: memory places no orders",
    "client.add(text, metadata=...)": "client.store(category, text, metadata)",
    "client.search(query, limit=...)": "client.recall(query=query, limit=...)",
    "search?query=strategy:X AND profit:>10": (
        'client.recall(where="strategy:X AND profit:>10"); profit is in per cent of the stake'
    ),
    "POST /memory, GET /search, GET /health": "work: 'freqtrade-mem0 serve'",
    '"P&L: $" in str(memory)': 'memory["pnl"] > 0',
}
"""Calls and idioms -> what they are here."""

NAMES = {
    "MemorySystem": "get_mem0_client() and TradeMemory",
    "Mem0Operations": "Mem0Client: store, recall, update, delete",
    "MemoryOperations": "TradeMemory: record_trade, recall_similar_trades, get_success_rate",
    "MemoryConfig": 'the "mem0" block of the config',
    "MemoryCategories": "mem0.categories, mem0.retention and mem0.importance in the config",
    "MemoryCache": "mem0.cache in the config",
    "PatternExtractor": "Mem0Client: extract_patterns",
    "PatternMemory": 'Mem0Client: recall(filters={"kind": "pattern"})',
    "OptimizedMemoryAccess": "Mem0Client: recall_many, preload",
    "MemoryMetrics": "Mem0Client: collect_metrics, stats",
    "MemoryPruning": "Mem0Client: execute_pruning_cycle; 'freqtrade-mem0 maintain'",
    "StorageTiers": "mem0.lifecycle in the config; 'freqtrade-mem0 maintain'",
    "MemGPTConnector": "MemoryConnector",
    "ZepProvider": "Mem0Provider",
}
"""Names that cannot be imported here -> what to use."""

METHODS = {
    "add_memory": "store(category, content, metadata)",
    "search_memories": "recall(query=..., limit=..., filters=...)",
    "get": "recall(filters=...)",
    "update_memory": "update(id, text, metadata)",
    "batch_search": "recall_many(queries)",
    "preload_relevant_memories": "preload(category)",
    "age_based_pruning": "execute_pruning_cycle()",
    "relevance_based_pruning": "execute_pruning_cycle()",
    "redundancy_pruning": "execute_pruning_cycle()",
    "delete_all": "delete(id) for each; 'freqtrade-mem0 forget' comes with a later version",
}
"""Methods that a client does not have -> those it has."""


def did_you_mean(name: str, known: tuple[str, ...], cutoff: float = 0.6) -> str:
    """Return a question for a mistyped name, " Did you mean 'x'?", or "".

    >>> did_you_mean("profits", ("profit", "pair"))
    " Did you mean 'profit'?"
    """
    close = get_close_matches(name, known, n=1, cutoff=cutoff)
    return f" Did you mean {close[0]!r}?" if close else ""
