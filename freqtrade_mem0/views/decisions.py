"""The ledger of sizing decisions, and the explanation of one of them."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from freqtrade_mem0.backends.filters import matches, parse_filters
from freqtrade_mem0.decide import explain
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.ledger_order import origins
from freqtrade_mem0.journal.runs import newest_run
from freqtrade_mem0.query.compile import read_query
from freqtrade_mem0.query.fields import Place
from freqtrade_mem0.records.from_trade import is_of_mode, trade_identity
from freqtrade_mem0.views.scope import described
from freqtrade_mem0.views.values import Facts, execution_facts, iso, origin_facts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freqtrade_mem0.host.trade_lookup import Entered
    from freqtrade_mem0.journal.ledger_line import LedgerLine
    from freqtrade_mem0.journal.scope import Scope
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.decision import AccountState, Decision

_N_CANDIDATES = 5


def ledger(
    memory: MemoryFolder,
    scope: Scope,
    *,
    only_opened: bool = True,
    limit: int | None = None,
    where: str | None = None,
) -> list[Facts]:
    """Return the newest `limit` decisions (None for all) with their outcomes, by market time.

    `only_opened` leaves out decisions whose entry order was never filled. `where` is a query
    without free words that they must pass; `RecordError` where it is wrong.
    """
    if where is None:
        lines = memory.journal.ledger(scope, only_opened=only_opened, limit=limit)
        return [_line_facts(line) for line in lines]
    node = parse_filters(read_query(where, Place.LEDGER, takes_words=False).filters)
    lines = memory.journal.ledger(scope, only_opened=only_opened)
    passing = (line for line in lines if matches(node, _filterable(line)))
    return [_line_facts(line) for line in deque(passing, maxlen=limit)]


def why(
    memory: MemoryFolder,
    scope: Scope,
    wanted: str | None = None,
    entries: Sequence[Entered] = (),
) -> Facts:
    """Return a decision with its explanation and its profit with and without memory.

    `wanted` holds the first characters of the id of a trade or decision; None means the last trade.
    With `entries`, it is Freqtrade's number, under which they are in trade databases.

    Raises
    ------
    RecordError
        There is no such decision, or several.
    """
    line = _find_line(memory, scope, wanted, entries)
    decision, trade = line.decision, line.trade
    with_memory, without = (None, None) if trade is None else explain.both_outcomes(decision, trade)
    return (
        {"text": explain.why(line), "expected_ratio": decision.expected_ratio}
        | decision_facts(decision)
        | origin_facts(decision.origin)
        | {
            "profit_ratio": None if trade is None else trade.profit_ratio,
            "profit_abs_with_memory": with_memory,
            "profit_abs_without_memory": without,
            "execution": execution_facts(trade),
        }
    )


def decision_facts(decision: Decision) -> Facts:
    """Return what was decided, and why."""
    return {
        "trade_id": decision.trade_id,
        "pair": decision.pair,
        "side": decision.side,
        "enter_tag": decision.enter_tag,
        "decided_at": iso(decision.decided_at),
        "proposed_stake": decision.proposed_stake,
        "multiplier": decision.multiplier,
        "stake": decision.stake,
        "applied": decision.applied,
        "policy": decision.policy,
        "n_effective": decision.n_effective,
        "n_asked": decision.n_asked,
        "reasons": [asdict(reason) | {"text": reason.words} for reason in decision.reasons],
        "situation": dict(decision.situation),
        "account": account_facts(decision.account),
    }


def account_facts(account: AccountState | None) -> Facts | None:
    """Return memory's account; None where the policy keeps none."""
    return None if account is None else asdict(account) | {"since": iso(account.since)}


def newest_account(memory: MemoryFolder, scope: Scope) -> Facts | None:
    """Return memory's account at the newest decision of the newest run in a scope, or None."""
    newest = newest_run(memory.journal, scope, with_decisions=True)
    if newest is None:
        return None
    run = scope.in_run(newest)
    for line in memory.journal.ledger(run, only_opened=False, limit=1):
        facts = account_facts(line.decision.account)
        if facts is not None:
            as_of = {"as_of": iso(line.decision.decided_at), "text": explain.account(line.decision)}
            return origin_facts(newest) | as_of | facts
    return None


def _line_facts(line: LedgerLine) -> Facts:
    decision, trade = line.decision, line.trade
    return (
        {"id": decision.id}
        | decision_facts(decision)
        | origin_facts(decision.origin)
        | {
            "open_date": iso(decision.open_date),
            "profit_ratio": None if trade is None else trade.profit_ratio,
            "profit_abs": None if trade is None else trade.profit_abs,
            "execution": execution_facts(trade),
        }
    )


def _filterable(line: LedgerLine) -> dict[str, object]:
    """Return the values that a query of the ledger is applied to; names as in `FIELDS`."""
    decision, trade = line.decision, line.trade
    return {
        **({} if trade is None else trade.filter_keys()),
        **{f"at_{name}": value for name, value in decision.situation.items()},
        **origin_facts(decision.origin),
        "pair": decision.pair,
        "side": decision.side,
        "enter_tag": decision.enter_tag,
        "trade_id": decision.trade_id,
        "created_at": iso(decision.decided_at),
        "stake_amount": decision.stake,
        "proposed_stake": decision.proposed_stake,
        "multiplier": decision.multiplier,
        "n_effective": decision.n_effective,
        "applied": decision.applied,
        "policy": decision.policy,
    }


def _find_line(
    memory: MemoryFolder, scope: Scope, wanted: str | None, entries: Sequence[Entered]
) -> LedgerLine:
    if wanted is None:
        newest = newest_run(memory.journal, scope, with_decisions=True)
        if newest is not None:
            modes, strategy = [newest.mode], newest.strategy
            scope = replace(scope, strategy=strategy, modes=modes, run_id=newest.run_id)
        lines = list(memory.journal.ledger(scope, limit=1))
    else:
        named = _trade_ids(memory, scope, entries) if entries else [wanted]
        lines = [
            line
            for line in memory.journal.ledger_of(scope, named)
            if (line.decision.trade_id in named if entries else _begins(line.decision, wanted))
        ]
    if not lines:
        where = [f"{each.side} {each.pair} in {each.database}" for each in entries]
        number = f"Trade {wanted} is {' and '.join(where)}. " if where else ""
        if wanted is not None and wanted.isdecimal() and not where:
            number = f"No trade database with a trade {wanted} was found; --db-url names one. "
        raise RecordError(
            f"{number}No decision {f'{wanted!r} ' if wanted else ''}of {described(scope)} is in "
            "the ledger. 'freqtrade-mem0 ledger' lists them."
        )
    if len(lines) > 1:
        how = (
            f"trades have the number {wanted}"
            if entries
            else f"ids of trades and decisions begin with {wanted!r}"
        )
        if wanted is not None and wanted.isdecimal() and not entries:
            how += " (no trade database with a trade of this number was found; --db-url names one)"
        found = "; ".join(_candidate(line.decision, wanted) for line in lines[:_N_CANDIDATES])
        first = "" if len(lines) <= _N_CANDIDATES else " The first are"
        raise RecordError(f"{len(lines)} {how}: name one by its id.{first} {found}.")
    return lines[0]


def _begins(decision: Decision, wanted: str) -> bool:
    return (decision.trade_id or "").startswith(wanted) or decision.id.startswith(wanted)


def _trade_ids(memory: MemoryFolder, scope: Scope, entries: Sequence[Entered]) -> list[str]:
    """Return the ids of some trades of Freqtrade in each run that may have made them."""
    return [
        trade_identity(origin, each.pair, each.side, each.order_id)
        for origin in origins(memory.journal.connection, scope)
        for each in entries
        if is_of_mode(each.order_id, origin.mode)
    ]


def _candidate(decision: Decision, wanted: str | None) -> str:
    origin = decision.origin
    named = decision.id if decision.id.startswith(wanted or "-") else decision.trade_id
    return (
        f"{(named or decision.id)[:13]} ({decision.side} {decision.pair} on "
        f"{decision.decided_at:%Y-%m-%d %H:%M}, {origin.mode} {origin.run_id[:12]})"
    )
