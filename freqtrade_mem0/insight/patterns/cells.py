"""Cells of trades, and for each the sum of scores that tells it from its surroundings.

A cell of depth 1 holds the trades with one value of one feature; it is compared with the
strategy's other trades. A cell of depth 2 holds those with two values; it is compared with the
other trades of each of the two cells around it, and counts as far as it differs from both.

An exit reason may be part of the result (stop losses lose). Only reasons with gains and losses make
cells; these are compared with each other, and those of depth 2 with trades of the same reason.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

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
"""Blocks that are compared with each other. So a cell whose trades come in good times is not better
than others: in the same times these were as good."""

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
    """By block of a cell its mean score, sorted by `keys` (cell * n_blocks + block).

    `counts` are the blocks by cell. Rows of the same number in `strata` are of one cell and time.
    """

    keys: Ints
    means: Floats
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
        n_trades = np.bincount(inverse, minlength=len(keys))
        means = np.bincount(inverse, score[at], len(keys)) / n_trades
        cells = keys // self._n_blocks
        counts = np.bincount(cells, minlength=n_cells).astype(np.int64)
        starts = np.cumsum(counts) - counts
        # Strata are counted in each cell anew; those of cells before it are at most its start.
        strata = starts[cells] + (np.arange(len(keys)) - starts[cells]) // STRATUM
        return _Sums(keys, means, cells, counts, strata.astype(np.int64))

    def _contrast(self, inner: _Sums, outer: _Sums, outer_of: Ints) -> tuple[Floats, Floats]:
        """Return total and variance of each inner cell within the outer cell it belongs to.

        `outer_of` is the outer cell by inner cell. In a block with trades of the inner cell these
        alone count; in the others those of the outer cell. So each block counts once.
        """
        block_around = outer_of[inner.cells] * self._n_blocks + inner.keys % self._n_blocks
        row = np.searchsorted(outer.keys, block_around)
        n_strata = len(outer.keys)
        keys, inverse = np.unique(inner.cells * n_strata + outer.strata[row], return_inverse=True)
        cells, strata = np.divmod(keys, max(n_strata, 1))
        n_around = np.bincount(outer.strata, minlength=n_strata)[strata]
        around = np.bincount(outer.strata, outer.means, n_strata)[strata]
        own = np.bincount(inverse, inner.means, len(keys))
        rest = around - np.bincount(inverse, outer.means[row], len(keys))
        share = np.bincount(inverse, minlength=len(keys)) / n_around
        n_cells = len(outer_of)
        totals = np.bincount(cells, (1.0 - share) * own - share * rest, n_cells)
        variances = np.bincount(cells, n_around * share * (1.0 - share), n_cells)
        return np.asarray(totals, np.float64), np.asarray(variances, np.float64)
