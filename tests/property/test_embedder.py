"""The hashing embedder against scikit-learn, whose vectors are in every store written so far."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freqtrade_mem0.backends.in_process.embedder import HashingEmbedder, signed_hash

WORDS = st.lists(st.sampled_from(["Closed", "ETH/USDT", "+1.80%", "3h 20m", "ÄÖ", "win,", "a"]))
TEXTS = st.text() | WORDS.map(" ".join)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_hashes_are_those_of_the_reference(text: str) -> None:
    """Of every length, and of letters of several bytes."""
    from sklearn.utils import murmurhash3_32

    assert signed_hash(text) == murmurhash3_32(text.encode(), seed=0)


@pytest.mark.parametrize("dimensions", [1, 7, 256])
@given(texts=st.lists(TEXTS, min_size=1, max_size=5))
def test_vectors_are_those_of_scikit_learn(dimensions: int, texts: list[str]) -> None:
    """To the last bit: a vector that a store holds is not written again."""
    from sklearn.feature_extraction.text import HashingVectorizer

    vectorizer = HashingVectorizer(n_features=dimensions, ngram_range=(1, 2))
    clean = [text.encode("utf-8", "replace").decode() for text in texts]
    expected = vectorizer.transform(clean).toarray()
    assert np.array_equal(HashingEmbedder(dimensions=dimensions).embed_matrix(texts), expected)
