"""Alerts that wait: added by any thread, sent by the main loop, not too often."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.config.alert_settings import AlertSettings
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.decide.decider import Answer
from freqtrade_mem0.insight.shrinkage import NOTHING
from freqtrade_mem0.records.decision import Reason
from freqtrade_mem0.run.bot.alerts.pending import PendingAlerts
from freqtrade_mem0.run.bot.alerts.throttle import Alerts
from freqtrade_mem0.sizing.policy import Wish
from tests.support.runs import a_bot, a_run
from tests.support.samples import NOTED, ORIGIN, START, a_risk_event, at
from tests.support.session_stage import POLICY, proposal
from tests.unit.run.bot.test_alerts import Owner

if TYPE_CHECKING:
    from pathlib import Path

RECONCILER = "freqtrade_mem0.run.bot.reconcile.reconciler.Reconciler"


def an_answer(stake: float, *, applied: bool, veto: Reason | None = None) -> Answer:
    """Return the answer to a proposed stake of 100."""
    return Answer(
        ORIGIN,
        proposal(),
        Wish(multiplier=stake / 100.0, reasons=()),
        policy=POLICY,
        multiplier=stake / 100.0,
        stake=stake,
        applied=applied,
        whole=(NOTHING, 0.0),
        reasons=() if veto is None else (veto,),
        is_vetoed=veto is not None,
    )


def test_events_of_one_kind_are_told_together() -> None:
    """The last, and how many it stands for; after the interval those held back are counted."""
    owner = Owner()
    alerts, pending = owner.alerts(), PendingAlerts(AlertSettings(), START)
    for number in range(3):
        pending.add_risk_event(a_risk_event(number, description=f"number {number}"))
    pending.add_risk_event(a_risk_event(9, event_type="drawdown"))
    assert owner.heard == []
    pending.send(alerts)
    assert owner.heard == [
        "Risk event stop_loss of Sample: number 2. (2 more of this kind since the last alert)",
        "Risk event drawdown of Sample: stop loss of long ETH/USDT at -4.00%.",
    ]
    for owner.now_s in (10.0, 20.0, 120.0):
        pending.add_risk_event(a_risk_event(4, description=f"at {owner.now_s:g}"))
        pending.send(alerts)
    pending.send(alerts)
    assert owner.heard[2:] == [
        "Risk event stop_loss of Sample: at 120. (2 more of this kind since the last alert)"
    ]


def test_only_what_became_known_since_the_start_is_told() -> None:
    """What a database of weeks ago gives is recorded, and no news; what is told has its time."""
    heard: list[str] = []
    alerts = Alerts(heard.append, 100.0, lambda: 0.0)
    pending = PendingAlerts(AlertSettings(), since=at(24))
    for hours in (1, 23.999, 24, 0):
        pending.add_risk_event(a_risk_event(round(hours), known_at=at(hours)))
    pending.send(alerts)
    what = "Risk event stop_loss of Sample: stop loss of long ETH/USDT at -4.00%."
    assert heard == [f"2024-01-02 00:00 UTC: {what}"]


def test_risk_can_be_silenced() -> None:
    """`alerts.risk` false."""
    owner = Owner()
    pending = PendingAlerts(AlertSettings(risk=False), START)
    pending.add_risk_event(a_risk_event(1))
    pending.send(owner.alerts())
    assert owner.heard == []


@pytest.mark.parametrize(
    ("threshold", "stake", "applied", "expected"),
    [
        (0.5, 151.0, True, 1),
        (0.5, 49.0, True, 1),
        (0.5, 149.0, True, 0),
        (0.5, 51.0, True, 0),
        (0.5, 25.0, False, 0),
        (None, 25.0, True, 0),
    ],
)
def test_a_stake_that_was_scaled_far_is_told(
    threshold: float | None, stake: float, applied: bool, expected: int
) -> None:
    """Beyond the threshold, in both directions; not in shadow; not by default."""
    owner = Owner()
    pending = PendingAlerts(AlertSettings(stake_change=threshold), START)
    pending.add_answer(an_answer(stake, applied=applied))
    pending.send(owner.alerts())
    assert len(owner.heard) == expected


def test_a_refused_entry_is_told_as_such() -> None:
    """Whatever its multiplier was."""
    owner = Owner()
    pending = PendingAlerts(AlertSettings(stake_change=0.9), START)
    veto = Reason(name="vetoed", text="x0.6 is too little")
    pending.add_answer(an_answer(60.0, applied=True, veto=veto))
    pending.send(owner.alerts())
    assert "a stake of 100 USDT was refused: no entry" in owner.heard[0]


def test_the_queue_is_bounded() -> None:
    """An owner's loop that stands still costs no memory."""
    owner = Owner()
    pending = PendingAlerts(AlertSettings(), START, most=5)
    for number in range(100):
        pending.add_risk_event(a_risk_event(number, description=f"number {number}"))
    pending.send(owner.alerts())
    assert "number 99. (4 more" in owner.heard[0]


def test_only_the_loop_of_a_bot_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An event that a worker thread notes is sent by the thread that ticks."""
    monkeypatch.setattr(f"{RECONCILER}.run", lambda *_: None)
    monkeypatch.setattr("freqtrade_mem0.host.trade_database.active_bot_locks", lambda _: [])
    senders: list[int] = []
    settings = Settings.model_validate({"mode": "local", "user_id": "me"})
    bot = a_bot(a_run(tmp_path, settings), lambda _: senders.append(_thread()), lambda: NOTED)
    try:
        bot.tick(NOTED)
        worker = threading.Thread(target=bot.session._risk.ranged, args=("ETH/USDT", 2.5, NOTED))
        worker.start()
        worker.join()
        assert senders == []
        bot.tick(NOTED)
        assert senders == [_thread()]
    finally:
        bot.close()


def test_locks_that_can_not_be_read_stop_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reconciliation and sync go on; it is tried again at the next loop."""
    reconciled = []
    monkeypatch.setattr(
        f"{RECONCILER}.run",
        lambda *_: reconciled.append(1),
    )
    monkeypatch.setattr("freqtrade_mem0.host.trade_database.active_bot_locks", lambda _: 1 / 0)
    settings = Settings.model_validate({"mode": "local", "user_id": "me"})
    bot = a_bot(a_run(tmp_path, settings), now=lambda: NOTED)
    try:
        bot.tick(NOTED)
    finally:
        bot.close()
    assert reconciled == [1]


def _thread() -> int:
    return threading.get_ident()
