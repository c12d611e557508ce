"""The policy `rules`: named thresholds, each with a factor on the stake.

Nothing is estimated. Thresholds and factors are configured, and the reason of a decision names the
statistic, the threshold and the factor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, field_validator

from freqtrade_mem0.config.block import PolicyBlock
from freqtrade_mem0.insight.shrinkage import EntryGroup, Moments
from freqtrade_mem0.records.decision import Reason
from freqtrade_mem0.sizing.conditions import Condition, condition
from freqtrade_mem0.sizing.policy import Known, Wish
from freqtrade_mem0.sizing.wording import bound_reason, without_evidence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from freqtrade_mem0.config.sizing import SizingSettings


class Settings(PolicyBlock):
    """Thresholds and factors of the policy `rules`."""

    min_trades: float = Field(
        20,
        ge=1,
        le=100_000,
        description="Decayed trades a win rate needs to be looked at. [1, 100000]",
    )
    win_rate_levels: tuple[str, ...] = Field(
        (),
        description="Names of `levels` whose own win rates count beside the strategy's, such as"
        " `pair`.",
    )
    low_win_rate: float | None = Field(
        0.45,
        ge=0,
        le=1,
        description="A share of winning trades below this is low, or null. [0, 1]",
    )
    low_win_rate_factor: float = Field(
        0.7, gt=0, le=1, description="Factor on the stake at a low win rate. (0, 1]"
    )
    high_win_rate: float | None = Field(
        0.6,
        ge=0,
        le=1,
        description="A share of winning trades above this is high, or null. [0, 1]",
    )
    high_win_rate_factor: float = Field(
        1.2, ge=1, le=10, description="Factor on the stake at a high win rate. [1, 10]"
    )
    losing_streak: int | None = Field(
        5,
        ge=1,
        le=1000,
        description="Losing trades in a row that are a streak, or null. [1, 1000]",
    )
    losing_streak_factor: float = Field(
        0.7, gt=0, le=1, description="Factor on the stake in a losing streak. (0, 1]"
    )
    drawdown: float | None = Field(
        10,
        gt=0,
        le=1000,
        description="The strategy is in a drawdown when the sum of its profit ratios is further"
        " than this below its highest, in their root mean squares, or null. (0, 1000]",
    )
    drawdown_factor: float = Field(
        0.7, gt=0, le=1, description="Factor on the stake in a drawdown. (0, 1]"
    )
    high_volatility: float | None = Field(
        0.9,
        ge=0,
        le=1,
        description="A rank of the volatility at entry above this is high, or null. [0, 1]",
    )
    high_volatility_factor: float = Field(
        0.8, gt=0, le=1, description="Factor on the stake at high volatility. (0, 1]"
    )
    conditions: dict[str, Annotated[float, Field(gt=0, le=10)]] = Field(
        default_factory=dict,
        description="Factors on the stake by conditions on the situation of an entry, such as"
        ' `{"ADX(14) < 20": 0.7, "weekday == Sun": 0.5}`. A feature that an entry does not have'
        " fires nothing. (0, 10]",
    )

    @field_validator("conditions")
    @classmethod
    def _are_conditions(cls, conditions: dict[str, float]) -> dict[str, float]:
        for text in conditions:
            condition(text)
        return conditions

    def features(self) -> tuple[str, ...]:
        """Return the features that conditions compare."""
        return tuple(condition(text).feature for text in self.conditions)

    def check(self, sizing: Mapping[str, Any]) -> None:
        """Refuse win rates of levels that are not told apart."""
        levels = sizing.get("levels", self.win_rate_levels)
        for level in self.win_rate_levels:
            if level not in levels:
                raise ValueError(
                    f"win_rate_levels names {level!r}, which is not among sizing.levels: "
                    f"{', '.join(levels)}"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fired:
    """A rule that applies to an entry."""

    name: str
    text: str
    factor: float
    group: EntryGroup
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The product of the factors of all rules that fire, kept inside the bounds.

    * `low_win_rate`, `high_win_rate`: share of winning trades, decayed, of the strategy and of each
      group of `thresholds.win_rate_levels`, with an effective sample size of at least
      `thresholds.min_trades`. Each group fires by itself; groups of the same trades fire once.
    * `losing_streak`: losing trades in a row, up to now.
    * `drawdown`: highest cumulative sum of profit ratios minus the present one, all stakes taken as
      equal, in root mean squares of the profit ratios.
    * `high_volatility`: rank of the volatility at entry among the last 240 candles, [0, 1].
    * `condition`: each of `conditions` that holds at the entry.

    No rule fires before the strategy has a closed trade that made or lost anything.

    Parameters
    ----------
    thresholds
        When a rule fires, and its factor; a threshold of None never fires.
    min_multiplier, max_multiplier
        Bounds, 0 < min <= 1 <= max.
    conditions
        Conditions on the situation, each with its text and its factor.

    Notes
    -----
    What this does not show: that any of these rules helps. A win rate says nothing about the size
    of wins and losses: trend followers win less than half of their trades, and may earn with them.
    Good strategies have streaks and drawdowns by chance: with an edge of 0.1 root mean squares a
    trade, the drawdown exceeds 10 root mean squares `exp(-2 * 0.1 * 10)` = 14 % of the time
    (stationary distribution of a reflected Brownian motion). In trials, stakes that followed a
    strategy's own recent results lost more often than they won (`benchmarks/value/README.md`).

    References
    ----------
    Harrison, J. M. (1985). Brownian Motion and Stochastic Flow Systems, ch. 5 (the drawdown of a
    random walk with drift is exponential in the long run).
    """

    thresholds: Settings
    min_multiplier: float
    max_multiplier: float
    conditions: tuple[tuple[Condition, str, float], ...] = ()
    name: str = "rules"

    def __call__(self, known: Known) -> Wish:
        """Return the multiplier for an entry."""
        whole = known.strategy.moments
        if whole.n <= 0.0 or whole.spread <= 0.0:
            return without_evidence(whole)
        reasons, reached = [], 1.0
        for fired in self._fired(known):
            moved = reached * fired.factor
            reasons.append(_reason(fired, moved - reached))
            reached = moved
        multiplier = max(self.min_multiplier, min(reached, self.max_multiplier))
        if multiplier != reached:
            reasons.append(bound_reason(reached, multiplier))
        if not reasons:
            text = "no rule fired: the stake stays as proposed"
            reasons.append(
                Reason(
                    name="no_rule", text=text, n_effective=whole.n_effective, mean_ratio=whole.mean
                )
            )
        return Wish(multiplier=multiplier, reasons=tuple(reasons))

    def _fired(self, known: Known) -> Iterator[_Fired]:
        rules, whole = self.thresholds, known.strategy
        seen: set[Moments] = set()
        for group in (whole, *known.levels):
            if group is whole or group.name in rules.win_rate_levels:
                if group.moments not in seen:  # equal moments: the same trades
                    yield from self._win_rate(group)
                seen.add(group.moments)
        if rules.losing_streak is not None:
            streak = known.form().losing_streak
            if streak >= rules.losing_streak:
                text = f"{streak} losing trades in a row, {rules.losing_streak} or more"
                yield _Fired(
                    name="losing_streak", text=text, factor=rules.losing_streak_factor, group=whole
                )
        if rules.drawdown is not None:
            lost = known.form().drawdown_ratio
            depth = lost / whole.moments.spread
            if depth > rules.drawdown:
                text = (
                    f"{lost:.2%} of one stake below its best, which is {depth:.1f} times what a "
                    f"trade moves, more than {rules.drawdown:g}"
                )
                yield _Fired(name="drawdown", text=text, factor=rules.drawdown_factor, group=whole)
        rank = known.situation.get("volatility_rank")
        high = rules.high_volatility
        if high is not None and isinstance(rank, float) and rank > high:
            text = f"volatility rank {rank:.2f} at entry, above {high:g}"
            yield _Fired(
                name="high_volatility", text=text, factor=rules.high_volatility_factor, group=whole
            )
        yield from self._conditions(known)

    def _conditions(self, known: Known) -> Iterator[_Fired]:
        for each, wanted, factor in self.conditions:
            if each.holds(known.situation):
                text = f"{each.feature} is {known.situation[each.feature]} at entry"
                yield _Fired(
                    name="condition", value=wanted, text=text, factor=factor, group=known.strategy
                )

    def _win_rate(self, group: EntryGroup) -> Iterator[_Fired]:
        rules, rate = self.thresholds, group.moments.win_rate
        if rate is None or group.moments.n < rules.min_trades:
            return
        who = f"{group.name} {group.value}".strip()
        found = f"{who}: win rate {rate:.1%} of {group.moments.n_effective:.1f} trades"
        if rules.low_win_rate is not None and rate < rules.low_win_rate:
            yield _Fired(
                name="low_win_rate",
                text=f"{found}, below {rules.low_win_rate:.1%}",
                factor=rules.low_win_rate_factor,
                group=group,
                value=who,
            )
        if rules.high_win_rate is not None and rate > rules.high_win_rate:
            yield _Fired(
                name="high_win_rate",
                text=f"{found}, above {rules.high_win_rate:.1%}",
                factor=rules.high_win_rate_factor,
                group=group,
                value=who,
            )


def _reason(fired: _Fired, effect: float) -> Reason:
    moments = fired.group.moments
    return Reason(
        name=fired.name,
        value=fired.value,
        text=f"{fired.text}: x{fired.factor:g}",
        n_effective=moments.n_effective,
        mean_ratio=moments.mean,
        effect=effect,
    )


def from_settings(sizing: SizingSettings) -> Rules:
    """Build the policy."""
    return Rules(
        thresholds=sizing.block(Settings),
        min_multiplier=sizing.min_multiplier,
        max_multiplier=sizing.max_multiplier,
        conditions=tuple(
            (condition(text), text, factor)
            for text, factor in sizing.block(Settings).conditions.items()
        ),
    )
