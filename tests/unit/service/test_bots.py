"""What is counted of bots, from the journal alone."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.lifecycle.forget.scope import ForgetScope
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.records.base import Mode, Origin
from freqtrade_mem0.run.bot.namesakes import Namesakes
from freqtrade_mem0.service.bots import MOST_BOTS, Bot, BotCounts, Counts
from freqtrade_mem0.views.forgetting import forget
from tests.support.samples import a_decision, a_risk_event, a_trade

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freqtrade_mem0.journal.append import Entry

LIVE = Bot("bot-1", "live")


def origin(name: str = "bot-1", mode: Mode = Mode.LIVE, user_id: str = "ann") -> Origin:
    """Return where a bot's records come from."""
    return Origin(user_id=user_id, strategy="Trend", mode=mode, run_id=name)


class Watched:
    """A memory, and the counts of its bots."""

    def __init__(self, folder: Path) -> None:
        settings = Settings.model_validate({"mode": "embedded", "path": folder, "user_id": "ann"})
        self.memory = MemoryFolder(settings, folder)
        self.memory.journal.open()
        self.counts = BotCounts(self.memory, self.memory.journal)

    def after(self, *entries: Entry) -> dict[Bot, Counts]:
        """Write entries, and look."""
        self.memory.journal.append(entries)
        self.counts._look_at_s = 0.0
        self.counts.look()
        return self.counts.shown


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    """An empty memory."""
    watched = Watched(tmp_path)
    yield watched
    watched.memory.close()


def test_each_row_is_counted_once(watched: Watched) -> None:
    """Also where it is corrected, or the counts are taken anew; backtests and notes are no bots."""
    own = origin()
    others = (origin("run-1", Mode.BACKTEST), origin("manual", Mode.MANUAL))
    first = a_trade(1, origin=own)
    found = watched.after(
        *(first, a_trade(2, origin=own), a_risk_event(1, origin=own)),
        *(a_trade(1, origin=other) for other in others),
    )
    assert set(found) == {LIVE}
    found = watched.after(
        *(replace(first, exit_reason="corrected"), a_trade(3, origin=own)),
        *(a_risk_event(number, origin=own) for number in (1, 2)),
    )
    fresh = BotCounts(watched.memory, watched.memory.journal)
    fresh.look()
    for each in (found[LIVE], fresh.shown[LIVE]):
        assert (each.n_trades, each.n_risk_events, each.n_decisions) == (3, 2, 0)
        assert (each.n_pending, each.n_dead) == (5, 0)


def test_decisions_say_how_stakes_moved(watched: Watched) -> None:
    """The newest ones; whether recall knew a trade; and when the bot last did something."""

    def decided(number: int, **values: Any) -> Entry:
        return replace(a_decision(number, origin=origin()), **values)

    many = [decided(each, multiplier=0.5, n_effective=0.0) for each in range(60)]
    found = watched.after(*many)[LIVE]
    assert (found.n_decisions, set(found.multipliers), any(found.hits)) == (60, {0.5}, False)
    found = watched.after(decided(60, multiplier=1.5, n_effective=3.0))[LIVE]
    assert (found.n_decisions, len(found.multipliers)) == (61, 50)
    assert (found.multipliers[-1], found.hits[-1], found.hits[-2]) == (1.5, True, False)
    newest = max(each.decided_at.timestamp() for each in [*many, decided(60)])  # type: ignore[union-attr]
    assert found.last_ms == round(newest * 1_000)


def test_what_is_forgotten_is_not_counted(watched: Watched) -> None:
    """Not even its name."""
    other = Bot("bot-2", "live")
    rows = a_trade(1, origin=origin()), a_trade(2, origin=origin("bot-2"))
    assert set(watched.after(*rows)) == {LIVE, other}
    forget(watched.memory, ForgetScope(user_id="ann", strategy=None, run_id="bot-2"))
    assert set(watched.after()) == {LIVE}


def test_who_runs_is_seen_by_its_signs(watched: Watched) -> None:
    """One process is up, two of one name are namesakes, and who is silent is neither."""
    assert not watched.after(a_trade(1, origin=origin()))[LIVE].n_running
    now_s = time.time()
    for n in (1, 2):
        Namesakes(watched.memory.marks, origin(), 60.0).look(f"database {n}", now_s)
        found = watched.after()[LIVE]
        assert (found.n_running, found.has_namesake) == (n, n == 2)
    (name,) = watched.memory.marks.all("bots ")
    watched.memory.marks.set(f"bots {name}", {})
    assert (watched.after()[LIVE].n_running, watched.counts.shown[LIVE].has_namesake) == (0, False)


def test_the_newest_bots_are_shown_and_the_others_counted(watched: Watched) -> None:
    """However many there are, and whoever owns them."""
    names = [f"bot-{n}" for n in range(MOST_BOTS + 3)]
    rows = [
        replace(
            a_trade(n, origin=origin(name, user_id=f"user-{n % 7}")),
            recorded_at=a_trade(n).known_at,
        )
        for n, name in enumerate(names)
    ]
    shown = watched.after(*rows)
    assert len(shown) == MOST_BOTS
    assert watched.counts.n_left_out == 3
    assert {bot.bot for bot in shown}.isdisjoint(names[:3])
