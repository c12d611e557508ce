"""A memory with bots and a backtest whose every text is hostile to some output."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from freqtrade_mem0.records.base import Mode, Origin
from freqtrade_mem0.records.decision import AccountState, Reason
from tests.support.hostile_text import HOSTILE_TEXTS
from tests.support.samples import (
    a_backtest,
    a_decision,
    a_note,
    a_pattern,
    a_risk_event,
    a_trade,
    at,
    opened,
)

if TYPE_CHECKING:
    from tests.support.served import Served

TEXTS = tuple(text for text in HOSTILE_TEXTS if len(text) < 100 and "\ud83d" not in text)
"""Those that a record may have: short, and of whole characters."""

MARKUP = "<script>alert(1)</script>"
N = 120


def fill_hostile(running: Served) -> None:
    """Write what two bots and a backtest write, and what a person tells."""
    user = running.service.memory.settings.user_id
    for strategy, mode, run_id in (
        ("Trend", Mode.LIVE, "bot-1"),
        (MARKUP, Mode.DRY_RUN, "<img src=x onerror=alert(1)>"),
        ("Trend", Mode.BACKTEST, "run-1"),
    ):
        _fill(running, Origin(user_id=user, strategy=strategy, mode=mode, run_id=run_id))


def _fill(running: Served, origin: Origin) -> None:
    journal, draw = running.service.memory.journal, np.random.default_rng(7)
    profits = draw.normal(0.003, 0.03, N)
    for number, profit in enumerate(profits.tolist()):
        text = TEXTS[number % len(TEXTS)]
        pair = f"{text}/USDT" if number % 3 == 0 else ("ETH/USDT", "BTC/USDT")[number % 2]
        multiplier = round(1.0 + float(draw.normal(0.0, 0.2)), 3)
        shared: dict[str, Any] = {"origin": origin, "pair": pair, "enter_tag": text}
        decision = a_decision(
            number,
            decided_at=at(4 * number),
            proposed_stake=100.0,
            multiplier=multiplier,
            stake=100.0 * multiplier,
            n_effective=float(number),
            reasons=(
                Reason(
                    name="strategy",
                    value=origin.strategy,
                    n_effective=number + 0.5,
                    mean_ratio=0.003,
                    mean_error=0.002,
                    effect=(multiplier - 1.0) / 2.0,
                ),
                Reason(
                    name="pair",
                    value=pair,
                    n_effective=number / 3.0,
                    mean_ratio=-0.004,
                    mean_error=0.003,
                    effect=(multiplier - 1.0) / 4.0,
                ),
                Reason(name="risk", value="stop_loss", text=text, effect=(multiplier - 1.0) / 4.0),
            ),
            situation={"rsi": 31.5, "regime": text or "x", "volatility": 0.01},
            account=AccountState(
                followed=0.34,
                experts={text or "x": 0.34},
                earned=0.84,
                floor=-1.78,
                earned_ratio=0.012,
                n_trades=float(number),
            ),
            **shared,
        )
        trade = a_trade(
            number,
            profit_ratio=profit,
            closed_at=at(4 * number + 3),
            open_date=at(4 * number),
            stake_amount=100.0 * multiplier,
            profit_abs=100.0 * multiplier * profit,
            exit_reason=TEXTS[(number + 5) % len(TEXTS)],
            decision_id=decision.id,
            situation=decision.situation,
            **shared,
        )
        is_open = number == N - 1
        journal.append([decision, opened(decision, trade), *([] if is_open else [trade])])
    journal.append([a_decision(N, origin=origin, decided_at=at(4 * N), enter_tag=MARKUP)])
    records = [
        *(a_note(n, origin=origin, content=f"note {text}") for n, text in enumerate(TEXTS)),
        *(
            a_risk_event(n, origin=origin, description=f"event {text}", pair=f"{text}/USDT")
            for n, text in enumerate(TEXTS)
        ),
        *(
            a_pattern(n, origin=origin, action_recommendation=text or "x")
            for n, text in enumerate(TEXTS[:4])
        ),
    ]
    if origin.mode == Mode.BACKTEST:
        records.append(a_backtest(origin=replace(origin), pairs=("ETH/USDT", MARKUP)))
    journal.append(records)
