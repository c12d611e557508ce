"""Numbers as people read them: counted things, shares without a negative zero, currencies."""

from __future__ import annotations

_SURE = 0.99


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
