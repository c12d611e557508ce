"""The budgets of `make bench BENCH=steps`: they name what exists, and the page shows them."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.steps import STEPS, Step, table
from benchmarks.table import exceeded

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_a_step_is_a_function_of_the_package(step: Step) -> None:
    """A step whose function was renamed would not be timed any more."""
    holder, name = step.holder()

    assert callable(getattr(holder, name))


def test_the_page_shows_the_budgets_of_the_code() -> None:
    """Each row of the page has the step, its function and its budget; the last cell is measured."""

    def rows(text: str) -> list[str]:
        shown = [line for line in text.splitlines() if line.startswith("|")]
        return [line.rpartition(" | ")[0] for line in shown if "` | " in line]

    section = PAGE.read_text(encoding="utf-8").partition("## Budgets")[2].partition("\n## ")[0]
    assert rows(table({})) == rows(section)


def test_a_figure_over_its_budget_is_named_with_both() -> None:
    """One that is equal to its budget is inside."""
    result = {
        "us": {"recall": {"p50": 20.5}, "policy": {"p50": 9.0}},
        "budgets": {"us.recall.p50": 20.0, "us.policy.p50": 9.0},
    }

    assert exceeded(result) == ["us.recall.p50 is 20.5, its budget is 20."]
