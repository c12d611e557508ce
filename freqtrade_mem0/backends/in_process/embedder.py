"""Turn text into vectors offline: no model, no download, no key, the same on every machine.

Words and pairs of neighbouring words are hashed to places in a vector (the "hashing trick"); a
hashed sign lets collisions cancel out on average. A search finds memories that share words with the
query. It does not know that "rally" and "uptrend" mean the same: for that there is `semantic`.

The vectors equal those of scikit-learn's `HashingVectorizer(n_features=dimensions,
ngram_range=(1, 2))` bit by bit, without its import, which takes a second and 100 MB. They must not
change: stores and servers hold vectors that earlier versions wrote.

References
----------
Weinberger et al. (2009), "Feature Hashing for Large Scale Multitask Learning".
Appleby, A. (2011), MurmurHash3_x86_32, https://github.com/aappleby/smhasher (public domain).
"""

from __future__ import annotations

import re
import struct
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.config.providers import DEFAULT_DIMENSIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

_WORD = re.compile(r"\b\w\w+\b")
_HASHES_KEPT = 65_536  # sentences about trades repeat their words; about 10 MB when full
_FULL = 0xFFFF_FFFF


class HashingEmbedder:
    """Hashed words and word pairs, as vectors of length 1; safe to share between threads.

    It has the methods of Mem0's `EmbeddingBase` but does not derive from it, so that importing it
    does not import Mem0. `mem0_setup` registers it as the provider "hashing".

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
    # Broken input may hold half of a surrogate pair, which has no UTF-8 to hash.
    words = _WORD.findall(text.encode("utf-8", "replace").decode("utf-8").lower())
    yield from words
    for one, other in pairwise(words):
        yield f"{one} {other}"


@lru_cache(maxsize=_HASHES_KEPT)
def signed_hash(text: str) -> int:
    """Return the 32-bit MurmurHash3 of a text's UTF-8 with seed 0, as a signed number.

    >>> signed_hash(""), signed_hash("test"), signed_hash("Hello, world!")
    (0, -1167338989, -1070186941)
    """
    data = text.encode()
    n_blocks, n_rest = divmod(len(data), 4)
    state = 0
    for block in struct.unpack_from(f"<{n_blocks}I", data):
        state ^= _scrambled(block)
        state = (state << 13 | state >> 19) & _FULL
        state = (state * 5 + 0xE654_6B64) & _FULL
    if n_rest:
        state ^= _scrambled(int.from_bytes(data[-n_rest:], "little"))
    state ^= len(data)
    state = ((state ^ state >> 16) * 0x85EB_CA6B) & _FULL
    state = ((state ^ state >> 13) * 0xC2B2_AE35) & _FULL
    state ^= state >> 16
    return state - 2 * (state & 0x8000_0000)


def _scrambled(block: int) -> int:
    block = (block * 0xCC9E_2D51) & _FULL
    block = (block << 15 | block >> 17) & _FULL
    return (block * 0x1B87_3593) & _FULL
