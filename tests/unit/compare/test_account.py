"""Memory's account in a comparison."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from freqtrade_mem0.compare.report.as_json import as_json
from freqtrade_mem0.compare.report.chance import chance_in_words
from freqtrade_mem0.records.decision import AccountState

if TYPE_CHECKING:
    from freqtrade_mem0.compare.comparison import Comparison


def test_the_account_is_that_of_the_last_decision(plain: Comparison) -> None:
    """In words and in JSON; a policy without an account says nothing of one."""
    state = AccountState(
        followed=0.34,
        experts={"response": 0.34},
        earned=0.84,
        floor=-1.78,
        earned_ratio=0.012,
        n_trades=212,
    )
    kept = replace(plain, remembered=replace(plain.remembered, account=state))

    assert chance_in_words(kept)[-1].startswith("Memory's account: followed 34%; over 212 trades")
    assert as_json(kept)["account"]["floor"] == -1.78
    assert not any("account: followed" in words for words in chance_in_words(plain))
    assert as_json(plain)["account"] is None
