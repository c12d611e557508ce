"""The recommended policy as a memory that grows trade by trade: `observe`, then `decide`.

What it believes: situations differ in how good a strategy's trades are, and such differences last;
a strategy's overall luck does not. So a stake follows the *deviation* of situations like this one
from the strategy's mean, not the mean itself, and on average stays what was proposed.

1. Deviation. Every level (pair, side, tag, time of day, volatility, trend, and pairs of them) adds
   `b (group mean - strategy mean)`, with `b = n / (n + 1 / theta)`. `theta`, the variance between
   the groups of the level over that within them, is estimated by moments (empirical Bayes).
2. Trust. The memory keeps score of its own forecasts: the slope of outcomes on forecasts, pulled
   towards 1/3, scales them. A strategy in which situations tell nothing ends with a trust of zero.
3. Brake. Only a loss beyond doubt (two standard errors, widened for overlapping trades) speaks
   about the strategy as a whole: then all its stakes shrink.

What was tried and left out, because it did not help: the strategy's recent results (they revert),
volatility scaling (good for some strategies, bad for others, and a bet against bull markets), the
number of open trades, Bitcoin's trend. See `README.md`.

What it does not show: whether the past repeats itself. Trades that overlap share their luck, which
the prior trust allows for on average only.

References
----------
Efron, B. and Morris, C. (1975). Data analysis using Stein's estimator and its generalizations.
Journal of the American Statistical Association 70 (350), 311-319.
Buehlmann, H. and Gisler, A. (2005). A Course in Credibility Theory and its Applications, ch. 4.
Mincer, J. and Zarnowitz, V. (1969). The evaluation of economic forecasts. NBER, 3-46 (the slope).
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.value.policy import PARENTS, Policy

_MS_PER_DAY = 86_400_000
_NOTHING = 1e-9
_MAX_SURPRISE = 5.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A trade about to be entered.

    Parameters
    ----------
    pair, side, enter_tag
        As Freqtrade names them.
    open_ms
        UTC milliseconds.
    situation
        `volatility_regime` and `trend_regime` of `situation.market_features`.
    """

    pair: str
    side: str
    enter_tag: str
    open_ms: int
    situation: Mapping[str, float | str]

    def groups(self) -> dict[str, str]:
        """Return the group this entry is in, by level."""
        own = {
            "pair": self.pair,
            "side": self.side,
            "enter_tag": self.enter_tag,
            "session": str(self.open_ms % _MS_PER_DAY // 21_600_000),
        }
        for name in ("volatility_regime", "trend_regime"):
            own[name] = str(self.situation.get(name, ""))
        for child, (first, second) in PARENTS.items():
            own[child] = f"{own[first]}|{own[second]}"
        return own


@dataclass(frozen=True, slots=True)
class Said:
    """What was said at an entry; kept with the trade, for trust is judged by it.

    Parameters
    ----------
    multiplier
        Within the bounds.
    parts
        Effect on the multiplier by name; together they are `multiplier - 1`.
    forecast
        Deviation before trust, in units of `spread`; 0.0 where nothing was known.
    centre, spread
        Mean and root mean square profit ratio of the strategy's trades known then.
    """

    multiplier: float
    parts: dict[str, float]
    forecast: float
    centre: float
    spread: float


@dataclass(frozen=True, slots=True)
class Closed:
    """A closed trade, as the memory learns it.

    Parameters
    ----------
    entry, said
        What it was, and what was said about it.
    close_ms
        When it became known, UTC milliseconds.
    ratio
        Profit ratio after fees; nothing of our own sizing is in it.
    """

    entry: Entry
    said: Said
    close_ms: int
    ratio: float


@dataclass(frozen=True, slots=True)
class _View:
    """What is known as of a day's start and the last close: a decision only looks things up."""

    day_ms: int
    centre: float
    spread: float
    scale: float
    """From expected deviation to the argument of tanh."""
    shifts: dict[str, dict[str, float]]
    """Expected deviation by level and group."""
    brake: float
    """Factor on all stakes, 1.0 unless the strategy's loss is beyond doubt."""


class Candidate:
    """The policy with its memory, for one strategy.

    A trade counts from the first decision later than its close, whatever the order of arrival.
    Sums are floats here; the package's `Recall` has the exact, reversible ones.

    Parameters
    ----------
    policy
        Its numbers. `volatility_power`, `crowd` and `strategy` belong to trials that were not
        recommended and are ignored here; `brake_half_life_days` is taken as `half_life_days`.
    """

    def __init__(self, policy: Policy | None = None) -> None:
        self.policy = Policy() if policy is None else policy
        self._pending: list[tuple[int, int, Closed]] = []
        self._count = 0
        self._origin_ms: int | None = None
        self._strategy = [0.0, 0.0, 0.0]
        """Decayed sums of 1, ratio, ratio squared."""
        self._groups: dict[str, dict[str, list[float]]] = {le: {} for le in self.policy.levels}
        """Decayed sums of 1 and ratio, by level and group."""
        self._inside: dict[tuple[str, str], dict[str, str]] = {}
        """The parents' groups a group lies in."""
        self._scores = [0.0, 0.0]
        """Decayed sums of forecast squared, and forecast times outcome."""
        self._view: _View | None = None

    def observe(self, trade: Closed) -> None:
        """Take in a closed trade."""
        self._count += 1
        heapq.heappush(self._pending, (trade.close_ms, self._count, trade))

    def decide(self, entry: Entry) -> Said:
        """Return the multiplier for an entry, and what it is made of."""
        while self._pending and self._pending[0][0] < entry.open_ms:
            self._learn(heapq.heappop(self._pending)[2])
            self._view = None
        day_ms = entry.open_ms - entry.open_ms % _MS_PER_DAY
        if self._view is None or self._view.day_ms != day_ms:
            self._view = self._look(day_ms)
        view, policy = self._view, self.policy
        if view.spread <= 0.0:
            return Said(1.0, {}, 0.0, 0.0, 0.0)
        mine = entry.groups()
        parts, at, forecast, multiplier = {}, 0.0, 0.0, 1.0
        for level, shifts in view.shifts.items():
            shift = shifts.get(mine[level], 0.0)
            forecast += shift
            at += view.scale * shift
            moved = self._map(at)
            parts[level] = moved - multiplier
            multiplier = moved
        braked = multiplier * view.brake
        parts["brake"] = braked - multiplier
        bounded = min(max(braked, policy.low), policy.high)
        parts["bounds"] = bounded - braked
        return Said(bounded, parts, forecast / view.spread, view.centre, view.spread)

    def _look(self, day_ms: int) -> _View:
        """Work out all that stays the same until a trade closes or a day begins."""
        policy, (weight, weighted, squares) = self.policy, self._strategy
        if weight <= 0.0 or squares <= 0.0:
            return _View(day_ms, 0.0, 0.0, 0.0, {}, 1.0)
        fade = self._fade(day_ms, policy.half_life_days)
        centre, spread = weighted / weight, math.sqrt(squares / weight)
        shifts = self._shifts(fade, weight * fade, centre, spread)
        return _View(
            day_ms=day_ms,
            centre=centre,
            spread=spread,
            scale=self._trust(day_ms) / (policy.reach * spread),
            shifts=shifts,
            brake=self._brake(weight * fade, centre, spread),
        )

    def _brake(self, n: float, centre: float, spread: float) -> float:
        policy = self.policy
        error = spread * math.sqrt((n + policy.brake_pseudo_trades) * policy.overlap)
        doubtless = min(n * centre / error + policy.brake_after, 0.0)
        return 1.0 + (1.0 - policy.low) * math.tanh(doubtless)

    def _map(self, evidence: float) -> float:
        policy = self.policy
        reach = policy.high - 1.0 if evidence > 0.0 else 1.0 - policy.low
        return 1.0 + reach * math.tanh(evidence)

    def _shifts(
        self, fade: float, n: float, centre: float, spread: float
    ) -> dict[str, dict[str, float]]:
        """Return what each group of each level adds to the expected profit ratio."""
        everywhere: dict[str, dict[str, float]] = {}
        for level in self.policy.levels:
            parents = [p for p in PARENTS.get(level, ()) if p in everywhere]
            rows = []
            squares = weight_squares = 0.0
            for group, (weight, weighted) in self._groups[level].items():
                deviation = weighted / weight - centre
                for parent in parents:
                    deviation -= everywhere[parent][self._inside[level, group][parent]]
                seen = weight * fade
                squares += seen * deviation * deviation
                weight_squares += seen * seen
                rows.append((group, seen, deviation))
            theta = self._between(len(rows), n, squares / spread**2, weight_squares)
            everywhere[level] = {
                group: deviation * seen / (seen + 1.0 / theta) for group, seen, deviation in rows
            }
        return everywhere

    def _between(self, groups: int, n: float, squares: float, weight_squares: float) -> float:
        """Return the variance between groups over that within, by moments and prior.

        `E[squares] = freedom + freedom * typical * theta`, where `typical` is the mean size of a
        group; the prior adds `pseudo_groups` groups of that size with `theta = 1 / pseudo_trades`.
        """
        policy = self.policy
        prior, freedom = 1.0 / policy.pseudo_trades, groups - 1
        if freedom <= 0 or not math.isfinite(policy.pseudo_groups):
            return prior
        typical = max(n - weight_squares / n, 0.0) / freedom
        moment = (squares - freedom + policy.pseudo_groups * typical * prior) / max(
            (freedom + policy.pseudo_groups) * typical, _NOTHING
        )
        return max(moment, prior / 10)

    def _trust(self, at_ms: int) -> float:
        policy = self.policy
        if policy.trust_spread <= 0.0:
            return policy.trust
        fade = self._fade(at_ms, policy.trust_half_life_days)
        precision = policy.overlap / policy.trust_spread**2
        slope = (self._scores[1] * fade + policy.trust * precision) / (
            self._scores[0] * fade + precision
        )
        return min(max(slope, 0.0), 1.0)

    def _learn(self, trade: Closed) -> None:
        policy, ratio, entry, said = self.policy, trade.ratio, trade.entry, trade.said
        if self._origin_ms is None:
            self._origin_ms = trade.close_ms
        weight = 1.0 / self._fade(trade.close_ms, policy.half_life_days)
        _add(self._strategy, weight, 1.0, ratio, ratio * ratio)
        groups = entry.groups()
        for level in policy.levels:
            group = groups[level]
            _add(self._groups[level].setdefault(group, [0.0, 0.0]), weight, 1.0, ratio)
            if level in PARENTS:
                self._inside[level, group] = {p: groups[p] for p in PARENTS[level]}
        if said.spread > 0.0:
            came = (ratio - said.centre) / said.spread
            came = min(max(came, -_MAX_SURPRISE), _MAX_SURPRISE)
            weight = 1.0 / self._fade(trade.close_ms, policy.trust_half_life_days)
            _add(self._scores, weight, said.forecast**2, said.forecast * came)

    def _fade(self, at_ms: int, half_life_days: float) -> float:
        """Return what a weight given at the origin is worth at a moment; above 1 before it."""
        origin = at_ms if self._origin_ms is None else self._origin_ms
        return math.pow(2.0, (origin - at_ms) / (half_life_days * _MS_PER_DAY))


def _add(sums: list[float], weight: float, *values: float) -> None:
    sums[:] = [old + weight * new for old, new in zip(sums, values, strict=True)]
