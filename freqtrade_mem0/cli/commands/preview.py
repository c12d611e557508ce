"""`preview`: what the present settings would have made of the stakes of a run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.cli.options import memory_options, scope_options
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.decision import Decision

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from freqtrade_mem0.memory_folder import MemoryFolder

NAME = "preview"
HELP = "show what the present settings would have done to the stakes of a run"
DESCRIPTION = (
    "Compare the stakes of the newest run in the ledger with the stakes that the settings in the "
    "config would give them, as if shadow mode were off. For a bot in shadow this shows what "
    "switching it on would do. Nothing is changed. Each stake uses only what was known before it, "
    "without the limits of exchange and wallet. 'compare' measures whether it pays."
)

_N_LARGEST = 5
_CHANGED = 1e-6
"""Relative difference of two stakes above which one is a change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """What a trade got, and what it would get; multiples of the proposed stake."""

    decision: Decision
    got: float
    would: float

    @property
    def change(self) -> float:
        return self.would - self.got


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `preview`."""
    scope_options(parser)
    memory_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print how stakes would differ."""
    from freqtrade_mem0.cli.context import opened_memory
    from freqtrade_mem0.cli.output import print_json

    with opened_memory(arguments) as store:
        lines = _lines(store, arguments)
        policy = store.settings.sizing.policy
    origin = lines[0].decision.origin
    largest = sorted(lines, key=lambda line: -abs(line.change))[:_N_LARGEST]
    facts = {
        "strategy": origin.strategy,
        "mode": str(origin.mode),
        "run_id": origin.run_id,
        "policy": policy,
        "n_trades": len(lines),
        "n_in_shadow": sum(not line.decision.applied for line in lines),
        "mean_multiplier_applied": math.fsum(line.got for line in lines) / len(lines),
        "mean_multiplier_preview": math.fsum(line.would for line in lines) / len(lines),
        "share_changed": sum(_is_change(line) for line in lines) / len(lines),
        "largest_changes": [_facts(line) for line in largest if _is_change(line)],
    }
    if arguments.json:
        print_json(facts)
    else:
        _show(facts, [line for line in largest if _is_change(line)])
    return 0


def _lines(store: MemoryFolder, arguments: argparse.Namespace) -> list[_Line]:
    from freqtrade_mem0.cli.context import scope_of
    from freqtrade_mem0.run.replay import Replay
    from freqtrade_mem0.views.scope import described

    scope = scope_of(arguments, store)
    ledger = [line.decision for line in store.journal.ledger(scope)]
    if not ledger:
        raise RecordError(
            f"No decision of {described(scope)} is in the ledger. 'freqtrade-mem0 stats' shows "
            "what is remembered."
        )
    newest = ledger[-1].origin
    replay = Replay(store, newest, in_shadow=False)
    return [
        _Line(
            decision=decision,
            got=decision.stake / decision.proposed_stake if decision.applied else 1.0,
            would=_would(replay.again(decision)),
        )
        for decision in ledger
        if decision.origin == newest
    ]


def _would(decision: Decision) -> float:
    """Return the multiplier of a stake, 0.0 where the entry would be refused."""
    from freqtrade_mem0.decide.vetoes import is_vetoed

    return 0.0 if is_vetoed(decision) else decision.multiplier


def _is_change(line: _Line) -> bool:
    return abs(line.change) > _CHANGED * line.got


def _facts(line: _Line) -> dict[str, Any]:
    from freqtrade_mem0.views.values import iso

    decision = line.decision
    return {
        "trade_id": decision.trade_id,
        "pair": decision.pair,
        "side": decision.side,
        "enter_tag": decision.enter_tag,
        "decided_at": iso(decision.decided_at),
        "proposed_stake": decision.proposed_stake,
        "stake_applied": decision.proposed_stake * line.got,
        "stake_preview": decision.proposed_stake * line.would,
    }


def _show(facts: dict[str, Any], largest: Sequence[_Line]) -> None:
    from freqtrade_mem0.cli.output import console, print_table, when
    from freqtrade_mem0.views.values import iso

    shadow = f", {facts['n_in_shadow']} of them in shadow" if facts["n_in_shadow"] else ""
    console().print(
        f"{facts['strategy']}, {facts['mode']} {facts['run_id'][:12]}: {facts['n_trades']} "
        f"trades{shadow}. With the present settings (policy {facts['policy']}) "
        f"{facts['share_changed']:.0%} of the stakes would have been different; their mean "
        f"multiplier x{facts['mean_multiplier_preview']:.3f}, against "
        f"x{facts['mean_multiplier_applied']:.3f} as it was.",
        markup=False,
    )
    if not largest:
        return
    print_table(
        "Largest changes; 'why ID' explains what was decided then",
        ["decided at (UTC)", "pair", "side", "tag", "Proposed", "Was", "Would be", "trade"],
        [
            [
                when(iso(line.decision.decided_at)),
                line.decision.pair,
                line.decision.side,
                line.decision.enter_tag,
                f"{line.decision.proposed_stake:.6g}",
                f"{line.decision.proposed_stake * line.got:.6g}",
                f"{line.decision.proposed_stake * line.would:.6g}",
                (line.decision.trade_id or "")[:8],
            ]
            for line in largest
        ],
    )
