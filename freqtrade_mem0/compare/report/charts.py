"""Small line and point charts as SVG, drawn to be read on a phone.

Colours are CSS variables of the page around them, so that one drawing serves light and dark. No
script, no font, no file from elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 420, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 10, 12, 26
_EDGE = 40
_N_TICKS = 5
_MAX_POINTS = 600


Label = Callable[[float, float], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Points of one kind.

    Parameters
    ----------
    name
        For the legend, "" leaves it out of it.
    style
        CSS class: "without", "with", "scaled" or "guide".
    points
        `(x, y)`, finite.
    is_line
        A line through them, or a dot at each.
    errors
        Half the height of each point's bar; empty for none.
    """

    name: str
    style: str
    points: Sequence[tuple[float, float]]
    is_line: bool = True
    errors: Sequence[float] = ()


def chart(
    title: str,
    series: Sequence[Series],
    *,
    x_label: Label,
    y_label: Label,
    x_ticks: Sequence[float] | None = None,
) -> str:
    """Return a chart as an SVG element; "" where there is nothing to draw.

    Parameters
    ----------
    title
        Read out by screen readers.
    series
        Drawn in this order.
    x_label, y_label
        Turn a value, and the distance to the next tick, into the text of a tick.
    x_ticks
        Where ticks stand; None chooses round values.
    """
    drawn = [part for part in series if part.points]
    if not drawn:
        return ""
    xs = [x for part in drawn for x, _ in part.points]
    ys = [
        y + sign * error
        for part in drawn
        for (_, y), error in zip(part.points, part.errors or [0.0] * len(part.points), strict=True)
        for sign in (-1.0, 1.0)
    ]
    # Dots need room beside them; lines may touch the edge.
    beside = 0.05 if any(part.errors for part in drawn) else 0.0
    scale = _Scale(_padded(min(xs), max(xs), beside), _padded(min(ys), max(ys), 0.04))
    body = [_grid(scale, x_label, y_label, x_ticks)]
    body += [_line(part, scale) if part.is_line else _dots(part, scale) for part in drawn]
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title, quote=True)}">'
        f"{''.join(body)}</svg>"
    )


def legend(series: Sequence[Series]) -> str:
    """Return the names of the series with their marks, as HTML."""
    return "".join(
        f'<span class="key"><i class="{part.style}"></i>{escape(part.name)}</span>'
        for part in series
        if part.name
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


def step_of(values: Sequence[float]) -> float:
    """Return the distance between ticks; 1 where there is only one."""
    return abs(values[1] - values[0]) if len(values) > 1 else 1.0


def as_number(value: float, step: float) -> str:
    """Return a tick with as many digits as its step needs.

    >>> as_number(0.25, 0.05)
    '0.25'
    """
    return f"{value + 0.0:.{_digits(step)}f}"


def as_percent(value: float, step: float) -> str:
    """Return a tick in percent with as many digits as its step needs.

    >>> as_percent(-0.0005, 0.0005)
    '-0.05%'
    """
    return f"{100.0 * value + 0.0:.{_digits(100.0 * step)}f}%"


def _digits(step: float) -> int:
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    # A step of 2.5 needs one digit more than its size says.
    return digits if abs(round(step, digits) - step) < 1e-6 * step else digits + 1


@dataclass(frozen=True, slots=True)
class _Scale:
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    def x(self, value: float) -> float:
        low, high = self.x_range
        return _LEFT + (value - low) / (high - low) * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        low, high = self.y_range
        return HEIGHT - _BOTTOM - (value - low) / (high - low) * (HEIGHT - _TOP - _BOTTOM)


def _padded(low: float, high: float, share: float) -> tuple[float, float]:
    if high - low < 1e-12:  # noqa: PLR2004
        return low - max(1e-3, abs(low) * 0.1), high + max(1e-3, abs(high) * 0.1)
    return low - share * (high - low), high + share * (high - low)


def _grid(
    scale: _Scale,
    x_label: Label,
    y_label: Label,
    x_ticks: Sequence[float] | None,
) -> str:
    parts = []
    levels = ticks(*scale.y_range)
    for value in levels:
        y = scale.y(value)
        parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{WIDTH - _RIGHT}"/>')
        name = escape(y_label(value, step_of(levels)))
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" class="y">{name}</text>')
    marks = ticks(*scale.x_range) if x_ticks is None else x_ticks
    for value in marks:
        x = scale.x(value)
        anchor = "middle"
        if x > WIDTH - _EDGE or x < _LEFT + _RIGHT:
            anchor = "end" if x > WIDTH - _EDGE else "start"
        parts.append(
            f'<text x="{x:.1f}" y="{HEIGHT - 8}" text-anchor="{anchor}">'
            f"{escape(x_label(value, step_of(marks)))}</text>"
        )
    return "".join(parts)


def _line(part: Series, scale: _Scale) -> str:
    points = thinned(part.points)
    path = "L".join(f"{scale.x(x):.1f} {scale.y(y):.1f}" for x, y in points)
    return f'<path class="line {part.style}" d="M{path}"/>'


def _dots(part: Series, scale: _Scale) -> str:
    # Lines of no length with round ends are dots, and take little room in the file.
    path = "".join(f"M{scale.x(x):.1f} {scale.y(y):.1f}h0" for x, y in part.points)
    bars = "".join(
        f"M{scale.x(x):.1f} {scale.y(y - e):.1f}V{scale.y(y + e):.1f}"
        for (x, y), e in zip(part.points, part.errors, strict=False)
    )
    size = "big" if part.errors else "small"
    bar = f'<path class="bar {part.style}" d="{bars}"/>' if bars else ""
    return f'{bar}<path class="dots {size} {part.style}" d="{path}"/>'


def thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return fewer points that look the same: of each stretch the first, lowest, highest, last."""
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
