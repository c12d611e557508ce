"""Turn text into vectors by meaning, offline: the word vectors that the package `wordllama` holds.

A text is the mean of the vectors of its word pieces, so that "rally" and "uptrend" are near each
other. The weights are a file in the wheel, which is mapped into memory: processes share its pages,
and opening it takes no time. Of `wordllama` only these files are used. Importing the package would
import `requests` and change the logging of the process, and its loader may try to download.

References
----------
Miller (2024), WordLlama, https://github.com/dleemiller/WordLlama (MIT).
Kusupati et al. (2022), "Matryoshka Representation Learning": why the first numbers of a vector
can be used alone.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.config.providers import SEMANTIC_DIMENSIONS
from freqtrade_mem0.errors import BackendError
from freqtrade_mem0.words.extras import how_to_install
from freqtrade_mem0.words.trading import also_called

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

_WEIGHTS = "weights/l2_supercat_256.safetensors"
_TOKENIZER = "tokenizers/l2_supercat_tokenizer_config.json"
_MOST_CHARACTERS = 20_000  # of a text; the mean of more words says no more about it
_WORDS_KEPT = 16_384  # sentences about trades repeat their words; about 10 MB when full
_OTHER_NAMES_WEIGH = 0.5
"""How much the other names of a question's terms count beside its own words, in [0, 1]."""


def is_installed() -> bool:
    """Tell whether the weights and what splits texts into word pieces are there."""
    return find_spec("tokenizers") is not None and _folder() is not None


class SemanticEmbedder:
    """Word vectors of `wordllama`, as vectors of length 1; safe to share between threads.

    It has the methods of Mem0's `EmbeddingBase` but does not derive from it, see
    `HashingEmbedder`. `mem0_setup` registers it as the provider "wordllama".

    Parameters
    ----------
    config
        Mem0's `BaseEmbedderConfig`, of which only `embedding_dims` matters, or None.
    dimensions
        Length of the vectors, in [1, 256], where `config` does not say.

    Raises
    ------
    BackendError
        Permanent: the packages `wordllama` and `tokenizers` are not installed, or `dimensions` is
        out of range.
    """

    def __init__(self, config: Any = None, *, dimensions: int = SEMANTIC_DIMENSIONS) -> None:
        given = None if config is None else config.embedding_dims
        self.dimensions = dimensions if given is None else int(given)
        if config is not None:
            config.embedding_dims = self.dimensions  # Mem0 reads it from here
        self.config = config
        self._vectors, self._pieces = _opened()
        most = self._vectors.shape[1]
        if not 1 <= self.dimensions <= most:
            raise BackendError(
                f"The embedder 'wordllama' makes vectors of 1 to {most} numbers, not "
                f"{self.dimensions}: correct 'mem0.embedder.config.embedding_dims'.",
                permanent=True,
            )
        self._of_word = lru_cache(maxsize=_WORDS_KEPT)(self._sum_of_pieces)

    def embed(self, text: str, memory_action: str | None = None) -> list[float]:
        """Return the vector of a text; a question also means other names of its terms."""
        return self.embed_batch([text], memory_action)[0]

    def embed_batch(
        self, texts: Sequence[str], memory_action: str | None = "add"
    ) -> list[list[float]]:
        """Return the vectors of many texts at once."""
        matrix = self.embed_matrix(texts)
        if memory_action == "search":
            names = self.embed_matrix([also_called(text) for text in texts])
            matrix = _unit_rows(matrix + _OTHER_NAMES_WEIGH * names)
        vectors: list[list[float]] = matrix.tolist()
        return vectors

    def embed_matrix(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors as rows of an array of shape `(n_texts, dimensions)`.

        A text without a word becomes the zero vector.
        """
        import numpy as np

        matrix = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for at, text in enumerate(texts):
            # Broken input may hold half of a surrogate pair, which has no UTF-8.
            whole = text[:_MOST_CHARACTERS].encode("utf-8", "replace").decode("utf-8")
            for word in whole.lower().split():
                matrix[at] += self._of_word(word)
        return _unit_rows(matrix)

    def _sum_of_pieces(self, word: str) -> NDArray[np.float32]:
        import numpy as np

        pieces = np.array(self._pieces.encode(word, add_special_tokens=False).ids, dtype=np.int64)
        known = np.minimum(pieces, len(self._vectors) - 1)
        whole: NDArray[np.float32] = self._vectors[known, : self.dimensions].sum(
            axis=0, dtype=np.float32
        )
        return whole


def _unit_rows(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    lengths = np.sqrt(np.einsum("ij,ij->i", matrix, matrix))
    lengths[lengths == 0.0] = 1.0
    unit: NDArray[np.float32] = matrix / lengths[:, None]
    return unit


def _folder() -> Path | None:
    """Return the folder of the package `wordllama`, without importing it; None if it lacks."""
    spec = find_spec("wordllama")
    folders = [] if spec is None else spec.submodule_search_locations or []
    return next((Path(each) for each in folders if (Path(each) / _WEIGHTS).is_file()), None)


@lru_cache(maxsize=1)
def _opened() -> tuple[NDArray[np.float16], Any]:
    """Return the vectors of all word pieces, mapped from the file, and what splits texts."""
    import numpy as np

    folder = _folder()
    if folder is None or find_spec("tokenizers") is None:
        raise BackendError(
            f"The embedder 'wordllama' is not installed: {how_to_install('semantic')}.",
            permanent=True,
        )
    from tokenizers import Tokenizer

    path = folder / _WEIGHTS
    with path.open("rb") as file:  # eight bytes of length, that much JSON, then the numbers
        size = int.from_bytes(file.read(8), "little")
        (tensor,) = (
            value for name, value in json.loads(file.read(size)).items() if name != "__metadata__"
        )
    start = 8 + size + int(tensor["data_offsets"][0])
    vectors = np.memmap(path, np.dtype("<f2"), "r", offset=start, shape=tuple(tensor["shape"]))
    pieces = Tokenizer.from_file(str(folder / _TOKENIZER))
    pieces.no_padding()
    pieces.no_truncation()
    return vectors, pieces
