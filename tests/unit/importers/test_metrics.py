"""Metrics are all finite single numbers of Freqtrade's statistics, and nothing else."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from freqtrade_mem0.importers.results import Result
from freqtrade_mem0.importers.to_records import backtest_record
from freqtrade_mem0.importers.values import single_numbers
from freqtrade_mem0.records.codec import content_hash, decode, encode
from tests.support.samples import NOTED, at
from tests.unit.importers.result_files import a_result_trade, statistics

NAMES = st.text("abcdefgh_", min_size=1, max_size=6)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.floats(), max_size=3),
)
TREES = st.dictionaries(
    NAMES,
    st.recursive(LEAVES, lambda d: st.dictionaries(NAMES, d, max_size=3), max_leaves=6),
    max_size=6,
)


def at_path(tree: dict[str, Any], path: str) -> Any:
    """Return the value at the end of dotted names."""
    value: Any = tree
    for name in path.split("."):
        value = value[name]
    return value


def count_numbers(tree: Any) -> int:
    """Count the numbers of a record's range in nested dicts, the slow and plain way."""
    if isinstance(tree, dict):
        return sum(count_numbers(value) for value in tree.values())
    return int(type(tree) in (int, float) and abs(tree) <= 1e30)


@given(TREES)
def test_every_number_in_range_is_kept_once_and_unchanged(tree: dict[str, Any]) -> None:
    """Under the names on the way to it; no NaN, no truth value, no text, no table."""
    found = list(single_numbers(tree))

    assert len(dict(found)) == len(found) == count_numbers(tree)
    for path, value in found:
        assert value == float(at_path(tree, path))


@given(TREES)
def test_any_statistics_make_a_record_that_can_be_stored(tree: dict[str, Any]) -> None:
    """Whatever later versions of Freqtrade report, the record is valid and reads back the same."""
    known = statistics([a_result_trade()])
    result = _result({f"x_{name}": value for name, value in tree.items()} | known)
    record = backtest_record(result, "me", NOTED)

    assert decode("backtest", encode(record)) == record


@given(st.floats(1e9, 2e9), st.floats(0, 1e6))
def test_when_a_backtest_was_run_changes_nothing(start_s: float, seconds: float) -> None:
    """The same result has the same content at any time."""
    times = {"backtest_run_start_ts": start_s, "backtest_run_end_ts": start_s + seconds}
    plain = statistics([a_result_trade()])
    one, other = (_result(content) for content in (plain, plain | times))

    assert content_hash(backtest_record(one, "me", NOTED)) == content_hash(
        backtest_record(other, "me", at(9))
    )


def _result(content: dict[str, Any]) -> Result:
    return Result(
        strategy="Sample",
        run_id="run-1",
        ran_at=None,
        config=None,
        metadata={},
        statistics={name: value for name, value in content.items() if name != "trades"},
        trades=(),
    )
