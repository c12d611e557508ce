"""How many trades a bot may still open."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from freqtrade.persistence import Trade, init_db

from freqtrade_mem0.host.market import free_slots
from tests.support.samples import at

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def _one_open_trade() -> Iterator[None]:
    """An open trade in a bot's database, and a closed one."""
    used_db = Trade.use_db
    init_db("sqlite://")
    Trade.use_db = True
    for is_open in (True, False):
        Trade.session.add(
            Trade(
                pair="ETH/USDT", exchange="binance", open_date=at(1).replace(tzinfo=None),
                open_rate=100.0, amount=1.0, stake_amount=100.0, fee_open=0.0, fee_close=0.0,
                is_open=is_open,
            )
        )  # fmt: skip
    Trade.commit()
    yield
    Trade.session.remove()
    Trade.use_db = used_db


@pytest.mark.usefixtures("_one_open_trade")
@pytest.mark.parametrize(
    ("most", "enough", "expected"),
    [(3, 0.0, 2.0), (3, 2.9, 2.0), (3, 3.0, 3.0), (-1, 0.0, float("inf"))],
)
def test_open_trades_are_counted_unless_all_slots_are_few_enough(
    most: int, enough: float, expected: float
) -> None:
    """Without a limit nothing is counted either."""
    strategy: Any = SimpleNamespace(config={"max_open_trades": most})

    assert free_slots(strategy, enough) == expected
