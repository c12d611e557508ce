"""Makes the trades of columns: what `facts.unpacked_trade` returns, in a third of its time."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING

from freqtrade_mem0.journal.evidence.facts import MICROSECOND, STOP_SOLD_PART
from freqtrade_mem0.journal.evidence.ids import id_of
from freqtrade_mem0.journal.evidence.trade import TradeEvidence
from freqtrade_mem0.records.limits import EARLIEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from typing import Any

    from numpy.typing import NDArray

    from freqtrade_mem0.journal.evidence.checked import Trades
    from freqtrade_mem0.records.base import Origin


def each_trade(
    trades: Trades,
    rows: Sequence[Sequence[Any]],
    words: Mapping[int, str],
    origin: Callable[[int], Origin],
) -> Iterator[tuple[int, TradeEvidence]]:
    """Yield trades with the numbers of their rows.

    Parameters
    ----------
    trades
        As `checked.checked` returned them.
    rows
        The rows of their page.
    words
        By number.
    origin
        Returns whose the rows of a scope are, by the scope's number.
    """
    part, heads = trades.part, trades.part.heads
    own = [rows[place] for place in part.places.tolist()]
    known_at = _moments(trades.known_us)
    close_date, recorded_us, without = known_at, trades.recorded_ms * 1_000, repeat("")
    if part.is_fine:
        close_date, recorded_us = _moments(trades.close_us), recorded_us + heads["recorded"]
    if part.is_executed:
        without = (each.tobytes().hex() for each in heads["executed"])  # type: ignore[assignment]
    scopes = trades.scopes.tolist()
    origins = {scope: origin(scope) for scope in set(scopes)}
    texts = [_words(numbers, words) for numbers in part.texts.values()]
    decisions: Iterable[str | None] = map(id_of, part.decisions) if part.decisions else repeat(None)
    columns: Any = zip(
        trades.record_ids,
        (origins[scope] for scope in scopes),
        known_at,
        _moments(recorded_us),
        (row[6].hex() for row in own),
        _words(trades.pairs, words),
        *texts,
        _moments(trades.open_us),
        close_date,
        part.ratio.tolist(),
        part.counts.tolist(),
        (heads["flags"] & STOP_SOLD_PART).astype(bool).tolist(),
        decisions,
        _situations(trades, words),
        repeat(part.unknown),
        without,
        strict=False,  # `repeat` has no end
    )
    return zip(trades.seqs.tolist(), map(TradeEvidence._make, columns), strict=True)


def _situations(trades: Trades, words: Mapping[int, str]) -> Iterator[dict[str, float | str]]:
    part = trades.part
    names = [name for name, _ in part.shape.features]
    columns: list[list[Any]] = [
        part.numbers[name].tolist() if name in part.numbers else _words(part.words[name], words)
        for name in names
    ]
    if not names:
        return ({} for _ in part.places)
    return (dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True))


def _words(numbers: NDArray[Any], words: Mapping[int, str]) -> list[str]:
    return [words[number] for number in numbers.tolist()]


def _moments(times_us: NDArray[Any]) -> list[datetime]:
    return [EARLIEST + time_us * MICROSECOND for time_us in times_us.tolist()]
