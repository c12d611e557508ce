from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from standardwebhooks import Webhook

from freqtrade_mem0.audit.log import AuditLog
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.records.base import Mode
from freqtrade_mem0.sqlite_files.alone import alone
from freqtrade_mem0.webhooks.endpoint import configured
from freqtrade_mem0.webhooks.event import MOST_BYTES
from freqtrade_mem0.webhooks.post import Outcome
from freqtrade_mem0.webhooks.schedule import PAUSES_S
from freqtrade_mem0.webhooks.sender import LOCK, WebhookSender
from freqtrade_mem0.webhooks.signature import new_secret
from tests.servers.loopback import Answer
from tests.servers.webhook_receiver import Receiver
from tests.support.samples import (
    BACKTEST,
    ORIGIN,
    a_decision,
    a_note,
    a_pattern,
    a_risk_event,
    a_trade,
    at,
)
from tests.support.wait import HANG_S
from tests.support.webhooks import Hooked, Scripted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOWN = Outcome(status=None, error="It did not answer.")
TAKEN = Outcome(status=204, error="")
HOUR_S = 3_600.0
DAY_S = 24 * HOUR_S


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Return a receiver that listens."""
    with Receiver() as receiving:
        yield receiving


@pytest.fixture
def hooked(tmp_path: Path, receiver: Receiver) -> Hooked:
    """Return a memory whose events are sent to the receiver."""
    return Hooked(tmp_path, receiver.url)


def test_what_a_bot_notes_is_sent_once_in_its_order(hooked: Hooked, receiver: Receiver) -> None:
    """A trade, a risk event and a pattern, each with its sentence."""
    hooked.add(a_trade(1), a_risk_event(2), a_pattern(known_at=at(3)), a_note(4))
    hooked.run()
    hooked.run()
    assert receiver.types == ["trade.closed", "risk.event", "pattern.found"]
    body = receiver.asked[0].body
    assert body["timestamp"] == "2024-01-01T01:00:00Z"
    assert body["data"]["id"] == a_trade(1).id
    assert body["data"]["text"] == a_trade(1).sentence()
    assert body["data"]["origin"]["strategy"] == "Sample"


def test_what_was_there_before_the_endpoint_is_not_sent(tmp_path: Path, receiver: Receiver) -> None:
    """A new endpoint hears of news alone."""
    first = Hooked(tmp_path, receiver.url, events=["job"])
    first.add(a_trade(1))
    first.sender.close()
    hooked = Hooked(tmp_path / "other", receiver.url)
    hooked.add(a_trade(2))
    hooked.run()
    assert [each.body["data"]["id"] for each in receiver.asked] == [a_trade(2).id]


def test_history_and_what_is_not_of_bots_is_not_sent(hooked: Hooked, receiver: Receiver) -> None:
    """Backtests, told trades, other owners, and an old trade that is recorded now."""
    manual = replace(ORIGIN, mode=Mode.MANUAL)
    other = replace(ORIGIN, user_id="somebody")
    hooked.add(a_trade(1, origin=BACKTEST), a_trade(2, origin=manual), a_trade(3, origin=other))
    hooked.add(a_trade(4, closed_at=at(-8 * 24)))
    hooked.journal.adopt([a_trade(5)])
    assert hooked.run() == (0, 0)
    assert receiver.asked == []


def test_a_trade_that_changes_is_a_correction_under_another_id(
    hooked: Hooked, receiver: Receiver
) -> None:
    """And the same trade noted again is nothing new."""
    hooked.add(a_trade(1))
    hooked.run()
    hooked.add(a_trade(1))
    hooked.run()
    hooked.add(a_trade(1, profit_ratio=0.02))
    hooked.run()
    assert receiver.types == ["trade.closed", "trade.corrected"]
    assert len(set(receiver.ids)) == 2
    first, second = (each.body["data"]["id"] for each in receiver.asked)
    assert first == second


def test_a_pattern_is_told_when_found_and_withdrawn_and_not_between(
    hooked: Hooked, receiver: Receiver
) -> None:
    """Each trade changes its numbers a little."""
    for changes in (
        {},
        {"occurrence_count": 120},
        {"is_active": False, "withdrawn_at": at(5)},
        {"is_active": False, "withdrawn_at": at(5), "occurrence_count": 121},
    ):
        hooked.add(a_pattern(known_at=at(4), **changes))
        hooked.run()
    assert receiver.types == ["pattern.found", "pattern.withdrawn"]


@pytest.mark.parametrize(
    ("stake", "applied", "is_sent"),
    [
        (49.0, True, True),
        (151.0, True, True),
        (51.0, True, False),
        (100.0, True, False),
        (10.0, False, False),
    ],
)
def test_a_stake_that_was_changed_far_is_told(
    hooked: Hooked, receiver: Receiver, stake: float, *, applied: bool, is_sent: bool
) -> None:
    """Not one in shadow mode, where the trade got the proposed stake."""
    hooked.add(a_decision(1, proposed_stake=100.0, stake=stake, applied=applied))
    hooked.run()
    assert receiver.types == ["stake.changed"] * is_sent


def test_drift_is_an_event_of_its_own(hooked: Hooked, receiver: Receiver) -> None:
    """It is a risk event in the journal."""
    hooked.add(a_risk_event(1, event_type="trigger_win_rate"), a_risk_event(2))
    hooked.run()
    assert receiver.types == ["drift.triggered", "risk.event"]


def test_an_endpoint_gets_what_it_asked_for(tmp_path: Path, receiver: Receiver) -> None:
    """By type or by group."""
    hooked = Hooked(tmp_path, receiver.url, events=["risk.event", "pattern"])
    hooked.add(a_trade(1), a_risk_event(2), a_pattern(known_at=at(3)))
    hooked.run()
    assert receiver.types == ["risk.event", "pattern.found"]


def test_messages_are_signed_with_both_secrets(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One from a variable, one from a file, which may be replaced while it runs."""
    old, new, newest = (new_secret() for _ in range(3))
    file = tmp_path / "secret"
    file.write_text(f"{old}\n")
    monkeypatch.setenv("HOOK_SECRET", new)
    secrets = {"secret": "env:HOOK_SECRET", "old_secret": f"file:{file}"}
    hooked = Hooked(tmp_path / "mem0", receiver.url, **secrets)
    hooked.add(a_trade(1))
    hooked.run()
    file.write_text(newest)
    hooked.add(a_trade(2))
    hooked.run()
    for number, secret in ((0, old), (0, new), (1, new), (1, newest)):
        asked = receiver.asked[number]
        at_s = int(asked.headers["webhook-timestamp"])
        assert at_s == int(hooked.now_s)
        signed = Webhook(secret).sign(
            asked.headers["webhook-id"], datetime.fromtimestamp(at_s, UTC), asked.raw.decode()
        )
        assert signed in asked.headers["webhook-signature"].split(" ")
    (use,) = AuditLog(hooked.folder).uses()[0]
    assert (use.action, use.source) == ("used", "env:HOOK_SECRET")
    assert use.credential == "mem0.webhooks.endpoints.there.secret"


def test_an_outage_of_a_day_loses_nothing(tmp_path: Path) -> None:
    """Every event arrives once, under the id of its first attempt, in order, over restarts."""
    endpoint = Scripted(TAKEN)
    hooked = Hooked(tmp_path, "http://n8n:5678/", post=endpoint)
    hooked.add(a_trade(1))
    hooked.run()
    endpoint.outcome = DOWN
    for number in range(2, 50):
        hooked.add(a_trade(number, closed_at=at(10)))
        for _ in range(6):
            hooked.after(300)
        if number % 10 == 0:
            hooked.restart()
    assert hooked.states() == {"sent": 1, "waiting": 48}
    tried, endpoint.outcome = list(endpoint.ids), TAKEN
    endpoint.ids.clear()
    hooked.add(a_trade(50, closed_at=at(10)))
    for _ in range(3):
        hooked.after(300)
    assert hooked.states() == {"sent": 50}
    assert len(endpoint.ids) == len(set(endpoint.ids)) == 49
    assert set(tried) - {tried[0]} <= set(endpoint.ids)
    rows = hooked.sender.file.rows("SELECT id FROM messages ORDER BY number")
    # The one that was due found out that the endpoint is there again; then all others, in order.
    in_order = [message_id for (message_id,) in rows if message_id in endpoint.ids[1:]]
    assert endpoint.ids[1:] == in_order
    # An endpoint that is down is asked now and then, and not for each message each time.
    assert len(tried) < 24 * 12 + 2


def test_one_message_is_tried_over_three_days_and_then_kept_as_dead(tmp_path: Path) -> None:
    """At 0 s, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h and so on; by command it is sent again."""
    endpoint = Scripted(DOWN)
    hooked = Hooked(tmp_path, "http://n8n:5678/", post=endpoint)
    hooked.add(a_trade(1))
    began_s, tried_s = hooked.now_s, []
    while hooked.states() != {"dead": 1}:
        n_before = len(endpoint.ids)
        hooked.after(5)
        if len(endpoint.ids) > n_before:
            tried_s.append(hooked.now_s - began_s)
        elif hooked.states() == {"waiting": 1}:
            ((due_ms,),) = hooked.sender.file.rows("SELECT due_ms FROM messages")
            hooked.now_s = max(hooked.now_s, due_ms / 1_000 - 5)
    pauses = [b - a for a, b in zip([0.0, *tried_s], tried_s, strict=False)]
    assert len(pauses) == len(PAUSES_S)
    for pause_s, planned_s in zip(pauses, PAUSES_S, strict=True):
        assert planned_s <= pause_s <= planned_s * 1.1 + 5
    assert 3 * DAY_S <= tried_s[-1] < 3.6 * DAY_S
    assert len(set(endpoint.ids)) == 1
    endpoint.outcome = TAKEN
    assert hooked.after(DAY_S) == (0, 0)
    assert hooked.queue.replay([], None) == 1
    assert hooked.run() == (1, 0)
    assert len(set(endpoint.ids)) == 1


def test_a_message_that_is_refused_holds_up_no_other(hooked: Hooked, receiver: Receiver) -> None:
    """But what is about the same record keeps its order."""
    receiver.fails("answer", answer=Answer(400, ""), times=1)
    hooked.add(a_trade(1), a_trade(2))
    hooked.run()
    hooked.add(a_trade(1, profit_ratio=0.5))
    hooked.run()
    assert hooked.states() == {"sent": 1, "waiting": 2}
    hooked.after(6)
    kinds = [(each.body["type"], each.body["data"]["id"]) for each in receiver.asked]
    one, two = a_trade(1).id, a_trade(2).id
    assert kinds == [
        ("trade.closed", one),
        ("trade.closed", two),
        ("trade.closed", one),
        ("trade.corrected", one),
    ]


def test_an_endpoint_that_is_gone_gets_nothing_until_it_is_enabled(
    hooked: Hooked, receiver: Receiver
) -> None:
    """What happens meanwhile is not lost."""
    receiver.fails("answer", answer=Answer(410, ""))
    hooked.add(a_trade(1))
    hooked.run()
    receiver.works()
    hooked.add(a_trade(2))
    assert hooked.after(DAY_S) == (0, 0)
    assert receiver.count("POST") == 1
    assert hooked.queue.enable()
    hooked.run()
    sent = [each.body["data"]["id"] for each in receiver.asked]
    assert sent == [a_trade(1).id, a_trade(1).id, a_trade(2).id]
    assert not hooked.queue.enable()


def test_a_wait_that_is_asked_for_is_kept(hooked: Hooked, receiver: Receiver) -> None:
    """Nothing is sent before; 429 says so for all messages."""
    receiver.fails("answer", answer=Answer(429, "", {"Retry-After": "600"}), times=1)
    hooked.add(a_trade(1), a_trade(2))
    hooked.run()
    hooked.after(590)
    assert receiver.count("POST") == 1
    hooked.after(20)
    assert hooked.states() == {"sent": 2}


def test_a_clock_that_was_set_back_delays_nothing(hooked: Hooked, receiver: Receiver) -> None:
    """By much: what waits is due at once."""
    hooked.now_s += 5 * DAY_S
    receiver.fails("drop", times=1)
    hooked.add(a_trade(1))
    hooked.run()
    hooked.now_s -= 5 * DAY_S
    hooked.run()
    assert hooked.states() == {"sent": 1}


def test_one_process_sends_at_a_time(hooked: Hooked, receiver: Receiver) -> None:
    """The other one leaves it to that one."""
    hooked.add(a_trade(1))
    with alone(hooked.folder / LOCK):
        assert hooked.sender.run() is None
    assert receiver.asked == []
    hooked.run()
    assert receiver.count("POST") == 1


def test_a_journal_that_was_restored_is_read_again_and_nothing_is_sent_twice(
    tmp_path: Path, receiver: Receiver
) -> None:
    """Its rows have other numbers."""
    hooked = Hooked(tmp_path, receiver.url)
    hooked.add(a_trade(1), a_trade(2))
    hooked.run()
    hooked.journal.close()
    hooked.sender.close()
    for file in tmp_path.glob("journal.sqlite*"):
        file.unlink()
    hooked.add(a_trade(3), a_trade(1))
    hooked.run()
    sent = [each.body["data"]["id"] for each in receiver.asked]
    assert sent == [a_trade(1).id, a_trade(2).id, a_trade(3).id]


def test_many_events_after_a_long_pause_all_arrive(hooked: Hooked, receiver: Receiver) -> None:
    """More than are read, or sent, at once."""
    hooked.add(*(a_trade(number, closed_at=at(9)) for number in range(1_100)))
    while hooked.run() != (0, 0):
        pass
    assert Counter(receiver.ids).most_common(1)[0][1] == 1
    assert len(receiver.ids) == 1_100


def test_no_body_is_larger_than_receivers_take(hooked: Hooked, receiver: Receiver) -> None:
    """One that would be has its id and a short text."""
    large = a_risk_event(1, description="\x01" * 9_000)
    hooked.add(large)
    hooked.run()
    (asked,) = receiver.asked
    assert len(asked.raw) <= MOST_BYTES
    assert (asked.body["data"]["id"], asked.body["data"]["is_cut"]) == (large.id, True)


def test_messages_of_a_month_ago_are_deleted(hooked: Hooked) -> None:
    """What waits is not."""
    hooked.add(a_trade(1))
    hooked.run()
    hooked.restart()
    hooked.after(31 * DAY_S)
    assert hooked.states() == {}


def test_a_killed_sender_loses_nothing(tmp_path: Path) -> None:
    """What it was sending is sent again, under the same id, by the next process."""
    with Receiver() as receiver:
        receiver.fails("hang")
        hooked = Hooked(tmp_path, receiver.url)
        hooked.add(a_trade(1), a_trade(2))
        hooked.sender.close()
        child = subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(tmp_path), receiver.url, str(hooked.now_s)],
            env=os.environ | {"PYTHONPATH": "."},
        )
        while not receiver.asked and child.poll() is None:
            pass
        child.kill()
        child.wait()
        receiver.works()
        hooked.run()
    assert receiver.ids[0] == receiver.ids[1]
    assert len(set(receiver.ids)) == 2
    assert hooked.states() == {"sent": 2}


_CHILD = """
import sys
from pathlib import Path
from tests.support import webhooks
webhooks.NOW_S = float(sys.argv[3])
webhooks.Hooked(Path(sys.argv[1]), sys.argv[2])
"""


def test_trouble_of_memory_is_told_and_its_end(tmp_path: Path, receiver: Receiver) -> None:
    """As delivery notes it in the journal, whoever delivers."""
    hooked = Hooked(tmp_path, receiver.url)
    hooked.settings = hooked.settings.model_copy(update={"mode": "embedded"})
    hooked.restart()
    outbox = hooked.sender._feed._outbox
    hooked.add(a_trade(1, origin=BACKTEST))
    ((seq, _),) = outbox.pending(1)
    for _ in range(hooked.settings.delivery.breaker_failures):
        outbox.failed([seq], "away")
    hooked.run()
    hooked.run()
    assert receiver.types == ["memory.trouble"]
    outbox.delivered([seq], at(1))
    hooked.restart()
    hooked.run()
    assert receiver.types == ["memory.trouble", "memory.recovered"]
    assert json.loads(receiver.asked[0].raw)["data"]["name"] == "mem0"


def test_an_endpoint_that_hangs_holds_up_no_other(tmp_path: Path) -> None:
    """Each has its own thread while there is something to send."""
    hooked = Hooked(tmp_path, "http://one.test/", post=Scripted(TAKEN))
    both = {name: {"url": f"http://{name}.test/"} for name in ("one", "two")}
    settings = Settings.model_validate(
        {"mode": "local", "user_id": "me", "webhooks": {"enabled": True, "endpoints": both}}
    )
    two_was_sent, waited = threading.Event(), []

    def post(url: str, *_: object) -> Outcome:
        if "two" in url:
            two_was_sent.set()
        else:
            waited.append(two_was_sent.wait(HANG_S))
        return TAKEN

    chosen = configured(settings.webhooks, {})
    sender = WebhookSender(tmp_path, settings, chosen, now=lambda: hooked.now_s, send=post)
    sender.run()
    hooked.add(a_trade(1))
    assert sender.run() == (2, 0)
    assert waited == [True]
    sender.close()
