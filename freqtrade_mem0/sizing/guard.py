"""Keeps any policy inside the bounds, and its reasons complete."""

from __future__ import annotations

import math
from functools import partial
from numbers import Real
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.records.decision import Reason
from freqtrade_mem0.sizing.policy import Known, Policy, Wish
from freqtrade_mem0.sizing.wording import bound_reason

if TYPE_CHECKING:
    from collections.abc import Callable

_TOLERANCE = 1e-9
"""Allowed rounding error of a sum of effects."""


class Guarded:
    """A policy whose wishes always keep the rules of `Wish`.

    On failure: where the policy raises, or its wish is invalid, the stake stays as proposed. A
    multiplier beyond its bounds is moved to the bound, and what the policy's reasons do not explain
    becomes a reason of its own. A policy that never returns can not be guarded against.

    Parameters
    ----------
    policy
        Any policy.
    name
        As in `sizing.policy`: its name in the ledger.
    min_multiplier, max_multiplier
        Bounds, 0 < min <= 1 <= max.
    complain
        Called at every violation, with a sentence and the exception, if any.
    is_built_in
        A built-in policy returns valid reasons: only their sum is checked, which saves time in a
        backtest.
    """

    def __init__(
        self,
        policy: Policy,
        name: str,
        min_multiplier: float,
        max_multiplier: float,
        complain: Callable[[str, Exception | None], None],
        *,
        is_built_in: bool = False,
    ) -> None:
        self.policy = policy
        self.name = name
        self.min_multiplier = min_multiplier
        self.max_multiplier = max_multiplier
        self._complain = complain
        self._is_built_in = is_built_in

    def __call__(self, known: Known) -> Wish:
        """Return the policy's wish where it keeps the rules of `Wish`, else one that does."""
        try:
            return self._checked(self.policy(known))
        except Exception as error:  # noqa: BLE001 - foreign code must not stop a trade
            self._complain("it could not be used; the stake stays as proposed", error)
            text = (
                f"policy {self.name} could not be used ({type(error).__name__}): the stake stays as"
                " proposed"
            )
            reason = Reason(
                name="policy_failed", text=text, n_effective=known.strategy.moments.n_effective
            )
            return Wish(multiplier=1.0, reasons=(reason,))

    def _checked(self, wish: Any) -> Wish:
        if not isinstance(wish, Wish):
            raise TypeError(f"a policy must return a Wish, not {type(wish).__name__}")
        multiplier, expected = wish.multiplier, wish.expected_ratio
        is_inside = (
            type(multiplier) is float and self.min_multiplier <= multiplier <= self.max_multiplier
        )
        if not is_inside:
            multiplier = _finite(multiplier, "multiplier")
        if expected is not None:
            expected = _finite(expected, "expected_ratio")
        if not is_inside:
            wanted, multiplier = (
                multiplier,
                max(self.min_multiplier, min(multiplier, self.max_multiplier)),
            )
            if multiplier != wanted:
                self._complain(
                    "its multiplier is beyond sizing.min_multiplier or max_multiplier", None
                )
        return Wish(
            multiplier=multiplier,
            reasons=partial(self.explained_later, wish, multiplier)
            if wish.puts_off_reasons
            else self._explained(wish, multiplier),
            expected_ratio=expected,
        )

    def explained_later(self, wish: Wish, multiplier: float) -> tuple[Reason, ...]:
        """Return the policy's reasons for a multiplier that was placed; never raises."""
        try:
            return self._explained(wish, multiplier)
        except Exception as error:  # noqa: BLE001 - as above; the stake has been placed meanwhile
            self._complain("it can not say why", error)
            text = f"policy {self.name} can not say why ({type(error).__name__})"
            return (Reason(name="unexplained", text=text, effect=multiplier - 1.0),)

    def _explained(self, wish: Wish, multiplier: float) -> tuple[Reason, ...]:
        """Return the wish's reasons, completed so that effects add up to the multiplier minus 1."""
        wanted = float(wish.multiplier)
        reasons = list(wish.reasons)
        if not self._is_built_in:
            reasons = [_valid(reason) for reason in reasons]
        unexplained = wanted - 1.0 - math.fsum([reason.effect for reason in reasons])
        if not reasons or abs(unexplained) > _TOLERANCE * max(1.0, abs(wanted)):
            self._complain("the effects of its reasons do not add up to multiplier - 1", None)
            text = f"policy {self.name} gave no reason for this part"
            reasons.append(Reason(name="unexplained", text=text, effect=unexplained))
        if multiplier != wanted:
            reasons.append(bound_reason(wanted, multiplier))
        return tuple(reasons)


def unguarded(policy: Policy) -> Policy:
    """Return the policy inside a guard."""
    return policy.policy if isinstance(policy, Guarded) else policy


def reads_levels(policy: Policy) -> bool:
    """Return whether a policy reads the levels; see `Policy`."""
    return bool(getattr(unguarded(policy), "reads_levels", True))


def _valid(reason: Any) -> Reason:
    """Return a reason with the types that the journal keeps."""
    if not isinstance(reason, Reason):
        raise TypeError(f"a reason must be a Reason, not {type(reason).__name__}")
    return Reason(
        name=str(reason.name),
        value=str(reason.value),
        text=str(reason.text),
        n_effective=_finite(reason.n_effective, "n_effective"),
        mean_ratio=_finite(reason.mean_ratio, "mean_ratio"),
        effect=_finite(reason.effect, "effect"),
        mean_error=None if reason.mean_error is None else _finite(reason.mean_error, "mean_error"),
        freedom=None if reason.freedom is None else _finite(reason.freedom, "freedom"),
    )


def _finite(value: Any, name: str) -> float:
    if type(value) is float and math.isfinite(value):
        return value  # nearly always, and much faster than the check below
    if not isinstance(value, Real) or not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number, not {value!r}")
    return float(value)
