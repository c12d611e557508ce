"""What closed decisions of agents teach, by arithmetic: what was expected, and what came."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from freqtrade_mem0.insight.student import half_width
from freqtrade_mem0.records.kinds.trade import duration
from freqtrade_mem0.words.numbers import percent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freqtrade_mem0.words.plain import Facts

_SURE = 0.8
_MIN = 5
"""Closed decisions below which nothing is said of those alike."""


def add_lessons(rows: Iterable[Facts]) -> None:
    """Set `lesson` in each row of `agent_log`; None where the outcome is not known.

    Only decisions whose outcome was known up to then count in a lesson.
    """
    rows, lessons = list(rows), Lessons()
    for row in rows:
        row["lesson"] = None
    closed = [row for row in rows if row["state"] == "resolved"]
    for row in sorted(closed, key=lambda row: (row["outcome"]["known_at"], row["id"])):
        row["lesson"] = lessons.of(row)


@dataclass(slots=True)
class _Tally:
    """Sums over closed decisions; those without a ratio count in `n` and `n_gains` alone."""

    n: int = 0
    n_gains: int = 0
    n_ratios: int = 0
    total: float = 0.0
    squares: float = 0.0
    n_expected: int = 0
    expected: float = 0.0

    def add(self, closed: _Closed, sign: int) -> None:
        """Add a decision, or take it out with a sign of -1."""
        self.n += sign
        self.n_gains += sign * (closed.gain > 0.0)
        if closed.ratio is not None:
            self.n_ratios += sign
            self.total += sign * closed.ratio
            self.squares += sign * closed.ratio**2
            if closed.expected is not None:
                self.n_expected += sign
                self.expected += sign * closed.expected


@dataclass(frozen=True, slots=True)
class _Closed:
    """What counts of a closed decision."""

    alike: tuple[str, str, str]
    sure_of: str | None
    """The agent, where it was sure."""
    gain: float
    ratio: float | None
    expected: float | None
    confidence: float


@dataclass(slots=True)
class Lessons:
    """Draws lessons from closed decisions, in the order in which their outcomes became known."""

    _counted: dict[str, _Closed] = field(default_factory=dict)
    _alike: dict[tuple[str, str, str], _Tally] = field(default_factory=dict)
    _sure: dict[str, _Tally] = field(default_factory=dict)
    _said: dict[str, float] = field(default_factory=dict)
    """Sums of the confidences of those that were sure, by agent."""

    def of(self, row: Facts) -> str | None:
        """Return the lesson of a resolved row; None where nothing is known of its profit.

        A row that comes again, because its outcome was corrected, counts once.
        """
        gain = _gain(row)
        if gain is None:
            return None
        earlier = self._counted.get(row["id"])
        if earlier is not None:
            self._count(earlier, -1)
        closed = _closed(row, gain)
        self._counted[row["id"]] = closed
        self._count(closed, 1)
        parts = [_difference(row), *_execution(row), self._of_those_alike(row, closed)]
        if closed.sure_of is not None:
            parts += self._of_the_sure(closed.sure_of)
        return "; ".join(parts)

    def _count(self, closed: _Closed, sign: int) -> None:
        self._alike.setdefault(closed.alike, _Tally()).add(closed, sign)
        if closed.sure_of is not None:
            self._sure.setdefault(closed.sure_of, _Tally()).add(closed, sign)
            said = self._said.get(closed.sure_of, 0.0)
            self._said[closed.sure_of] = said + sign * closed.confidence

    def _of_those_alike(self, row: Facts, closed: _Closed) -> str:
        tally, what = self._alike[closed.alike], f"{row['action']} {row['pair']}".strip()
        if tally.n < _MIN:
            return f"{tally.n} {what} so far, too few for more"
        said = f"{tally.n_gains} of {tally.n} {what} made money"
        if tally.n_ratios < _MIN:
            return said
        n, mean = tally.n_ratios, tally.total / tally.n_ratios
        variance = max(0.0, (tally.squares - n * mean**2) / (n - 1))
        half = half_width(n - 1.0) * math.sqrt(variance / n)
        low, high = mean - half, mean + half
        said += f", {percent(mean)} on average (95% interval {percent(low)} to {percent(high)})"
        if tally.n_expected < tally.n_ratios:
            return said
        hoped = tally.expected / tally.n_expected
        judged = "within the interval"
        if not low <= hoped <= high:
            judged = "more than came" if hoped > high else "less than came"
        return f"{said}; expected were {percent(hoped)}, {judged}"

    def _of_the_sure(self, agent: str) -> list[str]:
        tally = self._sure[agent]
        if tally.n < _MIN:
            return []
        sure = percent(self._said[agent] / tally.n, 0, signed=False)
        gained = (
            f"{tally.n_gains} of {tally.n} decisions with a confidence of {_SURE:g} or more did"
        )
        return [f"{gained}, {sure} by their confidence"]


def _closed(row: Facts, gain: float) -> _Closed:
    sure = row["confidence"]
    is_sure = sure is not None and _SURE <= sure <= 1.0
    return _Closed(
        alike=(row["agent"], row["action"], row["pair"]),
        sure_of=row["agent"] if is_sure else None,
        gain=gain,
        ratio=row["outcome"]["profit_ratio"],
        expected=_expected(row),
        confidence=sure or 0.0,
    )


def _gain(row: Facts) -> float | None:
    ratio: float | None = row["outcome"]["profit_ratio"]
    profit: float | None = row["outcome"]["profit_abs"]
    return profit if ratio is None else ratio


def _aim(row: Facts) -> float | None:
    """Return the profit ratio at the target; None where none was said."""
    rate, target = row["rate"], row["target_rate"]
    if not rate or not target:
        return None
    return float((target / rate - 1.0) * (1.0 if row["side"] == "long" else -1.0))


def _told(row: Facts, name: str) -> float | None:
    """Return a number that memory had answered and the agent logged with its decision."""
    for key in (f"said.{name}", f"said.mem_{name}"):
        value = row["said"].get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    return None


def _expected(row: Facts) -> float | None:
    told = _told(row, "expected_ratio")
    return _aim(row) if told is None else told


def _difference(row: Facts) -> str:
    """Return what was expected, by memory or by target, and what came."""
    ratio, profit = row["outcome"]["profit_ratio"], row["outcome"]["profit_abs"]
    made = f"made {profit:+g}" if ratio is None else f"made {percent(ratio)}"
    sure = "" if row["confidence"] is None else f" with confidence {row['confidence']:g}"
    told, aim = _told(row, "expected_ratio"), _aim(row)
    if ratio is None or (told is None and aim is None):
        return f"decided{sure}, {made}"
    if told is None:
        return f"aimed at {percent(aim or 0.0)}{sure}, {made}"
    low, high = _told(row, "interval.0"), _told(row, "interval.1")
    spread = where = ""
    if low is not None and high is not None:
        spread = f" (mean within {percent(low)} to {percent(high)})"
        where = ", below that" if ratio < low else ", above that" if ratio > high else ", within it"
    return f"expected {percent(told)}{spread}{sure}, {made}{where}"


def _execution(row: Facts) -> list[str]:
    """Return how the bot's trade went: how long, which exit, at what slippage."""
    trade = row["outcome"].get("trade")
    if not trade:
        return []
    opened, closed = map(datetime.fromisoformat, (trade["open_date"], trade["close_date"]))
    planned = ""
    if row["due_at"] is not None:
        span = datetime.fromisoformat(row["due_at"]) - datetime.fromisoformat(row["decided_at"])
        planned = f" of {duration(span)} planned"
    slipped = [
        f"{name} slippage {percent(trade[key], 3)}"
        for name, key in (("entry", "entry_slippage"), ("exit", "exit_slippage"))
        if trade[key] is not None
    ]
    exited = f"exit {trade['exit_reason'] or 'unknown'}"
    return [", ".join([f"held {duration(closed - opened)}{planned}", exited, *slipped])]
