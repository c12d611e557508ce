"""Filters, single and vectorised and through Mem0, against an oracle written from the table."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freqtrade_mem0.backends.filters import matches, parse_filters
from freqtrade_mem0.backends.in_process.backend import EmbeddedBackend
from freqtrade_mem0.backends.sqlite.store import SqliteStore
from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Payload = dict[str, Any]

TEXTS = ["", "a", "B", "ab", "Straße", "1", "true", "2026-01-01"]
TIMES = ["2026-01-01T00:00:00Z", "2026-01-01T02:00:00+02:00", "2026-01-01T00:00:00.5", "2025-12-31"]
NUMBERS = [0, 1, -1, 2, 0.0, 1.0, 0.5, 2**53 + 1, float(2**53), math.inf]
SCALARS = [*TEXTS, *TIMES, *NUMBERS, True, False]
KEYS = ["k", "m", "user_id", "run_id"]

scalars = st.sampled_from(SCALARS)
values = st.one_of(scalars, scalars, st.none(), st.just(math.nan), st.lists(scalars, max_size=2))
payloads = st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, values))
ranges = st.sampled_from([*TIMES, *(each for each in NUMBERS)])
operators = st.fixed_dictionaries(
    {},
    optional={
        "eq": scalars,
        "ne": scalars,
        "in": st.lists(scalars, max_size=3),
        "nin": st.lists(scalars, max_size=3),
        **dict.fromkeys(["gt", "gte", "lt", "lte"], ranges),
        "contains": st.sampled_from(TEXTS),
        "icontains": st.sampled_from(["A", "STRASSE", "b"]),
        "like": st.sampled_from(["", "*", "A?", "?", "*S?RASSE", "*026-?1-01", "[a]", "a*b*"]),
    },
).filter(bool)
conditions = st.one_of(scalars, st.just("*"), st.lists(scalars, max_size=3), operators)
leaves = st.dictionaries(st.sampled_from(KEYS), conditions, max_size=2)
filters = st.recursive(
    leaves,
    lambda nested: st.builds(
        lambda leaf, name, parts: {**leaf, name: parts},
        leaves,
        st.sampled_from(["AND", "OR", "NOT", "$and", "$or", "$not"]),
        st.lists(nested, max_size=3),
    ),
    max_leaves=8,
)


def oracle(wanted: Any, payload: Payload) -> bool:
    """Say what a filter means, as literally as the table in `filters` does."""
    verdicts = []
    for key, condition in wanted.items():
        if key in {"AND", "$and"}:
            verdicts.append(all(oracle(part, payload) for part in condition))
        elif key in {"OR", "$or"}:
            verdicts.append(any(oracle(part, payload) for part in condition))
        elif key in {"NOT", "$not"}:
            verdicts.append(not any(oracle(part, payload) for part in condition))
        elif payload.get(key) is None:
            verdicts.append(False)
        elif isinstance(condition, dict):
            verdicts.extend(holds(name, payload[key], x) for name, x in condition.items())
        elif condition == "*":
            verdicts.append(True)
        else:
            name = "in" if isinstance(condition, list) else "eq"
            verdicts.append(holds(name, payload[key], condition))
    return all(verdicts)


def holds(name: str, value: Any, operand: Any) -> bool:
    """Say what one operator means on a value that is there."""
    if name in {"ne", "nin"}:
        return not holds({"ne": "eq", "nin": "in"}[name], value, operand)
    if isinstance(value, list):
        return any(holds(name, element, operand) for element in value)
    if name == "in":
        return any(holds("eq", value, each) for each in operand)
    left, right = position(value), position(operand)
    comparable = left is not None and right is not None and left[0] == right[0]
    meanings: dict[str, Callable[[], bool]] = {
        "eq": lambda: kind(value) == kind(operand) and value == operand,
        "contains": lambda: isinstance(value, str) and operand in value,
        "icontains": lambda: isinstance(value, str) and operand.casefold() in value.casefold(),
        "like": lambda: isinstance(value, str) and like(value.casefold(), operand.casefold()),
        "gt": lambda: comparable and left[1] > right[1],
        "gte": lambda: comparable and left[1] >= right[1],
        "lt": lambda: comparable and left[1] < right[1],
        "lte": lambda: comparable and left[1] <= right[1],
    }
    return meanings[name]()


def like(text: str, pattern: str) -> bool:
    """Say whether a text is like a pattern, character by character."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(like(text[at:], pattern[1:]) for at in range(len(text) + 1))
    return text != "" and pattern[0] in {"?", text[0]} and like(text[1:], pattern[1:])


def kind(value: Any) -> str:
    """Name what can be equal to each other."""
    if isinstance(value, bool):
        return "bool"
    return "text" if isinstance(value, str) else "number"


def position(value: Any) -> Any:
    """Place a value on the axis of numbers or of times."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return None if math.isnan(value) else ("number", value)
    if isinstance(value, str) and value.startswith("202"):
        at = datetime.fromisoformat(value)
        return ("time", at if at.tzinfo is not None else at.replace(tzinfo=UTC))
    return None


@given(filters, payloads)
def test_one_payload_is_judged_as_the_oracle_does(wanted: Payload, payload: Payload) -> None:
    """The parsed filter agrees with the oracle on any payload, missing and odd values included."""
    assert oracle(wanted, payload) == matches(parse_filters(wanted), payload)


@pytest.fixture
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    """Open a store that all examples of one test share."""
    opened = SqliteStore(tmp_path_factory.mktemp("store") / "memories.sqlite")
    yield opened
    opened.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(wanted=filters, rows=st.lists(payloads, min_size=1, max_size=8))
def test_the_store_selects_what_the_oracle_passes(
    store: SqliteStore, wanted: Payload, rows: list[Payload]
) -> None:
    """List, search and count agree with the oracle while rows come and go."""
    store.delete_many(store.list_ids())
    ids = [str(UUID(int=n)) for n in range(len(rows))]
    store.insert([[1.0, 0.5]] * len(rows), rows, ids)

    expected = [each for each, row in zip(ids, rows, strict=True) if oracle(wanted, row)]

    assert expected == store.list_ids(wanted)
    assert expected == [row.id for row in store.search("", [1.0, 0.5], None, wanted)]
    assert {(): len(expected)} == store.count(wanted)
    assert len(expected) == sum(store.count(wanted, ["k", "run_id"]).values())


ROWS: list[Payload] = [
    {"user_id": "me", "data": f"word{n}"} | ({} if value is None else {"k": value}) | {"m": n % 3}
    for n, value in enumerate([None, *SCALARS, ["a", 1], ["ab"]])
]


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBackend]:
    """Give Mem0 over a store that holds `ROWS`."""
    opened = EmbeddedBackend(tmp_path_factory.mktemp("mem0"))
    ids = [str(UUID(int=n)) for n in range(len(ROWS))]
    vectors = opened.memory.embedding_model.embed_batch([row["data"] for row in ROWS])
    opened.memory.vector_store.insert(vectors, ROWS, ids)
    yield opened
    opened.close()


@given(wanted=filters)
def test_mem0_hands_every_filter_on_unharmed(backend: EmbeddedBackend, wanted: Payload) -> None:
    """A search through Mem0 itself finds what the oracle passes, however deep the filter."""
    asked = {**wanted, "user_id": "me"}
    expected = {str(UUID(int=n)) for n, row in enumerate(ROWS) if oracle(asked, row)}

    found = backend.search("word1 word2", filters=asked, limit=len(ROWS))

    assert expected == {each.id for each in found}


@pytest.mark.parametrize(
    ("wanted", "rule"),
    [
        ({"k": None}, "eq on 'k' needs a text, a number or a bool, not None"),
        ({"k": {}}, "the condition on 'k' is empty"),
        ({"k": {"in": "abc"}}, "in on 'k' needs a list of values, not 'abc'"),
        ({"k": {"gt": True}}, "gt on 'k' needs a number or an ISO time, not True"),
        ({"k": {"lt": "soon"}}, "lt on 'k' needs a number or an ISO time, not 'soon'"),
        ({"k": {"contains": 1}}, "contains on 'k' needs a text, not 1"),
        ({"OR": {"k": 1}}, "OR needs a list of filters"),
        ({"NOT": ["k"]}, "a filter must be a mapping, not str"),
        ({"k": {"regex": "x"}}, "'regex' on 'k' is no operator"),
    ],
)
def test_a_wrong_filter_names_key_and_rule(wanted: Payload, rule: str) -> None:
    """What can not be meant is refused in words, for good."""
    with pytest.raises(BackendError, match=rule) as refused:
        parse_filters(wanted)

    assert refused.value.permanent


def test_endless_nesting_is_refused() -> None:
    """A filter nested beyond reason raises our error, not Python's."""
    wanted: Payload = {"k": 1}
    for _ in range(100):
        wanted = {"NOT": [wanted]}

    with pytest.raises(BackendError, match="nested more than"):
        parse_filters(wanted)
