"""A bot's ledger: decisions and the trades they became, as a bot of some skill makes them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.records.base import record_id
from tests.support.samples import ORIGIN, START, a_decision, a_trade, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from freqtrade_mem0.journal.append import Entry
    from freqtrade_mem0.records.base import Origin

PAIRS = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT")


def a_ledger(
    n: int,
    *,
    days: int,
    skill: float = 0.0,
    spread: float = 0.3,
    seed: int = 1,
    origin: Origin = ORIGIN,
    start: datetime = START,
    applied: bool = True,
) -> Iterator[Entry]:
    """Yield decisions, trades and links of `n` closed trades, spread evenly over `days`.

    With a skill of 1 the multipliers follow the outcomes as far as `spread` goes, with 0 not at
    all.
    """
    rng = np.random.default_rng(seed)
    ratios = 0.02 * rng.standard_t(5, n) + 0.001
    known = np.sign(ratios - ratios.mean())
    multipliers = np.clip(
        1.0 + spread * (skill * known + (1.0 - skill) * rng.standard_normal(n)), 0.25, 2.0
    )
    for number in range(n):
        opened_at = start + timedelta(days=days * number / n)
        pair = PAIRS[number % len(PAIRS)]
        multiplier = round(float(multipliers[number]), 3)
        ratio = round(float(ratios[number]), 5)
        placed = 100.0 * multiplier if applied else 100.0
        identity = record_id("trade", origin.run_id, seed, number)
        decision = replace(
            a_decision(
                origin=origin,
                pair=pair,
                decided_at=opened_at,
                multiplier=multiplier,
                stake=100.0 * multiplier,
                applied=applied,
            ),
            id=record_id("decision", origin.run_id, seed, number),
        )
        trade = a_trade(
            number,
            profit_ratio=ratio,
            closed_at=opened_at + timedelta(hours=2),
            pair=pair,
            origin=origin,
            id=identity,
            open_date=opened_at,
            stake_amount=placed,
            max_stake_amount=placed,
            profit_abs=placed * ratio,
            decision_id=decision.id,
        )
        yield decision
        yield opened(decision, trade)
        yield trade
