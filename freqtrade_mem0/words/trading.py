"""Trading terms that mean much the same, so that a search finds notes in other words.

Each line is a group. A query that holds one member is also searched for the others. The table is a
short glossary of the field: names of coins, slang, indicators, orders, risk, operation. It is no
list of questions: a new line needs to be true of every trader's notes.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

_GROUPS = """
BTC, bitcoin, XBT
ETH, ethereum, ether
SOL, solana
ADA, cardano
XRP, ripple
DOGE, dogecoin
BNB, binance coin
LTC, litecoin
DOT, polkadot
AVAX, avalanche
LINK, chainlink
ATOM, cosmos
MATIC, POL, polygon
XMR, monero
SHIB, shiba inu
BCH, bitcoin cash
XLM, stellar
TRX, tron
UNI, uniswap
FIL, filecoin
ARB, arbitrum
OP, optimism
APT, aptos
stablecoin, USDT, USDC, DAI, tether
depeg, peg
altcoin, alt, small cap
whale, large holder
miner, mining
gas, network fee
perp, perpetual, swap, futures, contract, derivative
spot, underlying
contango, premium
backwardation, negative premium
funding, carry
open interest, open contracts
margin call, margin, liquidation, liquidated
leverage, gearing
bull, bullish, uptrend, rising
bear, bearish, downtrend, falling
range, sideways, flat, consolidation
pullback, dip, retracement, correction
bounce, rebound, recovery
crash, sell-off, plunge, dump
capitulation, panic selling
rally, climb, surge, pump
breakout, break
fakeout, false breakout
support, floor
resistance, ceiling
oversold, lower band
overbought, upper band
death cross, moving average crossed below
golden cross, moving average crossed above
moving average, EMA, SMA
mean reversion, range trading
trend following, trending, directional
volatility, ATR, swings
volume, turnover
order book, depth, liquidity
spread, bid and ask
slippage, market impact, fill
fee, commission, trading cost
stop loss, stoploss, stop
trailing stop, trailing
take profit, target
stopped out, stop hit
scaling out, partial exit
averaging down, martingale
revenge trading, emotional
position size, stake, exposure
diversification, correlation
drawdown, loss from the peak
high-water mark, equity peak
losing streak, losses in a row, consecutive losses
win rate, hit rate, success rate
payoff, reward to risk
edge, expectancy, expectation, advantage
beta, buy and hold
overfitting, overfitted, curve fitting
optimisation, optimization, hyperopt, optimiser
backtest, simulation
out-of-sample, unseen data, walk-forward
paper trading, dry run, dry mode
circuit breaker, trading halt
protections, cooldown, pair lock
venue, exchange, broker
maintenance, downtime, outage
rate limit, too many requests
API key, credentials
delisting, delisted
notional, order size
partial fill, partly filled
timeout, timed out
websocket, stream
latency, delay
repainting, unfinished candle
news, headline, announcement
inflation, CPI
dollar, greenback, USD
stocks, equities
seed phrase, private key
tax, taxable
withdrawal, withdraw, payout
weekend, Saturday, Sunday
"""

_MOST_ADDED = 24  # words; a longer expansion would outweigh the question
ENDINGS = ("ing", "ed", "es", "s")
_SHORTEST_STEM = 3
_WORD = re.compile(r"[^\W_]+")


def also_called(query: str) -> str:
    """Return other names of the trading terms in a query, in the table's order; "" for none.

    >>> also_called("margin call on cardano")
    'ADA liquidation liquidated'
    """
    padded = f" {' '.join(stems(query))} "
    others: dict[str, None] = {}
    for group in _groups():
        held = {stemmed for stemmed, _ in group if f" {stemmed} " in padded}
        if held:
            others |= {name: None for stemmed, name in group if stemmed not in held}
    return " ".join(" ".join(others).split()[:_MOST_ADDED])


def stems(text: str, without: Container[str] = ()) -> list[str]:
    """Return the words of a text in lower case, without the endings that English adds most often.

    Words in `without` are left out.

    >>> stems("Stopped: trades, fees, a loss, buying of gas")
    ['stop', 'trad', 'fee', 'a', 'loss', 'buy', 'of', 'gas']
    """
    return [_stem(word) for word in _WORD.findall(text.lower()) if word not in without]


def _stem(word: str) -> str:
    for ending in ENDINGS:
        stem = word.removesuffix(ending)
        if stem != word and len(stem) >= _SHORTEST_STEM and not word.endswith("ss"):
            is_doubled = ending in {"ing", "ed"} and stem[-1] == stem[-2] not in "lsz"
            word = stem[:-1] if is_doubled else stem  # "stopp" is "stop"
            break
    return word[:-1] if word.endswith("e") and len(word) > _SHORTEST_STEM else word


@lru_cache(maxsize=1)
def _groups() -> tuple[tuple[tuple[str, str], ...], ...]:
    """Return the table, each name with its stems."""
    lines = (line.split(", ") for line in _GROUPS.strip().splitlines())
    return tuple(tuple((" ".join(stems(name)), name) for name in line) for line in lines)
