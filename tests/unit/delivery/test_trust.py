"""Who may move a stake: what somebody who can write to the shared Mem0 can do, and what not."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.cli.main import main
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.delivery.pull import pull_news, rebuild
from freqtrade_mem0.journal.append import Confirmed
from freqtrade_mem0.journal.evidence.rows import add_evidence
from freqtrade_mem0.journal.ready import made_ready
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.recall import STRATEGY, Recall
from freqtrade_mem0.recall.follow import JournalFollower
from freqtrade_mem0.recall.priors import accept, load_prior, promotions, waiting
from freqtrade_mem0.recall.snapshot import Snapshots
from freqtrade_mem0.records.codec import encode_decoded
from freqtrade_mem0.records.kinds.retraction import retraction
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.records.mapping import to_memory
from tests.support.in_memory_mem0 import InMemoryMem0
from tests.support.samples import BACKTEST, NOTED, ORIGIN, a_promotion, a_trade, at

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.insight.shrinkage import Moments
    from freqtrade_mem0.records.base import Origin
    from freqtrade_mem0.records.memory import Memory

SISTER = replace(ORIGIN, run_id="sister")
LATER = NOTED + timedelta(hours=1)


@pytest.fixture
def mem0() -> InMemoryMem0:
    """A Mem0 that others write to, too."""
    return InMemoryMem0()


@pytest.fixture
def store(tmp_path: Path, mem0: InMemoryMem0) -> MemoryFolder:
    """The memory of this machine."""
    made = MemoryFolder(Settings.model_validate({"user_id": "me"}), tmp_path)
    made._backend = mem0
    return made


def known(store: MemoryFolder, origin: Origin = ORIGIN) -> Moments:
    """Return what a bot that starts now knows of its strategy."""
    recall = Recall((), 1e9)
    JournalFollower(store.journal, recall, origin, 0.5).begin()
    return recall.as_of(at(10_000), [STRATEGY])[0]


def with_record(memory: Memory, **changes: Any) -> Memory:
    """Return a memory whose record says something else."""
    said = json.loads(str(memory.metadata["record"])) | changes
    return replace(memory, metadata={**memory.metadata, "record": json.dumps(said)})


@pytest.mark.parametrize("ratio", [1e300, 1e160, -1e300, 1e7])
def test_a_number_out_of_range_is_set_aside(
    store: MemoryFolder, mem0: InMemoryMem0, ratio: float
) -> None:
    """The example of the issue: the bot starts, and the record beside it counts."""
    mem0.put(with_record(to_memory(a_trade(1, origin=SISTER)), profit_ratio=ratio))
    mem0.put(to_memory(a_trade(2, origin=SISTER)))

    assert pull_news(store).n_new == 1
    assert round(known(store).n) == 1
    assert known(store).mean == pytest.approx(0.01)
    (aside,) = store.journal.set_aside()
    assert (aside.source, aside.id) == ("Mem0", a_trade(1, origin=SISTER).id)
    assert "profit_ratio" in aside.why


@pytest.mark.parametrize("ratio", [1e300, 1e160])
def test_a_row_out_of_range_in_the_journal_is_left_out(store: MemoryFolder, ratio: float) -> None:
    """Another version wrote it, for example."""
    store.journal.append([a_trade(1), a_trade(2)])
    with store.journal.connection.write() as sqlite:
        forged = replace(a_trade(1), profit_ratio=ratio)
        add_evidence(sqlite, [(1, made_ready(forged, encode_decoded(forged)))])

    assert round(known(store).n) == 1
    (aside,) = store.journal.set_aside()
    assert (aside.source, aside.id) == ("journal", a_trade(1).id)


@pytest.mark.parametrize("n_forged", [1, 5])
def test_forged_own_trades_move_nothing(
    store: MemoryFolder, mem0: InMemoryMem0, n_forged: int
) -> None:
    """400 honest trades, and some of the same bot that its machine never recorded."""
    store.journal.append([a_trade(n, profit_ratio=0.001) for n in range(400)])
    before = known(store)
    mem0.put(*(to_memory(a_trade(1_000 + n, profit_ratio=50.0)) for n in range(n_forged)))
    pull_news(store)

    assert known(store) == before


def test_an_own_trade_counts_once_it_is_confirmed(store: MemoryFolder, mem0: InMemoryMem0) -> None:
    """Reconciliation confirms what stands in the bot's database; a running bot learns of it."""
    mem0.put(to_memory(a_trade(1)), to_memory(a_trade(2)))
    pull_news(store)
    recall = Recall((), 1e9)
    follower = JournalFollower(store.journal, recall, ORIGIN, 0.5)
    follower.begin()
    assert len(recall) == 0
    store.journal.append([Confirmed(record_id=a_trade(1).id)])
    news = follower.run()

    assert ([record.id for record in news.own], len(recall)) == ([a_trade(1).id], 1)
    assert round(known(store).n) == 1
    assert store.outbox.state().pending == 0


def test_the_same_record_made_here_confirms_it(store: MemoryFolder, mem0: InMemoryMem0) -> None:
    """The bot closes the trade itself after Mem0 told of it."""
    mem0.put(to_memory(a_trade(1)))
    pull_news(store)
    store.journal.append([a_trade(1)])

    assert round(known(store).n) == 1


def test_mem0_does_not_correct_what_this_machine_recorded(
    store: MemoryFolder, mem0: InMemoryMem0
) -> None:
    """Later, and by the very bot as it says."""
    store.journal.append([a_trade(1), a_trade(2, origin=SISTER)])
    for origin, number in ((ORIGIN, 1), (SISTER, 2)):
        mem0.put(to_memory(a_trade(number, origin=origin, profit_ratio=9.0, recorded_at=LATER)))
    pull_news(store)

    trades = {record.id: record for record in store.journal.of_kind(TradeRecord)}
    assert {record.profit_ratio for record in trades.values()} == {0.01}
    assert len(store.journal.set_aside()) == 2


def test_mem0_does_not_retract_what_this_machine_recorded(
    store: MemoryFolder, mem0: InMemoryMem0
) -> None:
    """Whoever says it."""
    store.journal.append([a_trade(1), a_trade(2)])
    mem0.put(to_memory(retraction(a_trade(1), "so they say", LATER)))
    stranger = replace(retraction(a_trade(2), "so they say", LATER), origin=SISTER)
    mem0.put(to_memory(stranger))
    pull_news(store)

    assert round(known(store).n) == 2
    assert len(store.journal.set_aside()) == 2


@pytest.mark.parametrize("retraction_first", [False, True])
def test_one_bot_does_not_retract_the_trades_of_another(
    store: MemoryFolder, mem0: InMemoryMem0, *, retraction_first: bool
) -> None:
    """Of a bot elsewhere, in either order of arrival; its own retraction is honoured."""
    trade, other = a_trade(1, origin=SISTER), a_trade(2, origin=SISTER)
    target = to_memory(trade), to_memory(other)
    forged = replace(retraction(trade, "", LATER), origin=replace(SISTER, run_id="third"))
    retracting = to_memory(forged), to_memory(retraction(other, "", LATER))
    for memories in (retracting, target) if retraction_first else (target, retracting):
        mem0.put(*memories)
        pull_news(store)

    assert {record.id for record in store.journal.of_kind(TradeRecord)} == {trade.id}


def test_one_bot_does_not_correct_the_trades_of_another(
    store: MemoryFolder, mem0: InMemoryMem0
) -> None:
    """Same id, another origin: not taken. The same origin: taken."""
    first, second = a_trade(1, origin=SISTER), a_trade(2, origin=SISTER)
    mem0.put(to_memory(first), to_memory(second))
    pull_news(store)
    forged = replace(first, origin=replace(SISTER, run_id="third"), profit_ratio=9.0)
    mem0.put(to_memory(replace(forged, recorded_at=LATER)))
    mem0.put(to_memory(replace(second, recorded_at=LATER, profit_ratio=0.5)))
    pull_news(store)

    found = {record.id: record.profit_ratio for record in store.journal.of_kind(TradeRecord)}
    assert found == {first.id: 0.01, second.id: 0.5}


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"agent_id": "Another"}, "strategy"),
        ({"run_id": "bot-7"}, "run_id"),
        ({"id": a_trade(77).id}, "id"),
        ({"mode": "live"}, "mode"),
        ({"kind": "note"}, "note record"),
    ],
)
def test_record_and_memory_must_agree(
    store: MemoryFolder, mem0: InMemoryMem0, changes: dict[str, str], word: str
) -> None:
    """A record that is filed under another bot's name is of neither."""
    memory = to_memory(a_trade(1, origin=SISTER))
    inside = {key: value for key, value in changes.items() if key in {"mode", "kind"}}
    outside: dict[str, Any] = {key: each for key, each in changes.items() if key not in inside}
    memory = replace(memory, metadata={**memory.metadata, **inside}, **outside)
    mem0.put(memory)
    rebuild(store)

    assert not list(store.journal.records())
    assert word in store.journal.set_aside()[0].why


def test_a_record_of_another_owner_is_set_aside(store: MemoryFolder, mem0: InMemoryMem0) -> None:
    """Filed under this owner's name."""
    theirs = a_trade(1, origin=replace(SISTER, user_id="somebody"))
    mem0.put(replace(to_memory(theirs), user_id="me"))
    rebuild(store)

    assert not list(store.journal.records())
    assert "user_id" in store.journal.set_aside()[0].why


@pytest.mark.parametrize("field", ["recorded_at", "known_at"])
@pytest.mark.parametrize("year", [2199, 9999])
def test_a_record_of_the_future_is_set_aside(
    store: MemoryFolder, mem0: InMemoryMem0, field: str, year: int
) -> None:
    """It would outlast every correction; in the year 9999 a later one can not even be computed."""
    moment = f"{year}-12-31T23:59:59.999999Z"
    mem0.put(with_record(to_memory(a_trade(1, origin=SISTER)), **{field: moment}))
    almost = datetime.now(UTC) + timedelta(minutes=5)
    mem0.put(to_memory(a_trade(2, origin=SISTER, recorded_at=almost)))
    pull_news(store)

    assert [record.id for _, record in store.journal.records()] == [a_trade(2, origin=SISTER).id]
    assert len(store.journal.set_aside()) == 1


def test_a_promotion_made_elsewhere_waits_for_consent(
    store: MemoryFolder, mem0: InMemoryMem0
) -> None:
    """It is listed, and has no effect until somebody on this machine accepts it."""
    mem0.put(to_memory(a_trade(5, origin=BACKTEST)), to_memory(a_promotion()))
    pull_news(store)
    assert promotions(store.journal, "me") == []
    assert load_prior(store.journal, "me", "Sample", 0.5).trades == ()
    (promotion,) = waiting(store.journal, "me")
    accept(store.journal, promotion)

    assert (promotions(store.journal, "me"), waiting(store.journal, "me")) == ([promotion], [])
    assert len(load_prior(store.journal, "me", "Sample", 0.5).trades) == 1


def test_a_withdrawal_made_elsewhere_does_not_undo_a_promotion_made_here(
    store: MemoryFolder, mem0: InMemoryMem0
) -> None:
    """It would move stakes as well."""
    store.journal.append([a_trade(5, origin=BACKTEST), a_promotion()])
    mem0.put(to_memory(replace(a_promotion(), is_active=False, recorded_at=LATER)))
    pull_news(store)

    assert len(promotions(store.journal, "me")) == 1


def cli(store: MemoryFolder, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Run a command on the memory of this machine."""
    folder = store.folder.parent
    monkeypatch.chdir(folder)
    config = folder / "config.json"
    config.write_text(json.dumps({"mem0": {"user_id": "me", "mode": "local"}}))
    return main([*words, "--userdir", str(folder), "-c", str(config), "--json"])


def test_a_writer_can_be_revoked(
    store: MemoryFolder,
    mem0: InMemoryMem0,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In a running bot and a new one, over later pulls, and back."""
    mem0.put(*(to_memory(a_trade(n, origin=SISTER)) for n in range(1, 5)))
    store.journal.append([a_trade(9)])
    pull_news(store)
    recall = Recall((), 1e9)
    snapshots = Snapshots(store.journal, recall, ORIGIN, 0.5)
    follower = JournalFollower(store.journal, recall, ORIGIN, 0.5, snapshots)
    follower.begin()
    assert len(recall) == 5

    revoking = ("revoke", "--run-id", "sister", "--since", at(3).isoformat(), "--yes")
    assert cli(store, monkeypatch, *revoking) == 0
    assert json.loads(capsys.readouterr().out)["trades"] == 2
    mem0.put(to_memory(a_trade(6, origin=SISTER)))
    pull_news(store)
    follower.run()
    assert len(recall) == round(known(store).n) == 3

    assert cli(store, monkeypatch, "revoke", "--run-id", "sister", "--undo") == 0
    follower.run()
    assert len(recall) == round(known(store).n) == 6


def test_a_plain_memory_with_the_id_of_a_trade_replaces_nothing(
    store: MemoryFolder, mem0: InMemoryMem0
) -> None:
    """Memories of other tools become notes; not in place of a trade."""
    trade = a_trade(1, origin=SISTER)
    mem0.put(to_memory(trade))
    pull_news(store)
    mem0.put(replace(to_memory(trade), metadata={}, text="Nothing happened", created_at=LATER))
    pull_news(store)

    assert [record for _, record in store.journal.records()] == [trade]
