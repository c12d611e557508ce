"""Line and point charts as SVG paths, readable on a phone.

Colours are CSS classes of the page, so that one drawing serves light and dark mode. A library would
bring fonts, scripts or some megabytes into a file that should open anywhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 420, 240
LEFT, RIGHT = 52, 10
_TOP, _BOTTOM = 12, 26
_EDGE = 40
_N_TICKS = 5
_MAX_POINTS = 600

Label = Callable[[float, float], str]
"""Turns a tick's value and the distance to the next tick into text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Points of one kind, as a line or as dots, with half the height of each error bar if any.

    `style` is a CSS class: "without", "with", "scaled" or "guide".
    """

    name: str
    style: str
    points: Sequence[tuple[float, float]]
    is_line: bool = True
    errors: Sequence[float] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A chart in pixels, as `chart.svg.j2` draws it.

    Ticks are `(y, text)` and `(x, anchor, text)`, paths are `(CSS classes, path)`.
    """

    title: str
    legend: Sequence[Series]
    y_ticks: Sequence[tuple[float, str]]
    x_ticks: Sequence[tuple[float, str, str]]
    paths: Sequence[tuple[str, str]]


def draw(
    title: str,
    series: Sequence[Series],
    *,
    x_label: Label,
    y_label: Label,
    x_ticks: Sequence[float] | None = None,
) -> Drawing | None:
    """Return a chart of the series in this order; None without points.

    `x_ticks` are the positions of the ticks; None chooses round values.
    """
    drawn = [part for part in series if part.points]
    if not drawn:
        return None
    xs = [x for part in drawn for x, _ in part.points]
    ys = [
        y + sign * error
        for part in drawn
        for (_, y), error in zip(part.points, part.errors or [0.0] * len(part.points), strict=True)
        for sign in (-1.0, 1.0)
    ]
    # Large dots need room at the sides; lines may touch the edge.
    beside = 0.05 if any(part.errors for part in drawn) else 0.0
    scale = _Scale(_padded(min(xs), max(xs), beside), _padded(min(ys), max(ys), 0.04))
    levels = ticks(*scale.y_range)
    marks = ticks(*scale.x_range) if x_ticks is None else x_ticks
    return Drawing(
        title=title,
        legend=drawn,
        y_ticks=[(scale.y(value), y_label(value, _step_of(levels))) for value in levels],
        x_ticks=[
            (scale.x(value), _anchor(scale.x(value)), x_label(value, _step_of(marks)))
            for value in marks
        ],
        paths=[path for part in drawn for path in _paths(part, scale)],
    )


def ticks(low: float, high: float, n: int = _N_TICKS) -> list[float]:
    """Return about `n` round values within a range.

    >>> ticks(0.0, 1.0)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    if not high > low:
        return [low]
    rough = (high - low) / n
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if size * factor >= rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def as_number(value: float, step: float) -> str:
    """Return a tick with as many decimals as its step needs.

    >>> as_number(0.25, 0.05)
    '0.25'
    """
    return f"{value + 0.0:.{_decimals(step)}f}"


def as_percent(value: float, step: float) -> str:
    """Return a tick in percent with as many decimals as its step needs.

    >>> as_percent(-0.0005, 0.0005)
    '-0.05%'
    """
    return f"{100.0 * value + 0.0:.{_decimals(100.0 * step)}f}%"


def thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return fewer points that look the same: first, lowest, highest and last of each stretch."""
    if len(points) <= _MAX_POINTS:
        return list(points)
    size = math.ceil(len(points) / (_MAX_POINTS / 4))
    kept: list[tuple[float, float]] = []
    for start in range(0, len(points), size):
        part = points[start : start + size]
        lowest = min(range(len(part)), key=lambda i: part[i][1])
        highest = max(range(len(part)), key=lambda i: part[i][1])
        kept += [part[i] for i in sorted({0, lowest, highest, len(part) - 1})]
    return kept


def _step_of(values: Sequence[float]) -> float:
    return abs(values[1] - values[0]) if len(values) > 1 else 1.0


def _decimals(step: float) -> int:
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    # A step of 2.5 needs one decimal more than its size says.
    return decimals if abs(round(step, decimals) - step) < 1e-6 * step else decimals + 1


@dataclass(frozen=True, slots=True)
class _Scale:
    """Maps values to pixels."""

    x_range: tuple[float, float]
    y_range: tuple[float, float]

    def x(self, value: float) -> float:
        low, high = self.x_range
        return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        low, high = self.y_range
        return HEIGHT - _BOTTOM - (value - low) / (high - low) * (HEIGHT - _TOP - _BOTTOM)


def _padded(low: float, high: float, share: float) -> tuple[float, float]:
    if high - low < 1e-12:  # noqa: PLR2004
        return low - max(1e-3, abs(low) * 0.1), high + max(1e-3, abs(high) * 0.1)
    return low - share * (high - low), high + share * (high - low)


def _anchor(x: float) -> str:
    """Return the SVG text anchor that keeps a label inside the chart."""
    if x > WIDTH - _EDGE:
        return "end"
    return "start" if x < LEFT + RIGHT else "middle"


def _paths(part: Series, scale: _Scale) -> list[tuple[str, str]]:
    """Return `(CSS classes, path)` of a series."""
    if part.is_line:
        points = thinned(part.points)
        line = "L".join(f"{scale.x(x):.1f} {scale.y(y):.1f}" for x, y in points)
        return [(f"line {part.style}", f"M{line}")]
    # A line of length 0 with round ends is a dot, and short in the file.
    dots = "".join(f"M{scale.x(x):.1f} {scale.y(y):.1f}h0" for x, y in part.points)
    if not part.errors:
        return [(f"dots small {part.style}", dots)]
    bars = "".join(
        f"M{scale.x(x):.1f} {scale.y(y - e):.1f}V{scale.y(y + e):.1f}"
        for (x, y), e in zip(part.points, part.errors, strict=True)
    )
    return [(f"bar {part.style}", bars), (f"dots big {part.style}", dots)]
