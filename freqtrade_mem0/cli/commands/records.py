"""`records`, `ledger` and `search`: what is remembered, line by line."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.cli.context import (
    memory_options,
    opened_store,
    output_options,
    scope_of,
    scope_options,
)
from freqtrade_mem0.cli.output import print_json, print_table, when
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.base import Category
from freqtrade_mem0.records.kinds import record_types
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.views.values import iso

if TYPE_CHECKING:
    from freqtrade_mem0.cli.context import Commands
    from freqtrade_mem0.journal.journal import LedgerLine
    from freqtrade_mem0.records.base import Record
    from freqtrade_mem0.records.memory import Memory

_SHOWN_IN_TABLES = 20


def add_commands(commands: Commands) -> None:
    """Add `records`, `ledger` and `search`."""
    records = commands.add_parser(
        "records",
        help="list what is remembered",
        description="List records of the journal, in order of arrival.",
    )
    records.add_argument("--kind", choices=list(record_types()), help="Only this kind of record.")
    _listing(records)
    records.set_defaults(run=run_records)

    ledger = commands.add_parser(
        "ledger",
        help="list every sizing decision with its reasons and outcome",
        description="List sizing decisions by market time, with their reasons and outcomes.",
    )
    ledger.add_argument(
        "--all",
        action="store_true",
        help="Also decisions whose entry order was never filled.",
    )
    _listing(ledger)
    ledger.set_defaults(run=run_ledger)

    search = commands.add_parser(
        "search",
        help="search Mem0 in your own words",
        description="Search memories by meaning and words, best first.",
    )
    search.add_argument("query", nargs="+", help="What to look for.")
    search.add_argument(
        "--category", choices=[str(category) for category in Category], help="Only in this one."
    )
    _listing(search)
    search.set_defaults(run=run_search)


def run_records(arguments: argparse.Namespace) -> int:
    """Print records."""
    with opened_store(arguments) as store:
        scope = scope_of(arguments, store, arguments.kind)
        records = [record for _, record in store.journal.records(scope, limit=_limit(arguments))]
    if arguments.json:
        print_json([_record_facts(record) for record in records])
        return 0
    print_table(
        f"{len(records)} records{_newest(len(records), arguments)}",
        ["known at (UTC)", "kind", "mode", "what", "id"],
        [
            [
                when(record.known_at),
                record.kind,
                str(record.origin.mode),
                record.sentence(),
                record.id[:8],
            ]
            for record in records
        ],
    )
    return 0


def run_ledger(arguments: argparse.Namespace) -> int:
    """Print decisions."""
    with opened_store(arguments) as store:
        scope = scope_of(arguments, store)
        lines = list(
            store.journal.ledger(scope, only_opened=not arguments.all, limit=_limit(arguments))
        )
    if arguments.json:
        print_json([_ledger_facts(line) for line in lines])
        return 0
    print_table(
        f"{len(lines)} decisions{_newest(len(lines), arguments)}; 'why ID' explains one",
        ["decided at (UTC)", "pair", "side", "tag", "Proposed", "x", "Stake", "applied", "Known",
         "Outcome", "strategy, run", "trade"],
        [
            [
                when(line.decision.decided_at),
                line.decision.pair,
                line.decision.side,
                line.decision.enter_tag,
                f"{line.decision.proposed_stake:.6g}",
                f"{line.decision.multiplier:.3f}",
                f"{line.decision.stake:.6g}",
                "yes" if line.decision.applied else "shadow",
                f"{line.decision.n_effective:.1f}",
                "" if line.trade is None else f"{line.trade.profit_ratio:+.2%}",
                f"{line.decision.origin.strategy} {line.decision.origin.run_id[:8]}",
                (line.decision.trade_id or "")[:8],
            ]
            for line in lines
        ],
    )  # fmt: skip
    return 0


def run_search(arguments: argparse.Namespace) -> int:
    """Print memories."""
    query = " ".join(arguments.query)
    if not any(character.isalnum() for character in query):
        raise RecordError(f"There is no word in the query {query!r} to search for.")
    with opened_store(arguments) as store:
        wanted = {
            "user_id": store.settings.user_id,
            "agent_id": arguments.strategy,
            "mode": arguments.mode,
            "run_id": arguments.run_id,
            "pair": arguments.pair,
            "category": arguments.category,
        }
        filters = {key: value for key, value in wanted.items() if value is not None}
        found = store.backend.search(
            query, filters=filters, limit=arguments.limit or _SHOWN_IN_TABLES
        )
    if arguments.json:
        print_json([_memory_facts(memory) for memory in found])
        return 0
    print_table(
        f"{len(found)} memories for {query!r}",
        ["Score", "known at (UTC)", "mode", "what", "id"],
        [
            [
                "" if memory.score is None else f"{memory.score:.2f}",
                when(memory.created_at),
                str(memory.metadata.get("mode", "")),
                memory.text,
                memory.id[:8],
            ]
            for memory in found
        ],
    )
    return 0


def _listing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-n",
        "--limit",
        type=_positive,
        metavar="N",
        help=f"At most so many: the newest, for search the best. Default: {_SHOWN_IN_TABLES} in "
        "tables and searches, else all.",
    )
    scope_options(parser)
    memory_options(parser)
    output_options(parser)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, got {text!r}")
    return int(text)


def _limit(arguments: argparse.Namespace) -> int | None:
    if arguments.limit is not None or arguments.json:
        limit: int | None = arguments.limit
        return limit
    return _SHOWN_IN_TABLES


def _newest(shown: int, arguments: argparse.Namespace) -> str:
    return ", the newest; -n shows more" if shown == _limit(arguments) else ""


def _record_facts(record: Record) -> dict[str, Any]:
    facts: dict[str, Any] = {"id": record.id, "kind": record.kind}
    if isinstance(record, TradeRecord):
        facts |= {
            "pair": record.pair,
            "side": record.side,
            "open_date": iso(record.open_date),
            "close_date": iso(record.close_date),
            "open_rate": record.open_rate,
            "close_rate": record.close_rate,
            "amount": record.amount,
            "stake_amount": record.stake_amount,
            "profit_ratio": record.profit_ratio,
            "profit_abs": record.profit_abs,
            "fee_open": record.fee_open,
            "fee_close": record.fee_close,
            "funding_fees": record.funding_fees,
            "exit_reason": record.exit_reason,
            "enter_tag": record.enter_tag,
            "leverage": record.leverage,
            "is_evidence": record.is_evidence,
            "decision_id": record.decision_id,
            "situation": dict(record.situation),
        }
    return facts | {
        "category": str(record.category),
        "text": record.sentence(),
        "strategy": record.origin.strategy,
        "mode": str(record.origin.mode),
        "run_id": record.origin.run_id,
        "user_id": record.origin.user_id,
        "known_at": iso(record.known_at),
        "recorded_at": iso(record.recorded_at),
    }


def _ledger_facts(line: LedgerLine) -> dict[str, Any]:
    decision = line.decision
    return {
        "id": decision.id,
        "trade_id": decision.trade_id,
        "pair": decision.pair,
        "side": decision.side,
        "enter_tag": decision.enter_tag,
        "decided_at": iso(decision.decided_at),
        "open_date": iso(decision.open_date),
        "proposed_stake": decision.proposed_stake,
        "multiplier": decision.multiplier,
        "stake": decision.stake,
        "applied": decision.applied,
        "reasons": [
            {
                "name": reason.name,
                "value": reason.value,
                "text": reason.words,
                "n_effective": reason.n_effective,
                "mean_ratio": reason.mean_ratio,
                "effect": reason.effect,
                "mean_error": reason.mean_error,
            }
            for reason in decision.reasons
        ],
        "n_effective": decision.n_effective,
        "policy": decision.policy,
        "situation": dict(decision.situation),
        "strategy": decision.origin.strategy,
        "mode": str(decision.origin.mode),
        "run_id": decision.origin.run_id,
        "profit_ratio": None if line.trade is None else line.trade.profit_ratio,
        "profit_abs": None if line.trade is None else line.trade.profit_abs,
    }


def _memory_facts(memory: Memory) -> dict[str, Any]:
    return {
        "id": memory.id,
        "score": memory.score,
        "text": memory.text,
        "created_at": iso(memory.created_at),
        "metadata": {key: value for key, value in memory.metadata.items() if key != "record"},
    }
