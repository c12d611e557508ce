"""What is measured again: policies by name, each a function from a trade table to multipliers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks.value.experts import (
    HIGH,
    LOW,
    Response,
    Split,
    entry_style,
    own_slope,
    response,
    split,
)
from benchmarks.value.replayed import replayed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trial:
    """A policy, why it was tried, and whether it is measured in all worlds, too."""

    why: str
    multipliers: Callable[[pd.DataFrame], Floats]
    in_worlds: bool = False


def _bayes(table: pd.DataFrame) -> Floats:
    if "bayes" not in table.attrs:  # the replay is slow, and several trials need it
        table.attrs["bayes"] = replayed(table, "bayes")
    return np.asarray(table.attrs["bayes"], dtype=np.float64)


def _fixed(power: float) -> Callable[[pd.DataFrame], Floats]:
    return lambda table: np.clip(np.exp(power * entry_style(table).z), LOW, HIGH)


def _response(
    base: float = 0.5, contrarian: float = 0.5, sided: float = 0.8
) -> Callable[[pd.DataFrame], Floats]:
    constants = Response(base=base, contrarian=contrarian, sided=sided)
    return lambda table: response(table, constants)


def _split(
    *experts: Callable[[pd.DataFrame], Floats],
    share: float = 0.3,
    rate: float = 0.2,
    at_risk: float = 0.5,
) -> Callable[[pd.DataFrame], Floats]:
    constants = Split(share=share, rate=rate, at_risk=at_risk)
    return lambda table: split(table, *(say(table) for say in experts), constants=constants)


TRIALS = {
    "split": Trial("the default: response, .3 / .2", _split(_response()), in_worlds=True),
    "split, account alone": Trial("no floor under stakes", _split(_response(), at_risk=np.inf)),
    "response": Trial("followed without a floor", _response(), in_worlds=True),
    "bayes": Trial("the package's own code, alone", _bayes, in_worlds=True),
    "split, bayes": Trial("with the same floor", _split(_bayes)),
    "split, response + bayes": Trial(
        "does bayes earn a place?", _split(_response(), _bayes, share=0.4)
    ),
    "split .4": Trial("a larger share, to compare", _split(_response(), share=0.4)),
    "split .5": Trial("a larger share", _split(_response(), share=0.5)),
    "split, rate .1": Trial("a slower split", _split(_response(), rate=0.1)),
    "split, rate .3": Trial("a faster split", _split(_response(), rate=0.3)),
    "own slope": Trial("the answer learned from the own trades", own_slope),
    "split, own slope": Trial("the same, with a floor", _split(own_slope)),
    "split, response + own slope": Trial("both", _split(_response(), own_slope, share=0.4)),
    "split, response 0/1/.8": Trial("fitted on 2018-2020 spot", _split(_response(0.0, 1.0))),
    "split, response .25/1/.8": Trial("half-way to it", _split(_response(0.25, 1.0))),
    "more when volatile": Trial("a fixed sign", _fixed(0.5)),
    "less when volatile": Trial("volatility targeting", _fixed(-0.5)),
}
