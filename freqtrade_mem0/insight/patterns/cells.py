"""Cells of trades, and for each the sum of scores that tells it from its surroundings.

A cell of depth 1 holds the trades with one value of one feature; it is compared with the
strategy's other trades. A cell of depth 2 holds those with two values; it is compared with the
other trades of each of the two cells around it, and counts as far as it differs from both.

Trades of a block are compared with each other: which of them are in the cell has nothing to do
with how the market moved. Blocks that are in a cell as a whole are compared with others of the same
size and time. A block of many trades is likelier to have one of a cell, and many are opened in
strong moves; so blocks of different sizes are not compared.

An exit reason may be part of the result (stop losses lose). Only reasons with gains and losses make
cells; these are compared with each other, and those of depth 2 with trades of the same reason.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from freqtrade_mem0.insight.patterns.blocks import blocks
from freqtrade_mem0.insight.patterns.features import EXIT, MISSING, Feature, features
from freqtrade_mem0.insight.patterns.scores import scores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from freqtrade_mem0.insight.patterns.trade import PatternTrade

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

STRATUM = 30
"""Blocks of a size that are compared with each other. So a cell whose trades come in good times is
not better than others: in the same times these were as good."""

_SIZES = 16
_BINARY = 2


class Cells(NamedTuple):
    """The cells of some features that are tested.

    Parameters
    ----------
    features
        One or two.
    codes
        The cell of each trade, shape (n_trades,).
    numbers
        The cells, shape (n_cells,).
    n_blocks
        By cell its number of trades, those that overlap counted as one; see `blocks`.
    totals, variances
        By surrounding and cell, how its scores differ from those around it, shape (n_surroundings,
        n_cells). Where they do not, E[exp(t * total)] <= exp(t ** 2 * variance / 2) for each t.
    """

    features: tuple[Feature, ...]
    codes: Ints
    numbers: Ints
    n_blocks: Ints
    totals: Floats
    variances: Floats

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the features."""
        return tuple(each.name for each in self.features)

    def conditions(self, number: int) -> dict[str, str]:
        """Return the values that the trades of a cell have, by feature."""
        *outer, last = self.features
        rest, value = divmod(number, len(last.values))
        found = {each.name: each.values[rest] for each in outer}
        return found | {last.name: last.values[value]}

    def only(self, kept: Bools) -> Cells:
        """Return some of the cells."""
        return self._replace(
            numbers=self.numbers[kept],
            n_blocks=self.n_blocks[kept],
            totals=self.totals[:, kept],
            variances=self.variances[:, kept],
        )


class _Sums(NamedTuple):
    """Scores by block of a cell, sorted by `keys` (cell * n_blocks + block).

    `sizes` are the numbers of trades, `means` and `squares` the means of their scores and of the
    squares of these. Rows of one number in `strata` are of one cell, size and time. `counts` are
    the blocks by cell.
    """

    keys: Ints
    sizes: Ints
    means: Floats
    squares: Floats
    cells: Ints
    counts: Ints
    strata: Ints


class TradeTable:
    """Trades as columns.

    Parameters
    ----------
    trades
        Sorted by when they became known, then by id; at least one.
    pause
        Called every few milliseconds.
    """

    def __init__(
        self, trades: Sequence[PatternTrade], pause: Callable[[], object] = lambda: None
    ) -> None:
        self._pause = pause
        self.known_ms = np.array([trade.known_ms for trade in trades], dtype=np.int64)
        self.open_ms = np.array([trade.open_ms for trade in trades], dtype=np.int64)
        close_ms = np.array([trade.close_ms for trade in trades], dtype=np.int64)
        self.ratios = np.array([trade.ratio for trade in trades], dtype=np.float64)
        self.block = blocks(self.open_ms, close_ms)
        pause()
        self.features = features(trades, pause)
        self._n_blocks = int(self.block.max()) + 1
        self._scores = scores(self.ratios, self.known_ms, self.open_ms)
        # Cells of the same trades have the same sum of marks.
        self._marks = np.random.default_rng(1).random(len(trades))
        self._seen: set[tuple[int, float]] = set()

    def cells(self, min_blocks: int) -> Iterator[Cells]:
        """Yield the cells of depth 1 and 2 with at least so many blocks, features by features."""
        self._seen.clear()
        entry = [each for each in self.features if each.name != EXIT]
        whole = Feature("", ("",), np.zeros_like(self.block))
        around = {"": self._sums(whole.codes, 1, self._scores)}
        for each in entry:
            around[each.name] = self._sums(each.codes, len(each.values), self._scores)
        for each in entry:
            yield self._tested((whole, each), {"": around[""]}, self._scores, min_blocks)
        for pair in combinations(entry, 2):
            outer = {each.name: around[each.name] for each in pair}
            yield self._tested(pair, outer, self._scores, min_blocks)
        for exits in self.features:
            if exits.name == EXIT:
                yield from self._exit_cells(exits, entry, min_blocks)

    def _exit_cells(
        self, exits: Feature, entry: Sequence[Feature], min_blocks: int
    ) -> Iterator[Cells]:
        is_open = exits.codes != MISSING
        whole = Feature("", ("",), np.where(is_open, 0, MISSING))
        score = self._scores_within(whole.codes)
        yield self._tested(
            (whole, exits), {"": self._sums(whole.codes, 1, score)}, score, min_blocks
        )
        score = self._scores_within(exits.codes)
        outer = {EXIT: self._sums(exits.codes, len(exits.values), score)}
        for each in entry:
            yield self._tested((exits, each), outer, score, min_blocks)

    def _tested(
        self,
        pair: tuple[Feature, Feature],
        around: dict[str, _Sums],
        score: Floats,
        min_blocks: int,
    ) -> Cells:
        """Return the cells of two features, of which the first may be that of all trades."""
        self._pause()
        one, other = pair
        width = len(other.values)
        missing = (one.codes == MISSING) | (other.codes == MISSING)
        codes = np.where(missing, MISSING, one.codes * width + other.codes)
        numbers = np.arange(len(one.values) * width)
        inner = self._sums(codes, len(numbers), score)
        outer_of = {one.name: numbers // width, other.name: numbers % width}
        found = [self._contrast(inner, sums, outer_of[name]) for name, sums in around.items()]
        totals, variances = (np.array(each) for each in zip(*found, strict=True))
        tested = (inner.counts >= min_blocks) & (variances > 0.0).all(axis=0)
        if len(numbers) == _BINARY and not missing.any():
            tested &= numbers == np.argmin(inner.counts)  # the other one is its mirror
        marks = np.bincount(codes[~missing], self._marks[~missing], len(numbers))
        for number in np.flatnonzero(tested).tolist():
            mark = (int(inner.counts[number]), float(marks[number]))
            tested[number] = mark not in self._seen
            self._seen.add(mark)
        shown = tuple(each for each in pair if each.name)
        return Cells(shown, codes, numbers, inner.counts, totals, variances).only(tested)

    def _scores_within(self, codes: Ints) -> Floats:
        """Return each trade's score among the earlier trades of the same cell."""
        found = np.full(len(codes), np.nan)
        for code in range(int(codes.max()) + 1):
            at = np.flatnonzero(codes == code)
            found[at] = scores(self.ratios[at], self.known_ms[at], self.open_ms[at])
        return found

    def _sums(self, codes: Ints, n_cells: int, score: Floats) -> _Sums:
        at = np.flatnonzero((codes != MISSING) & ~np.isnan(score))
        keys, inverse = np.unique(codes[at] * self._n_blocks + self.block[at], return_inverse=True)
        sizes = np.bincount(inverse, minlength=len(keys))
        cells = keys // self._n_blocks
        group = cells * _SIZES + np.minimum((2.0 * np.log2(sizes)).astype(np.int64), _SIZES - 1)
        order = np.argsort(group, kind="stable")
        _, starts, lengths = np.unique(group[order], return_index=True, return_counts=True)
        place = np.arange(len(keys)) - np.repeat(starts, lengths)
        strata = np.empty(len(keys), dtype=np.int64)
        # Strata are counted in each group anew; those of groups before it are at most its start.
        strata[order] = np.repeat(starts, lengths) + place // STRATUM
        return _Sums(
            keys,
            sizes.astype(np.int64),
            np.bincount(inverse, score[at], len(keys)) / sizes,
            np.bincount(inverse, np.square(score[at]), len(keys)) / sizes,
            cells,
            np.bincount(cells, minlength=n_cells).astype(np.int64),
            strata,
        )

    def _contrast(self, inner: _Sums, outer: _Sums, outer_of: Ints) -> tuple[Floats, Floats]:
        """Return total and variance of each inner cell within the outer cell it belongs to.

        `outer_of` is the outer cell by inner cell.
        """
        row = np.searchsorted(
            outer.keys, outer_of[inner.cells] * self._n_blocks + inner.keys % self._n_blocks
        )
        is_mixed = inner.sizes < outer.sizes[row]
        n_cells = len(outer_of)
        apart = self._between_blocks(inner, outer, row, is_mixed, n_cells)
        inside = self._within_blocks(inner, outer, row, is_mixed, n_cells)
        return apart[0] + inside[0], apart[1] + inside[1]

    @staticmethod
    def _between_blocks(
        inner: _Sums, outer: _Sums, row: Ints, is_mixed: Bools, n_cells: int
    ) -> tuple[Floats, Floats]:
        """Compare blocks that are whole in the cell with those of the same size that are not."""
        n_strata = len(outer.keys)
        keys, inverse = np.unique(inner.cells * n_strata + outer.strata[row], return_inverse=True)

        def total(weights: NDArray[Any]) -> Floats:
            return np.asarray(np.bincount(inverse, weights, len(keys)), np.float64)

        cells, strata = np.divmod(keys, max(n_strata, 1))
        n_around = np.bincount(outer.strata, minlength=n_strata)[strata] - total(is_mixed * 1.0)
        around = np.bincount(outer.strata, outer.means, n_strata)[strata] - total(
            is_mixed * outer.means[row]
        )
        own = total(~is_mixed * inner.means)
        share = total(~is_mixed * 1.0) / np.maximum(n_around, 1.0)
        totals = np.bincount(cells, own - share * around, n_cells)
        variances = np.bincount(cells, n_around * share * (1.0 - share), n_cells)
        return np.asarray(totals, np.float64), np.asarray(variances, np.float64)

    @staticmethod
    def _within_blocks(
        inner: _Sums, outer: _Sums, row: Ints, is_mixed: Bools, n_cells: int
    ) -> tuple[Floats, Floats]:
        """Compare trades with others of their block.

        Longs, or the trades of a tag, may share more than the block does. So a difference counts at
        least as uncertain as it is large.
        """
        at, row = np.flatnonzero(is_mixed), row[is_mixed]
        n_own, n_all = inner.sizes[at], outer.sizes[row]
        n_rest = n_all - n_own
        difference = (inner.means[at] - outer.means[row]) * n_all / n_rest
        # As if the trades of the cell were drawn from those of the block.
        spread = np.maximum(outer.squares[row] - np.square(outer.means[row]), 0.0)
        squared = spread * n_all**2 / ((n_all - 1) * n_own * n_rest)
        squared = np.maximum(squared, np.square(difference))
        weight = np.minimum(n_own * n_rest / n_all, 1.0)
        totals = np.bincount(inner.cells[at], weight * difference, n_cells)
        variances = np.bincount(inner.cells[at], np.square(weight) * squared, n_cells)
        return np.asarray(totals, np.float64), np.asarray(variances, np.float64)
