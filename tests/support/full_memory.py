"""A memory of two users with data in every place there is; one user's texts have a canary."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from zstandard import ZstdDecompressor

from freqtrade_mem0.client.scoped import Bound
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.delivery.push import delivery_of
from freqtrade_mem0.journal.append import SeenIn
from freqtrade_mem0.journal.bodies import pack as bodies
from freqtrade_mem0.journal.bodies.archive import archive_decisions, archive_records
from freqtrade_mem0.journal.bodies.pack import pack
from freqtrade_mem0.journal.brief_writes import BriefWrites
from freqtrade_mem0.journal.news import Place
from freqtrade_mem0.journal.revoked import Revoked, revoke
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.lifecycle.forget import archived, memories, rows
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.recall.index.recall import Recall
from freqtrade_mem0.recall.snapshot import Snapshots
from freqtrade_mem0.records.base import Mode, Origin, to_ms
from freqtrade_mem0.records.decision import Reason
from freqtrade_mem0.records.kinds.retraction import retraction
from freqtrade_mem0.service.file import ServiceFile
from freqtrade_mem0.service.keys import Keys, Role
from freqtrade_mem0.session_memory.sqlite import SqliteStore
from freqtrade_mem0.webhooks.event import of_record
from freqtrade_mem0.webhooks.file import WebhookFile
from freqtrade_mem0.webhooks.post import Outcome
from freqtrade_mem0.webhooks.queue import Queue
from tests.support.samples import (
    NOTED,
    a_backtest,
    a_decision,
    a_note,
    a_promotion,
    a_risk_event,
    a_trade,
    at,
    opened,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from freqtrade_mem0.records.base import Record

CANARY = b"canary"
WHOSE = Origin(user_id="ann-canary", strategy="CanaryStrategy", mode=Mode.LIVE, run_id="canary-bot")
OTHER = Origin(user_id="ben", strategy="Plain", mode=Mode.LIVE, run_id="ben-bot")


def open_memory(folder: Path, user_id: str = WHOSE.user_id, **block: Any) -> MemoryFolder:
    """Open the memory in a folder, embedded unless `block` says otherwise."""
    settings = Settings.model_validate({"mode": "embedded", "user_id": user_id} | block)
    return MemoryFolder(settings, folder)


def fill(memory: MemoryFolder, origin: Origin, word: str, n: int = 90) -> None:
    """Write, for one user, what bots, backtests, people and commands write; `word` is in all."""
    journal = memory.journal
    pair, tag = f"{word}/USDT".upper(), f"tag {word}"
    backtest = replace(origin, mode=Mode.BACKTEST, run_id=f"{word}-run")
    for number in range(n):
        decision_id = a_decision(number, origin=origin).id
        trade = a_trade(number, origin=origin, pair=pair, enter_tag=tag, decision_id=decision_id)
        trade = replace(trade, recorded_at=trade.known_at)
        decision = a_decision(
            number,
            origin=origin,
            pair=pair,
            enter_tag=tag,
            reasons=(Reason(name="strategy", value=word, text=f"because of {word}"),),
        )
        journal.append([decision, opened(decision, trade), trade])
        journal.append([SeenIn(record_id=trade.id, database="a-database")])
    first = a_trade(0, origin=origin, pair=pair, enter_tag=f"{word} corrected", profit_ratio=0.2)
    records: list[Record] = [
        first,
        retraction(a_trade(1, origin=origin, pair=pair), f"{word} is gone", NOTED),
        a_note(1, origin=origin, content=f"never {word} again", metadata={"about": word}),
        a_note(2, origin=origin, content=f"never {word} again, never"),
        a_risk_event(1, origin=origin, description=f"stop loss of {word}", pair=pair),
        a_backtest(origin=backtest, pairs=(pair,)),
        a_promotion(origin=backtest, provenance=f"{word}.zip", source_run_id=backtest.run_id),
        *(a_trade(number, origin=backtest, pair=pair) for number in range(n)),
    ]
    journal.append([*records, a_decision(90, origin=origin, pair=pair)])
    names = f"{origin.user_id} {origin.strategy} {origin.mode} {origin.run_id}"
    for beginning in ("alerts", "made", "risk"):
        memory.marks.set(f"{beginning} {names}", {"hold": f"{word} {origin.strategy}"})
    memory.marks.set(f"compared own db {origin.user_id} live {origin.run_id}", {"last_id": 3})
    memory.marks.set(f"pulled {memory.home} {origin.user_id}", {"since": NOTED.isoformat()})
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    revoke(
        journal,
        Revoked(
            user_id=origin.user_id,
            strategy=origin.strategy,
            run_id=f"{word}-sister",
            since=moment,
            revoked_at=moment,
        ),
    )
    journal.put_aside("Mem0", {f"{word}-id": f"got {word!r}"})
    if memory.delivers:
        assert delivery_of(memory).drain(60.0)
    journal.append([a_note(3, origin=origin, content=f"{word} waits for Mem0")])
    journal.append([a_note(4, origin=origin, content=f"{word} was refused")])
    memory.outbox.refused([journal.last_seq()], f"no {word} please")
    sessions = SqliteStore(memory.folder)
    sessions.put(origin.user_id, f"{word} key", f"what {word} said", 1e6)
    sessions.close()
    service = ServiceFile(memory.folder)
    Keys(service).add(Role.READER, name=word, bound=Bound(user_id=origin.user_id))
    service.close()
    _write_webhooks(memory, origin, word)
    _write_snapshot(memory, origin)
    trial = {"strategy": origin.strategy, "start": "", "end": "", "settings": "x", "sharpe": 0.1}
    with (memory.folder / "compare-trials.jsonl").open("a", encoding="utf-8") as file:
        file.write(f"{json.dumps(trial)}\n")


def fill_folder(folder: Path, n: int = 90) -> None:
    """Write what two users have, and age it."""
    for origin, word in ((WHOSE, "canary"), (OTHER, "wren")):
        memory = open_memory(folder, origin.user_id)
        fill(memory, origin, word, n)
        add_by_mem0_itself(memory, origin, word)
        memory.close()
    memory = open_memory(folder)
    age(memory)
    memory.close()
    journal = folder / "mem0" / "journal.sqlite"
    shutil.copy(journal, journal.with_name("journal.sqlite.damaged-20260101-000000"))


def age(memory: MemoryFolder) -> None:
    """Archive the oldest rows, and compress all others."""
    writes = BriefWrites(memory.journal, lambda _: None)
    old_ms, all_ms = to_ms(at(20)), to_ms(at(100_000))
    assert archive_records(writes, old_ms)
    assert archive_decisions(writes, old_ms)
    assert pack(writes, "records", all_ms)
    assert pack(writes, "decisions", all_ms)


def in_small_steps(patched: pytest.MonkeyPatch) -> None:
    """Let each transaction of forgetting do little, and few bodies make a dictionary."""
    patched.setattr(rows, "_ROWS_PER_WRITE", 3)
    patched.setattr(memories, "_PER_DELETE", 5)
    patched.setattr(archived, "_ROWS_PER_WRITE", 6)
    patched.setattr(bodies, "FEWEST", 10)
    patched.setattr(bodies, "_DICTIONARY_BYTES", 1_000)


@contextmanager
def in_ram() -> Iterator[Path]:
    """Give a folder whose files are on no disk, where the system has one: commits cost nothing."""
    ram = Path("/dev/shm")  # noqa: S108 - a name of its own is made in it
    with TemporaryDirectory(dir=ram if os.access(ram, os.W_OK) else None) as folder:
        yield Path(folder)


def add_by_mem0_itself(memory: MemoryFolder, origin: Origin, word: str) -> None:
    """Let Mem0 add and change a memory, so that its history and its entities have it."""
    mem0 = memory.backend.memory  # type: ignore[attr-defined]
    owner = {"user_id": origin.user_id, "agent_id": origin.strategy, "run_id": origin.run_id}
    added = mem0.add(f"{word} said by hand", **owner, infer=False)["results"][0]["id"]
    mem0.update(added, f"{word} said otherwise")
    gone = mem0.add(f"{word} said and deleted", **owner, infer=False)["results"][0]["id"]
    mem0.delete(gone)


def rows_of(memory: MemoryFolder, user_id: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row and memory of a user, as it is stored."""
    found: dict[str, list[tuple[Any, ...]]] = {
        table: memory.journal.connection.rows(
            f"SELECT seq, id, body_of({sign} * seq, body) FROM {table}"  # noqa: S608 - of this test
            " WHERE user_id = ? ORDER BY seq",
            [user_id],
        )
        for table, sign in (("records", 1), ("decisions", -1))
    }
    scope = Scope(user_id=user_id)
    found["all records"] = [tuple(each) for each in memory.journal.records(scope)]
    found["evidence"] = [tuple(each) for each in memory.journal.evidence.items(scope)]
    found["ledger"] = [(each,) for each in memory.journal.ledger(scope, only_opened=False)]
    if memory.delivers:
        scanned = memory.backend.scan(filters={"user_id": user_id})
        found["memories"] = [
            (each.id, each.text, tuple(sorted(each.metadata.items()))) for each in scanned
        ]
    return found


def files_with(folder: Path, word: bytes) -> list[str]:
    """Return the files in a folder that have a word in their bytes or name, in whatever case."""
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if word in str(path.relative_to(folder)).lower().encode()
        or (path.is_file() and word in path.read_bytes().lower())
    ]


def compressed_with(memory: MemoryFolder, word: bytes) -> int:
    """Count the compressed bodies and blocks of a journal that have a word in them."""
    bodies = memory.journal.connection.rows(
        "SELECT body_of(number, '') FROM packed WHERE number <> 0"
    )
    blocks = memory.journal.connection.rows("SELECT bodies FROM blocks")
    texts = [body.encode() for (body,) in bodies]
    texts += [ZstdDecompressor().decompress(block, max_output_size=1 << 24) for (block,) in blocks]
    return sum(word in text.lower() for text in texts)


def tables_in(path: Path) -> set[str]:
    """Return the tables of an SQLite file, without those that FTS5 makes for another one."""
    with closing(sqlite3.connect(path)) as sqlite:
        names = {
            name
            for (name,) in sqlite.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
    return {name for name in names if not name.startswith("words_")}


def _write_webhooks(memory: MemoryFolder, origin: Origin, word: str) -> None:
    """Queue an event for an endpoint of the user, and fail to send it."""
    file = WebhookFile(memory.folder)
    queue = Queue(file, origin.user_id, "n8n")
    queue.begin("journal", Place(0, 0))
    trade = a_trade(1, origin=origin, pair=f"{word}/USDT".upper())
    event = of_record(trade)
    assert event is not None
    queue.add([event], "journal", Place(0, 0))
    message = queue.next()
    assert message is not None
    queue.failed(message, Outcome(status=None, error=f"The name {word} can not be resolved."), 0.0)
    file.close()


def _write_snapshot(memory: MemoryFolder, origin: Origin) -> None:
    recall = Recall(levels=("pair",), half_life_days=30.0)
    snapshots = Snapshots(memory.journal, recall, origin, 0.5)
    snapshots.restore()
    snapshots.note(memory.journal.last_seq(), 5_000)
    assert snapshots.close(10.0)
    assert snapshots.path.exists()
