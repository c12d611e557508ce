"""The `"frequi"` block: what a bot shows of memory inside FreqUI."""

from __future__ import annotations

from pydantic import Field

from freqtrade_mem0.config.block import Block


class FreqUISettings(Block):
    """What a dry-run or live bot shows of memory in FreqUI and Freqtrade's own REST API."""

    annotations: bool = Field(
        default=True,
        description="Mark risk events, and the time in which they damp stakes, in the charts of"
        " FreqUI, beside the strategy's own `plot_annotations`.",
    )
    custom_data: bool = Field(
        default=False,
        description="Write the stake multiplier of each trade, with its main reason, to Freqtrade's"
        " trade database as the trade's custom data `mem0`. A thread writes it, never a trading"
        " callback.",
    )
