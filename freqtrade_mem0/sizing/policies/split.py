"""The policy `split` (default): each expert is followed as far as it has earned it.

A part of every stake stays as proposed, so what its account can lose against the same mean stake
has a floor on any data. See `insight.account` for the rule and its derivation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from freqtrade_mem0.config.block import PolicyBlock
from freqtrade_mem0.config.policies import refuse_unknown_policy
from freqtrade_mem0.insight.account import MIN_DAYS
from freqtrade_mem0.records.decision import Reason
from freqtrade_mem0.sizing.guard import reads_levels, unguarded
from freqtrade_mem0.sizing.policies.response import FollowResponse, in_words
from freqtrade_mem0.sizing.policy import Known, Policy, Wish
from freqtrade_mem0.sizing.registry import policy_named
from freqtrade_mem0.sizing.wording import group_reason

if TYPE_CHECKING:
    from freqtrade_mem0.config.sizing import SizingSettings
    from freqtrade_mem0.insight.response import Response
    from freqtrade_mem0.insight.shrinkage import EntryGroup
    from freqtrade_mem0.insight.standing import Share, Standing

_KEY = "sizing.split.experts"
_NO_EXPERTS = ("off", "split")
_LEAST_SHARE = 0.001


class Settings(PolicyBlock):
    """Keys of the policy `split`."""

    experts: dict[str, float] = Field(
        {"response": 0.3},
        description="The policies that are followed as far as they have earned it, and the share of"
        " each stake that they begin with. Each share is at least 0.001; together they are below 1,"
        " and what is left always stays as proposed.",
    )

    @field_validator("experts")
    @classmethod
    def _leave_a_part(cls, experts: dict[str, float]) -> dict[str, float]:
        for name, share in experts.items():
            refuse_unknown_policy(name)
            if name in _NO_EXPERTS:
                raise ValueError(
                    f"{name!r} can not be an expert; name another policy, such as 'response'"
                )
            if not _LEAST_SHARE <= share < 1.0:
                raise ValueError(
                    f"the share of {name!r} is {share:g}; it must be at least {_LEAST_SHARE:g} and "
                    "below 1"
                )
        if not experts:
            raise ValueError('no expert is named; "sizing.policy": "off" leaves stakes as proposed')
        if (whole := math.fsum(experts.values())) >= 1.0:
            raise ValueError(f"the shares add up to {whole:g}; it must be below 1")
        return experts


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Returns `1 + sum(w * (m - 1))` over its experts, with the weights of memory's account.

    Where that is further than `Standing.room` allows, all weights are reduced alike.

    Parameters
    ----------
    experts
        By name.
    shares
        What each of them begins with, see `insight.account.Account`.
    """

    experts: Mapping[str, Policy]
    shares: Mapping[str, float]
    name: str = "split"
    lone_response: FollowResponse | None = field(init=False)
    """The expert `response` where it is the only one: it is followed without being asked."""

    def __post_init__(self) -> None:
        own = [unguarded(expert) for expert in self.experts.values()]
        lone = own[0] if len(own) == 1 and isinstance(own[0], FollowResponse) else None
        object.__setattr__(self, "lone_response", lone)

    @property
    def reads_levels(self) -> bool:
        """Whether an expert reads the levels."""
        return any(map(reads_levels, self.experts.values()))

    def with_lone_response(
        self, response: Response, account: Standing
    ) -> tuple[float, float, float]:
        """Return the multiplier that `__call__` returns where `response` is the only expert.

        And what the expert says, and how far the stake is moved from the mean one.
        """
        lone = self.lone_response
        assert lone is not None  # noqa: S101 - for mypy: the caller has looked
        said, most = response.multiplier, lone.max_multiplier
        said = most if said > most else max(lone.min_multiplier, said)
        ((weight, _, mean),) = account.shares.values()
        room, wanted = account.room, weight * (said / mean - 1.0)  # see `Standing.held_back`
        kept = 1.0 if -room <= wanted <= room else room / abs(wanted)
        return 1.0 + kept * weight * (said - 1.0), said, kept * wanted

    def __call__(self, known: Known) -> Wish:
        """Return the multiplier for an entry."""
        account = known.account
        if account is None:
            raise ValueError("memory's account is not known")
        if self.lone_response is not None:
            multiplier, _, _ = self.with_lone_response(known.response, account)
            later = partial(self.lone_reasons, known.strategy, known.response, account)
            return Wish(multiplier=multiplier, reasons=later)
        wishes = [expert(known) for expert in self.experts.values()]
        said = [wish.multiplier for wish in wishes]
        kept, _ = account.held_back(said, account.room)
        effects = [
            kept * share.weight * (multiplier - 1.0)
            for share, multiplier in zip(account.shares.values(), said, strict=True)
        ]

        def reasons() -> list[Reason]:
            parts = [group_reason(known.strategy, 0.0)]
            for name, wish, effect in zip(self.experts, wishes, effects, strict=True):
                parts.append(_reason(account, name, _says(name, wish), effect, kept))
            return parts

        return Wish(multiplier=1.0 + math.fsum(effects), reasons=reasons)

    def lone_reasons(
        self, whole: EntryGroup, response: Response, account: Standing
    ) -> list[Reason]:
        """Return the reasons where `response` is the only expert, from all known trades."""
        lone = self.lone_response
        assert lone is not None  # noqa: S101 - for mypy: the caller has looked
        said = lone.multiplier(response)
        kept, _ = account.held_back((said,), account.room)
        ((name, share),) = account.shares.items()
        effect = kept * share.weight * (said - 1.0)
        moved = _reason(account, name, in_words(response, said), effect, kept)
        return [group_reason(whole, 0.0), moved]


def _reason(account: Standing, expert: str, says: str, effect: float, kept: float) -> Reason:
    text = f"{followed(account, expert)}; {says}; stake x{1.0 + effect:.2f}"
    if kept < 1.0:
        text += f", held back to {kept:.0%} by the floor under stakes"
    return Reason(name=expert, text=text, effect=effect)


def followed(account: Standing, expert: str) -> str:
    """Return in words how far an expert is followed, and why.

    >>> from freqtrade_mem0.insight.standing import Share, Standing
    >>> march = 1_740_787_200_000
    >>> account = Standing({"response": Share(0.34, 1.2)}, since_ms=march, n_trades=80)
    >>> followed(account, "response")
    'followed 34% (has earned it since 2025-03)'
    """
    return _followed(account.shares[expert], account.since_ms)


@lru_cache
def _followed(share: Share, since_ms: int | None) -> str:
    """Return the words of `followed`; the decisions of a day share them."""
    if share.weight == 0.0:
        why = f"its first {MIN_DAYS} days"
    elif share.wealth == 1.0:
        why = "the share it begins with"
    elif since_ms is not None and share.wealth > 1.0:
        why = f"has earned it since {datetime.fromtimestamp(since_ms / 1000.0, UTC):%Y-%m}"
    else:
        why = "has lost so far" if share.wealth < 1.0 else "has gained so far"
    return f"followed {share.weight:.0%} ({why})"


def _says(name: str, wish: Wish) -> str:
    """Return what an expert wants, and its largest reason, in words."""
    own = [reason for reason in wish.reasons if reason.name == name]
    if own:
        return own[0].words
    largest = max(wish.reasons, key=lambda reason: abs(reason.effect))
    return f"{name} x{wish.multiplier:.2f}, above all because of {largest.words}"


def from_settings(sizing: SizingSettings) -> Split:
    """Build the policy."""
    shares = sizing.block(Settings).experts
    return Split(experts={name: policy_named(name, sizing, _KEY) for name in shares}, shares=shares)
