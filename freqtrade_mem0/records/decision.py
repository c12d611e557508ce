"""A sizing decision with its reasons: one line of the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from freqtrade_mem0.insight.student import half_width
from freqtrade_mem0.records.base import Origin
from freqtrade_mem0.records.limits import Count, Feature, Instant, Money, Name, Number, Text, Weight
from freqtrade_mem0.words.numbers import percent

_MIN_FOR_INTERVAL = 2.0


# Not frozen: making a frozen one takes three times as long, and a decision has ten of them.
@dataclass(slots=True, kw_only=True)
class Reason:
    """One part of a decision; not to be changed.

    Parameters
    ----------
    name
        The level or limit it comes from: "strategy", "pair", "regime", "max_multiplier", ...
    value
        The key within that level, for example "ETH/USDT" or "volatile uptrend"; "" for limits.
    text
        The part in words; "" if its numbers say it all. Use `words` to show it.
    n_effective
        Kish's effective number of trades behind it, which are weighted by age (0.0 for limits).
    mean_ratio
        Their decayed mean profit ratio (0.0 for limits).
    effect
        What it changed in the multiplier; all effects of a decision add up to `multiplier - 1`.
    mean_error
        Standard error of `mean_ratio`; None where it is not known, as with fewer than two trades.
    freedom
        Degrees of freedom of Student's interval of `mean_ratio`; None means `n_effective - 1`.
    """

    name: Name
    value: Name = ""
    text: Text = ""
    n_effective: Number = 0.0
    mean_ratio: Number = 0.0
    effect: Number = 0.0
    mean_error: Number | None = None
    freedom: Number | None = None

    @property
    def words(self) -> str:
        """The part in words, with its numbers; never empty."""
        return self.text or part_in_words(
            f"{self.name} {self.value}".strip(),
            self.n_effective,
            self.mean_ratio,
            self.mean_error,
            self.freedom,
        )


def part_in_words(
    name: str, n: float, mean: float, error: float | None, freedom: float | None = None
) -> str:
    """Return what is known of a group of trades.

    >>> part_in_words("pair ETH/USDT", 12.5, 0.02, 0.006)
    'pair ETH/USDT: 12.5 trades, mean +2.00% (95% interval +0.69% to +3.31%)'
    """
    if n <= 0.0:
        return f"{name}: no trades known yet"
    spread = ""
    if error is not None and n >= _MIN_FOR_INTERVAL:
        half = half_width(freedom or n - 1.0) * error
        spread = f" (95% interval {percent(mean - half)} to {percent(mean + half)})"
    return f"{name}: {n:.1f} trade{'' if n == 1.0 else 's'}, mean {percent(mean)}{spread}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountState:
    """What memory had earned when it decided, at the start of that UTC day.

    Parameters
    ----------
    followed
        How far memory is followed, in [0, 1]; 0 leaves every stake as proposed.
    experts
        The part of it that each expert has, by name.
    earned
        What memory has won, or lost where negative, against the same mean stake, in usual daily
        results of the strategy.
    floor
        The lowest value that `earned` can ever have.
    earned_ratio
        The same as `earned`, as a ratio of one stake.
    n_trades
        Trades that it has learned from, those of priors counted at their discount.
    since
        Since when memory has been ahead; None where it is not.
    """

    followed: Number
    experts: Mapping[Name, Number]
    earned: Number
    floor: Number
    earned_ratio: Number
    n_trades: Number
    since: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The stake that memory decided on for one proposed stake.

    Parameters
    ----------
    id
        UUIDv5 of run, pair, side and moment: asking again at the same moment gives the same id. A
        bot asks again while an entry is refused; within one candle the first id stays.
    origin
        The run it was made in.
    decided_at
        Aware UTC market time `t`; only records with `known_at < t` were used.
    pair, side, enter_tag
        The entry it was made for.
    proposed_stake, stake
        In stake currency: what the strategy proposed, and what memory asks for.
    multiplier
        Stake multiplier inside the configured bounds. `stake` can differ from
        `proposed_stake * multiplier` where the exchange's minimum or the wallet's maximum bind.
    applied
        False in shadow mode: the trade got `proposed_stake`.
    policy
        Name of the policy.
    n_effective
        Kish's effective number of trades of this strategy that were known.
    reasons
        Why; never empty.
    situation
        Market features at the decision.
    expected_ratio
        The profit ratio that the policy expected of the trade; None if it gave none.
    n_asked
        How often Freqtrade asked within the candle until an order was filled; the rest of the
        decision is the last answer.
    trade_id
        Record id of the trade it opened; None until its first entry order was filled.
    open_date
        The trade's open date; None until then.
    account
        Memory's account, where the policy keeps one.
    """

    id: Name
    origin: Origin
    decided_at: Instant
    pair: Name
    side: Name
    enter_tag: Name
    proposed_stake: Money
    multiplier: Number
    stake: Money
    applied: bool
    policy: Name
    n_effective: Weight
    reasons: tuple[Reason, ...]
    situation: Mapping[Name, Feature] = field(default_factory=dict)
    expected_ratio: Number | None = None
    n_asked: Count = 1
    trade_id: Name | None = None
    open_date: Instant | None = None
    account: AccountState | None = None

    @property
    def strategy_part(self) -> Reason | None:
        """The reason that stands for all trades of the strategy; None where there is none."""
        return next((part for part in self.reasons if part.name == "strategy"), None)

    @property
    def expected_difference(self) -> float | None:
        """`expected_ratio` less the strategy's mean; None where one of them is not known."""
        whole = self.strategy_part
        if self.expected_ratio is None or whole is None:
            return None
        return self.expected_ratio - whole.mean_ratio
