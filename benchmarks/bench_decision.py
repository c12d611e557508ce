"""What one decision costs, by how many trades are in memory, and against a search of Mem0.

    python benchmarks/bench_decision.py [--sizes 1000 1000000] [--decisions 5000]
        [--search-at 10000] [--instructions] [--rules 20]

A decision is what a trading callback waits for: recall, insight, sizing, and the line for the
ledger handed over to a bot's journal writer, which appends it in its own thread to a real file.
One by one, as in a bot, the writer is idle again before the next; in a row, fifty come at once, and
the processor's caches still hold what a decision needs. Every tenth is asked after a trade has been
closed and learned, which is not part of the figure. Nor is taking it in: a bot does so when it
analyses candles (`BotRuntime.make_ready`). `not_ready` is one by one where that did not come, as
where the trade closed after it: the decision takes it in. The search is
Mem0's own, for trades like this one: in our embedded store, and in the one that Mem0 comes with
(Qdrant in the process), with the same embedder, which needs no network.
With `--rules`, so many learned rules of two conditions are looked at by each decision; every fourth
of them applies. Prints JSON: microseconds and ratios.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import os
import platform
import random
import statistics
import sys
import tempfile
import time
import warnings
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.bench_embedded_store import make_memories, measure_qdrant
from benchmarks.instructions import each_of
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.decide.guarded import guarded_policy
from freqtrade_mem0.decide.learned import LearnedRule, LearnedRules
from freqtrade_mem0.decide.proposal import Proposal
from freqtrade_mem0.decide.rule_form import read_rule
from freqtrade_mem0.delivery.push import delivery_of
from freqtrade_mem0.insight.shrinkage import Shrinkage
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.writer import JournalWriter
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.recall import Recall
from freqtrade_mem0.recall.priors import Prior
from freqtrade_mem0.records.base import Mode, Origin, record_id
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.risk.damping import Damping
from freqtrade_mem0.run.bot.session import BotSession
from freqtrade_mem0.run.setup import SessionSetup

if TYPE_CHECKING:
    from collections.abc import Iterator

ORIGIN = Origin(user_id="bench", strategy="Sample", mode=Mode.DRY_RUN, run_id="bot")
SISTER = replace(ORIGIN, run_id="sister")
BEGIN = datetime(2021, 1, 1, tzinfo=UTC)
END = datetime(2024, 1, 1, tzinfo=UTC)
PAIRS = [f"C{number:02d}/USDT" for number in range(40)]
TAGS = ("dip", "ahead", "calm", "breakout")
VOLATILITY = ("calm", "normal", "volatile")
TREND = ("downtrend", "sideways", "uptrend")
SESSIONS = ("00-06h", "06-12h", "12-18h", "18-24h")
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
SETTLE_S = 5.0
WAYS = {"in_a_row": (50, True), "one_by_one": (1, True), "not_ready": (1, False)}
"""Decisions between two waits for the journal writer's thread (warm caches, and cold ones), and
whether closed trades are taken in before."""


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 1_000_000])
    parser.add_argument("--decisions", type=int, default=5_000)
    parser.add_argument("--searches", type=int, default=50)
    parser.add_argument("--search-at", type=int, default=10_000, help="0: leave the search out.")
    parser.add_argument("--rules", type=int, default=0, help="Learned rules that are approved.")
    parser.add_argument(
        "--instructions",
        action="store_true",
        help="Count the instructions of one decision instead of timing it; slow, never noisy.",
    )
    options = parser.parse_args()
    if options.instructions:
        counted = {
            f"{size}": _instructions(size, options.decisions, options.rules)
            for size in options.sizes
        }
        about = {"benchmark": "decision", "decisions": options.decisions, "rules": options.rules}
        print(json.dumps(about | {"instructions": counted}, indent=2))
        return 0
    results: dict[str, Any] = {}
    for size in options.sizes:
        results[f"{size}"] = {
            name: _summary(_decisions(size, options.decisions, *way, options.rules))
            for name, way in WAYS.items()
        }
    found: dict[str, Any] = {
        "benchmark": "decision",
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "decisions": options.decisions,
        "rules": options.rules,
        "us": results,
    }
    smallest, largest = (
        results[f"{size}"]["in_a_row"]["median"]
        for size in (min(options.sizes), max(options.sizes))
    )
    found["ratio_largest_to_smallest"] = round(largest / smallest, 2)
    if options.search_at:
        own = _summary(_decisions(options.search_at, options.decisions, *WAYS["in_a_row"]))
        search = _summary(_searches(options.search_at, options.searches))
        default_us = 1_000.0 * _search_in_mem0s_default_store_ms(options.search_at)
        found["at"] = {
            "memories": options.search_at,
            "decision_us": own,
            "search_us": search,
            "search_in_mem0s_default_store_us": round(default_us, 1),
            "search_to_decision": round(search["median"] / own["median"]),
            "search_in_mem0s_default_store_to_decision": round(default_us / own["median"]),
        }
    print(json.dumps(found, indent=2))
    return 0


def trades(n: int, chance: random.Random, origin: Origin = SISTER) -> Iterator[TradeRecord]:
    """Yield closed trades spread over three years, oldest first."""
    span_s = (END - BEGIN).total_seconds()
    for number in range(n):
        closed = BEGIN + timedelta(seconds=int(span_s * number / n))
        yield TradeRecord(
            id=record_id("bench", origin.run_id, number),
            origin=origin,
            known_at=closed,
            recorded_at=closed,
            pair=chance.choice(PAIRS),
            side=chance.choice(("long", "short")),
            enter_tag=chance.choice(TAGS),
            exit_reason="roi",
            open_date=closed - timedelta(hours=2),
            close_date=closed,
            open_rate=100.0,
            close_rate=101.0,
            amount=1.0,
            stake_amount=100.0,
            max_stake_amount=100.0,
            leverage=1.0,
            fee_open=0.001,
            fee_close=0.001,
            funding_fees=0.0,
            profit_ratio=chance.gauss(0.001, 0.02),
            profit_abs=1.0,
            n_entries=1,
            n_exits=1,
            situation=situation(chance),
        )


def situation(chance: random.Random) -> dict[str, float | str]:
    """Return a situation as the candles give it."""
    volatility, trend = chance.choice(VOLATILITY), chance.choice(TREND)
    return {
        "volatility": 0.01,
        "volatility_rank": 0.5,
        "trend": 0.1,
        "momentum": 0.2,
        "rsi": 50.0,
        "range_position": 0.5,
        "volume_ratio": 1.0,
        "volatility_regime": volatility,
        "trend_regime": trend,
        "regime": f"{volatility} {trend}",
        "session": chance.choice(SESSIONS),
        "weekday": chance.choice(WEEKDAYS),
    }


def rules(n: int) -> list[LearnedRule]:
    """Return rules, every fourth of which applies to every entry."""
    return [
        read_rule(
            {"when": [f"rsi {'<>'[number % 4 == 0]} {number / 4}", "side != x"], "scale": 0.99},
            f"rule-{number}",
        )
        for number in range(n)
    ]


def proposal(moment: datetime, chance: random.Random) -> Proposal:
    """Return a proposed stake."""
    return Proposal(
        pair=chance.choice(PAIRS),
        side=chance.choice(("long", "short")),
        enter_tag=chance.choice(TAGS),
        moment=moment,
        stake=100.0,
        min_stake=10.0,
        max_stake=1_000.0,
        situation=situation(chance),
    )


def _decisions(
    n_known: int, n: int, n_in_a_row: int, is_ready: bool, n_rules: int = 0
) -> list[float]:
    """Return the microseconds each of `n` decisions held its callback, with so much in memory.

    After so many in a row the writer's thread is waited for. See `WAYS`.
    """
    chance = random.Random(7)
    sizing = Settings().sizing
    recall = Recall(sizing.levels, sizing.half_life_days)
    for record in trades(n_known, chance):
        recall.add(record)
    fresh = trades(n, chance, ORIGIN)
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder))
        writer = JournalWriter(journal, background=True)
        session = BotSession(
            SessionSetup(
                origin=ORIGIN,
                recall=recall,
                prior=Prior(),
                policy=guarded_policy(sizing),
                shrinkage=Shrinkage(pseudo_trades=sizing.pseudo_trades),
                damping=Damping(),
                categories=Settings().categories,
                rules=LearnedRules(rules(n_rules), 0.25, 1.75),
            ),
            submit=writer.submit,
            now=lambda: END,
        )
        seconds = []
        for number in range(n):
            moment = END + timedelta(minutes=5 * number)
            if number % 10 == 0:
                session.learn(replace(next(fresh), known_at=moment - timedelta(minutes=1)))
            if is_ready:
                session.prepare(moment)
            asked = proposal(moment, chance)
            begin = time.perf_counter()
            session.answer(asked)
            session.entry_confirmed(asked.pair, asked.side)
            seconds.append(time.perf_counter() - begin)
            if number % n_in_a_row == 0:
                writer.flush(SETTLE_S)
        writer.close(SETTLE_S)
        journal.close()
    gc.collect()
    return [second * 1e6 for second in seconds]


def _searches(n_known: int, n: int) -> list[float]:
    """Return the microseconds of Mem0 searches for trades like an entry, one per entry."""
    chance = random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        store = MemoryFolder(Settings.model_validate({"enabled": True}), Path(folder))
        store.journal.append(list(trades(n_known, chance)))
        delivery_of(store).drain(600.0)
        seconds = []
        for _ in range(n):
            asked = proposal(END, chance)
            text = f"{asked.side} {asked.pair} {asked.enter_tag} {asked.features['regime']}"
            begin = time.perf_counter()
            store.backend.search(text, filters={"user_id": ORIGIN.user_id}, limit=10)
            seconds.append(time.perf_counter() - begin)
        store.close()
    return [second * 1e6 for second in seconds]


def _search_in_mem0s_default_store_ms(n_known: int) -> float:
    """Return the milliseconds of a search by user in embedded Qdrant, which Mem0 comes with."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")  # Qdrant warns that it is slow, which is what we measure
    with tempfile.TemporaryDirectory() as folder:
        found = measure_qdrant(Path(folder), make_memories(n_known), [n_known])
    return float(found[f"{n_known}"]["search_by_user_ms"])


def _instructions(n_known: int, n: int, n_rules: int) -> int:
    """Return the instructions of one decision; learning and the writer's thread are part of it."""
    timed = [sys.executable, __file__, "--search-at", "0", "--sizes", f"{n_known}"]
    timed += ["--rules", f"{n_rules}", "--decisions"]
    return round(each_of(lambda n_decisions: [*timed, f"{n_decisions}"], n))


def _summary(microseconds: list[float]) -> dict[str, float]:
    ordered = sorted(microseconds)
    return {
        "median": round(statistics.median(ordered), 1),
        "p99": round(ordered[int(0.99 * len(ordered))], 1),
        "p999": round(ordered[int(0.999 * len(ordered))], 1),
    }


if __name__ == "__main__":
    sys.exit(main())
