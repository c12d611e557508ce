"""The pictures as one HTML file: no script, no file or font from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.compare.report.pages import page_of
from freqtrade_mem0.plot.pictures import calibration, heat_map, multipliers, profits

if TYPE_CHECKING:
    import pandas as pd


def page(
    name: str, ledger: pd.DataFrame, situations: pd.DataFrame, features: tuple[str, str]
) -> str:
    """Return the page.

    Parameters
    ----------
    name
        Of the run or bot.
    ledger, situations
        Its frames, see `freqtrade_mem0.frames`.
    features
        Two features of a situation for the heat map.
    """
    currency = (
        str(ledger["pair"].iloc[0]).partition("/")[2].partition(":")[0] if len(ledger) else ""
    )
    calibrated, about_it = calibration(ledger)
    return page_of(
        "freqtrade_mem0.plot",
        "plot.html.j2",
        name=name,
        n_decisions=len(ledger),
        drawings=[each for each in (profits(ledger, currency), multipliers(ledger)) if each],
        calibrated=calibrated,
        about_it=about_it,
        heat=heat_map(situations, *features),
        features=features,
    )
