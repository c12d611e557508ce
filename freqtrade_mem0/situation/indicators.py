"""Indicators of TA-Lib in a situation, as the config names them: `ADX(14)`, `MACD.macdhist`.

Many of TA-Lib's functions remember all candles since the first one (EMA, ADX, RSI). So an indicator
is computed anew over the last `WINDOW` closed candles, whatever came before them: a backtest and a
bot get the same bits. TA-Lib's cost is per window, a few microseconds; windows are therefore not
computed ahead in blocks, but when an entry asks.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np

from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.situation.windows import MIN_CANDLES, WINDOW

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from pandas import DataFrame

    from freqtrade_mem0.situation.values import Situation

    Floats = NDArray[np.float64]

BUCKET = "_bucket"
"""What the name of an indicator's bucket ends in: `ADX(14)_bucket`."""

BUCKETS = ("low", "middle", "high")

MIN_VALUES = 40
"""With fewer values in the window there is no bucket."""

_FORM = re.compile(r"(\w+)(?:\(([-\w.,]*)\))?(?:\.(\w+))?")
_COLUMNS = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True)
class Indicator:
    """One output of a function of TA-Lib with its arguments; see `indicator`."""

    name: str
    columns: tuple[str, ...]
    lookback: int
    """Candles before the first one that has a value."""
    _function: Callable[..., Any]
    _arguments: tuple[float, ...]
    _output: int | None

    def series(self, candles: Mapping[str, Floats]) -> Floats:
        """Return the value at each candle of a window, shape (n_candles,); NaN where there is none.

        `candles` are contiguous columns of equal length by name.
        """
        found = self._function(*[candles[name] for name in self.columns], *self._arguments)
        values: Floats = found if self._output is None else found[self._output]
        if values.dtype != np.float64:
            values = values.astype(np.float64)  # candlestick patterns are whole numbers
        values[: self.lookback] = math.nan
        return values


def indicator(text: str) -> Indicator:
    """Return the indicator that a text names.

    Parameters
    ----------
    text
        A function of `talib.abstract`, its arguments in TA-Lib's order where they are not TA-Lib's
        defaults, and which output is meant where there are several: `ADX(14)`, `OBV`,
        `MACD(12,26,9).macdhist`.

    Raises
    ------
    ValueError
        TA-Lib knows no such function, argument or output, it needs more than candles, or it looks
        back too far for the window. The text says which, and what to do.
    """
    import talib
    from talib import abstract

    form = _FORM.fullmatch(text)
    if form is None:
        raise ValueError('write it like "ADX(14)" or "MACD(12,26,9).macdhist", without blanks')
    function_name, listed, output = form.groups()
    known = talib.get_functions()
    if function_name not in known:
        close = get_close_matches(function_name.upper(), known, n=1)
        hint = f"{close[0]} is near" if close else "ta-lib.org lists them all"
        raise ValueError(f"TA-Lib has no function {function_name}; {hint}")
    # A new object: setting the arguments of `abstract.ADX` would change the strategy's ADX, too.
    function: Any = abstract.Function(function_name)  # type: ignore[attr-defined]
    parameters = dict(function.parameters)
    arguments = _arguments(function_name, parameters, listed)
    inputs = [
        name
        for names in function.input_names.values()
        for name in ([names] if isinstance(names, str) else names)
    ]
    if not set(inputs) <= set(_COLUMNS):
        raise ValueError(f"{function_name} needs an input that candles do not have. Leave it out")
    outputs: list[str] = list(function.output_names)
    if output not in outputs and (output is not None or len(outputs) > 1):
        raise ValueError(
            f"{function_name} has the outputs {', '.join(outputs)}. Write one of them behind a "
            f'point, for example "{text.partition(".")[0]}.{outputs[-1]}"'
        )
    try:
        function.parameters = dict(zip(parameters, arguments, strict=True))
        found = Indicator(
            text,
            tuple(inputs),
            int(function.lookback),
            getattr(talib, function_name),
            arguments,
            outputs.index(output or outputs[0]) if len(outputs) > 1 else None,
        )
        found.series(_made_up())
    except Exception as error:
        raise ValueError(
            f"TA-Lib refuses these arguments ({error}). {function_name} takes "
            f"{_in_words(parameters)}"
        ) from error
    if found.lookback > WINDOW - MIN_VALUES:
        raise ValueError(
            f"it looks back over {found.lookback} candles, but a situation is computed from "
            f"{WINDOW} and {MIN_VALUES} values are needed to tell low from high. Choose a shorter "
            f"period, with at most {WINDOW - MIN_VALUES} candles of look-back"
        )
    return found


def indicators_of(names: Sequence[str]) -> tuple[Indicator, ...]:
    """Return the indicators that the config names.

    Raises
    ------
    ConfigError
        One of them can not be computed.
    """
    found = []
    for name in names:
        try:
            found.append(indicator(name))
        except ValueError as error:
            raise ConfigError(
                f'"mem0.situation.indicators" names {name!r}: {error}. The how-to page '
                "docs/how-to/add-indicators.md explains the names."
            ) from None
    return tuple(found)


class IndicatorColumns:
    """The values and buckets of indicators at any candle of a pair.

    Parameters
    ----------
    frame
        Freqtrade's dataframe, shape (n, columns), with open, high, low, close, volume. It is not
        changed.
    indicators
        What is computed.
    """

    def __init__(self, frame: DataFrame, indicators: Sequence[Indicator]) -> None:
        self._indicators = indicators
        read = {name for each in indicators for name in each.columns}
        self._columns = {
            name: np.ascontiguousarray(frame[name].to_numpy(dtype=np.float64)) for name in read
        }
        self._at = 0
        self._found: Situation = {}

    def values(self, n_closed: int) -> Situation:
        """Return each indicator's value after a number of candles, and its bucket.

        The bucket tells in which third of the window's values the last one is; values equal to it
        count half. What can not be computed is left out.
        """
        if n_closed != self._at:
            self._at, self._found = n_closed, {}
            for name, series in self.series(n_closed).items():
                value = float(series[-1])
                if math.isfinite(value):
                    self._found[name] = float(f"{value:.6g}")
                    if bucket := _bucket(series):
                        self._found[name + BUCKET] = bucket
        return self._found

    def series(self, n_closed: int) -> dict[str, Floats]:
        """Return each indicator at the candles of the window, NaN where it has no value."""
        if n_closed < MIN_CANDLES:
            return {}
        first = max(0, n_closed - WINDOW)
        window = {name: column[first:n_closed] for name, column in self._columns.items()}
        found = {}
        for each in self._indicators:
            with suppress(Exception):  # TA-Lib has no finer one for candles without a number
                found[each.name] = each.series(window)
        return found


def _bucket(series: Floats) -> str:
    """Return the third that the last value is in; "" with too few values."""
    last = series[-1]
    n_known = int(np.count_nonzero(series == series))  # noqa: PLR0124 - NaN is not
    if n_known < MIN_VALUES:
        return ""
    twice_rank = int(np.count_nonzero(series < last)) + int(np.count_nonzero(series <= last))
    return BUCKETS[(3 * twice_rank > 2 * n_known) + (3 * twice_rank > 4 * n_known)]


def _arguments(name: str, parameters: Mapping[str, float], listed: str | None) -> tuple[float, ...]:
    """Return a function's arguments, its defaults where none is listed."""
    texts = listed.split(",") if listed else []
    if len(texts) > len(parameters):
        raise ValueError(f"{name} takes {_in_words(parameters)}, not {len(texts)} numbers")
    given: list[float] = []
    for text, default in zip(texts, parameters.values(), strict=False):
        try:
            given.append(type(default)(text))
        except ValueError:
            raise ValueError(
                f"{text!r} is no number. {name} takes {_in_words(parameters)}"
            ) from None
    return (*given, *list(parameters.values())[len(given) :])


def _in_words(parameters: Mapping[str, float]) -> str:
    listed = ", ".join(f"{name} (default {value:g})" for name, value in parameters.items())
    return listed or "no numbers"


def _made_up() -> dict[str, Floats]:
    """Return candles to try a function on."""
    close = 100.0 + np.sin(np.arange(WINDOW) / 7.0)
    return {
        "open": close - 0.1,
        "high": close + 0.5,
        "low": close - 0.5,
        "close": close,
        "volume": 10.0 + np.cos(np.arange(WINDOW)),
    }
