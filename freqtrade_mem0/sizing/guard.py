"""Whatever a policy does, a stake stays inside the bounds and its reasons explain it."""

from __future__ import annotations

import math
from functools import partial
from numbers import Real
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.records.decision import Reason
from freqtrade_mem0.sizing.policy import Known, Policy, Wish

if TYPE_CHECKING:
    from collections.abc import Callable

_TOLERANCE = 1e-9
"""What effects may miss by rounding."""


class Guarded:
    """A policy that keeps its word.

    On failure: where the policy raises, or its wish can not be understood, the stake stays as
    proposed. A multiplier beyond its bounds is moved to the bound, and what the policy's reasons do
    not explain becomes a reason of its own. A policy that never returns can not be guarded against.

    Parameters
    ----------
    policy
        Any policy.
    name
        As in `sizing.policy`: what the ledger calls it.
    min_multiplier, max_multiplier
        Bounds, 0 < min <= 1 <= max.
    complain
        Told of every broken promise: in a sentence, and with the exception where there was one.
    is_built_in
        It is one of ours, whose reasons are plain numbers and words: only their sum is looked at
        again. A backtest asks for very many.
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
        self._policy = policy
        self.name = name
        self._min = min_multiplier
        self._max = max_multiplier
        self._complain = complain
        self._is_built_in = is_built_in

    def __call__(self, known: Known) -> Wish:
        """Return the policy's wish where it keeps the rules of `Wish`, else one that does."""
        try:
            return self._checked(self._policy(known))
        except Exception as error:  # noqa: BLE001 - a stranger's code must not stop a trade
            self._complain("it could not be used; the stake stays as proposed", error)
            text = (
                f"policy {self.name} could not be used ({type(error).__name__}): the stake stays as"
                " proposed"
            )
            reason = Reason(name="policy_failed", text=text, n_effective=known.strategy.moments.n)
            return Wish(multiplier=1.0, reasons=(reason,))

    def _checked(self, wish: Any) -> Wish:
        if not isinstance(wish, Wish):
            raise TypeError(f"a policy must return a Wish, not {type(wish).__name__}")
        wanted = _finite(wish.multiplier, "multiplier")
        expected = wish.expected_ratio
        if expected is not None:
            expected = _finite(expected, "expected_ratio")
        multiplier = max(self._min, min(wanted, self._max))
        if multiplier != wanted:
            self._complain("its multiplier is beyond sizing.min_multiplier or max_multiplier", None)
        return Wish(
            multiplier=multiplier,
            reasons=partial(self._explained_later, wish, multiplier)
            if wish.puts_off_reasons
            else self._explained(wish, multiplier),
            expected_ratio=expected,
        )

    def _explained_later(self, wish: Wish, multiplier: float) -> tuple[Reason, ...]:
        try:
            return self._explained(wish, multiplier)
        except Exception as error:  # noqa: BLE001 - as above; the stake has been placed meanwhile
            self._complain("it can not say why", error)
            text = f"policy {self.name} can not say why ({type(error).__name__})"
            return (Reason(name="unexplained", text=text, effect=multiplier - 1.0),)

    def _explained(self, wish: Wish, multiplier: float) -> tuple[Reason, ...]:
        """Return reasons whose effects add up to the multiplier less 1, whatever the wish has."""
        wanted = float(wish.multiplier)
        reasons = list(wish.reasons)
        if not self._is_built_in:
            reasons = [_clean(reason) for reason in reasons]
        unexplained = wanted - 1.0 - math.fsum([reason.effect for reason in reasons])
        if not reasons or abs(unexplained) > _TOLERANCE * max(1.0, abs(wanted)):
            self._complain("the effects of its reasons do not add up to multiplier - 1", None)
            text = f"policy {self.name} gave no reason for this part"
            reasons.append(Reason(name="unexplained", text=text, effect=unexplained))
        if multiplier != wanted:
            name = "min_multiplier" if multiplier > wanted else "max_multiplier"
            text = f"sizing.{name} of {multiplier:g} keeps the multiplier from {wanted:.3g}"
            reasons.append(Reason(name=name, text=text, effect=multiplier - wanted))
        return tuple(reasons)


def _clean(reason: Any) -> Reason:
    """Return a reason in the form that the journal keeps."""
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
    )


def _finite(value: Any, name: str) -> float:
    if type(value) is float and math.isfinite(value):
        return value  # nearly always, and the check below takes longer than all of this
    if not isinstance(value, Real) or not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number, not {value!r}")
    return float(value)
