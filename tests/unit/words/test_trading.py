"""The table of trading terms: what it adds to a question."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from freqtrade_mem0.words.trading import also_called, stems


def test_a_name_is_known_in_any_form() -> None:
    """Case and common endings make no difference, and each member of a group adds the others."""
    assert also_called("CARDANO") == "ADA"
    assert also_called("ada") == "cardano"
    assert "liquidation" in also_called("two margin calls")
    assert "EMA" in also_called("crossed moving averages")
    assert also_called("the fee") == also_called("fees")


def test_a_part_of_a_word_is_no_name() -> None:
    """The word adapt is not ADA, and a text without a term gets nothing."""
    assert also_called("adapt the plan") == ""
    assert also_called("") == ""


@given(st.text(max_size=300))
def test_what_is_added_is_bounded(text: str) -> None:
    """A question never drowns in other names, whatever it holds."""
    assert len(also_called(text).split()) <= 24
    assert all(stem == stem.lower() for stem in stems(text))
