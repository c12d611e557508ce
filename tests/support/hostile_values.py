"""Values that no field of a record was made for."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

extremes: st.SearchStrategy[object] = st.sampled_from(
    [
        *(1e300, -1e300, 1e160, 1e7, -1.0, 0, 10**400, None, True, [], {}, {"a": 1e300}),
        *("", "null", "\ud800", "x" * 5_000, "9999-12-31"),
        *("9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00Z"),
    ]
)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | extremes,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


def _nested(depth: int, *, is_list: bool) -> object:
    value: Any = 1.0
    for _ in range(depth):
        value = [value] if is_list else {"a": value}
    return value


nested = st.builds(_nested, st.sampled_from([100, 190, 400, 900]), is_list=st.booleans())
"""Lists and objects in each other, about as deep as parsers go."""
