"""Vectors as bytes: four per dimension as the embedder gave them, or one once compressed.

A compressed vector is a float32, the largest absolute value, and a signed byte for each dimension,
in 127ths of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_STEPS = 127
_SCALE_BYTES = 4


def compressed_vector(vector: bytes) -> bytes:
    """Return a vector of float32 in a byte per dimension."""
    values = np.frombuffer(vector, dtype="<f4")
    largest = np.abs(values).max(initial=0.0).astype("<f4")
    steps = np.rint(values / (largest or 1.0) * _STEPS)
    short: bytes = largest.tobytes() + steps.astype(np.int8).tobytes()
    return short


def decoded(blobs: Sequence[bytes], dimensions: int) -> NDArray[np.float32]:
    """Return vectors as rows; one of a wrong length becomes zero, which is similar to nothing."""
    size = 4 * dimensions
    blank = bytes(size)

    def long(blob: bytes) -> bytes:
        if len(blob) == size:
            return blob
        return _expanded(blob) if len(blob) == dimensions + _SCALE_BYTES else blank

    return np.frombuffer(b"".join(map(long, blobs)), dtype="<f4").reshape(-1, dimensions)


def _expanded(blob: bytes) -> bytes:
    largest = np.frombuffer(blob[:_SCALE_BYTES], dtype="<f4")[0]
    steps = np.frombuffer(blob[_SCALE_BYTES:], dtype=np.int8)
    long: bytes = (steps * (largest / _STEPS)).astype("<f4").tobytes()
    return long
