"""Vectors as bytes: four per dimension as the embedder gave them, or one once compressed.

A compressed vector is a float32, the largest absolute value, and a signed byte for each dimension,
in 127ths of it. Most are zero in a vector of hashed words: then zstd has made it shorter still.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from zstandard import ZstdCompressor, ZstdDecompressor, ZstdError, frame_content_size

from freqtrade_mem0.backends.vector_rows import ZSTD_FRAME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_STEPS = 127
_SCALE_BYTES = 4
_LEVEL = 12


def compressed_vector(vector: bytes) -> bytes:
    """Return a vector of float32 in a byte per dimension."""
    values = np.frombuffer(vector, dtype="<f4")
    largest = np.abs(values).max(initial=0.0).astype("<f4")
    steps = np.rint(values / (largest or 1.0) * _STEPS)
    short: bytes = largest.tobytes() + steps.astype(np.int8).tobytes()
    return min(ZstdCompressor(level=_LEVEL).compress(short), short, key=len)


def decoded(blobs: Sequence[bytes], dimensions: int) -> NDArray[np.float32]:
    """Return vectors as rows; one of a wrong length becomes zero, which is similar to nothing."""
    size, short = 4 * dimensions, dimensions + _SCALE_BYTES
    blank = bytes(size)

    def long(blob: bytes) -> bytes:
        if len(blob) == size:
            return blob
        if blob.startswith(ZSTD_FRAME) and len(blob) < short:
            blob = _unpacked(blob, short)
        return _expanded(blob) if len(blob) == short else blank

    return np.frombuffer(b"".join(map(long, blobs)), dtype="<f4").reshape(-1, dimensions)


def _unpacked(blob: bytes, size: int) -> bytes:
    try:
        if frame_content_size(blob) != size:
            return b""
        unpacked: bytes = ZstdDecompressor().decompress(blob)
    except ZstdError:
        return b""  # damaged
    return unpacked


def _expanded(blob: bytes) -> bytes:
    largest = np.frombuffer(blob[:_SCALE_BYTES], dtype="<f4")[0]
    steps = np.frombuffer(blob[_SCALE_BYTES:], dtype=np.int8)
    long: bytes = (steps * (largest / _STEPS)).astype("<f4").tobytes()
    return long
