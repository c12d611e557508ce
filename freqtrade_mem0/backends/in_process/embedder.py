"""Turn text into vectors offline: no model, no download, no key, the same on every machine.

Words and pairs of neighbouring words are hashed to places in a vector (the "hashing trick"), with a
hashed sign so that collisions cancel out on average. It finds memories that share words with the
question; it does not know that "rally" and "uptrend" mean the same. For that, configure one of
Mem0's other embedders.

The vectors are, bit by bit, those of scikit-learn's `HashingVectorizer(n_features=dimensions,
ngram_range=(1, 2))`, without the second and the hundred megabytes that its import takes.

References
----------
Weinberger et al. (2009), "Feature Hashing for Large Scale Multitask Learning".
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.backends.murmur import signed_hash

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

DEFAULT_DIMENSIONS = 256

_WORD = re.compile(r"\b\w\w+\b")


class HashingEmbedder:
    """Hashed words and word pairs, as vectors of length 1; safe to share between threads.

    It has the methods of Mem0's `EmbeddingBase` and is entered into Mem0's factory under the name
    "hashing" (see `mem0_setup`); it does not derive from that class, so that it can be imported
    without importing Mem0.

    Parameters
    ----------
    config
        Mem0's `BaseEmbedderConfig`, of which only `embedding_dims` matters, or None.
    dimensions
        Length of the vectors, >= 1, where `config` does not say.

    Examples
    --------
    >>> embedder = HashingEmbedder()
    >>> one, other = embedder.embed_batch(["long ETH in an uptrend", "short BTC in a range"])
    >>> len(one), round(sum(x * x for x in one), 3), one == other
    (256, 1.0, False)
    """

    def __init__(self, config: Any = None, *, dimensions: int = DEFAULT_DIMENSIONS) -> None:
        given = None if config is None else config.embedding_dims
        self.dimensions = dimensions if given is None else int(given)
        if config is not None:
            config.embedding_dims = self.dimensions  # Mem0 reads it from here
        self.config = config

    def embed(self, text: str, memory_action: str | None = None) -> list[float]:
        """Return the vector of one text (`memory_action` makes no difference)."""
        return self.embed_batch([text], memory_action)[0]

    def embed_batch(
        self,
        texts: Sequence[str],
        memory_action: str | None = "add",  # noqa: ARG002 - some of Mem0's embedders need it
    ) -> list[list[float]]:
        """Return the vectors of many texts at once."""
        vectors: list[list[float]] = self.embed_matrix(texts).tolist()
        return vectors

    def embed_matrix(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the vectors as rows of an array of shape `(n_texts, dimensions)`.

        A text without a word of two or more letters or digits becomes the zero vector.
        """
        import numpy as np

        places: list[int] = []
        signs: list[int] = []
        for number, text in enumerate(texts):
            start = number * self.dimensions
            for term in _terms(text):
                hashed = signed_hash(term)
                places.append(start + abs(hashed) % self.dimensions)
                signs.append(1 if hashed >= 0 else -1)
        size = len(texts) * self.dimensions
        counts = np.bincount(np.array(places, dtype=np.int64), signs, size)
        matrix = counts.reshape(len(texts), self.dimensions)
        lengths = np.sqrt(np.einsum("ij,ij->i", matrix, matrix))
        unit: NDArray[np.float64] = matrix / np.where(lengths > 0.0, lengths, 1.0)[:, None]
        return unit


def _terms(text: str) -> Iterator[str]:
    """Yield the words of a text in lower case, then its pairs of neighbouring words."""
    # Half of a surrogate pair, as broken input may hold, can be hashed only once replaced.
    words = _WORD.findall(text.encode("utf-8", "replace").decode("utf-8").lower())
    yield from words
    for one, other in pairwise(words):
        yield f"{one} {other}"
