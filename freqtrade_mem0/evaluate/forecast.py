"""What memory expected of a trade when it decided on its stake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.insight import Moments, Part, estimate

if TYPE_CHECKING:
    from freqtrade_mem0.records.decision import Decision, Reason

_SHRUNK = "bayes"


def forecast_of(decision: Decision, pseudo_trades: float) -> float | None:
    """Return the profit ratio a decision expected, or None where it expected nothing.

    A policy that says what it expects (`expected_ratio`) is taken at its word. For the policy
    "bayes" it is computed again from the decision's reasons, which hold what was known.

    Parameters
    ----------
    decision
        As in the ledger.
    pseudo_trades
        `sizing.pseudo_trades` of the run.
    """
    expected = getattr(decision, "expected_ratio", None)
    if expected is not None:
        return float(expected)
    known = [_part(reason) for reason in decision.reasons if reason.value]
    if decision.policy != _SHRUNK or not known or known[0].name != "strategy":
        return None
    return estimate(known[0], known[1:], pseudo_trades).mean


def _part(reason: Reason) -> Part:
    # The mean does not depend on the variance, as long as there is some.
    moments = Moments(reason.n_effective, reason.mean_ratio, 1.0)
    return Part(reason.name, reason.value, moments, 0.0)
