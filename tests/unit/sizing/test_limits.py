"""Limits of exchange and wallet: the sentences, and the cases one by one."""

from __future__ import annotations

import pytest

from freqtrade_mem0.sizing.limits import within_limits


@pytest.mark.parametrize(
    ("proposed", "wished", "min_stake", "max_stake", "expected", "name"),
    [
        (100.0, 150.0, 10.0, 200.0, 150.0, None),
        (100.0, 50.0, 10.0, 200.0, 50.0, None),
        (100.0, 50.0, None, 200.0, 50.0, None),
        (100.0, 5.0, 10.0, 200.0, 10.0, "min_stake"),
        (10.0, 5.0, 10.0, 200.0, 10.0, "min_stake"),
        (100.0, 250.0, 10.0, 200.0, 200.0, "max_stake"),
        (100.0, 150.0, 10.0, 100.0, 100.0, "max_stake"),
        (300.0, 350.0, 10.0, 200.0, 300.0, "max_stake"),
        (300.0, 250.0, 10.0, 200.0, 250.0, None),
        (300.0, 100.0, 10.0, 200.0, 100.0, None),
        (5.0, 2.0, 10.0, 200.0, 5.0, "min_stake"),
        (8.0, 12.0, 10.0, 200.0, 8.0, "min_stake"),
        (100.0, 100.0, 10.0, 200.0, 100.0, None),
        (100.0, 5.0, 10.0, 5.0, 10.0, "min_stake"),
    ],
)
def test_a_limit_binds_and_says_so(  # noqa: PLR0917 - a table
    proposed: float,
    wished: float,
    min_stake: float | None,
    max_stake: float,
    expected: float,
    name: str | None,
) -> None:
    """The stake to place, and the limit that made it differ from the wish."""
    stake, reasons = within_limits(proposed, wished, min_stake, max_stake)

    assert expected == stake
    assert ([] if name is None else [name]) == [reason.name for reason in reasons]


def test_a_reason_names_both_numbers() -> None:
    """What was wanted, and what is possible."""
    _, (low,) = within_limits(100.0, 5.0, 10.0, 200.0)
    _, (high,) = within_limits(100.0, 250.0, 10.0, 200.0)

    assert low.text == "10 is the smallest stake that can be sold again, 5 was wanted"
    assert high.text == "at most 200 is available, 250 was wanted"
    assert (low.effect, high.effect) == (0.0, 0.0)
