"""An agent's loop with memory: ask, decide, log, tell the result. `python agent_loop.py [FOLDER]`.

`decide` stands for your model. Memory gives it what the bots' trades say about a signal, and the
notes of its user; it places no orders.
"""

from __future__ import annotations

import asyncio
import sys
from tempfile import TemporaryDirectory
from typing import Any

from freqtrade_mem0 import Mem0Provider, MemoryConnector, inject_memory

USER = "trader"
SIGNALS = (
    {"symbol": "BTCUSDT", "action": "BUY", "price": 65_000.0, "strategy": "momentum"},
    {"symbol": "ETHUSDT", "action": "SELL", "price": 2_900.0, "strategy": "momentum"},
)


@inject_memory(strategy="all", max_memories=20)
async def decide(message: str, ctx: dict[str, Any]) -> dict[str, Any]:
    """Return a decision: here by a rule, in your agent by a model that reads `ctx`."""
    known, notes = ctx["known"], [each["memory"] for each in ctx["memories"]]
    is_good = not known["is_vetoed"] and known["confidence"] >= 0.5  # noqa: PLR2004 - the rule
    return {
        **ctx["signal"],
        "action": ctx["signal"]["action"] if is_good else "HOLD",
        "confidence": known["confidence"],
        "reason": f"{message}: {known['reason']} Notes: {'; '.join(notes) or 'none'}.",
        "horizon_hours": 6,
    }


async def main(folder: str) -> None:
    """Run the loop once over all signals."""
    provider = Mem0Provider(config={"mem0": {"path": f"{folder}/notes"}})
    async with provider, MemoryConnector("loop", folder) as memory:
        rule = [{"role": "user", "content": "Keep BTC positions small on Sundays"}]
        await provider.add(user_id=USER, messages=rule, metadata={"category": "preferences"})
        for signal in SIGNALS:
            known = await memory.analyze_signal(signal)
            user = {"id": USER}
            ctx = {"memory": provider, "user": user, "signal": signal, "known": known}
            decision = await decide(f"{signal['action']} {signal['symbol']}", ctx)
            kept = await memory.log_decision(decision)
            print(f"{known['pair']}: {decision['action']}, {decision['reason']}")  # noqa: T201
            # Later, when the position is closed. Of a bot's own trade, the outcome comes by itself.
            await memory.log_decision(kept, {"status": "closed", "profit_pct": 1.2})


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(main(sys.argv[1]))
    else:
        with TemporaryDirectory() as scratch:
            asyncio.run(main(scratch))
