"""The `"situation"` block: what an entry is described by, beside what every situation has."""

from __future__ import annotations

from pydantic import Field, field_validator

from freqtrade_mem0.config.block import Block

_BUCKET = "_bucket"


class SituationSettings(Block):
    """What an entry is described by."""

    indicators: tuple[str, ...] = Field(
        (),
        max_length=50,
        description="Indicators of TA-Lib to add, as in `talib.abstract`, with their arguments and,"
        ' where there are several, the output: `"ADX(14)"`, `"MACD(12,26,9).macdhist"`. Each is'
        " computed over the last 240 closed candles and put into a bucket (`low`, `middle`, `high`:"
        " in which third of the window's values it is), which a level names as the indicator.",
    )

    @field_validator("indicators")
    @classmethod
    def _each_once(cls, indicators: tuple[str, ...]) -> tuple[str, ...]:
        for name in indicators:
            if indicators.count(name) > 1:
                raise ValueError(f"{name!r} is named twice; leave one of them out")
        return indicators

    def refuse_unknown(self, names: tuple[str, ...], key: str) -> None:
        """Raise ValueError where a name has the form of an indicator and is not configured."""
        for name in names:
            for part in name.split("*"):
                if "(" in part and part.removesuffix(_BUCKET) not in self.indicators:
                    raise ValueError(
                        f"{key} names {part!r}, which is not in situation.indicators: "
                        f"{', '.join(self.indicators) or 'there are none'}. Add it there, spelled "
                        "the same"
                    )
