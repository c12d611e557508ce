"""What the present settings would have made of the stakes of a run."""

from __future__ import annotations

from math import fsum
from typing import TYPE_CHECKING

from freqtrade_mem0.decide.vetoes import is_vetoed
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.runs import newest_run
from freqtrade_mem0.run.replay import Replay
from freqtrade_mem0.views.scope import described
from freqtrade_mem0.views.values import Facts, iso, origin_facts

if TYPE_CHECKING:
    from freqtrade_mem0.journal.scope import Scope
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.decision import Decision

_N_LARGEST = 5
_CHANGED = 1e-6
"""Relative difference of two stakes above which they count as different."""


def preview(memory: MemoryFolder, scope: Scope) -> Facts:
    """Return how the stakes of the newest run in a scope would differ.

    Each stake uses only what was known before it. The limits of exchange and wallet at that time
    are not known any more, so none is applied.

    Returns
    -------
    dict
        `strategy`, `mode`, `run_id`, `policy` (of the settings), `n_trades`, `n_in_shadow`,
        `mean_multiplier_applied` and `mean_multiplier_preview`, `share_changed` (0 to 1), and
        `largest_changes`: up to five trades with `stake_applied` and `stake_preview`.

    Raises
    ------
    RecordError
        The ledger has no decision of this scope.
    """
    origin = newest_run(memory.journal, scope, with_decisions=True)
    if origin is None:
        raise RecordError(
            f"No decision of {described(scope)} is in the ledger. 'freqtrade-mem0 stats' shows "
            "what is in memory."
        )
    ledger = (line.decision for line in memory.journal.ledger(scope))
    decisions = [decision for decision in ledger if decision.origin == origin]
    replay = Replay(memory, origin, in_shadow=False)
    was = [each.stake / each.proposed_stake if each.applied else 1.0 for each in decisions]
    would_be = [_multiplier(replay.again(each)) for each in decisions]
    changed = [
        (abs(new - old), decision, old, new)
        for decision, old, new in zip(decisions, was, would_be, strict=True)
        if abs(new - old) > _CHANGED * old
    ]
    changed.sort(key=lambda change: -change[0])
    n = len(decisions)
    return origin_facts(origin) | {
        "policy": memory.settings.sizing.policy,
        "n_trades": n,
        "n_in_shadow": sum(not decision.applied for decision in decisions),
        "mean_multiplier_applied": fsum(was) / n,
        "mean_multiplier_preview": fsum(would_be) / n,
        "share_changed": len(changed) / n,
        "largest_changes": [_change(*change[1:]) for change in changed[:_N_LARGEST]],
    }


def _multiplier(decision: Decision) -> float:
    """Return the multiplier of a decision, 0.0 where the entry would be refused."""
    return 0.0 if is_vetoed(decision) else decision.multiplier


def _change(decision: Decision, was: float, would_be: float) -> Facts:
    return {
        "trade_id": decision.trade_id,
        "pair": decision.pair,
        "side": decision.side,
        "enter_tag": decision.enter_tag,
        "decided_at": iso(decision.decided_at),
        "proposed_stake": decision.proposed_stake,
        "stake_applied": decision.proposed_stake * was,
        "stake_preview": decision.proposed_stake * would_be,
    }
