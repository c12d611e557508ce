"""Reads what trades won in stake currency, and the stakes that were decided for them."""

from __future__ import annotations

import json
import math
import re
import struct
from typing import TYPE_CHECKING, Any, NamedTuple

from freqtrade_mem0.journal import chain
from freqtrade_mem0.journal.evidence.ids import id_of, stored_id
from freqtrade_mem0.journal.evidence.many import in_parts
from freqtrade_mem0.journal.old_decisions import numbers_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from freqtrade_mem0.journal.connection import Connection

COLUMNS = "seq, id, scope, pair, known_ms, facts"
"""Of the rows of evidence that `amounts_of` takes."""

_PAID = re.compile(r'"max_stake_amount":([^,]+),.*?"profit_abs":([^,]+),')
_STAKES = re.compile(
    r'"proposed_stake":([^,]+),"multiplier":[^,]+,"stake":([^,]+),"applied":(true|false)'
)
"""Values in the JSON of records and decisions. Quotes inside of texts are escaped there, so that no
text can look like this."""

_PAID_KEY, _STAKES_KEY = '"max_stake_amount":', '"proposed_stake":'
_LONGEST = 300
"""Characters in which the values stand that begin with such a key."""

_UNKNOWN_PROFIT = "profit_abs"
_IDS_AT_ONCE = 500
_OLD_AT_ONCE = 20_000


class Decided(NamedTuple):
    """What was proposed, memory's stake, and whether the trade got it (1.0) or not (0.0)."""

    proposed: float
    stake: float
    applied: float


class Paid(NamedTuple):
    """The largest stake in a trade, and its profit, in stake currency."""

    max_stake: float
    profit: float


def amounts_of(
    connection: Connection, rows: Sequence[Sequence[Any]], words: Mapping[int, str]
) -> tuple[list[tuple[int, Paid]], list[tuple[int, Decided]]]:
    """Return what trades won and what was decided, by the rows of their evidence.

    Each of `rows` has `COLUMNS`.
    """
    won = paid(connection, [row[0] for row in rows])
    parts = list(in_parts([row[-1] for row in rows], words))
    decided = stakes(connection, [each for part in parts for each in part.decisions])
    found = []
    for part in parts:
        for place, decision in zip(part.places.tolist(), part.decisions, strict=False):
            known = decided.get(id_of(decision))
            if known is not None:
                found.append((rows[place][0], known))
        if _UNKNOWN_PROFIT in part.unknown:
            for place in part.places.tolist():
                won.pop(rows[place][0], None)
    return list(won.items()), found


def paid(connection: Connection, seqs: Sequence[int]) -> dict[int, Paid]:
    """Return the amounts of trades by their rows of records; only where they are still kept."""
    body = "iif(length(r.body) > 0, r.body, body_of(j.value, ''))"
    query = (
        f"SELECT j.value, {_part(body, _PAID_KEY)} FROM json_each(?) AS j"  # noqa: S608
        " LEFT JOIN records AS r ON r.seq = j.value"
    )
    found = {}
    for seq, body in connection.rows(query, [json.dumps(list(seqs))]):
        amounts = _numbers(_PAID.match(body or ""))
        if amounts:
            found[seq] = Paid(amounts[0], amounts[1])
    return found


def stakes(connection: Connection, ids: Sequence[bytes | str]) -> dict[str, Decided]:
    """Return the stakes of decisions by their ids."""
    found = {}
    names = [id_of(each) for each in ids]
    for first in range(0, len(names), _IDS_AT_ONCE):
        some = names[first : first + _IDS_AT_ONCE]
        body = _part("iif(length(body) > 0, body, body_of(-seq, ''))", _STAKES_KEY)
        query = (
            f"SELECT id, {body} FROM decisions"  # noqa: S608 - values are bound
            f" WHERE id IN ({', '.join('?' * len(some))})"
        )
        for decision_id, body in connection.rows(query, some):
            match = _STAKES.match(body or "")
            numbers = _numbers(match)
            if match and numbers and min(numbers) > 0.0:
                found[decision_id] = Decided(numbers[0], numbers[1], float(match[3] == "true"))
    return found


def old_stakes(connection: Connection) -> Iterator[list[tuple[int, Decided]]]:
    """Yield the stakes of archived decisions by the row of their trade's evidence, in pages."""
    after = 0
    query = """
        SELECT o.seq, e.seq, o.facts FROM old_decisions AS o
        JOIN evidence AS e ON e.id = o.trade_id AND e.is_current = 1
        WHERE o.seq > ? ORDER BY o.seq LIMIT ?
    """
    while rows := connection.rows(query, [after, _OLD_AT_ONCE]):
        after = rows[-1][0]
        page = []
        for _, seq, facts in rows:
            try:
                applied, proposed, _, stake = numbers_of(facts)
            except struct.error:
                continue
            if min(proposed, stake) > 0.0:
                page.append((seq, Decided(proposed, stake, float(applied))))
        yield page


def decided_again(
    connection: Connection, new: tuple[int, int], last_seq: int
) -> Iterator[list[Any]]:
    """Yield the trades up to a row of evidence whose decisions were noted lately, in pages.

    Parameters
    ----------
    new
        After which entry of the chain, and up to which.
    last_seq
        The row.
    """
    query = """
        SELECT DISTINCT d.trade_id FROM chain JOIN decisions AS d ON d.seq = chain.row
        WHERE n > ? AND n <= ? AND chain.kind = ? AND d.trade_id IS NOT NULL
    """
    found = connection.rows(query, [*new, chain.DECISION])
    ids = [stored_id(trade_id) for (trade_id,) in found]
    for first in range(0, len(ids), _IDS_AT_ONCE):
        some = ids[first : first + _IDS_AT_ONCE]
        query = (
            f"SELECT {COLUMNS} FROM evidence WHERE seq <= ? AND is_current = 1"  # noqa: S608 - values are bound
            f" AND id IN ({', '.join('?' * len(some))})"
        )
        if rows := connection.rows(query, [last_seq, *some]):
            yield rows


def _part(body: str, key: str) -> str:
    """Return SQL for the part of a body from a key on; a whole one takes long to hand over."""
    return f"substr({body}, instr({body}, '{key}'), {_LONGEST})"


def _numbers(match: re.Match[str] | None) -> list[float]:
    """Return the finite numbers of a match's first two groups; [] where one is none."""
    if match is None:
        return []
    try:
        found = [float(each) for each in match.groups()[:2]]
    except ValueError:
        return []
    return found if all(map(math.isfinite, found)) else []
