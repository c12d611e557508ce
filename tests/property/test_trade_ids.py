"""Record ids as numbers: their order, what is no UUID, and ids that share their beginnings."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freqtrade_mem0.recall.index.ids import Id, IdIndex, packed, packed_all

ids = st.tuples(
    st.integers(0, 3).map(lambda part: part << 62) | st.integers(0, 2**64 - 1),
    st.integers(0, 3) | st.integers(0, 2**64 - 1),
)


@given(st.uuids(), st.uuids())
def test_uuids_keep_their_order(one: object, other: object) -> None:
    """As numbers they compare as their texts do."""
    assert (str(one) < str(other)) == (packed(str(one)) < packed(str(other)))


@pytest.mark.parametrize(
    "text",
    [
        "53F1DE6E-4A1F-5864-A6AA-72A7933941FD",
        "53f1de6e4a1f5864a6aa72a7933941fd",
        "53f1de6e-4a1f-5864-a6aa-72a7933941fd\n",
        "trade 7",
        "",
    ],
)
def test_anything_else_is_told_apart(text: str) -> None:
    """Also what only looks like a UUID that is there."""
    assert packed(text) != packed("53f1de6e-4a1f-5864-a6aa-72a7933941fd")
    assert packed(text) == packed(text)


uuids = st.uuids().map(str)
texts = st.one_of(
    uuids, uuids, uuids, st.text(max_size=3), st.tuples(uuids, uuids).map("\n".join), st.just("")
)


@given(st.lists(uuids) | st.lists(texts))
def test_many_are_packed_as_each_of_them_is(record_ids: list[str]) -> None:
    """Also what only looks like several UUIDs."""
    assert [list(packed(each)) for each in record_ids] == packed_all(record_ids).tolist()


def table(rows: list[Id]) -> tuple[array[int], array[int]]:
    """Return the columns of some ids."""
    return array("Q", [first for first, _ in rows]), array("Q", [last for _, last in rows])


@given(st.lists(ids, unique=True, max_size=40), ids)
def test_every_row_is_found_by_its_id(rows: list[Id], other: Id) -> None:
    """Filled at once or one by one, also where first halves are the same."""
    first, last = table(rows)
    filled, grown = IdIndex(first, last), IdIndex(first, last)
    filled.fill()
    for number, each in enumerate(rows):
        place = grown.find(each)
        place.bucket.insert(place.position, number)

    for index in (filled, grown):
        assert [index.find(each).row for each in rows] == list(range(len(rows)))
        assert (index.find(other).row is None) == (other not in rows)


@given(st.lists(ids, unique=True, min_size=1, max_size=40))
def test_what_is_taken_out_is_not_found(rows: list[Id]) -> None:
    """All others are."""
    index = IdIndex(*table(rows))
    index.fill()
    place = index.find(rows[0])
    del place.bucket[place.position]

    assert [index.find(each).row for each in rows] == [None, *range(1, len(rows))]
