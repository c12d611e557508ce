"""Reads bodies wherever they are, for SQL: as they were written, compressed, or in a block.

Rows of `records` have positive numbers here and rows of `decisions` negative ones.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast
from weakref import proxy

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.evidence.read import EvidenceReader
from freqtrade_mem0.journal.evidence.rows import COLUMNS, whole_json
from freqtrade_mem0.journal.evidence.sources import OnFile
from freqtrade_mem0.journal.evidence.trade import TradeEvidence

if TYPE_CHECKING:
    import sqlite3

    from zstandard import ZstdDecompressor

BODY_OF = "body_of"
"""The SQL function; its arguments are a number, and the column `body`, which is "" if it moved."""

_LEVEL = 9
MAX_BYTES = 1 << 26
"""What claims to be larger is damaged."""


def offer_bodies(sqlite: sqlite3.Connection) -> None:
    """Give a connection from `sqlite_files.connecting` the SQL function `body_of`."""
    # The garbage collector does not see what a SQL function refers to: a connection that its own
    # function refers to would never be freed, nor its files be closed.
    weak = cast("sqlite3.Connection", proxy(sqlite))
    sqlite.create_function(BODY_OF, 2, BodyReader(weak).body)


class BodyReader:
    """Reads bodies of one file. For one thread at a time."""

    def __init__(self, sqlite: sqlite3.Connection) -> None:
        self._sqlite = sqlite
        self._by_dictionary: dict[int, ZstdDecompressor] = {}
        self._evidence = EvidenceReader(OnFile(sqlite))
        self._block: dict[int, str] = {}
        """The bodies of the block that was read last."""

    def body(self, number: int, body: str) -> str:
        """Return a body; "" where it is gone, or can not be read."""
        if body:
            return body
        import sqlite3

        from zstandard import ZstdError

        try:
            row = self._sqlite.execute(
                "SELECT body FROM packed WHERE number = ?", [number]
            ).fetchone()
            if row is not None:
                return self.plain(row[0])
            return self._archived(number)
        except (RecordError, ZstdError, sqlite3.Error, ValueError, KeyError, TypeError):
            return ""  # an error in here would make the whole query fail

    def _archived(self, number: int) -> str:
        """Return the body of an archived record from its evidence and its block."""
        row = self._sqlite.execute(
            f"SELECT {COLUMNS} FROM evidence WHERE seq = ?",  # noqa: S608 - fixed names
            [number],
        ).fetchone()
        if row is None:
            return ""
        item = self._evidence.item(row)
        if not isinstance(item, TradeEvidence):
            return whole_json(row[-2], item.id, item.origin, row[4], row[5])
        brief = self._block.get(number) or self._in_blocks(number)
        return lengthened(brief, item)

    def _in_blocks(self, number: int) -> str:
        # Blocks overlap where a record was archived later than its neighbours.
        rows = self._sqlite.execute(
            "SELECT bodies FROM blocks WHERE first <= ? AND last >= ? ORDER BY first DESC",
            [number, number],
        )
        for (bodies,) in rows.fetchall():
            found = unblocked(self.plain(bodies))
            if number in found:
                self._block = found
                return found[number]
        return ""

    def plain(self, packed: bytes) -> str:
        """Return what was compressed."""
        from zstandard import ZstdCompressionDict, ZstdDecompressor, get_frame_parameters

        said = get_frame_parameters(packed)
        if said.content_size > MAX_BYTES:
            raise ValueError("too large")
        reader = self._by_dictionary.get(said.dict_id)
        if reader is None:
            if said.dict_id == 0:
                reader = ZstdDecompressor()
            else:
                (trained,) = self._sqlite.execute(
                    "SELECT body FROM dictionaries WHERE number = ?", [said.dict_id]
                ).fetchone()
                reader = ZstdDecompressor(dict_data=ZstdCompressionDict(trained))
            self._by_dictionary[said.dict_id] = reader
        return reader.decompress(packed, max_output_size=MAX_BYTES).decode()


def compressed(text: str) -> bytes:
    """Return a block's text compressed."""
    from zstandard import ZstdCompressor

    return ZstdCompressor(level=_LEVEL).compress(text.encode())


def shortened(body: str, trade: TradeEvidence) -> str:
    """Return the JSON of a trade without what its evidence has, see `lengthened`.

    Where that could not be undone, the JSON stays as it is.
    """
    brief, texts = body, _texts(trade)
    for mark, text in texts:
        brief = brief.replace(text, mark, 1)
    return brief if _lengthened(brief, texts) == body else body


def lengthened(brief: str, trade: TradeEvidence) -> str:
    """Return the JSON of a trade from what `shortened` left."""
    return _lengthened(brief, _texts(trade))


def _lengthened(brief: str, texts: list[tuple[str, str]]) -> str:
    for mark, text in reversed(texts):
        brief = brief.replace(mark, text, 1)
    return brief


def _texts(trade: TradeEvidence) -> list[tuple[str, str]]:
    """Return control characters, which no JSON has, and the texts they stand for."""
    situation = json.dumps(trade.situation, ensure_ascii=False, separators=(",", ":"))
    origin = trade.origin
    texts = [
        f'"id":"{trade.id}"',
        f'"decision_id":"{trade.decision_id}"',
        f'"situation":{situation}',
        f'"profit_ratio":{trade.profit_ratio!r},',
        f'"strategy":"{origin.strategy}","mode":"{origin.mode}","run_id":"{origin.run_id}"',
    ]
    return [(chr(number), text) for number, text in enumerate(texts, 1)]


def blocked(bodies: dict[int, str]) -> str:
    """Return bodies by their numbers as one text."""
    return json.dumps(bodies, ensure_ascii=False, separators=(",", ":"))


def unblocked(text: str) -> dict[int, str]:
    """Return bodies by their numbers from one text."""
    return {int(number): body for number, body in json.loads(text).items()}
