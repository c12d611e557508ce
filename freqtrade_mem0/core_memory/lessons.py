"""What closed decisions of agents teach, by arithmetic: what was expected, and what came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.words.numbers import percent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freqtrade_mem0.words.plain import Facts

_SURE = 0.8
_MIN = 5
"""Closed decisions below which the share of wins is not set against the confidence."""


def add_lessons(rows: Iterable[Facts]) -> None:
    """Set `lesson` in each row of `agent_log`; None where the outcome is not known.

    Only decisions whose outcome was known up to then count in a lesson.
    """
    rows = list(rows)
    for row in rows:
        row["lesson"] = None
    closed = [row for row in rows if row["state"] == "resolved" and _gain(row) is not None]
    closed.sort(key=lambda row: (row["outcome"]["known_at"], row["id"]))
    alike: dict[tuple[str, str, str], list[bool]] = {}
    sure: dict[str, list[bool]] = {}
    for row in closed:
        is_gain = (_gain(row) or 0.0) > 0.0
        same = alike.setdefault((row["agent"], row["action"], row["pair"]), [])
        same.append(is_gain)
        parts = [_difference(row)]
        parts.append(f"{sum(same)} of {len(same)} {row['action']} {row['pair']} made money")
        if row["confidence"] is not None and _SURE <= row["confidence"] <= 1.0:
            own = sure.setdefault(row["agent"], [])
            own.append(is_gain)
            if len(own) >= _MIN:
                parts.append(
                    f"{sum(own)} of {len(own)} decisions with a confidence of {_SURE:g} or more did"
                )
        row["lesson"] = "; ".join(parts)


def _gain(row: Facts) -> float | None:
    ratio: float | None = row["outcome"]["profit_ratio"]
    profit: float | None = row["outcome"]["profit_abs"]
    return profit if ratio is None else ratio


def _difference(row: Facts) -> str:
    """Return what was expected by target and confidence, and what came."""
    ratio, rate, target = row["outcome"]["profit_ratio"], row["rate"], row["target_rate"]
    made = f"made {row['outcome']['profit_abs']:+g}" if ratio is None else f"made {percent(ratio)}"
    sure = "" if row["confidence"] is None else f" with confidence {row['confidence']:g}"
    if ratio is not None and rate and target:
        sign = 1.0 if row["side"] == "long" else -1.0
        return f"aimed at {percent(sign * (target / rate - 1.0))}{sure}, {made}"
    return f"decided{sure}, {made}"
