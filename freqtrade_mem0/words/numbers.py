"""Numbers as people read them: counted things, shares without a negative zero, currencies."""

from __future__ import annotations

import math

_SURE = 0.99
_MOST_DECIMALS = 10


def counted(n: int, one: str, many: str = "") -> str:
    """Return a number with what it counts.

    >>> counted(1, "prior"), counted(0, "prior"), counted(2, "memory", "memories")
    ('1 prior', '0 priors', '2 memories')
    """
    return f"{n:,} {one if n == 1 else many or f'{one}s'}"


def percent(ratio: float, digits: int = 2, *, signed: bool = True) -> str:
    """Return a ratio as a percentage; a zero has no sign.

    >>> percent(-0.00001), percent(0.0123), percent(0.95, 0, signed=False)
    ('0.00%', '+1.23%', '95%')
    """
    text = f"{ratio:{'+' if signed else ''}.{digits}%}"
    return text if any(each in "123456789" for each in text) else text.lstrip("+-")


def amount(value: float, digits: int = 6, *, signed: bool = False) -> str:
    """Return a number with so many digits that count, never with an exponent.

    >>> amount(123.45678), amount(0.00000515, 4, signed=True), amount(1234567.8), amount(0.0, 4)
    ('123.457', '+0.00000515', '1234568', '0')
    """
    if value == 0.0 or not math.isfinite(value):
        return f"{value:g}".lstrip("-") if value == 0.0 else f"{value:g}"
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    text = f"{value:{'+' if signed else ''}.{min(max(decimals, 0), _MOST_DECIMALS)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def times(value: float, digits: int = 2) -> str:
    """Return a multiplier; one that is nearly 1 has a digit more.

    >>> times(0.5), times(1, 3), times(0.9988)
    ('x0.50', 'x1.000', 'x0.999')
    """
    text = f"x{value:.{digits}f}"
    return f"x{value:.{digits + 1}f}" if float(text[1:]) == 1.0 != value else text


def probability(share: float) -> str:
    """Return a probability in percent; one that is nearly certain is not called certain.

    >>> probability(0.834), probability(0.9999), probability(0.001)
    ('83%', 'over 99%', 'under 1%')
    """
    if share > _SURE:
        return "over 99%"
    return "under 1%" if share < 1.0 - _SURE else f"{share:.0%}"


def stake_currency(pair: str) -> str:
    """Return the stake currency of a pair, "" where the pair does not name one.

    >>> stake_currency("ETH/USDT:USDT"), stake_currency("ETH/BTC")
    ('USDT', 'BTC')
    """
    return pair.partition("/")[2].partition(":")[0]
