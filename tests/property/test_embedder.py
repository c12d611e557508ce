"""The hashing embedder against scikit-learn, whose vectors stand in memories written long ago."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.utils import murmurhash3_32

from freqtrade_mem0.backends.in_process.embedder import HashingEmbedder
from freqtrade_mem0.backends.murmur import signed_hash

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORDS = st.lists(st.sampled_from(["Closed", "ETH/USDT", "+1.80%", "3h 20m", "ÄÖ", "win,", "a"]))
TEXTS = st.text() | WORDS.map(" ".join)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_hashes_are_those_of_the_reference(text: str) -> None:
    """Of every length, and of letters of several bytes."""
    assert signed_hash(text) == murmurhash3_32(text.encode(), seed=0)


@pytest.mark.parametrize("dimensions", [1, 7, 256])
@given(texts=st.lists(TEXTS, min_size=1, max_size=5))
def test_vectors_are_those_of_scikit_learn(dimensions: int, texts: list[str]) -> None:
    """To the last bit: a vector that is there is not written again."""
    embedder = HashingEmbedder(dimensions=dimensions)
    assert np.array_equal(embedder.embed_matrix(texts), _oracle(texts, dimensions))


def _oracle(texts: list[str], dimensions: int) -> NDArray[np.float64]:
    vectorizer = HashingVectorizer(n_features=dimensions, ngram_range=(1, 2))
    clean = [text.encode("utf-8", "replace").decode() for text in texts]
    matrix: NDArray[np.float64] = vectorizer.transform(clean).toarray()
    return matrix
