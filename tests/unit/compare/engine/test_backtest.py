"""What the engine says where Freqtrade refuses."""

from __future__ import annotations

from freqtrade.exceptions import OperationalException

from freqtrade_mem0.compare.engine import backtest


def test_an_exchange_that_is_not_reached_is_named() -> None:
    """Freqtrade points to an error above, which is in its log."""
    error = OperationalException(
        "Could not load markets, therefore cannot start. Please investigate the above error for "
        "more details."
    )

    said = backtest._message(error)

    assert "above" not in said
    assert "'exchange' in the config" in said
