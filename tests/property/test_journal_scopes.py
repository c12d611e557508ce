"""Reading by scope gives what a list comprehension over the same records gives."""

from __future__ import annotations

import tempfile
from pathlib import Path
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.records.base import Mode, Origin, Record
from tests.support.samples import a_note, a_risk_event, a_trade

names = st.sampled_from(["a", "b", "a b", "%", "'"])
pairs = st.sampled_from(["ETH/USDT", "BTC/USDT"])
origins = st.builds(Origin, user_id=names, strategy=names, mode=st.sampled_from(Mode), run_id=names)
numbers = st.integers(0, 5)
records = st.lists(
    st.builds(a_trade, numbers, origin=origins, pair=pairs)
    | st.builds(a_risk_event, numbers, origin=origins, pair=pairs)
    | st.builds(a_note, numbers, origin=origins),
    max_size=12,
    unique_by=lambda record: record.id,
)
scopes = st.builds(
    Scope,
    user_id=st.none() | names,
    strategy=st.none() | names,
    modes=st.none() | st.frozensets(st.sampled_from(Mode)),
    run_id=st.none() | names,
    pair=st.none() | pairs | st.just(""),
    kind=st.none() | st.sampled_from(["trade", "risk_event", "note"]),
)


def passes(record: Record, scope: Scope) -> bool:
    """Tell whether a record is in a scope, the plain way."""
    wanted = {
        "user_id": record.origin.user_id,
        "strategy": record.origin.strategy,
        "run_id": record.origin.run_id,
        "pair": getattr(record, "pair", ""),
        "kind": record.kind,
    }
    return (scope.modes is None or record.origin.mode in scope.modes) and all(
        getattr(scope, name) in (None, value) for name, value in wanted.items()
    )


@given(
    records,
    scopes,
    st.integers(0, 12),
    st.none() | st.integers(0, 12),
    st.sampled_from([(1_000, 10_000), (2, 3), (1, 0), (3, 10_000)]),
)
def test_a_scope_is_a_filter(
    written: list[Record], scope: Scope, after_seq: int, limit: int | None, paging: tuple[int, int]
) -> None:
    """Scope, `after_seq` and `limit` together, in order of arrival; whichever way it is read."""
    page_rows, few_rows = paging
    sizes = patch.multiple("freqtrade_mem0.journal.paging", PAGE_ROWS=page_rows, FEW_ROWS=few_rows)
    with tempfile.TemporaryDirectory() as folder, sizes:
        journal = Journal(Path(folder))
        journal.append(written)
        found = list(journal.records(scope, after_seq=after_seq, limit=limit))
        journal.close()

    expected = [
        (seq, record)
        for seq, record in enumerate(written, start=1)
        if seq > after_seq and passes(record, scope)
    ]
    newest = expected if limit is None else expected[max(0, len(expected) - limit) :]
    assert newest == found
