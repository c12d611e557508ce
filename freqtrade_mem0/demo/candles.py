"""Generated candles: seeded, with market regimes, in Freqtrade's feather layout.

They contain something that memory can learn. Each pair has its own mixture of regimes: in calm and
choppy regimes prices return to a slow mean after a dip, in rises breakouts continue, in storms
neither works. Only the mixture is fixed; the sequence of regimes and every price move are random.
Real markets need not behave like this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
import pandas as pd

from freqtrade_mem0.demo.exchange.markets import START_PRICES, market_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    Series = npt.NDArray[np.float64]

_MINUTES_PER_DAY = 1_440
_SWING_MINUTES = 360.0
"""Mean duration of a swing."""
_MARKET_SHARE = 0.5
"""Share of the random walk's variance that all pairs have in common."""
_FUNDING_HOURS = 8
_FUNDING_RATIO = 0.0001


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """How prices move during a regime, as log ratios.

    The drift is the expected return per day, the wander ratio the standard deviation of the random
    walk per square root of a day, the swing ratio that of the mean-reverting swings around it.
    """

    name: str
    mean_days: float
    drift_ratio: float
    wander_ratio: float
    swing_ratio: float


REGIMES = (
    Regime(name="calm", mean_days=5.0, drift_ratio=0.0, wander_ratio=0.010, swing_ratio=0.011),
    Regime(name="choppy", mean_days=3.0, drift_ratio=0.0, wander_ratio=0.022, swing_ratio=0.018),
    Regime(name="rise", mean_days=4.0, drift_ratio=0.034, wander_ratio=0.022, swing_ratio=0.005),
    Regime(name="storm", mean_days=2.5, drift_ratio=-0.040, wander_ratio=0.050, swing_ratio=0.007),
)

MIXTURES = {
    "BTC/USDT": (0.50, 0.15, 0.25, 0.10),
    "ETH/USDT": (0.40, 0.30, 0.15, 0.15),
    "SOL/USDT": (0.15, 0.25, 0.30, 0.30),
    "XRP/USDT": (0.45, 0.10, 0.20, 0.25),
    "ADA/USDT": (0.20, 0.40, 0.20, 0.20),
    "DOGE/USDT": (0.10, 0.20, 0.25, 0.45),
}
"""Probability of each of `REGIMES`, per pair."""

_EVEN_MIXTURE = (0.25, 0.25, 0.25, 0.25)


@dataclass(frozen=True, slots=True, kw_only=True)
class CandlePlan:
    """What to generate. Equal plans give equal candles; a longer plan starts with the same candles.

    The timeframe is a divisor of a day; `start` is the first UTC day.
    """

    pairs: tuple[str, ...] = tuple(START_PRICES)
    timeframe_minutes: int = 15
    start: str = "2024-01-01"
    days: int = 180
    seed: int = 3

    @property
    def timeframe(self) -> str:
        """Freqtrade's name of the timeframe.

        >>> CandlePlan(timeframe_minutes=15).timeframe, CandlePlan(timeframe_minutes=60).timeframe
        ('15m', '1h')
        """
        return timeframe_name(self.timeframe_minutes)


def timeframe_name(minutes: int) -> str:
    """Return Freqtrade's name of a timeframe.

    >>> timeframe_name(5), timeframe_name(240), timeframe_name(1440)
    ('5m', '4h', '1d')
    """
    if minutes % _MINUTES_PER_DAY == 0:
        return f"{minutes // _MINUTES_PER_DAY}d"
    return f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m"


def generate(pair: str, plan: CandlePlan) -> pd.DataFrame:
    """Return generated candles: columns date (aware UTC), open, high, low, close, volume."""
    minutes = generate_minutes(pair, plan)
    return resample(minutes, plan.timeframe_minutes)


def generate_minutes(pair: str, plan: CandlePlan) -> pd.DataFrame:
    """Return the 1m candles of which `generate` makes longer ones."""
    market = market_of(pair)
    n_minutes = plan.days * _MINUTES_PER_DAY
    # A stream of random numbers per quantity, so that a longer plan starts with the same candles.
    seeds = np.random.SeedSequence([plan.seed, crc32(pair.encode())]).spawn(7)
    durations, choices, walk, swing, upper, lower, volumes = map(np.random.default_rng, seeds)
    shared = np.random.default_rng(plan.seed)

    regime = _regimes(MIXTURES.get(pair, _EVEN_MIXTURE), plan.days, durations, choices)
    drift, wander, swings = (
        np.array([getattr(r, name) for r in REGIMES])[regime]
        for name in ("drift_ratio", "wander_ratio", "swing_ratio")
    )
    noise = np.sqrt(_MARKET_SHARE) * shared.standard_normal(n_minutes)
    noise += np.sqrt(1 - _MARKET_SHARE) * walk.standard_normal(n_minutes)
    mean = np.cumsum(drift / _MINUTES_PER_DAY + wander / np.sqrt(_MINUTES_PER_DAY) * noise)
    log_price = np.log(market.start_price) + mean + _swings(swings, swing)

    close = np.exp(log_price)
    opening = np.concatenate([[market.start_price], close[:-1]])
    spread = (wander / np.sqrt(_MINUTES_PER_DAY) + swings / np.sqrt(_SWING_MINUTES)) * 0.6
    high = np.maximum(opening, close) * (1 + spread * np.abs(upper.standard_normal(n_minutes)))
    low = np.minimum(opening, close) * (1 - spread * np.abs(lower.standard_normal(n_minutes)))
    turnover = 20_000 * (1 + 40 * wander) * np.exp(volumes.normal(0, 0.8, n_minutes))
    digits = market.price_decimals
    return pd.DataFrame(
        {
            "date": pd.date_range(plan.start, periods=n_minutes, freq="1min", tz="UTC", unit="ms"),
            "open": opening.round(digits),
            "high": high.round(digits),
            "low": low.round(digits),
            "close": close.round(digits),
            "volume": (turnover / close).round(market.amount_decimals),
        }
    )


def resample(candles: pd.DataFrame, minutes: int) -> pd.DataFrame:
    """Return candles of `minutes`, made of shorter ones."""
    grouped = candles.resample(f"{minutes}min", on="date")
    return grouped.agg(
        {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    ).reset_index()


def write_candles(datadir: Path, plan: CandlePlan, *, detail: bool = False) -> list[Path]:
    """Write the plan's spot candles, and with `detail` also 1m candles; return the files."""
    written = []
    for pair in plan.pairs:
        minutes = generate_minutes(pair, plan)
        frames = {plan.timeframe_minutes: resample(minutes, plan.timeframe_minutes)}
        if detail:
            frames[1] = minutes
        for length, frame in frames.items():
            path = datadir / f"{pair.replace('/', '_')}-{timeframe_name(length)}.feather"
            written.append(_store(frame, path))
    return written


def write_futures_candles(datadir: Path, plan: CandlePlan) -> list[Path]:
    """Write the same prices as USD-M futures: candles, 1h mark prices and 1h funding rates."""
    written = []
    for pair in plan.pairs:
        candles = generate(pair, plan)
        hours = resample(candles, 60)
        funded = hours["date"].dt.hour % _FUNDING_HOURS == 0
        funding = hours.assign(
            open=np.where(funded, _FUNDING_RATIO, 0.0), high=0.0, low=0.0, close=0.0, volume=0.0
        )
        stem = f"{pair.replace('/', '_')}_{pair.split('/')[1]}"
        folder = datadir / "futures"
        written += [
            _store(candles, folder / f"{stem}-{plan.timeframe}-futures.feather"),
            _store(hours, folder / f"{stem}-1h-mark.feather"),
            _store(funding, folder / f"{stem}-1h-funding_rate.feather"),
        ]
    return written


def _regimes(
    mixture: Sequence[float],
    days: int,
    durations: np.random.Generator,
    choices: np.random.Generator,
) -> npt.NDArray[np.intp]:
    """Return the index of the regime of every minute, shape (n_minutes,)."""
    # Many more spells than fit into the days.
    n_spells = 16 + 8 * days
    chosen = choices.choice(len(REGIMES), size=n_spells, p=mixture)
    mean_days = np.array([regime.mean_days for regime in REGIMES])[chosen]
    # At least an hour; gamma(2) gives fewer very short spells than an exponential distribution.
    spell = 60 + mean_days * _MINUTES_PER_DAY * durations.gamma(2.0, 0.5, n_spells)
    ends = np.cumsum(spell)
    return chosen[np.searchsorted(ends, np.arange(days * _MINUTES_PER_DAY), side="right")]


def _swings(swing_ratio: Series, rng: np.random.Generator) -> Series:
    """Return an AR(1) process whose standard deviation follows `swing_ratio`."""
    memory = 1.0 - 1.0 / _SWING_MINUTES
    # ewm(adjust=False) is y = memory * y + (1 - memory) * x: an AR(1), without a Python loop.
    shocks = swing_ratio * rng.standard_normal(len(swing_ratio))
    scale = np.sqrt(1 - memory**2) / (1 - memory)
    smooth = pd.Series(shocks * scale).ewm(alpha=1 - memory, adjust=False).mean()
    values: Series = smooth.to_numpy()
    return values


def _store(frame: pd.DataFrame, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    # The same call as Freqtrade's own feather handler.
    frame.to_feather(path, compression_level=9, compression="lz4")
    return path
