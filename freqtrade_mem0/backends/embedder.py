"""Turn text into vectors offline: no model, no download, no key, the same on every machine.

Words and pairs of neighbouring words are hashed to places in a vector (the "hashing trick"), with a
hashed sign so that collisions cancel out on average. It finds memories that share words with the
question; it does not know that "rally" and "uptrend" mean the same. For that, configure one of
Mem0's other embedders.

Reference: Weinberger et al. (2009), "Feature Hashing for Large Scale Multitask Learning".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

DEFAULT_DIMENSIONS = 256


class HashingEmbedder:
    """Hashed words and word pairs, as vectors of length 1; safe to share between threads.

    It has the methods of Mem0's `EmbeddingBase` and is entered into Mem0's factory under the name
    "hashing" (see `mem0_setup`); it does not derive from that class, so that it can be imported
    without importing Mem0.

    Parameters
    ----------
    config
        Mem0's `BaseEmbedderConfig`, of which only `embedding_dims` matters (None: 256), or None.

    Examples
    --------
    >>> embedder = HashingEmbedder()
    >>> one, other = embedder.embed_batch(["long ETH in an uptrend", "short BTC in a range"])
    >>> len(one), round(sum(x * x for x in one), 3), one == other
    (256, 1.0, False)
    """

    def __init__(self, config: Any = None) -> None:
        # Imported here because it takes half a second that most commands need not pay.
        from sklearn.feature_extraction.text import HashingVectorizer

        dimensions = None if config is None else config.embedding_dims
        self.dimensions = DEFAULT_DIMENSIONS if dimensions is None else int(dimensions)
        if config is not None:
            config.embedding_dims = self.dimensions  # Mem0 reads it from here
        self.config = config
        self._vectorizer = HashingVectorizer(
            n_features=self.dimensions, ngram_range=(1, 2), alternate_sign=True, norm="l2"
        )

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
        # Half of a surrogate pair, as broken input may hold, can be hashed only once replaced.
        clean = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        matrix: NDArray[np.float64] = self._vectorizer.transform(clean).toarray()
        return matrix
