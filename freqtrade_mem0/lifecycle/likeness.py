"""Which texts say the same: clusters of near-duplicates by the words they share.

The vectors are those of our offline embedder, whatever embedder Mem0 has: what is pruned must not
depend on a model. Vectors of words can not tell "never buy" from "always buy", or a level of 60,000
from one of 58,000. So texts are compared only if they have the same numbers, names and words such
as "not", "long" or "above".
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

_WORD = re.compile(r"[^\s,;:!?()\"']+")
_TELLING = frozenset(
    """
    no not never none nothing without don't doesn't isn't won't can't cannot avoid stop always only
    long short buy sell bought sold up down above below over under bull bear bullish bearish high
    low higher lower rise fall rising falling rises falls win loss wins losses winning losing gain
    gains profit profitable more less before after in out enter exit entry support resistance
    increase decrease raise reduce strong weak good bad best worst first last
    """.split()  # noqa: SIM905 - a list of words, as it is read
)
"""Words that turn what a text says into something else."""
_LEAST_CAPITALS = 2
_DIMENSIONS = 1024
"""With fewer, unlike words of long texts would fall together."""
_ROUNDING = 1e-9


def clusters(texts: Sequence[str], threshold: float) -> list[list[int]]:
    """Return the positions of texts that say the same, in groups of two or more.

    Parameters
    ----------
    texts
        Of one owner, kind and strategy.
    threshold
        Smallest cosine of the vectors of two neighbours in a cluster, (0, 1].
    """
    comparable: defaultdict[frozenset[str], list[int]] = defaultdict(list)
    for place, text in enumerate(texts):
        comparable[_telling_words(text)].append(place)
    found = []
    for places in comparable.values():
        if len(places) > 1:
            labels = _labels([texts[place] for place in places], threshold)
            groups: defaultdict[int, list[int]] = defaultdict(list)
            for place, label in zip(places, labels, strict=True):
                groups[label].append(place)
            found += [group for label, group in groups.items() if label >= 0 and len(group) > 1]
    return sorted(found)


def near(text: str, others: Sequence[str], threshold: float) -> list[bool]:
    """Return which of some texts of a cluster are as near to this one as the threshold asks."""
    vectors = _vectors([text, *others])
    return [bool(cosine >= threshold - _ROUNDING) for cosine in vectors[1:] @ vectors[0]]


def _labels(texts: Sequence[str], threshold: float) -> list[int]:
    """Return the number of each text's cluster; -1 where it is like no other."""
    from sklearn.cluster import DBSCAN

    # Of vectors of length 1, the squared distance is twice the cosine distance. A text without
    # words has the zero vector.
    radius = (2.0 * (1.0 - threshold) + _ROUNDING) ** 0.5
    vectors = _vectors(texts)
    found = DBSCAN(eps=radius, min_samples=2).fit_predict(vectors).tolist()
    has_words = [bool(row.any()) for row in vectors]
    return [label if known else -1 for label, known in zip(found, has_words, strict=True)]


def _vectors(texts: Sequence[str]) -> NDArray[np.float64]:
    from freqtrade_mem0.backends.in_process.embedder import HashingEmbedder

    return HashingEmbedder(dimensions=_DIMENSIONS).embed_matrix(texts)


def _telling_words(text: str) -> frozenset[str]:
    """Return the words that two texts must have in common to say the same."""
    words = [word.strip(".") for word in _WORD.findall(text)]
    return frozenset(
        word.lower()
        for word in words
        if word.lower() in _TELLING
        or any(map(str.isdigit, word))
        or "/" in word
        or sum(map(str.isupper, word)) >= _LEAST_CAPITALS
    )
