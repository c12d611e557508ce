"""What goes wrong on the way to a server, for the platform and the self-hosted one alike."""

from __future__ import annotations

import fcntl
import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest
import stamina

from freqtrade_mem0.backends.remote import copy as remote_copy
from freqtrade_mem0.backends.remote.http import (
    READ_ATTEMPTS,
    Patience,
    RemoteError,
    retry_after_s,
)
from freqtrade_mem0.backends.remote.ids import FILE_NAME, UNCERTAIN, RemoteIds, Write
from freqtrade_mem0.errors import BackendError
from tests.servers.loopback import Answer
from tests.servers.mem0_platform import PlatformServer
from tests.servers.mem0_rest_server import RestServer
from tests.servers.remote import KEY, Remote
from tests.support.forked_python import ForkedPython
from tests.support.wait import HANG_S, repeated

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.records.memory import Memory

MakeMemory = Callable[..., "Memory"]
MINE = {"user_id": "me"}
SHORT_S = 0.5
"""Until a call to a server that hangs is given up; calls that have to go well are repeated."""


@pytest.fixture(autouse=True)
def without_pauses() -> Iterator[None]:
    """Let retries follow each other at once."""
    with stamina.set_testing(True, attempts=READ_ATTEMPTS, cap=True):
        yield


@pytest.fixture(params=["platform", "rest-server"])
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Remote]:
    """Give each kind of server in turn, empty and well."""
    is_platform = request.param == "platform"
    with PlatformServer(KEY) if is_platform else RestServer(tmp_path / "server", KEY) as server:
        yield Remote(server, tmp_path / "mem0")


def texts(backend: Any) -> list[str]:
    """Return the texts that a backend shows."""
    return sorted(each.text for each in backend.scan(filters=MINE))


def write(backend: Any, memories: list[Memory]) -> None:
    """Write, again and again where the machine is too busy to do it in `SHORT_S`."""
    repeated(lambda: backend.write(memories), BackendError)


def read(backend: Any) -> list[Memory]:
    """Read what is there, again and again where the machine is too busy to do it in `SHORT_S`."""
    return repeated(lambda: list(backend.scan(filters=MINE)), BackendError)


@pytest.mark.parametrize("kind", ["drop", "hang", "drip", "drip-headers"])
def test_no_answer_is_an_error_that_passes(
    remote: Remote, make_memory: MakeMemory, kind: str
) -> None:
    """A server that is silent, or never comes to an end, holds nobody for ever."""
    backend = remote.open(timeout_s=SHORT_S)
    write(backend, [make_memory(0)])
    remote.server.fails(kind)

    with pytest.raises(BackendError, match="gave no answer") as failed:
        list(backend.scan(filters=MINE))

    assert not failed.value.permanent
    remote.server.works()
    assert [make_memory(0)] == read(backend)
    backend.close()


def test_a_server_that_is_not_there(remote: Remote, make_memory: MakeMemory) -> None:
    """The first call to nobody fails like any other, and a later one can go well."""
    backend = remote.open(timeout_s=SHORT_S)
    remote.server.fails("drop")

    with pytest.raises(BackendError, match="gave no answer") as failed:
        backend.write([make_memory(0)])

    assert not failed.value.permanent
    remote.server.works()
    write(backend, [make_memory(0)])
    assert [make_memory(0).text] == remote.stored()
    backend.close()


@pytest.mark.parametrize("kind", ["drop-answer", "hang-answer"])
@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_write_whose_answer_was_lost_has_its_effect_once(
    remote: Remote, make_memory: MakeMemory, kind: str, is_restarted: bool
) -> None:
    """What was stored although the call raised is found, and not sent again."""
    memories = [make_memory(n) for n in range(4)]
    backend = remote.open(timeout_s=10 * SHORT_S)
    write(backend, memories[:1])
    remote.server.fails(kind, remote.adding, skip=1, times=1)

    with pytest.raises(BackendError, match=f"Memory {memories[2].id}: .* gave no answer") as lost:
        backend.write(memories)

    assert not lost.value.permanent
    if is_restarted:
        backend.close()
        backend = remote.open()
    write(backend, memories)
    assert sorted(each.text for each in memories) == remote.stored()
    assert len(memories) == remote.server.count(remote.adding)
    assert memories == read(backend)
    backend.close()


def test_a_deletion_whose_answer_was_lost_keeps_no_write_away(
    remote: Remote, make_memory: MakeMemory
) -> None:
    """What was deleted although the call raised is stored when it is written again."""
    backend = remote.open()
    backend.write([make_memory(0), make_memory(1)])
    remote.server.fails("drop-answer", "DELETE")
    with pytest.raises(BackendError, match="gave no answer to DELETE"):
        backend.delete([make_memory(0).id])
    remote.server.works()
    assert [make_memory(1).text] == remote.stored()

    backend.write([make_memory(0), make_memory(1)])

    assert [make_memory(0), make_memory(1)] == list(backend.scan(filters=MINE))
    assert len(remote.stored()) == 2
    backend.close()


def test_a_memory_that_was_never_sent_is_sent(remote: Remote, make_memory: MakeMemory) -> None:
    """Killed after the intention was noted and before it was sent, a write is made good."""
    backend = remote.open()
    backend.write([make_memory(0)])
    backend.close()
    with sqlite3.connect(remote.folder / FILE_NAME) as file:
        ((destination,),) = file.execute("SELECT DISTINCT destination FROM writes")
    file.close()
    ids = RemoteIds(remote.folder, destination)
    ids.note([Write(id=make_memory(1).id, state=UNCERTAIN, digest="of what was not sent")])
    ids.close()

    again = remote.open()
    again.write([make_memory(0), make_memory(1)])

    assert [make_memory(0), make_memory(1)] == list(again.scan(filters=MINE))
    assert remote.server.count(remote.adding) == 2
    again.close()


def test_without_its_notes_nothing_is_doubled(remote: Remote, make_memory: MakeMemory) -> None:
    """The file of ids may be lost, or be another machine's: what is there is found."""
    memories = [make_memory(n) for n in range(30)]
    backend = remote.open()
    backend.write(memories)
    backend.close()
    for file in remote.folder.glob(f"{FILE_NAME}*"):
        file.unlink()

    again = remote.open()
    again.write(memories)

    assert sorted(each.text for each in memories) == remote.stored()
    again.close()


def test_doubles_are_hidden_and_removed(remote: Remote, make_memory: MakeMemory) -> None:
    """Of two copies the newer one counts; the older one goes with the next write."""
    backend = remote.open()
    backend.write([make_memory(0, text="old words")])
    with remote_elsewhere(remote) as other:
        other._store.add(make_memory(0, text="new words"))

    assert texts(backend) == ["new words"]
    assert [each.text for each in backend.search("words", filters=MINE, limit=5)] == ["new words"]
    assert backend.count(filters=MINE) == {(): 1}
    assert remote.stored() == ["new words", "old words"]
    backend.write([make_memory(1)])
    assert sorted([make_memory(1).text, "new words"]) == remote.stored()
    assert backend.get(make_memory(0).id) == make_memory(0, text="new words")
    backend.close()


class remote_elsewhere:  # noqa: N801 - reads as a sentence
    """The same server as another machine sees it."""

    def __init__(self, remote: Remote) -> None:
        self._backend: Any = Remote(remote.server, remote.folder / "elsewhere").open()

    def __enter__(self) -> Any:
        """Open it."""
        assert self._backend.get("00000000-0000-0000-0000-000000000000") is None
        return self._backend

    def __exit__(self, *error: object) -> None:
        """Close it."""
        self._backend.close()


def test_a_read_is_tried_again(remote: Remote, make_memory: MakeMemory) -> None:
    """One lost answer to a question is nobody's business."""
    backend = remote.open()
    backend.write([make_memory(0)])
    remote.server.fails("drop", times=2)

    assert [make_memory(0)] == list(backend.scan(filters=MINE))
    backend.close()


def test_a_write_waits_a_little_where_it_is_told_to(
    remote: Remote, make_memory: MakeMemory
) -> None:
    """A small Retry-After is kept within the call, once."""
    busy = Answer(429, {"detail": "slow down"}, {"Retry-After": "0"})
    remote.server.fails("answer", remote.adding, answer=busy, times=1)
    backend = remote.open()

    backend.write([make_memory(0)])

    assert [make_memory(0).text] == remote.stored()
    backend.close()


@pytest.mark.parametrize(
    "after",
    ["120", format_datetime(datetime.now(UTC) + timedelta(hours=2))],
    ids=["seconds", "date"],
)
def test_a_long_pause_is_left_to_the_caller(
    remote: Remote, make_memory: MakeMemory, after: str
) -> None:
    """Retry-After in seconds or as a date comes with the error, and nothing is sent again."""
    busy = Answer(429, {"detail": "slow down"}, {"Retry-After": after})
    remote.server.fails("answer", remote.adding, answer=busy)
    backend = remote.open()

    with pytest.raises(BackendError, match=r"429 \(slow down\)") as failed:
        backend.write([make_memory(0)])

    assert not failed.value.permanent
    assert failed.value.retry_after_s is not None
    assert failed.value.retry_after_s >= 120
    assert remote.server.count(remote.adding) == 1
    backend.close()


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500, {"detail": "boom"}),
        Answer(502, "<html><body>Bad gateway</body></html>"),
        Answer(503, {"detail": "later"}),
        Answer(408, {}),
        Answer(200, "<html>Please log in</html>"),
        Answer(302, {}, {"Location": "https://elsewhere.example.org/"}),
        Answer(200, ["not", "what", "was", "asked", "for"]),
    ],
    ids=lambda answer: f"{answer.status}-{type(answer.body).__name__}",
)
def test_what_may_pass_is_not_permanent(
    remote: Remote, make_memory: MakeMemory, answer: Answer
) -> None:
    """A broken server is an error that a later attempt can mend, for writing and for reading."""
    backend = remote.open(timeout_s=SHORT_S)
    assert read(backend) == []
    remote.server.fails("answer", answer=answer)

    for call in (lambda: backend.write([make_memory(0)]), lambda: texts(backend)):
        with pytest.raises(BackendError) as failed:
            call()
        assert not failed.value.permanent
        assert "html" not in str(failed.value)

    remote.server.works()
    write(backend, [make_memory(0)])
    assert [make_memory(0).text] == remote.stored()
    backend.close()


@pytest.mark.parametrize("status", [400, 409, 413, 422])
def test_what_is_refused_is_permanent(remote: Remote, make_memory: MakeMemory, status: int) -> None:
    """A memory that is refused is named, the reason given, and the others are left in peace."""
    backend = remote.open()
    reason = Answer(status, {"detail": "such a memory"})
    remote.server.fails("answer", remote.adding, answer=reason)

    with pytest.raises(BackendError, match=f"{make_memory(0).id}.*such a memory") as refused:
        backend.write([make_memory(0)])

    assert refused.value.permanent
    assert ("too large" in str(refused.value)) == (status == 413)
    remote.server.works()
    backend.write([make_memory(1)])
    assert [make_memory(1).text] == remote.stored()
    backend.close()


def test_a_wrong_key_says_where_it_came_from(remote: Remote, make_memory: MakeMemory) -> None:
    """The sentence names the key's source and never the key, though the server repeats it."""
    backend = remote.open(key="m0-wrong-key")

    with pytest.raises(
        BackendError, match=r"the key from (argument|environment MEM0_API_KEY) is"
    ) as no:
        backend.write([make_memory(0)])

    assert not no.value.permanent
    assert "m0-wrong-key" not in str(no.value)
    assert remote.server.count("GET /v1/ping/") <= 1
    backend.close()


@pytest.mark.parametrize("key", ["m0-secret\nM0_ORG_ID=x", "m0-s\u00e9cret", "m0-secret\u201d"])
def test_a_key_that_can_be_none_is_refused_unsent(
    remote: Remote, make_memory: MakeMemory, key: str
) -> None:
    """A line break or a typographic quote in a key is named, without the key."""
    backend = remote.open(key=key)

    with pytest.raises(BackendError, match="holds characters that no key has") as refused:
        backend.write([make_memory(0)])

    assert not refused.value.permanent
    assert "secret" not in str(refused.value)
    assert remote.server.asked == []
    backend.close()


def test_no_text_holds_the_key(
    remote: Remote, make_memory: MakeMemory, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither errors and what caused them, nor logs, nor files, nor representations do."""
    caplog.set_level("DEBUG")
    backend = remote.open(timeout_s=SHORT_S)
    write(backend, [make_memory(0)])
    said = [repr(backend), str(vars(backend))]
    for fault in ("drop", "hang", "answer"):
        echo = Answer(500, {"detail": f"can not do that for {KEY}"})
        remote.server.fails(fault, answer=echo)
        for call in (lambda: backend.write([make_memory(1)]), lambda: texts(backend)):
            with pytest.raises(BackendError) as failed:
                call()
            error: BaseException | None = failed.value
            while error is not None:
                said.append(f"{error!r} {error} {vars(error)}")
                error = error.__cause__ or error.__context__
    backend.close()

    files = b"".join(file.read_bytes() for file in remote.folder.rglob("*") if file.is_file())
    assert KEY not in "".join(said)
    assert KEY not in caplog.text
    assert KEY.encode() not in files


def test_requests_are_not_logged_one_by_one(
    remote: Remote, make_memory: MakeMemory, caplog: pytest.LogCaptureFixture
) -> None:
    """A bot's log at level INFO does not fill with our requests."""
    caplog.set_level("INFO")
    backend = remote.open()

    backend.write([make_memory(0)])

    assert "HTTP Request" not in caplog.text
    backend.close()


def test_the_notes_are_private(remote: Remote, make_memory: MakeMemory) -> None:
    """Only the owner may read which memory is where."""
    backend = remote.open()
    backend.write([make_memory(0)])

    assert stat.S_IMODE((remote.folder / FILE_NAME).stat().st_mode) == 0o600
    backend.close()


def test_notes_that_can_not_be_read_are_named(remote: Remote, make_memory: MakeMemory) -> None:
    """A damaged file of ids is named, with what to do; it is not overwritten."""
    remote.folder.mkdir()
    (remote.folder / FILE_NAME).write_bytes(b"no database at all" * 100)
    backend = remote.open()

    with pytest.raises(BackendError, match=rf"{FILE_NAME} can not be used.*move it away"):
        backend.write([make_memory(0)])

    assert remote.stored() == []
    backend.close()


def test_threads_share_a_backend(remote: Remote, make_memory: MakeMemory) -> None:
    """Writers and readers at once lose and double nothing."""
    backend = remote.open()

    def work(worker: int) -> int:
        for n in range(5):
            backend.write([make_memory(10 * worker + n), make_memory(99)])
        return len(texts(backend))

    with ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(work, range(4)))

    assert all(n >= 6 for n in seen)
    assert len(remote.stored()) == 21
    backend.close()


def test_a_forked_child_has_connections_of_its_own(remote: Remote, make_memory: MakeMemory) -> None:
    """A child writes and reads, and the parent goes on unharmed."""
    backend = remote.open()
    backend.write([make_memory(0)])

    child = os.fork()
    if child == 0:
        try:
            backend.write([make_memory(1)])
            os._exit(0 if len(texts(backend)) == 2 else 1)
        finally:
            os._exit(2)

    assert os.waitpid(child, 0)[1] == 0
    assert [make_memory(0), make_memory(1)] == list(backend.scan(filters=MINE))
    backend.close()


WRITER = """
import sys
from datetime import datetime, timezone
from pathlib import Path
from uuid import UUID
from freqtrade_mem0.backends.opening import open_backend
from freqtrade_mem0.config.credentials import Credentials
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.records.memory import Memory

mode, url, key, folder, n_memories = sys.argv[1:]
settings = Settings(mode=mode, host=url, user_id="me", timeout_s=20)
credentials = Credentials(api_key=key, source="argument")
backend = open_backend(settings, Path(folder), tuple, credentials)
for n in range(int(n_memories)):
    backend.write([Memory(
        id=str(UUID(int=n + 1)), text=f"number {n}", user_id="me", agent_id="", run_id="",
        created_at=datetime(2026, 1, 1, tzinfo=timezone.utc), metadata={"n": n},
    )])
    print(n, flush=True)
"""


def start_writer(remote: Remote, n_memories: int) -> subprocess.Popen[str]:
    """Start a process that writes memories one by one and prints the number of each."""
    mode = "platform" if isinstance(remote.server, PlatformServer) else "server"
    return ForkedPython(
        [
            *(sys.executable, "-c", WRITER, mode),
            *(remote.server.url, KEY, str(remote.folder), str(n_memories)),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_processes_that_write_the_same_memories_do_it_once(remote: Remote) -> None:
    """Several processes that deliver from one journal at once send each memory once."""
    writers = [start_writer(remote, 25) for _ in range(3)]
    for writer in writers:
        writer.communicate()

    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert sorted(f"number {n}" for n in range(25)) == remote.stored()
    assert remote.server.count(remote.adding) == 25


def test_a_turn_that_does_not_end_is_named(tmp_path: Path) -> None:
    """A writer waits for the others' turn, but not for ever."""
    ids = RemoteIds(tmp_path, "a server")
    with ids.turn(Patience(HANG_S)):
        pass
    with (tmp_path / FILE_NAME).with_suffix(".lock").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with (
            pytest.raises(BackendError, match="Another process holds") as failed,
            ids.turn(Patience(0.01)),
        ):
            pass

    assert not failed.value.permanent
    with ids.turn(Patience(HANG_S)):
        pass
    ids.close()


def test_a_killed_process_loses_and_doubles_nothing(
    remote: Remote, make_memory: MakeMemory
) -> None:
    """What was acknowledged is there, and writing everything again leaves each once."""
    n_acknowledged = 0
    for n_lines in (3, 8, 15):
        writer = start_writer(remote, 1000)
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(n_lines)]
        writer.send_signal(signal.SIGKILL)
        rest, _ = writer.communicate()
        assert all(lines), "the writer ended by itself"
        n_acknowledged = max([n_acknowledged, *map(int, [*lines, *rest.split()])])

    backend = remote.open()
    assert {f"number {n}" for n in range(n_acknowledged + 1)} <= set(texts(backend))
    story = [
        make_memory(n, text=f"number {n}", agent_id="", run_id="", metadata={"n": n})
        for n in range(n_acknowledged + 3)
    ]
    backend.write(story)
    assert sorted(each.text for each in story) == texts(backend)
    backend.write([make_memory(999)])  # removes what the kills may have doubled
    assert sorted([*(each.text for each in story), make_memory(999).text]) == remote.stored()
    backend.close()


@pytest.mark.parametrize("seed", range(4))
def test_whatever_fails_the_end_is_what_was_asked_for(
    remote: Remote, make_memory: MakeMemory, seed: int
) -> None:
    """Writes, rewrites and deletions that are repeated until they go well count once."""
    chance = random.Random(seed)
    backend = remote.open()
    wanted: dict[str, Memory] = {}
    kinds = ["drop", "drop-answer", "answer", "answer"]
    for _ in range(25):
        n = chance.randrange(8)
        memories = [
            make_memory(m, text=f"words {chance.randrange(3)} of {m}", run_id=chance.choice("ab"))
            for m in range(n, n + chance.randrange(1, 4))
        ]
        is_deletion = chance.random() < 0.25
        remote.server.fails(
            chance.choice(kinds),
            skip=chance.randrange(4),
            times=chance.randrange(3),
            answer=Answer(chance.choice([500, 503]), {}, {"Retry-After": "0"}),
        )
        for _ in range(10):
            try:
                if is_deletion:
                    backend.delete([each.id for each in memories])
                else:
                    backend.write(memories)
                break
            except BackendError as error:
                assert not error.permanent  # noqa: PT017 - every attempt is looked at
                if chance.random() < 0.3:
                    backend.close()
                    backend = remote.open()
        remote.server.works()
        for each in memories:
            wanted.pop(each.id, None)
            wanted |= {} if is_deletion else {each.id: each}

        seen = {each.id: each for each in backend.scan(filters=MINE)}
        assert wanted == seen
    backend.write([make_memory(99)])
    assert (
        sorted([make_memory(99).text, *(each.text for each in wanted.values())]) == remote.stored()
    )
    backend.close()


def test_typed_values_survive_a_server_that_changes_them(make_memory: MakeMemory) -> None:
    """Types, empty texts, microseconds and our own names in metadata come back as they were."""
    metadata = {"whole": 2.0, "n": 2, "flag": True, "none": "", "memory_id": "x", "pair": "A"}
    memory = make_memory(
        0, metadata=metadata, created_at=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    )
    kept = remote_copy.to_metadata(memory)
    changed = {k: int(v) if v == 2.0 else v for k, v in kept.items() if v != ""} | {"more": "x"}

    read = remote_copy.from_item(
        {"id": "r", "memory": memory.text, "metadata": changed}, has_clock=True
    )

    assert memory == read.memory
    assert repr(sorted(metadata.items())) == repr(sorted(read.memory.metadata.items()))


@pytest.mark.parametrize(
    "copy", [None, "", "{", "[]", "{}", '{"format": 2}', '{"format": 1, "texts": 5}'], ids=str
)
def test_a_broken_copy_is_somebody_elses_memory(copy: str | None) -> None:
    """Whatever stands where we keep our copy, the memory is read as it is."""
    metadata = {"memory_id": "x", "freqtrade_mem0": copy}

    read = remote_copy.from_item(
        {"id": "theirs", "memory": "words", "metadata": metadata}, has_clock=True
    )

    assert (read.is_ours, read.memory.id, read.memory.text) == (False, "theirs", "words")


@pytest.mark.parametrize("header", [None, "", "soon", "-3", "1e3", "Thu, 99 Foo 2026"])
def test_an_odd_retry_after_is_none(header: str | None) -> None:
    """What is neither seconds nor a date asks for nothing."""
    assert retry_after_s(header) is None


def test_waiting_ends_with_the_time_of_the_call() -> None:
    """A pause that does not fit into what is left is not begun."""
    patience = Patience(0.01)

    assert not patience.wait(60)
    with pytest.raises(RemoteError):
        patience.reading(lambda: (_ for _ in ()).throw(RemoteError("no", retry_after_s=60)))
