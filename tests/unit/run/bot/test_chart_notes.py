"""Risk events as annotations of a chart in FreqUI."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from freqtrade.ft_types.plot_annotation_type import AnnotationTypeTA

from freqtrade_mem0.risk.damping import NO_DAMPING, Damping
from freqtrade_mem0.run.bot.chart_notes import chart_marks
from tests.support.samples import a_risk_event, at

HOUR = timedelta(hours=1)
DAMPING = Damping(severity={"drawdown": 0.3}, half_life_days=0.5)


def marks(*events: Any, damping: Damping = DAMPING) -> list[dict[str, Any]]:
    """Return what a chart of ETH/USDT from hour 10 to hour 30 shows."""
    found = chart_marks(
        events, "ETH/USDT", damping, start=at(hours=10), end=at(hours=30), candle=HOUR
    )
    for each in found:
        AnnotationTypeTA.validate_python(each, extra="forbid")
    return found


def test_an_event_marks_its_candle() -> None:
    """With its type and what was lost; Freqtrade takes the form."""
    assert marks(a_risk_event(1, known_at=at(hours=12))) == [
        {
            "type": "area",
            "label": "stop loss -4.0%",
            "start": at(hours=12),
            "end": at(hours=13),
            "color": "rgba(255, 152, 0, 0.35)",
        }
    ]


def test_a_damped_period_lasts_until_half_has_worn_off_or_the_chart_ends() -> None:
    """It is shown where its event lies before the chart, too, as far as it reaches into it."""
    before = a_risk_event(1, event_type="drawdown", pair="", impact="", known_at=at(hours=2))
    within = a_risk_event(2, event_type="drawdown", pair="", impact="", known_at=at(hours=20))
    shown = [(each["label"], each["start"], each["end"]) for each in marks(before, within)]
    damped = "drawdown: stakes damped by 30%, half of it worn off at the end"
    assert shown == [
        (damped, at(hours=10), at(hours=14)),
        ("drawdown", at(hours=20), at(hours=21)),
        (damped, at(hours=20), at(hours=30)),
    ]


def test_an_event_after_the_last_closed_candle_is_shown_on_it() -> None:
    """So a person sees it at once; its damped period comes with the next candle."""
    event = a_risk_event(1, event_type="drawdown", pair="", impact="", known_at=at(hours=31.5))
    (found,) = marks(event)
    assert (found["label"], found["start"], found["end"]) == ("drawdown", at(30), at(31))


def test_what_does_not_act_damps_no_period() -> None:
    """As in shadow mode, and by default."""
    event = a_risk_event(1, event_type="drawdown", pair="", impact="", known_at=at(hours=20))
    assert [each["label"] for each in marks(event, damping=NO_DAMPING)] == ["drawdown"]


def test_other_pairs_and_times_are_left_out() -> None:
    """And of very many, only the newest are shown."""
    other = a_risk_event(1, pair="BTC/USDT", known_at=at(hours=12))
    later = a_risk_event(2, known_at=at(hours=33))
    many = [a_risk_event(n, known_at=at(11 + n / 60)) for n in range(300)]
    assert marks(other, later) == []
    assert marks(*many)[0]["start"] == at(11 + 200 / 60)
