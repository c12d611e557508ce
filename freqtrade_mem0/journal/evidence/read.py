"""Reads evidence from the journal, a page of rows at a time."""

from __future__ import annotations

import json
import struct
from array import array
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.evidence.facts import Shape, unpacked_trade, words_of
from freqtrade_mem0.journal.evidence.ids import id_of, stored_id
from freqtrade_mem0.journal.evidence.kinds import EVIDENCE_KINDS, WHOLE_KINDS
from freqtrade_mem0.journal.evidence.rows import COLUMNS, checksum, whole_json
from freqtrade_mem0.journal.evidence.trade import TradeEvidence
from freqtrade_mem0.journal.evidence.words import ScopeRow
from freqtrade_mem0.records.base import Origin, Record, to_ms
from freqtrade_mem0.records.codec import decode
from freqtrade_mem0.records.kinds.trade import TradeRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from freqtrade_mem0.journal.evidence.checked import Trades
    from freqtrade_mem0.journal.evidence.sources import Rows
    from freqtrade_mem0.journal.scope import Scope

Item = TradeEvidence | Record
"""What a row says: a trade, or a record of another kind as a whole."""

PAGE_ROWS = 1_000
"""Rows that are read at once; between two pages the file is free."""

_LARGE_PAGE_ROWS = 16_000
"""Rows that are read at once into columns."""

_MANY_TRADES = 50
"""So many rows are faster to read in columns."""

_FEW_ROWS = 10_000
"""Walking over at most this many rows is faster than asking the index of scopes."""

_DENSE = 2
"""Walking over so many rows for each that is wanted is faster than looking these up."""

_IDS_AT_ONCE = 500

_ROWS = f"SELECT {COLUMNS}"


class Page(NamedTuple):
    """A page of evidence, in order of arrival.

    Parameters
    ----------
    last_seq
        The number of its last row.
    trades
        Its trades in columns.
    words
        By number.
    items
        What is not among the trades, with the rows' numbers.
    """

    last_seq: int
    trades: list[Trades]
    words: Mapping[int, str]
    items: Iterator[tuple[int, Item]]


class EvidenceReader:
    """Reads evidence; for several threads at once.

    Every method raises `JournalError` if the file can not be used. A row that was changed since it
    was written, or whose record could not be read then, says nothing.
    """

    def __init__(self, connection: Rows) -> None:
        self._connection = connection
        self._forget()

    def items(
        self,
        scope: Scope,
        *,
        after_seq: int = 0,
        left_out: Callable[[str], None] | None = None,
    ) -> Iterator[tuple[int, Item]]:
        """Yield the current evidence of a scope in order of arrival, with the rows' numbers.

        `left_out` is called with the id of each row that says nothing.
        """
        pages = self._pages(scope, after_seq, PAGE_ROWS)
        rows = (self._rows(f"{_ROWS} {page}", values) for page, values in pages)
        yield from self.readable(rows, left_out)

    def pages(self, scope: Scope, left_out: Callable[[str], None] | None = None) -> Iterator[Page]:
        """Yield all current evidence of a scope as `items` does, trades in columns."""
        # Here and below, as a backtest needs none of them.
        from freqtrade_mem0.journal.evidence.checked import checked
        from freqtrade_mem0.journal.evidence.page import IN_ONE_ROW, page_columns

        for page, values in self._pages(scope, 0, _LARGE_PAGE_ROWS):
            columns = page_columns(*self._rows(f"SELECT {IN_ONE_ROW} {page}", values))
            words, of_trades = self.words, self._of_trades()
            trades = checked(columns, of_trades, words)
            if columns is not None and trades is not None:
                others = columns.others(of_trades)
                yield Page(int(columns.seqs[-1]), trades, words, self._items(others, left_out))
            elif rows := self._rows(f"{_ROWS} {page}", values):
                yield Page(rows[-1][0], [], words, self._items(rows, left_out))

    def in_columns(self, pages: Iterable[Sequence[Any]]) -> Iterator[Page]:
        """Yield what the rows of pages say as `readable` does, trades in columns."""
        from freqtrade_mem0.journal.evidence.checked import checked
        from freqtrade_mem0.journal.evidence.page import page_of

        for rows in filter(None, pages):
            words, of_trades = self.words, self._of_trades()
            trades, others = checked(page_of(rows), of_trades, words), rows
            if trades is not None:
                others = [row for row in rows if row[2] not in of_trades]
            yield Page(rows[-1][0], trades or [], words, self._items(others, None))

    def _of_trades(self) -> dict[int, int]:
        """Return the checksums of the scopes of trades by number."""
        return {
            number: checksum
            for number, (each, checksum, _) in self._scopes.items()
            if each.kind == TradeRecord.kind
        }

    def origin(self, scope: int) -> Origin:
        """Return who noted the rows of a scope, given by its number."""
        return self._scopes[scope][2]

    def _items(
        self, rows: Iterable[Sequence[Any]], left_out: Callable[[str], None] | None
    ) -> Iterator[tuple[int, Item]]:
        for row in rows:
            try:
                item = self.item(row)
            except RecordError:
                if left_out is not None:
                    left_out(id_of(row[1]))
            else:
                yield row[0], item

    def trades(self, scope: Scope) -> Iterator[TradeEvidence]:
        """Yield the current trades of a scope, in order of arrival."""
        for _, item in self.items(replace(scope, kind=TradeRecord.kind)):
            if isinstance(item, TradeEvidence):
                yield item

    def of_ids(self, ids: Iterable[str]) -> Iterator[tuple[int, Item]]:
        """Yield the current evidence under some ids, with the rows' numbers; in no order."""
        stored = [stored_id(each) for each in ids]
        for start in range(0, len(stored), _IDS_AT_ONCE):
            some = stored[start : start + _IDS_AT_ONCE]
            query = (
                f"SELECT {COLUMNS} FROM evidence"  # noqa: S608 - fixed names, values are bound
                f" WHERE id IN ({', '.join('?' * len(some))}) AND is_current = 1"
            )
            yield from self.readable([self._rows(query, some)])

    def recorded_here(
        self, origin: Origin, kind: str, after: tuple[int, int], *, newest: int | None = None
    ) -> list[Any]:
        """Return a page of rows of what a run recorded on this machine, as they became known.

        Parameters
        ----------
        after
            Time in epoch milliseconds, and number, of the row before the page.
        newest
            Return so many of the newest rows, the newest first, instead of the next ones.
        """
        order = "" if newest is None else "DESC"
        query = f"""
            SELECT {COLUMNS} FROM evidence WHERE scope IN (
                SELECT number FROM scopes WHERE user_id = ? AND strategy = ? AND mode = ?
                AND run_id = ? AND kind = ?
            ) AND is_current = 1 AND (known_ms, seq) > (?, ?)
            AND NOT EXISTS (SELECT 1 FROM adopted WHERE adopted.seq = evidence.seq)
            ORDER BY known_ms {order}, seq {order} LIMIT ?
        """  # noqa: S608 - as above
        own = [origin.user_id, origin.strategy, str(origin.mode), origin.run_id, kind]
        return self._rows(query, [*own, *after, PAGE_ROWS if newest is None else newest])

    def readable(
        self, pages: Iterable[Sequence[Any]], left_out: Callable[[str], None] | None = None
    ) -> Iterator[tuple[int, Item]]:
        """Yield what the rows of pages say, with their numbers, without those that say nothing.

        `left_out` is called with the ids of these.
        """
        for rows in pages:
            found: dict[int, TradeEvidence] = {}
            if len(rows) >= _MANY_TRADES:
                from freqtrade_mem0.journal.evidence.checked import checked
                from freqtrade_mem0.journal.evidence.each import each_trade
                from freqtrade_mem0.journal.evidence.page import page_of

                words = self.words
                for trades in checked(page_of(rows), self._of_trades(), words) or []:
                    found.update(each_trade(trades, rows, words, self.origin))
            for row in rows:
                if row[0] in found:
                    yield row[0], found[row[0]]
                else:
                    yield from self._items([row], left_out)

    def item(self, row: Sequence[Any]) -> Item:
        """Return what a row says; raise `RecordError` where it says nothing."""
        try:
            return self._item(row)
        except (KeyError, ValueError, TypeError, OverflowError, struct.error) as error:
            raise RecordError(
                f"The evidence of record {id_of(row[1])} was changed since it was written, or its "
                "record could not be read then. 'freqtrade-mem0 salvage' makes evidence anew from "
                "the record."
            ) from error

    def _item(self, row: Sequence[Any]) -> Item:
        _, stored, scope_number, pair_number, known_ms, recorded_ms, said, facts, written = row
        scope, scope_checksum, origin, pair = self._common(scope_number, pair_number)
        if facts is None:
            raise ValueError("no facts")
        if scope.kind in WHOLE_KINDS:
            if checksum(scope_checksum, row[1:-1], [pair]) != written:
                raise ValueError("another checksum")
            return decode(
                scope.kind, whole_json(facts, id_of(stored), origin, known_ms, recorded_ms)
            )

        def unpacked() -> tuple[TradeEvidence, list[str]]:
            return unpacked_trade(
                facts,
                record_id=id_of(stored),
                origin=origin,
                pair=pair,
                known_ms=known_ms,
                recorded_ms=recorded_ms,
                said=said.hex(),
                words=self._words,
                shapes=self._shapes,
            )

        try:
            trade, used = unpacked()
        except KeyError:  # a word that another process added
            self._learn()
            trade, used = unpacked()
        if checksum(scope_checksum, row[1:-1], [pair, *used]) != written:
            raise ValueError("another checksum")
        return trade

    def words_in(self, row: Sequence[Any]) -> set[int]:
        """Return the numbers of the words in a row; raise `RecordError` where it was changed."""
        item = self.item(row) if row[-2] else None
        used = {row[3]}
        if isinstance(item, TradeEvidence):
            used |= words_of(row[-2], self._shapes)
        return used

    def check(self, row: Sequence[Any]) -> None:
        """Raise `RecordError` where a row was changed since it was written."""
        try:
            scope, scope_checksum, _, pair = self._common(row[2], row[3])
            is_whole = row[-2] is not None and scope.kind in EVIDENCE_KINDS
            is_same = is_whole or checksum(scope_checksum, row[1:-1], [pair]) == row[-1]
        except (KeyError, TypeError):
            is_whole = is_same = False
        if is_whole or not is_same:
            self.item(row)

    def _common(self, scope: int, pair: int) -> tuple[ScopeRow, int, Origin, str]:
        if scope not in self._scopes or pair not in self._words:
            self._learn()
        return (*self._scopes[scope], self._words[pair])

    def _pages(
        self, scope: Scope, after_seq: int, page_rows: int
    ) -> Iterator[tuple[str, list[Any]]]:
        """Yield where the rows of the next page are, at most `page_rows`, and values to bind."""
        where, values = in_scope(scope, kinds=EVIDENCE_KINDS)
        # SQLite would take the index of scopes, read all it lists, and sort it for every page.
        rows = "FROM evidence NOT INDEXED WHERE is_current = 1 AND"
        last = self._last_seq()
        found = f"FROM evidence WHERE {where} AND +seq > ? AND +seq <= ?"
        bounds = [*values, after_seq, last]
        if last - after_seq > _FEW_ROWS and (
            last - after_seq >= _DENSE * self._rows(f"SELECT count(*) {found}", bounds)[0][0]
        ):
            listed = self._rows(f"SELECT seq {found}", bounds)
            seqs = array("q", sorted(seq for (seq,) in listed))
            for first in range(0, len(seqs), page_rows):
                some = seqs[first : first + page_rows]
                if some[-1] - some[0] < _DENSE * len(some):
                    which, bound = f"seq BETWEEN ? AND ? AND {where}", [some[0], some[-1], *values]
                else:
                    which = "seq IN (SELECT value FROM json_each(?))"
                    bound = [json.dumps(some.tolist())]
                yield f"{rows} {which} ORDER BY seq", bound
            after_seq = last
        while after_seq < last or after_seq < (last := self._last_seq()):
            before, after_seq = after_seq, min(after_seq + page_rows, last)
            which = f"seq > ? AND seq <= ? AND {where}"
            yield f"{rows} {which} ORDER BY seq", [before, after_seq, *values]

    def _last_seq(self) -> int:
        (last,) = self._connection.row("SELECT coalesce(max(seq), 0) FROM evidence")
        return int(last)

    @property
    def words(self) -> Mapping[int, str]:
        """All words by their numbers, as of now."""
        self._learn()
        return self._words

    def _rows(self, query: str, values: Sequence[object]) -> list[Any]:
        rows = self._connection.rows(query, values)
        if self._connection.n_opened != self._n_opened:
            self._forget()
        return rows

    def _forget(self) -> None:
        self._n_opened = self._connection.n_opened
        self._words: dict[int, str] = {}
        self._scopes: dict[int, tuple[ScopeRow, int, Origin]] = {}
        self._shapes: dict[int, Shape] = {}

    def _learn(self) -> None:
        """Read words and scopes that were added since; their numbers are given only once."""
        words = self._connection.rows(
            "SELECT number, word FROM words WHERE number > ?", [max(self._words, default=0)]
        )
        scopes = self._connection.rows(
            "SELECT number, user_id, strategy, mode, run_id, kind, category FROM scopes"
            " WHERE number > ?",
            [max(self._scopes, default=0)],
        )
        self.teach(words, scopes)

    def teach(self, words: Iterable[Any], scopes: Iterable[Any]) -> None:
        """Learn rows of the tables of words and scopes."""
        self._words.update(words)
        for number, *texts in scopes:
            scope = ScopeRow(*texts)
            self._scopes[number] = scope, scope.checksum, scope.origin


def in_scope(
    scope: Scope, *, prefix: str = "", kinds: Iterable[str] = (), moment: str = "known_ms"
) -> tuple[str, list[Any]]:
    """Return a scope as a condition on evidence, and the values to bind to it.

    `prefix` stands before the names of columns; `kinds` are asked for if the scope names none.
    `moment` is the column with the time.
    """
    where, values = replace(scope, pair=None).where()
    wanted = sorted(kinds) if scope.kind is None else []
    if wanted:
        where += f" AND kind IN ({', '.join('?' * len(wanted))})"
        values += wanted
    condition = f"{prefix}scope IN (SELECT number FROM scopes WHERE {where})"  # noqa: S608 - as above
    if scope.pair is not None:
        number = "(SELECT number FROM words WHERE word = ?)"
        condition += f" AND {prefix}pair = {number}"
        values.append(scope.pair)
    if scope.since is not None:
        condition += f" AND {prefix}{moment} >= ?"
        values.append(to_ms(scope.since))
    return condition, values
