"""The pictures as one HTML file: no script, no file or font from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from freqtrade_mem0 import __version__
from freqtrade_mem0.compare.report import charts
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
    environment = Environment(
        loader=ChoiceLoader(
            [PackageLoader("freqtrade_mem0.plot"), PackageLoader("freqtrade_mem0.compare.report")]
        ),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.globals["charts"] = charts
    currency = (
        str(ledger["pair"].iloc[0]).partition("/")[2].partition(":")[0] if len(ledger) else ""
    )
    calibrated, about_it = calibration(ledger)
    return environment.get_template("plot.html.j2").render(
        name=name,
        n_decisions=len(ledger),
        drawings=[each for each in (profits(ledger, currency), multipliers(ledger)) if each],
        calibrated=calibrated,
        about_it=about_it,
        heat=heat_map(situations, *features),
        features=features,
        version=__version__,
    )
