"""A sealed file gives back what was written, or an error."""

from __future__ import annotations

import os
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freqtrade_mem0.encryption.sealed import SealedError, SealedReader, SealedWriter, seal, unseal

KEY = b"k" * 32
PART = 1 << 20


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.sampled_from([0, 1, 7, PART - 1, PART, PART + 1]), max_size=4),
    st.sampled_from([-1, 999, PART - 1, PART, PART + 1, 3 * PART]),
)
def test_it_is_read_in_other_pieces_than_it_was_written(sizes: list[int], n: int) -> None:
    """Whatever the pieces are."""
    pieces = [bytes([number + 1]) * size for number, size in enumerate(sizes)]
    file = BytesIO()
    writer = SealedWriter(file, KEY)
    for each in pieces:
        writer.write(each)
    writer.finish()
    file.seek(0)
    reader, found = SealedReader(file, KEY), []
    while part := reader.read(n):
        assert n < 0 or len(part) <= n
        found.append(part)

    assert b"".join(found) == b"".join(pieces)


@pytest.mark.parametrize("size", [0, 1, PART, 2 * PART + 5])
def test_no_change_goes_unseen(size: int) -> None:
    """A byte, the end, a part more or in another place, another key, a plain file."""
    data = os.urandom(size)
    content = seal(data, KEY)
    assert unseal(content, KEY) == data
    part = content[40 : 40 + PART + 16]
    changed = [
        content[:-1],
        content[: max(len(content) - PART, 20)],
        content + b"x",
        content + part,
        content[:50] + bytes([content[50] ^ 1]) + content[51:],
        content[:20] + bytes([content[20] ^ 1]) + content[21:],
        data or b"plain",
    ]

    for each in changed:
        with pytest.raises(SealedError):
            unseal(each, KEY)
    with pytest.raises(SealedError):
        unseal(content, b"o" * 32)
    assert seal(data, KEY) != content
