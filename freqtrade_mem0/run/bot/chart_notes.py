"""Marks risk events in the charts of FreqUI, as Freqtrade's `plot_annotations`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from freqtrade_mem0.records.kinds.risk import RiskEvent
    from freqtrade_mem0.risk.damping import Damping

_MOST = 100
"""Events marked in one chart: the newest."""

_NOTED, _DAMPED = "rgba(255, 152, 0, 0.35)", "rgba(255, 152, 0, 0.10)"
"""Colours of the candle of an event, and of the time in which it damps; both over any theme."""

_FAINT = 0.01
"""Share of a stake below which a damped period is not shown."""


def chart_marks(
    events: Iterable[RiskEvent],
    pair: str,
    damping: Damping,
    *,
    start: datetime,
    end: datetime,
    candle: timedelta,
) -> list[dict[str, Any]]:
    """Return areas for the events of a pair, or of all pairs, between two moments of a chart.

    Each event has an area of one candle. The newest candle of a chart is a closed one, so an event
    after it is shown on it. An event that damps stakes has a second area, until half of what it
    took has worn off.

    Parameters
    ----------
    events
        Risk events, the oldest first; others than those of the pair are left out.
    pair
        Of the chart.
    damping
        How events damp; what does not act, as in shadow mode, is `NO_DAMPING`.
    start, end
        Aware UTC moments of the first and last candle.
    candle
        Length of a candle.
    """
    half_life = timedelta(days=damping.half_life_days)
    marks: list[dict[str, Any]] = []
    for event in list(_seen(events, pair, start - half_life, end + 2 * candle))[-_MOST:]:
        took, name = damping.severity.get(event.event_type, 0.0), _name(event)
        if event.known_at >= start:
            first = min(event.known_at, end)
            marks.append(_area(name, first, first + candle, _NOTED))
        if took >= _FAINT and event.known_at < end:
            words = f"stakes damped by {took:.0%}, half of it worn off at the end"
            first, last = max(event.known_at, start), min(event.known_at + half_life, end)
            marks.append(_area(f"{name}: {words}", first, last, _DAMPED))
    return marks


def _seen(
    events: Iterable[RiskEvent], pair: str, since: datetime, until: datetime
) -> Iterable[RiskEvent]:
    return (each for each in events if each.pair in ("", pair) and since <= each.known_at <= until)


def _name(event: RiskEvent) -> str:
    loss = event.impact
    lost = f" {loss:+.1%}" if not isinstance(loss, str) and loss < 0.0 else ""
    return f"{event.event_type.replace('_', ' ')}{lost}"


def _area(label: str, start: datetime, end: datetime, color: str) -> dict[str, Any]:
    return {"type": "area", "label": label, "start": start, "end": end, "color": color}
