"""Chooses lines of the ledger by indexes: the numbers of decisions, without reading any."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.journal.evidence.read import in_scope
from freqtrade_mem0.journal.old_decisions import KIND
from freqtrade_mem0.records.base import Mode, Origin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freqtrade_mem0.journal.connection import Connection
    from freqtrade_mem0.journal.scope import Scope

_RUN = "user_id, strategy, mode, run_id"
_IS_RUN = " AND ".join(f"d.{name} = ?" for name in _RUN.split(", "))
_OPENED = " AND d.trade_id IS NOT NULL"
_LAST = "\U0010ffff"
"""Comes after every character that can follow the first characters of an id."""
_HEX = re.compile(r"[0-9a-f]{0,32}")


def all_seqs(connection: Connection, scope: Scope, *, only_opened: bool) -> list[int]:
    """Return the numbers of the decisions of a scope by market time."""
    new, values = _new(scope, only_opened=only_opened)
    old, old_values = _old(scope, only_opened=only_opened)
    query = (
        f"SELECT seq FROM (SELECT decided_ms, seq FROM decisions AS d WHERE {new} UNION ALL"  # noqa: S608 - values are bound
        f" SELECT decided_ms, seq FROM old_decisions AS d WHERE {old}) ORDER BY decided_ms, seq"
    )
    return [seq for (seq,) in connection.rows(query, [*values, *old_values])]


def newest_seqs(
    connection: Connection, scope: Scope, limit: int, *, only_opened: bool
) -> list[int]:
    """Return the numbers of the newest decisions of a scope, at most `limit`, by market time.

    Each run is asked for its newest: an index lists them, and sorting all would read each row.
    """
    new, values = _new(scope, only_opened=only_opened)
    old, old_values = _old(scope, only_opened=only_opened)
    newest = "ORDER BY decided_ms DESC, d.seq DESC LIMIT ?"
    query = f"SELECT decided_ms, seq FROM decisions AS d WHERE {_IS_RUN} AND {new} {newest}"  # noqa: S608 - as above
    found = []
    for run in _runs(connection, scope):
        found += connection.rows(query, [*run, *values, limit])
    query = f"SELECT decided_ms, seq FROM old_decisions AS d WHERE d.scope = ? AND {old} {newest}"  # noqa: S608 - as above
    for number in _old_scopes(connection, scope):
        found += connection.rows(query, [number, *old_values, limit])
    return [seq for _, seq in sorted(found)[-limit:]] if limit else []


def named_seqs(
    connection: Connection, scope: Scope, beginnings: Sequence[str], *, only_opened: bool
) -> list[int]:
    """Return the numbers of the decisions of a scope by market time, whose ids begin so.

    The id of the decision or that of its trade. May return a few more.
    """
    new, values = _new(scope, only_opened=only_opened)
    named = " UNION ".join(
        f"SELECT d.seq FROM json_each(?) AS n CROSS JOIN decisions AS d"  # noqa: S608 - fixed names
        f" ON d.{name} >= n.value AND d.{name} < n.value || '{_LAST}'"
        for name in ("id", "trade_id")
    )
    query = (
        f"SELECT decided_ms, d.seq FROM ({named}) AS n CROSS JOIN decisions AS d ON d.seq = n.seq"  # noqa: S608 - as above
        f" WHERE {new}"
    )
    found = connection.rows(query, [*[json.dumps(list(beginnings))] * 2, *values])
    old, old_values = _old(scope, only_opened=only_opened)
    for beginning in beginnings:
        bounds: list[Any] = [beginning, beginning + _LAST]
        is_between = "{0} >= ? AND {0} < ?"
        digits = beginning.replace("-", "")
        if _HEX.fullmatch(digits):
            bounds += [bytes.fromhex(digits.ljust(32, end)) for end in "0f"]
            is_between += " OR {0} BETWEEN ? AND ?"
        is_named = " OR ".join(is_between.format(name) for name in ("d.id", "d.trade_id"))
        query = f"SELECT decided_ms, seq FROM old_decisions AS d WHERE {old} AND ({is_named})"  # noqa: S608 - as above
        found += connection.rows(query, [*old_values, *bounds, *bounds])
    return [seq for _, seq in sorted(set(found))]


def last_decided(connection: Connection, scope: Scope) -> dict[Origin, int]:
    """Return when each run of a scope last decided on an entry that was filled, epoch ms."""
    new, values = _new(replace(scope, since=None), only_opened=True)
    old, old_values = _old(replace(scope, since=None), only_opened=True)
    own, own_values = _of_runs(scope)
    newest = "ORDER BY decided_ms DESC LIMIT 1"
    query = f"SELECT decided_ms FROM decisions AS d WHERE {_IS_RUN} AND {new} {newest}"  # noqa: S608 - as above
    rows: list[Sequence[Any]] = []
    for run in _runs(connection, scope):
        rows += [(*run, *last) for last in connection.rows(query, [*run, *values])]
    query = (
        f"SELECT {_RUN}, (SELECT decided_ms FROM old_decisions AS d WHERE d.scope = r.number"  # noqa: S608 - as above
        f" AND {old} {newest}) FROM scopes AS r WHERE {own} AND kind = ?"
    )
    rows += connection.rows(query, [*old_values, *own_values, KIND])
    return newest_of(rows)


def newest_of(rows: Sequence[Sequence[Any]]) -> dict[Origin, int]:
    """Return the largest number of each run; rows without one are left out."""
    found: dict[Origin, int] = {}
    for user_id, strategy, mode, run_id, last in rows:
        origin = Origin(user_id=user_id, strategy=strategy, mode=Mode(mode), run_id=run_id)
        if last is not None:
            found[origin] = max(last, found.get(origin, last))
    return found


def origins(connection: Connection, scope: Scope) -> list[Origin]:
    """Return the runs of a scope with decisions."""
    own, values = _of_runs(scope)
    query = f"SELECT {_RUN} FROM scopes WHERE {own} AND kind = ?"  # noqa: S608 - as above
    runs = {*_runs(connection, scope), *connection.rows(query, [*values, KIND])}
    return list(newest_of([(*run, 0) for run in sorted(runs)]))


def _runs(connection: Connection, scope: Scope) -> list[tuple[str, ...]]:
    """Return user, strategy, mode and run of each run of a scope with decisions.

    From run to run in the index: DISTINCT would walk over all decisions.
    """
    query = f"SELECT {_RUN} FROM decisions WHERE ({_RUN}) >= (?, ?, ?, ?) ORDER BY {_RUN} LIMIT 1"  # noqa: S608 - as above
    wanted = scope.user_id, scope.strategy, None, scope.run_id
    found, first = [], (scope.user_id or "", "", "", "")
    while rows := connection.rows(query, first):
        run = rows[0]
        first = (*run[:-1], run[-1] + "\0")  # the next text in the index's order
        if scope.user_id not in {None, run[0]}:
            break
        is_wanted = all(name in {None, own} for name, own in zip(wanted, run, strict=True))
        if is_wanted and (scope.modes is None or run[2] in scope.modes):
            found.append(run)
    return found


def _old_scopes(connection: Connection, scope: Scope) -> list[int]:
    own, values = _of_runs(scope)
    query = f"SELECT number FROM scopes WHERE {own} AND kind = ?"  # noqa: S608 - as above
    return [number for (number,) in connection.rows(query, [*values, KIND])]


def _of_runs(scope: Scope) -> tuple[str, list[Any]]:
    """Return the condition on runs alone."""
    return replace(scope, pair=None, since=None, kind=None).where()


def _new(scope: Scope, *, only_opened: bool) -> tuple[str, list[Any]]:
    where, values = scope.where(prefix="d.", with_kind=False)
    return where + _OPENED * only_opened, values


def _old(scope: Scope, *, only_opened: bool) -> tuple[str, list[Any]]:
    where, values = in_scope(replace(scope, kind=None), prefix="d.", moment="decided_ms")
    return where + _OPENED * only_opened, values
