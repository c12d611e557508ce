"""What was tried: every policy by name, and why it was worth a try."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.value.baseline import baseline
from benchmarks.value.columns import Columns, Decided, decide
from benchmarks.value.policy import LEVELS, PARENTS, SINGLE, Policy

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHOSEN = Policy()
SHIPPED = replace(CHOSEN, trust_spread=0.0, reach=0.03, warm_up=50.0)
FIXED = replace(CHOSEN, pseudo_groups=float("inf"))
"""Fixed pseudo-trades instead of an estimated variance between groups."""
NOTHING = replace(
    CHOSEN, levels=(), trust=1.0, trust_spread=0.0, reach=0.1, brake_after=float("inf")
)
"""Never moves; parts are added to it one by one."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A policy with the reason it was tried."""

    name: str
    why: str
    decide: Callable[[Columns], Decided]

    def multipliers(self, columns: Columns) -> NDArray[np.float64]:
        """Return the multipliers alone."""
        return self.decide(columns).multipliers


def _trial(name: str, why: str, policy: Policy) -> Trial:
    return Trial(name, why, lambda columns: decide(columns, policy))


def _baseline(columns: Columns) -> Decided:
    n, mean, spread = columns.moments(120.0)
    del n
    return Decided(baseline(columns), np.zeros_like(mean), mean, spread)


def _without(level: str) -> Policy:
    return replace(CHOSEN, levels=tuple(known for known in LEVELS if known != level))


TRIALS = (
    Trial("baseline", "the policy to beat: z of shrunk means, pair and regime", _baseline),
    _trial("chosen", "deviations (empirical Bayes), trust, brake", CHOSEN),
    _trial(
        "strategy mean 120 d",
        "momentum of a strategy's own results",
        replace(NOTHING, strategy=1.0, half_life_days=120.0),
    ),
    _trial(
        "strategy mean 30 d",
        "the same, faster",
        replace(NOTHING, strategy=1.0, half_life_days=30.0),
    ),
    _trial("volatility 0.5", "risk alone, root", replace(NOTHING, volatility_power=0.5)),
    _trial("volatility 1", "risk alone, inverse", replace(NOTHING, volatility_power=1.0)),
    _trial("volatility 2", "risk alone, inverse variance", replace(NOTHING, volatility_power=2.0)),
    _trial("crowd 0.2", "open trades share risk", replace(NOTHING, crowd=0.2)),
    _trial("crowd 0.5", "open trades share risk", replace(NOTHING, crowd=0.5)),
    _trial(
        "brake 30 d",
        "recent losses damp",
        replace(NOTHING, brake_after=0.5, brake_half_life_days=30.0),
    ),
    _trial("brake alone", "losses beyond doubt damp", replace(NOTHING, brake_after=2.0)),
    *(
        _trial(
            f"only {level}",
            "one level alone, fixed shrinkage, no trust",
            replace(NOTHING, levels=(level,), pseudo_groups=float("inf")),
        )
        for level in (*SINGLE, "btc_trend_regime", "weekday", "n_open_bucket")
    ),
    _trial(
        "no trust", "chosen with a fixed trust of 1", replace(CHOSEN, trust=1.0, trust_spread=0.0)
    ),
    _trial("trust fixed 1/3", "chosen with its prior trust", replace(CHOSEN, trust_spread=0.0)),
    *(
        _trial(f"warm-up {n:g}", "shipped, with another warm-up", replace(SHIPPED, warm_up=n))
        for n in (0.0, 20.0, 100.0, 200.0, 400.0)
    ),
    _trial(
        "shipped", "fixed trust, calmer, with a warm-up of 50 trades: what `bayes` does", SHIPPED
    ),
    _trial("fixed shrinkage", "chosen without estimated variances", FIXED),
    _trial("fixed shrinkage 50", "the same, half of it", replace(FIXED, pseudo_trades=50.0)),
    _trial("single levels", "chosen without combined levels", replace(CHOSEN, levels=SINGLE)),
    *(
        _trial(f"without {level}", "is the level worth its place?", _without(level))
        for level in (*SINGLE[:1], *SINGLE[2:4], *PARENTS)
    ),
    _trial(
        "with strategy mean", "chosen plus the strategy's own mean", replace(CHOSEN, strategy=1.0)
    ),
    _trial("with crowd 0.1", "chosen plus crowd", replace(CHOSEN, crowd=0.1)),
    _trial("with crowd 0.2", "chosen plus crowd", replace(CHOSEN, crowd=0.2)),
    _trial("no brake", "chosen without the brake", replace(CHOSEN, brake_after=float("inf"))),
    _trial("brake after 1", "sensitivity", replace(CHOSEN, brake_after=1.0)),
    _trial("brake after 3", "sensitivity", replace(CHOSEN, brake_after=3.0)),
    _trial(
        "brake 30 d after 0.5",
        "damping after recent losses",
        replace(CHOSEN, brake_after=0.5, brake_half_life_days=30.0),
    ),
    _trial(
        "with Bitcoin",
        "a market-wide trend",
        replace(CHOSEN, levels=(*SINGLE, "btc_trend_regime", *PARENTS)),
    ),
    *(
        _trial(f"half-life {days:g}", "sensitivity", replace(CHOSEN, half_life_days=days))
        for days in (60.0, 120.0, 180.0, 730.0, 3650.0)
    ),
    *(
        _trial(f"pseudo-trades {k:g}", "sensitivity", replace(CHOSEN, pseudo_trades=k))
        for k in (20.0, 50.0, 200.0, 400.0)
    ),
    *(
        _trial(f"pseudo-groups {k:g}", "sensitivity", replace(CHOSEN, pseudo_groups=k))
        for k in (2.0, 5.0, 20.0)
    ),
    *(
        _trial(f"reach {reach:g}", "sensitivity", replace(CHOSEN, reach=reach))
        for reach in (0.01, 0.03, 0.05, 0.1)
    ),
    *(
        _trial(f"trust {trust:g}", "sensitivity", replace(CHOSEN, trust=trust))
        for trust in (0.2, 0.5, 1.0)
    ),
    *(
        _trial(f"with volatility {p:g}", "chosen plus risk", replace(CHOSEN, volatility_power=p))
        for p in (0.25, 0.5, 1.0)
    ),
)
