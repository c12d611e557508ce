"""Which rows hold how much of a question's words; rare words count more.

The full-text index finds the rows of each word. The measure is computed here: its own, BM25, reads
the length of every row that it ranks, which takes longer than the whole search.
"""

from __future__ import annotations

import math
import re
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.backends.sqlite.vector_cache import WordRows
from freqtrade_mem0.words.trading import ENDINGS, also_called, stems

if TYPE_CHECKING:
    import sqlite3

    from numpy.typing import NDArray

    from freqtrade_mem0.backends.sqlite.vector_cache import VectorCache

_MOST_WORDS = 32  # of a question
_SHARE = 0.1  # of all rows, that may hold a word which tells rows apart
_FEW_ROWS = 1_000
_MANY_ROWS = 20_000
_SHORTEST_PREFIX = 4
_WORDS_KEPT = 64  # whose rows a process remembers: 5 MB at most
_NO_CONTENT = frozenset(
    re.findall(
        r"\w+",
        """
    a about all an and any are as at be been before being but by can could did do does done each
    for from had has have he her here him his how i if in into is it its may me might more most
    must my no not of off on only or our out over own shall she should so such than that the
    their them then there these they this those to too up very was we were what when where which
    while who whom why will with would you your
    """,
    )
)


def overlap(
    connection: sqlite3.Connection, cache: VectorCache, question: str
) -> tuple[NDArray[np.float32], float]:
    """Return the weight of the words that each row shares with a question, and that of all words.

    Other names of trading terms count as the terms themselves. Words that more than a tenth of the
    rows hold are left out, but for small collections: they tell rows hardly apart, and reading
    them takes most of the time.
    """
    weights = np.zeros(cache.n_rows, dtype=np.float32)
    most = min(max(_FEW_ROWS, int(_SHARE * cache.n_alive)), _MANY_ROWS)
    whole = 0.0
    own = content_words(question)
    for term in dict.fromkeys([*own, *content_words(also_called(question))]):
        if term in cache.common_words:
            continue
        found = cache.rows_by_word.get(term)
        if found is None:
            found = _rows_with(connection, cache, term, most)
        if found is None:
            cache.common_words.add(term)
            continue
        cache.rows_by_word[term] = found
        weight = math.log(1.0 + (cache.n_alive + 0.5) / (found.n_rows + 0.5))
        weights[found.positions] += weight
        whole += weight if term in own else 0.0
    while len(cache.rows_by_word) > _WORDS_KEPT:
        del cache.rows_by_word[next(iter(cache.rows_by_word))]
    return weights, whole


def _rows_with(
    connection: sqlite3.Connection, cache: VectorCache, term: str, most: int
) -> WordRows | None:
    """Return the rows of a word; None where there are more than `most`."""
    found = connection.execute(
        "SELECT rowid FROM words WHERE words MATCH ? LIMIT ?", (_pattern(term), most + 1)
    )
    seqs = np.fromiter(chain.from_iterable(found), dtype=np.int64)
    if len(seqs) > most:
        return None
    positions = cache.positions_of(seqs)
    return WordRows(n_rows=len(seqs), positions=positions[positions >= 0].astype(np.int32))


def content_words(text: str) -> list[str]:
    """Return the stems of a text's words that have a content, each once, up to a bound."""
    return list(dict.fromkeys(stems(text, without=_NO_CONTENT)))[:_MOST_WORDS]


def _pattern(stem: str) -> str:
    """Return what finds a word in all its forms; a short one begins too many others."""
    if len(stem) >= _SHORTEST_PREFIX:
        return f'"{stem}"*'
    return " OR ".join(f'"{stem}{ending}"' for ending in ("", *ENDINGS))
