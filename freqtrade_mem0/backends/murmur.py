"""MurmurHash3 of texts: the same number on every machine and in every process.

References
----------
Appleby, A. (2011), MurmurHash3_x86_32, https://github.com/aappleby/smhasher (public domain).
"""

from __future__ import annotations

import struct
from functools import lru_cache

_WORDS_REMEMBERED = 65_536
"""Sentences about trades repeat their words; about 10 MB when full."""

_FULL = 0xFFFF_FFFF
_SIGN = 0x8000_0000


@lru_cache(maxsize=_WORDS_REMEMBERED)
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
    return state - 2 * (state & _SIGN)


def _scrambled(block: int) -> int:
    block = (block * 0xCC9E_2D51) & _FULL
    block = (block << 15 | block >> 17) & _FULL
    return (block * 0x1B87_3593) & _FULL
