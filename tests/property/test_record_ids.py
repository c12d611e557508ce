"""Record ids are UUIDs of version 5, as the standard library makes them."""

from __future__ import annotations

import json
from uuid import uuid5

from hypothesis import given
from hypothesis import strategies as st

from freqtrade_mem0.records.base import NAMESPACE, record_id

parts = st.lists(
    st.text(max_size=30) | st.integers() | st.floats(allow_nan=False), min_size=1, max_size=6
)


@given(parts)
def test_an_id_is_what_the_standard_library_makes(identity: list[str | float]) -> None:
    """Whatever the parts: ids written by any version of this package stay valid."""
    name = json.dumps(tuple(identity), separators=(",", ":"))

    assert str(uuid5(NAMESPACE, name)) == record_id(*identity)
