"""Snapshots of recall: used where they fit, noticed where they do not, and never in the way."""

from __future__ import annotations

import errno
import json
import logging
import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading
from dataclasses import replace
from datetime import timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.journal.evidence.trade import TradeEvidence
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.salvage import salvage
from freqtrade_mem0.recall import Recall, snapshot, snapshot_file
from freqtrade_mem0.recall.follow import JournalFollower
from freqtrade_mem0.recall.snapshot import Snapshots
from freqtrade_mem0.records.base import Mode
from freqtrade_mem0.records.kinds.trade import TradeRecord
from tests.support.runs import a_bot, a_run
from tests.support.samples import NOTED, ORIGIN, a_retraction, a_trade, at
from tests.support.wait import HANG_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from freqtrade_mem0.insight.shrinkage import Group, Key
    from freqtrade_mem0.journal.evidence.read import Item, Page
    from freqtrade_mem0.records.base import Origin
    from freqtrade_mem0.records.kinds.trade import TradeRecord

LEVELS = ("pair", "side", "pair*side")
SISTER = replace(ORIGIN, run_id="its sister")


@pytest.fixture(autouse=True)
def _always_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a single record be enough for a new copy."""
    monkeypatch.setattr(snapshot, "WORTH_IT", 1)
    monkeypatch.setattr(snapshot, "SHARE", 1_000_000)


class Bot:
    """A bot's recall, as it starts on a journal."""

    def __init__(self, journal: Journal, origin: Origin = ORIGIN, **settings: Any) -> None:
        levels = settings.get("levels", LEVELS)
        discount = settings.get("discount", 0.5)
        self.recall = Recall(levels, settings.get("half_life_days", 30.0))
        for trade in settings.get("told", ()):
            self.recall.add(trade, 0.125)
        self.snapshots = Snapshots(journal, self.recall, origin, discount)
        self.follower = JournalFollower(journal, self.recall, origin, discount, self.snapshots)
        self.read = 0
        real, real_pages = journal.evidence.items, journal.evidence.pages

        def counting(*args: Any, **kwargs: Any) -> Iterator[tuple[int, Item]]:
            for seq, item in real(*args, **kwargs):
                self.read += isinstance(item, TradeEvidence)
                yield seq, item

        def counting_pages(*args: Any) -> Iterator[Page]:
            for page in real_pages(*args):
                self.read += sum(len(trades.seqs) for trades in page.trades)
                yield page

        with (
            patch.object(journal.evidence, "items", counting),
            patch.object(journal.evidence, "pages", counting_pages),
        ):
            self.follower.begin()
        self.follower.close(HANG_S)

    def look(self) -> None:
        """Read what is new."""
        self.follower.run()
        self.follower.close(HANG_S)

    def known(self) -> dict[Key, Group]:
        """Return all that recall knows."""
        return self.recall.groups(at(500.25))


def without_snapshot(journal: Journal, origin: Origin = ORIGIN) -> dict[Key, Group]:
    """Return what a reading of the whole journal gives."""
    recall = Recall(LEVELS, 30.0)
    JournalFollower(journal, recall, origin, 0.5).run()
    return recall.groups(at(500.25))


def sisters(*numbers: int) -> list[TradeRecord]:
    """Return trades of a sister bot, in three pairs."""
    return [
        a_trade(n, origin=SISTER, pair=f"P{n % 3}/USDT", profit_ratio=0.003 * n - 0.01)
        for n in numbers
    ]


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """Return a journal with trades."""
    journal = Journal(tmp_path / "memory")
    journal.append(sisters(*range(40)))
    return journal


def test_the_second_start_reads_what_came_since(journal: Journal) -> None:
    """And knows the same, bit for bit."""
    first = Bot(journal)
    journal.append(sisters(41, 42))
    second = Bot(journal)

    assert (first.read, second.read) == (40, 2)
    assert without_snapshot(journal) == second.known()


def test_corrections_and_retractions_come_after_it(journal: Journal) -> None:
    """What the copy has, and the journal has corrected or taken back since, leaves no trace."""
    Bot(journal)
    one, other, third = sisters(5, 6, 7)
    journal.append([replace(one, profit_ratio=-0.5), a_retraction(other.id)])
    journal.append([replace(third, is_evidence=False)])
    journal.adopt([replace(one, profit_ratio=0.75, recorded_at=NOTED + timedelta(days=9))])

    assert without_snapshot(journal) == Bot(journal).known()


def test_what_was_told_ahead_of_the_journal_is_not_in_it(journal: Journal) -> None:
    """A bot killed before its writer came to write: the next start knows what the journal knows."""
    bot = Bot(journal)
    (own,) = sisters(3)
    bot.recall.add(replace(own, profit_ratio=9.0))
    bot.recall.add(a_trade(77))
    bot.recall.remove(sisters(4)[0].id)
    journal.append(sisters(50))
    bot.look()

    again = Bot(journal)
    assert again.read == 0
    assert without_snapshot(journal) == again.known()


def test_a_prior_is_kept_apart(journal: Journal) -> None:
    """It is told before the copy is read, counts beside it, and is not written into it."""
    prior = [a_trade(number, origin=replace(ORIGIN, mode=Mode.BACKTEST)) for number in range(9)]
    first, second = Bot(journal, told=prior), Bot(journal, told=prior)
    assert first.known() == second.known() != without_snapshot(journal)
    assert second.read == 0
    assert without_snapshot(journal) == Bot(journal).known()


def test_a_row_that_can_not_be_read_is_no_part_of_it(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor is what it has corrected; once it can be read, no copy has left it out."""
    Bot(journal)
    (trade,) = sisters(5)
    journal.append([replace(trade, profit_ratio=0.5)])
    with journal.connection.write() as sqlite:
        (facts,) = sqlite.execute("SELECT facts FROM evidence WHERE seq = 41").fetchone()
        sqlite.execute("UPDATE evidence SET facts = x'00' WHERE seq = 41")
    bot = Bot(journal)

    assert "is left out" in caplog.text
    assert (len(bot.recall), bot.known()) == (39, without_snapshot(journal))
    with journal.connection.write() as sqlite:
        sqlite.execute("UPDATE evidence SET facts = ? WHERE seq = 41", [facts])
    assert len(Bot(journal).recall) == 40


def test_it_is_private(journal: Journal) -> None:
    """Nobody but the owner reads it, and no unfinished file is left."""
    path = Bot(journal).snapshots.path

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [other for other in path.parent.iterdir() if other.suffix == ".tmp"] == []


def test_a_live_bot_has_its_own(journal: Journal) -> None:
    """It reads the same rows at another discount."""
    dry, live = Bot(journal), Bot(journal, replace(ORIGIN, mode=Mode.LIVE))

    assert dry.snapshots.path != live.snapshots.path
    again = Bot(journal, replace(ORIGIN, mode=Mode.LIVE))
    assert (again.read, again.known()) == (0, live.known())


@pytest.mark.parametrize(
    "other",
    [
        {"levels": ("pair", "side")},
        {"levels": ("side", "pair", "pair*side")},
        {"half_life_days": 31.0},
        {"discount": 0.25},
    ],
    ids=["levels", "order of levels", "half-life", "discount"],
)
def test_other_settings_have_another_one(journal: Journal, other: dict[str, Any]) -> None:
    """Two bots of one strategy with different settings do not take each other's."""
    one, two = Bot(journal), Bot(journal, **other)
    assert (one.snapshots.path == two.snapshots.path, two.read) == (False, 40)

    # As if the name had been the same: what the file says of itself counts.
    one.snapshots.path.replace(two.snapshots.path)
    assert Bot(journal, **other).read == 40


def test_the_oldest_of_many_settings_go(journal: Journal) -> None:
    """Settings are tried out; what they left does not pile up."""
    paths = []
    for number in range(7):
        bot = Bot(journal, half_life_days=10.0 + number)
        os.utime(bot.snapshots.path, (1_000 + number, 1_000 + number))
        paths.append(bot.snapshots.path)

    assert [path for path in paths if path.exists()] == paths[-snapshot.N_KEPT :]


def rewritten(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Change what a file holds."""
    path.write_bytes(change(path.read_bytes()))


def with_heading(whole: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """Return a snapshot with another heading and checksums that fit."""
    n_heading = int.from_bytes(whole[12:20], "little")
    heading = json.loads(whole[20 : 20 + n_heading])
    change(heading)
    text = json.dumps(heading).encode()
    begin = whole[:12] + len(text).to_bytes(8, "little") + text
    begin += blake2b(begin, digest_size=32).digest()
    body = begin + whole[20 + n_heading + 32 : -32]
    return body + blake2b(body, digest_size=32).digest()


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut in its lead": lambda whole: whole[:10],
    "cut in its heading": lambda whole: whole[:100],
    "cut in its columns": lambda whole: whole[:-200],
    "cut by a byte": lambda whole: whole[:-1],
    "continued": lambda whole: whole + b"\0",
    "another version": lambda whole: whole[:8] + b"\1\0\0\0" + whole[12:],
    "a huge heading": lambda whole: whole[:12] + b"\xff" * 8 + whole[20:],
    "a foreign file": lambda _: b"SQLite format 3\0" * 100,
    "a heading without groups": lambda whole: with_heading(whole, lambda h: h.pop("groups")),
    "a heading of no journal": lambda whole: with_heading(whole, lambda h: h.pop("about")),
    "a heading of no row": lambda whole: with_heading(whole, lambda h: h["about"].pop("seq")),
    "another machine's": lambda whole: with_heading(whole, lambda h: h.update(byte_order="big")),
    "zeros": lambda whole: bytes(len(whole)),
}


def test_the_same_heading_is_no_damage(journal: Journal) -> None:
    """What the tests write anew themselves is read like the original."""
    rewritten(Bot(journal).snapshots.path, lambda whole: with_heading(whole, lambda _: None))
    assert Bot(journal).read == 0


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_one_is_made_anew(journal: Journal, damage: Callable[[bytes], bytes]) -> None:
    """The journal is read from its beginning, and the next start has a sound one."""
    path = Bot(journal).snapshots.path
    rewritten(path, damage)
    bot = Bot(journal)

    assert (bot.read, bot.known()) == (40, without_snapshot(journal))
    assert Bot(journal).read == 0


def test_no_flipped_byte_goes_unnoticed(journal: Journal) -> None:
    """Wherever it is."""
    path = Bot(journal).snapshots.path
    whole, known = path.read_bytes(), without_snapshot(journal)
    for place in range(0, len(whole), len(whole) // 60):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        bot = Bot(journal)
        assert (bot.read, bot.known()) == (40, known)


def test_a_folder_in_its_place_is_in_nobodys_way(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    """It can neither be read nor replaced; one sentence says so, once."""
    path = Bot(journal).snapshots.path
    path.unlink()
    path.mkdir()
    bot = Bot(journal)
    journal.append(sisters(50))
    bot.look()

    assert bot.known() == without_snapshot(journal)
    warnings = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert [("next start takes longer" in each.getMessage()) for each in warnings] == [True]
    assert [other for other in path.parent.iterdir() if other.suffix == ".tmp"] == []


def test_a_full_disk_costs_the_copy_alone(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old one stays, and is right."""
    path = Bot(journal).snapshots.path
    whole = path.read_bytes()
    journal.append(sisters(50))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(snapshot_file, "write", full)
    assert (Bot(journal).read, path.read_bytes()) == (1, whole)
    assert without_snapshot(journal) == Bot(journal).known()


def test_a_deleted_and_remade_journal_is_another_one(journal: Journal) -> None:
    """Also where it has more rows than the old one had."""
    Bot(journal)
    journal.close()
    for file in journal.path.parent.glob("journal.sqlite*"):
        file.unlink()
    journal.append(sisters(*range(100, 160)))
    bot = Bot(journal)

    assert (bot.read, bot.known()) == (60, without_snapshot(journal))


@pytest.mark.parametrize("since", [0, 9], ids=["with fewer rows", "that went on"])
def test_a_journal_put_back_is_not_what_was_copied(
    journal: Journal, tmp_path: Path, since: int
) -> None:
    """It has the identity it had, but not the rows that the copy has read."""
    earlier = Bot(journal)
    with journal.connection.read() as sqlite:
        sqlite.execute("VACUUM INTO ?", [str(tmp_path / "backup")])
    journal.append(sisters(50, 51, 52))
    earlier.look()
    journal.close()
    for file in journal.path.parent.glob("journal.sqlite*"):
        file.unlink()
    (tmp_path / "backup").rename(journal.path)
    journal.append(sisters(*range(60, 60 + since)))
    bot = Bot(journal)

    assert (bot.read, bot.known()) == (40 + since, without_snapshot(journal))


def test_a_copied_memory_goes_on_from_its_copy(journal: Journal, tmp_path: Path) -> None:
    """Both go their own ways from there, each with its own."""
    Bot(journal)
    with journal.connection.read() as sqlite:
        (tmp_path / "copy").mkdir()
        sqlite.execute("VACUUM INTO ?", [str(tmp_path / "copy" / "journal.sqlite")])
    for file in journal.path.parent.glob("*.snapshot"):
        (tmp_path / "copy" / file.name).write_bytes(file.read_bytes())
    copy = Journal(tmp_path / "copy")
    copy.append(sisters(70))
    journal.append(sisters(80, 81))

    for each, n_new in ((copy, 1), (journal, 2)):
        bot = Bot(each)
        assert (bot.read, bot.known()) == (n_new, without_snapshot(each))


def test_a_salvaged_journal_is_another_one(journal: Journal) -> None:
    """It may lack rows in the middle, with all the marks of the old one."""
    Bot(journal)
    journal.close()
    with journal.path.open("r+b") as file:
        file.seek(4096 * 5)
        file.write(b"\xff" * 4096)
    assert salvage(journal.path, NOTED) is not None
    bot = Bot(journal)

    assert bot.known() == without_snapshot(journal)
    assert len(bot.recall) == bot.read


def test_a_replaced_journal_is_not_copied_into_the_old_ones_place(journal: Journal) -> None:
    """Recall still knows the old one's trades; they must not be taken for the new one's."""
    bot = Bot(journal)
    before = bot.snapshots.path.read_bytes()
    for file in journal.path.parent.glob("journal.sqlite*"):
        file.unlink()
    journal.append(sisters(*range(100, 160)))
    bot.look()
    assert before == bot.snapshots.path.read_bytes()
    bot.follower.start_over()
    bot.look()

    assert before == bot.snapshots.path.read_bytes()


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from freqtrade_mem0.recall import snapshot
    from freqtrade_mem0.recall.index.state import RecallState
    from tests.unit.recall.test_snapshots import Bot, Journal

    def killed(self, rows):
        yield next(pages(self, rows))
        os.kill(os.getpid(), signal.SIGKILL)

    pages, RecallState.pages = RecallState.pages, killed
    snapshot.WORTH_IT, snapshot.SHARE = 1, 1_000_000
    Bot(Journal(Path(sys.argv[1])))
"""


def test_killed_while_writing_the_old_one_stays(journal: Journal) -> None:
    """What is not finished is never in its place; some day it is cleared away."""
    path = Bot(journal).snapshots.path
    whole = path.read_bytes()
    journal.append(sisters(50))
    journal.close()
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(journal.path.parent)]
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.run(command, env=environ, check=False)

    assert process.returncode == -signal.SIGKILL
    (unfinished,) = path.parent.glob("*.tmp")
    assert path.read_bytes() == whole
    os.utime(unfinished, (1_000, 1_000))
    bot = Bot(journal)
    assert (bot.read, bot.known()) == (1, without_snapshot(journal))
    assert not unfinished.exists()
    assert Bot(journal).read == 0


def test_several_at_once_do_not_disturb_each_other(journal: Journal) -> None:
    """They read, look and write side by side; each knows what the journal knows in the end."""
    failed: list[BaseException] = []
    bots: list[Bot] = []

    def live(number: int) -> None:
        try:
            own = Journal(journal.path.parent)
            bot = Bot(own)
            for step in range(6):
                own.append(sisters(100 + 10 * number + step))
                bot.look()
                bots.append(Bot(own))
            bots.append(bot)
        except BaseException as error:  # noqa: BLE001 - told by the test itself
            failed.append(error)

    threads = [threading.Thread(target=live, args=[number]) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == []
    for bot in bots:
        bot.look()
        assert bot.known() == without_snapshot(journal)
    assert Bot(journal).known() == without_snapshot(journal)


def test_a_few_rows_are_not_worth_a_copy(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading them takes no longer than reading a copy does."""
    monkeypatch.setattr(snapshot, "WORTH_IT", 41)
    bot = Bot(journal)
    assert not bot.snapshots.path.exists()
    journal.append(sisters(50))
    bot.look()
    assert bot.snapshots.path.exists()


def test_a_bot_that_ends_leaves_a_copy(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where its recall is so large that it was not worth it while the bot ran."""
    bot = Bot(journal)
    monkeypatch.setattr(snapshot, "SHARE", 2)
    journal.append(sisters(50, 51))
    bot.follower.run()
    bot.follower.close(HANG_S)

    assert Bot(journal).read == 0


def test_a_runtime_starts_where_the_last_one_ended(tmp_path: Path) -> None:
    """From the journal, from the copy, and from the journal again: the same, bit for bit."""
    memory = tmp_path / "memory"
    settings = Settings(enabled=True, user_id="me", mode="local", path=memory)
    run = a_run(tmp_path, settings, run_id=ORIGIN.run_id)
    journal = Journal(memory)
    journal.append([*sisters(*range(30)), a_trade(31), a_trade(32)])
    found, copies = [], []
    for _ in range(3):
        runtime = a_bot(run, now=lambda: NOTED)
        found.append(runtime.session.recall.groups(at(500)))
        runtime.close()
        copies.append([path.name for path in memory.glob("*.snapshot")])
        if len(copies) == 2:
            (memory / copies[-1][0]).unlink()

    assert found[0] == found[1] == found[2] != {}
    assert [len(names) for names in copies] == [1, 1, 1]


def test_the_format_is_what_it_was(journal: Journal) -> None:
    """A change of it needs another version number."""
    path = Bot(journal).snapshots.path
    whole = path.read_bytes()
    n_heading = int.from_bytes(whole[12:20], "little")
    heading = json.loads(whole[20 : 20 + n_heading])

    assert (whole[:8], int.from_bytes(whole[8:12], "little")) == (b"M0RECALL", 4)
    assert sorted(heading) == ["about", "asked_ms", "byte_order", "groups", "n_rows"]
    assert heading["n_rows"] == 40
    row_bytes = 16 + 8 + 8 + 2 + 8 + 8 + 8 + 1 + 4 * len(LEVELS)
    assert len(whole) == 20 + n_heading + 32 + 40 * row_bytes + 32
