"""A page of evidence in one row, and what has to be read row by row."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.journal.evidence.page import IN_ONE_ROW, PageColumns, page_columns
from freqtrade_mem0.journal.evidence.rows import COLUMNS
from tests.support.samples import a_risk_event, a_trade

if TYPE_CHECKING:
    from freqtrade_mem0.journal.journal import Journal

IN_ROWS, IN_A_PAGE = (f"SELECT {each} FROM evidence" for each in (COLUMNS, IN_ONE_ROW))  # noqa: S608 - fixed names


def page(journal: Journal) -> PageColumns | None:
    """Return all evidence as a page."""
    return page_columns(journal.connection.row(IN_A_PAGE))


def test_a_page_has_the_rows_of_the_table(journal: Journal) -> None:
    """Records of several kinds, trades of several layouts."""
    journal.append([a_trade(1), a_risk_event(1), a_trade(2, decision_id="0" * 36), a_risk_event(2)])
    found = page(journal)

    assert found is not None
    assert found.others([]) == journal.connection.rows(IN_ROWS)


@pytest.mark.parametrize(
    "differs",
    [
        {"id": "a text"},
        {"id": "sixteen letters."},
        {"closed_at": datetime(1999, 1, 1, tzinfo=UTC)},
    ],
    ids=["id", "id of sixteen letters", "time"],
)
def test_what_is_rare_is_read_row_by_row(journal: Journal, differs: dict[str, Any]) -> None:
    """One such row in a page is enough."""
    journal.append([a_trade(1)])
    assert page(journal) is not None
    journal.append([a_trade(2, **differs)])

    assert page(journal) is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE evidence SET facts = NULL WHERE seq = 2",
        "UPDATE evidence SET said = x'00' WHERE seq = 2",
        "UPDATE evidence SET known_ms = 9223372036854775807 WHERE seq = 2",
        "DELETE FROM evidence",
    ],
)
def test_what_is_damaged_is_read_row_by_row(journal: Journal, statement: str) -> None:
    """Where its columns do not fit together."""
    journal.append([a_trade(number) for number in range(3)])
    with journal.connection.write() as sqlite:
        sqlite.execute(statement)

    assert page(journal) is None


def test_what_is_no_integer_is_read_row_by_row(journal: Journal) -> None:
    """A damaged file may have anything in its place."""
    journal.append([a_trade(number) for number in range(3)])
    row = list(journal.connection.row(IN_A_PAGE))
    assert page_columns(row) is not None
    row[3] = "1,2.5,3"

    assert page_columns(row) is None
