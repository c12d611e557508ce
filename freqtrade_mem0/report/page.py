"""The report as one HTML file: no script, no file or font from elsewhere, fit for phone and paper.

The page itself is `templates/report.html.j2`; charts and style are those of a comparison.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.compare.report.charts import Drawing, Series, draw
from freqtrade_mem0.compare.report.pages import page_of
from freqtrade_mem0.report.words import name_of, no_bot, sections, wrong
from freqtrade_mem0.words.numbers import percent, times

if TYPE_CHECKING:
    from freqtrade_mem0.words.plain import Facts

_N_DATES = 4
_TONES = {"helped": "good", "hurt": "bad"}


def page(facts: Facts) -> str:
    """Return the report, as `views.report.report` gives it, as an HTML page."""
    return page_of(
        "freqtrade_mem0.report",
        "report.html.j2",
        facts=facts,
        bots=[_bot(each) for each in facts["bots"]],
        wrong=wrong(facts),
        no_bot=no_bot(facts),
    )


def _bot(bot: Facts) -> dict[str, Any]:
    worth = bot["worth"][0] if bot["worth"] else None
    said = dict(sections(bot))
    return {
        "name": name_of(bot),
        "sections": said,
        "tone": _TONES.get(worth["finding"], "open") if worth else "open",
        "largest": [_largest(each) for each in bot["memory"]["largest"]],
        "charts": [_profits(each) for each in bot["worth"] if len(each["days"]) > 1],
    }


def _largest(each: Facts) -> list[str]:
    shadow = "" if each["applied"] else " (shadow)"
    return [
        each["pair"],
        each["close_date"][:16].replace("T", " "),
        percent(each["profit_ratio"]),
        f"{times(each['multiplier'])}{shadow}",
        f"{each['effect']:+,.2f}",
    ]


def _profits(worth: Facts) -> Drawing | None:
    """Return both profits over time; in shadow mode the one with memory is what would have been."""
    first = date.fromisoformat(worth["days"][0]["day"])
    numbers = [(date.fromisoformat(each["day"]) - first).days for each in worth["days"]]

    def line(name: str, key: str) -> Series:
        values = [each[key] for each in worth["days"]]
        return Series(name=name, style=key, points=list(zip(numbers, values, strict=True)))

    def day(number: float, _step: float) -> str:
        return f"{first + timedelta(days=round(number)):%Y-%m-%d}"

    def amount(value: float, step: float) -> str:
        return f"{value:,.{0 if step >= 1.0 else 2}f}"

    decided = "with memory's stakes" if worth["applied"] else "with memory's stakes (shadow)"
    return draw(
        f"Profit, {worth['stake_currency']}",
        [line("with the proposed stakes", "without"), line(decided, "with")],
        x_label=day,
        y_label=amount,
        x_ticks=[round(n * numbers[-1] / (_N_DATES - 1)) for n in range(_N_DATES)],
    )
