"""Filters on a real PostgreSQL against the oracle that judges all our stores."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.postgres import shared_server
from tests.property.test_filters import Payload, filters, oracle, payloads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freqtrade_mem0.backends.pgvector.store import PgvectorStore

NESTED = [None, {"a": 1}, [["a"]], [{"k": "a"}], [None, "a"], "null", "[1]", '{"a": 1}']
"""What no writer of ours stores, and others might."""


def is_json(value: Any) -> bool:
    """Tell whether JSON has a value; it has no NaN and no infinity."""
    if isinstance(value, list):
        return all(map(is_json, value))
    return not isinstance(value, float) or math.isfinite(value)


@st.composite
def stored_rows(draw: st.DrawFn) -> Payload:
    """Draw a payload that PostgreSQL can keep."""
    row = {key: value for key, value in draw(payloads).items() if is_json(value)}
    return row | draw(st.fixed_dictionaries({}, optional={"m": st.sampled_from(NESTED)}))


@pytest.fixture(scope="module")
def store() -> Iterator[PgvectorStore]:
    """Open a table that all examples share."""
    server = shared_server()
    from freqtrade_mem0.backends.pgvector.store import PgvectorStore

    address = server.block(server.new_database())["config"]
    opened = PgvectorStore("memories", 2, timeout_s=60.0, **address)
    yield opened
    opened.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(wanted=filters, rows=st.lists(stored_rows(), min_size=1, max_size=8))
def test_postgresql_selects_what_the_oracle_passes(
    store: PgvectorStore, wanted: Payload, rows: list[Payload]
) -> None:
    """List, search and count agree with the oracle on any filter and payload."""
    store.delete_many(store.list_ids())
    ids = [str(UUID(int=n)) for n in range(len(rows))]
    store.insert([[1.0, 0.5]] * len(rows), rows, ids)

    expected = [each for each, row in zip(ids, rows, strict=True) if oracle(wanted, row)]

    assert expected == store.list_ids(wanted)
    assert expected == [row.id for row in store.search("", [1.0, 0.5], None, wanted)]
    assert expected[:2] == [row.id for row in store.search("", [1.0, 0.5], 2, wanted)]
    assert {(): len(expected)} == store.count(wanted)
    runs = Counter(
        (row["run_id"],)
        for row in rows
        if oracle(wanted, row) and isinstance(row.get("run_id"), str)
    )
    counted = store.count(wanted, ["run_id"])
    assert len(expected) == sum(counted.values())
    assert runs == {key: n for key, n in counted.items() if key in runs}
    assert len(expected) == sum(store.count(wanted, ["k", "m"]).values())


def test_numbers_and_types_come_back_as_they_went(store: PgvectorStore) -> None:
    """JSONB keeps decimals, so what is written must name the very number that Python holds."""
    numbers = [0.1 + 0.2, 1e16, 2.0**60, 5e-324, 1.7976931348623157e308, -1e22, 1.0, 1, 2**70, True]
    row = {f"n{at}": number for at, number in enumerate(numbers)} | {"nested": [1e17, {"a": 1e18}]}
    store.insert([[1.0, 0.0]], [row], [str(UUID(int=77))])

    found = store.get(str(UUID(int=77)))

    assert found is not None
    read = {key: found.payload[key] for key in row}
    assert row == read
    assert [type(value) for value in row.values()] == [type(value) for value in read.values()]
    for at, number in enumerate(numbers):
        assert store.list_ids({f"n{at}": number}) == [str(UUID(int=77))]
        if not isinstance(number, bool):
            assert store.list_ids({f"n{at}": {"gte": number, "lte": number}}) != []
            assert store.list_ids({f"n{at}": {"gt": number}}) == []
