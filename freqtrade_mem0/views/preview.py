"""What the present settings would have made of the stakes of a run."""

from __future__ import annotations

from array import array
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
    replay = Replay(memory, origin, in_shadow=False)
    was, would_be = array("d"), array("d")
    largest: list[tuple[float, Decision, float, float]] = []
    n_in_shadow = n_changed = 0
    for line in memory.journal.ledger(scope.in_run(origin), with_trades=False):
        decision = line.decision
        old = decision.stake / decision.proposed_stake if decision.applied else 1.0
        new = _multiplier(replay.again(decision))
        was.append(old)
        would_be.append(new)
        n_in_shadow += not decision.applied
        if abs(new - old) > _CHANGED * old:
            n_changed += 1
            largest.append((abs(new - old), decision, old, new))
            largest.sort(key=lambda change: -change[0])
            del largest[_N_LARGEST:]
    n = len(was)
    return origin_facts(origin) | {
        "policy": memory.settings.sizing.policy,
        "n_trades": n,
        "n_in_shadow": n_in_shadow,
        "mean_multiplier_applied": fsum(was) / n,
        "mean_multiplier_preview": fsum(would_be) / n,
        "share_changed": n_changed / n,
        "largest_changes": [_change(*change[1:]) for change in largest],
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
