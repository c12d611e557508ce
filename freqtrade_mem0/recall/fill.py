"""Fills a recall with pages of the journal's trades, in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from freqtrade_mem0.journal.evidence.facts import MICROSECOND
from freqtrade_mem0.journal.evidence.ids import id_of
from freqtrade_mem0.journal.evidence.trade import TradeEvidence
from freqtrade_mem0.journal.revoked import NEVER_MS
from freqtrade_mem0.recall.index.bulk import N_REMEMBERED, Arrivals, BulkFill
from freqtrade_mem0.recall.index.columns import FOREIGN, MISSING, SHORT, momenta_of
from freqtrade_mem0.records.limits import EARLIEST

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from numpy.typing import NDArray

    from freqtrade_mem0.journal.evidence.checked import Trades
    from freqtrade_mem0.journal.evidence.read import Page
    from freqtrade_mem0.journal.journal import Journal
    from freqtrade_mem0.journal.scope import Scope
    from freqtrade_mem0.recall.index.recall import Recall


class Writer(NamedTuple):
    """What the trades of one scope count for.

    Parameters
    ----------
    discount
        Factor on their weight.
    is_own
        Whether they are the bot's own, which count once they are confirmed.
    revoked_ms
        Trades of others known from then on do not count.
    """

    discount: float
    is_own: bool
    revoked_ms: int


def fill_with(recall: Recall, journal: Journal, scope: Scope) -> tuple[int, datetime | None]:
    """Fill an empty recall with the trades of a scope, each with its full weight.

    Returns how many trades there are, also those that are no evidence, and when the one that
    arrived last became known; None without any.
    """
    fill = BulkFill(recall)
    pages = PageFill(fill, lambda _: Writer(1.0, is_own=True, revoked_ms=NEVER_MS))
    n, last = 0, (0, 0)
    for page in journal.evidence.pages(scope):
        if page.trades:
            pages.add(page, set())
        for trades in page.trades:
            n += len(trades.seqs)
            at = int(trades.seqs.argmax())
            last = max(last, (int(trades.seqs[at]), int(trades.known_us[at])))
        for seq, item in page.items:
            if isinstance(item, TradeEvidence):
                fill.add(item)
                n += 1
                last = max(last, (seq, (item.known_at - EARLIEST) // MICROSECOND))
    fill.finish()
    return n, EARLIEST + last[1] * MICROSECOND if n else None


class _Values(NamedTuple):
    """What determines the groups of a row: numbers of words, and features that are numbers."""

    place: int
    is_number: tuple[tuple[str, bool], ...]
    """Names of the features behind pair, side, tag and whether the trade is foreign."""
    key: bytes
    combinations: NDArray[np.int32]
    row: int


class PageFill:
    """Adds pages of trades to a `BulkFill`.

    Parameters
    ----------
    fill
        Gets the trades.
    writer
        Returns what the trades of a scope count for, by the scope's number.
    """

    def __init__(self, fill: BulkFill, writer: Callable[[int], Writer]) -> None:
        self._fill = fill
        self._writer = writer
        self._words: Mapping[int, str] = {}
        self._known: dict[tuple[tuple[str, bool], ...], dict[bytes, int]] = {}
        """By names and types of features, the combination of each row with the same values."""

    def add(self, page: Page, adopted: set[int]) -> None:
        """Add a page; `adopted` are the rows that came from Mem0 and were not confirmed here."""
        if page.words is not self._words:  # the file was replaced by another one
            self._words = page.words
            self._known.clear()
        from_mem0 = np.array(sorted(adopted), dtype=np.int64)
        new: list[_Values] = []
        arrivals = [
            self._arrivals(trades, np.isin(trades.seqs, from_mem0), new) for trades in page.trades
        ]
        # Groups are numbered as they come.
        for each in sorted(new, key=lambda values: values.place):
            each.combinations[each.row] = self._combination(each)
        order = np.argsort(np.concatenate([trades.part.places for trades in page.trades]))
        whole = Arrivals(*(np.concatenate(each)[order] for each in zip(*arrivals, strict=True)))
        removed = np.flatnonzero(whole.combination == MISSING)
        ids = whole.ids[removed].astype(">u8")
        named = zip(removed.tolist(), ids, strict=True)
        self._fill.add_rows(whole, {row: id_of(each.tobytes()) for row, each in named})

    def _arrivals(
        self, trades: Trades, is_foreign: NDArray[np.bool_], new: list[_Values]
    ) -> Arrivals:
        """Return trades as they arrive; `new` gets the rows whose combination is still missing."""
        part, texts = trades.part, trades.part.texts
        scopes, scope_of = np.unique(trades.scopes, return_inverse=True)
        writers = [self._writer(scope) for scope in scopes.tolist()]
        discount, is_own, revoked_ms = (
            np.array(each)[scope_of] for each in zip(*writers, strict=True)
        )
        is_gone = ~part.counts | np.where(is_own, is_foreign, trades.known_ms >= revoked_ms)
        is_short = self._is(texts["side"], "short")
        nothing = np.zeros(len(is_short))
        features: dict[str, NDArray[Any]] = {**part.words, **part.numbers}
        read = [name for name in features if name in self._fill.levels.reads]
        keys = _row_keys(
            [
                trades.pairs,
                texts["side"],
                texts["enter_tag"],
                is_foreign,
                *(features[name] for name in read),
            ]
        )
        names = tuple((name, name in part.numbers) for name in read)
        known = self._known.setdefault(names, {})
        combinations = np.array([known.get(key, MISSING) for key in keys], dtype=np.int32)
        places = part.places.tolist()
        missing = np.flatnonzero((combinations == MISSING) & ~is_gone).tolist()
        new += [_Values(places[row], names, keys[row], combinations, row) for row in missing]
        combinations[is_gone] = MISSING
        return Arrivals(
            trades.ids,
            trades.known_ms,
            part.ratio,
            discount,
            trades.open_ms,
            np.maximum(part.numbers.get("volatility", nothing), 0.0) + 0.0,  # no -0.0
            momenta_of(part.numbers.get("momentum", nothing), is_short),
            (SHORT * is_short + FOREIGN * is_foreign).astype(np.uint8),
            combinations,
        )

    def _combination(self, values: _Values) -> int:
        known = self._known[values.is_number]
        number = known.get(values.key)
        if number is None:
            said = np.frombuffer(values.key, dtype=np.int64)
            pair, side, enter_tag, is_foreign, *features = said.tolist()
            word, measured = self._words, said.view(np.float64)[4:].tolist()
            situation = {
                name: measured[at] if is_number else word[features[at]]
                for at, (name, is_number) in enumerate(values.is_number)
            }
            texts = self._fill.levels.values(word[pair], word[side], word[enter_tag], situation)
            number = self._fill.combination(texts, is_foreign=bool(is_foreign))
            if len(known) >= N_REMEMBERED:
                known.clear()
            known[values.key] = number
        return number

    def _is(self, numbers: NDArray[np.uint32], word: str) -> NDArray[np.bool_]:
        """Return where numbers stand for a word."""
        known = np.unique(numbers).tolist()
        return np.isin(numbers, [number for number in known if self._words[number] == word])


def _row_keys(columns: list[NDArray[Any]]) -> list[bytes]:
    """Return the values of each row in columns of numbers as bytes, eight for each of them."""
    eights = [
        each.view(np.int64) if each.dtype == np.float64 else each.astype(np.int64)
        for each in columns
    ]
    keys: list[bytes] = np.column_stack(eights).view(f"V{8 * len(eights)}")[:, 0].tolist()
    return keys
