"""The `"drift"` block: whether a bot looks if its trades are as its history said."""

from __future__ import annotations

from pydantic import Field

from freqtrade_mem0.config.block import Block


class DriftSettings(Block):
    """Adaptation triggers, and the bands of a backtest."""

    enabled: bool = Field(
        default=True,
        description="A bot looks in the background whether a trigger raises an alarm, and whether"
        " its trades have left the bands of its backtest. It records a risk event and proposes a"
        " parameter update; stakes do not change.",
    )
    backtest: str | None = Field(
        None,
        min_length=1,
        description="Run id, or its first characters, of the backtest that a bot is compared with;"
        " null for the run that was promoted last. Without one, triggers are calibrated on the"
        " bot's own first trades, and there are no bands.",
    )
    propose_factor: float = Field(
        0.7,
        gt=0,
        lt=1,
        description="The `position_size` that a trigger proposes, as a factor. (0, 1)",
    )
    apply: bool = Field(
        default=False,
        description="Approve and apply what a trigger proposes without asking. Only the parameter"
        " `position_size` changes, which your strategy or agent reads; memory scales no stake by"
        " it.",
    )
