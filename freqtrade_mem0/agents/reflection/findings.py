"""What the model is given: patterns, performance and lessons, each with the id of a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freqtrade_mem0.core_memory.log import agent_log
from freqtrade_mem0.journal.runs import newest_run
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.views.insights import insights, trades_of_newest_run
from freqtrade_mem0.views.patterns import patterns
from freqtrade_mem0.words.numbers import percent
from freqtrade_mem0.words.visible import visible

if TYPE_CHECKING:
    from datetime import datetime

    from freqtrade_mem0.memory_folder import MemoryFolder

_MOST_PATTERNS = 20
_MOST_GROUPS = 20
_MOST_LESSONS = 20
_MOST_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding in words; `id` is a record's, of performance that of the newest trade in it."""

    id: str
    kind: str
    text: str


def findings(memory: MemoryFolder, strategy: str | None, now: datetime) -> list[Finding]:
    """Return what statistics say of the newest run of a strategy, and of agents' decisions."""
    scope = Scope(user_id=memory.settings.user_id, strategy=strategy)
    found: list[Finding] = []
    if newest_run(memory.journal, scope) is not None:
        found += [
            Finding(each["id"], "pattern", each["text"])
            for each in patterns(memory, scope, now)["patterns"][:_MOST_PATTERNS]
        ]
        facts = insights(memory, scope, now)
        words = [_group(each) for each in facts["insights"][:_MOST_GROUPS]]
        newest = trades_of_newest_run(memory, scope)[-1]
        found += [Finding(newest.id, "performance", text) for text in words]
    lessons = [row for row in agent_log(memory, memory.settings.user_id) if row["lesson"]]
    found += [
        Finding(row["id"], "lesson", f"{row['action']} {row['pair']}: {row['lesson']}")
        for row in lessons[-_MOST_LESSONS:]
        if strategy in (None, row["strategy"])
    ]
    return [Finding(each.id, each.kind, visible(each.text)[:_MOST_CHARACTERS]) for each in found]


def _group(row: dict[str, object]) -> str:
    n, mean = row["n_effective"], row["mean_ratio"]
    low, high = row["low_ratio"], row["high_ratio"]
    spread = ""
    if isinstance(low, float) and isinstance(high, float):
        spread = f", 95% interval {percent(low)} to {percent(high)}"
    return f"{row['level']} {row['value']}: {n:.1f} trades, mean {percent(_number(mean))}{spread}"


def _number(value: object) -> float:
    return value if isinstance(value, float) else 0.0
