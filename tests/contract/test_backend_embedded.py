"""The embedded backend and Mem0 itself: what each writes the other reads; quiet and offline."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.backends.in_process.backend import EmbeddedBackend
from freqtrade_mem0.errors import BackendError
from tests.support.wait import HANG_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freqtrade_mem0.records.memory import Memory

MakeMemory = Callable[..., "Memory"]
MINE = {"user_id": "me"}


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[EmbeddedBackend]:
    """Open an empty backend with its defaults."""
    opened = EmbeddedBackend(tmp_path / "mem0")
    yield opened
    opened.close()


def test_mem0_reads_what_we_write(backend: EmbeddedBackend, make_memory: MakeMemory) -> None:
    """Mem0's own get, get_all and search give our memories with text, scopes and metadata."""
    memory = make_memory(3)
    backend.write([memory, make_memory(4, user_id="you")])

    one = backend.memory.get(memory.id)
    (listed,) = backend.memory.get_all(filters=MINE)["results"]
    (found,) = backend.memory.search("profit", filters=MINE)["results"]

    assert one == listed | {"score": None}
    assert (one["id"], one["memory"], one["metadata"]) == (memory.id, memory.text, memory.metadata)
    assert (one["user_id"], one["agent_id"], one["run_id"]) == ("me", "MyStrategy", "bot-1")
    assert one["created_at"] == "2026-01-01T00:03:00+00:00" < one["updated_at"]
    assert found["id"] == memory.id


def test_we_write_the_payload_that_mem0_writes(
    backend: EmbeddedBackend, make_memory: MakeMemory
) -> None:
    """Our bulk write and Mem0's add leave the same payload for the same memory."""
    memory = make_memory(0)
    backend.write([memory])
    theirs = backend.memory.add(
        memory.text,
        user_id=memory.user_id,
        agent_id=memory.agent_id,
        run_id=memory.run_id,
        metadata=dict(memory.metadata) | {"created_at": memory.created_at.isoformat()},
        infer=False,
    )["results"][0]["id"]

    store = backend.memory.vector_store
    ours, others = store.get(memory.id).payload, store.get(theirs).payload
    # Mem0 dates the change back to the creation it was given; ours says when it was stored.
    assert ours.pop("updated_at") > others.pop("updated_at")
    assert ours == others


def test_we_read_what_mem0_writes(backend: EmbeddedBackend) -> None:
    """A note added through Mem0, with a name, an expiry and nested metadata, is a memory."""
    note = [{"role": "user", "name": "Ann", "content": "Never short SOL before the halving"}]
    (added,) = backend.memory.add(
        note,
        user_id="me",
        metadata={"tags": ["a", "b"], "weight": 2},
        expiration_date="2020-01-01",
        infer=False,
    )["results"]

    memory = backend.get(added["id"])

    assert memory is not None
    assert (memory.text, memory.user_id) == (note[0]["content"], "me")
    assert (memory.agent_id, memory.run_id) == ("", "")
    assert memory.metadata == {
        "tags": '["a", "b"]',
        "weight": 2,
        "actor_id": "Ann",
        "expiration_date": "2020-01-01",
    }
    assert [memory] == list(backend.scan(filters=MINE))
    assert [each.id for each in backend.search("SOL", filters=MINE, limit=5)] == [memory.id]


def test_mem0_changes_and_deletes_ours(backend: EmbeddedBackend, make_memory: MakeMemory) -> None:
    """Update, history, delete and delete_all of Mem0 work on memories that we wrote."""
    memories = [make_memory(n) for n in range(5)]
    backend.write(memories)
    one, other = memories[0].id, memories[1].id

    backend.memory.update(one, text="Rewritten by hand", metadata={"checked": True})
    backend.memory.delete(other)

    changed = backend.get(one)
    assert changed is not None
    assert changed.text == "Rewritten by hand"
    assert changed.metadata == {**memories[0].metadata, "checked": True}
    assert changed.created_at == memories[0].created_at
    assert [row["event"] for row in backend.memory.history(one)] == ["UPDATE"]
    assert [row["event"] for row in backend.memory.history(other)] == ["DELETE"]
    assert backend.get(other) is None

    backend.memory.delete_all(user_id="me")
    assert backend.count(filters={}) == {(): 0}


def test_mem0_resets_ours(backend: EmbeddedBackend, make_memory: MakeMemory) -> None:
    """After Mem0's reset the store is empty and takes memories again."""
    backend.write([make_memory(0)])

    backend.memory.reset()
    backend.write([make_memory(1)])

    assert list(backend.scan(filters={})) == [make_memory(1)]


def test_mem0_keeps_its_entities_beside_ours(
    backend: EmbeddedBackend, make_memory: MakeMemory
) -> None:
    """Mem0's second collection lives in the same file and is not mixed with memories."""
    backend.write([make_memory(0)])
    mem0 = backend.memory
    mem0._upsert_entity("Solana", "PROPER", "some-memory", MINE)  # what add() calls
    mem0._upsert_entity("Solana", "PROPER", "another", MINE)

    ((entity,),) = mem0.entity_store.list(filters=MINE)

    assert entity.payload["linked_memory_ids"] == ["some-memory", "another"]
    assert sorted(mem0.vector_store.list_cols()) == ["memories", "memories_entities"]
    assert backend.count(filters={}) == {(): 1}


def test_everything_is_there_after_reopening(tmp_path: Path, make_memory: MakeMemory) -> None:
    """A backend opened later on the same folder gives every memory back, equal."""
    memories = [make_memory(n) for n in range(2_500)]
    first = EmbeddedBackend(tmp_path / "mem0")
    first.write(memories)
    first.close()

    second = EmbeddedBackend(tmp_path / "mem0")

    assert list(second.scan(filters=MINE)) == memories
    second.close()


def test_rows_of_other_tools_break_no_answer(
    backend: EmbeddedBackend, make_memory: MakeMemory
) -> None:
    """Where Mem0 would refuse a whole answer for one odd row, ours still comes."""
    backend.write([make_memory(0)])
    odd: list[Any] = [
        {"user_id": "me", "data": "profit", "created_at": 1767225600},
        {"user_id": "me", "data": 17, "hash": 3, "created_at": "last week"},
        {"user_id": "me"},
    ]
    ids = [make_memory(n).id for n in (7, 8, 9)]
    vector = backend.memory.embedding_model.embed("profit")
    backend.memory.vector_store.insert([vector] * 3, odd, ids)

    found = backend.search("profit", filters=MINE, limit=10)

    assert {each.id for each in found} == {make_memory(0).id, ids[0], ids[1]}
    assert len(list(backend.scan(filters={}))) == 4
    assert len(backend.memory.get_all(filters=MINE)["results"]) == 4


def test_threads_build_one_memory(tmp_path: Path, make_memory: MakeMemory) -> None:
    """Threads that use a new backend at once share one Mem0 and lose nothing."""
    backend = EmbeddedBackend(tmp_path / "mem0")

    def work(worker: int) -> int:
        for n in range(10):
            backend.write([make_memory(10 * worker + n)])
            assert backend.search("profit", filters=MINE, limit=3)
        return id(backend.memory)

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(work, range(6)))) == 1

    assert backend.count(filters={}) == {(): 60}
    backend.close()


def test_embedded_qdrant_is_safe_with_threads(tmp_path: Path, make_memory: MakeMemory) -> None:
    """Calls to a store that is not safe by itself take turns."""
    backend = EmbeddedBackend(tmp_path / "mem0", vector_store={"provider": "qdrant"})

    def work(worker: int) -> None:
        for n in range(10):
            backend.write([make_memory(10 * worker + n)])
            assert backend.search("profit", filters=MINE, limit=3)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))

    assert backend.count(filters={}) == {(): 40}
    backend.close()


def test_a_closed_qdrant_can_be_opened_again(tmp_path: Path, make_memory: MakeMemory) -> None:
    """Closing releases the lock that Mem0 itself never gives back, and keeps to the folder."""
    for n in range(2):
        backend = EmbeddedBackend(tmp_path / "mem0", vector_store={"provider": "qdrant"})
        backend.write([make_memory(n)])
        backend.close()

    assert (tmp_path / "mem0" / "qdrant").is_dir()


def test_the_embedder_can_be_set_alone(tmp_path: Path, make_memory: MakeMemory) -> None:
    """A block replaces its default and leaves the others."""
    wide = {"provider": "hashing", "config": {"embedding_dims": 512}}
    backend = EmbeddedBackend(tmp_path / "mem0", embedder=wide)

    backend.write([make_memory(0)])

    assert backend.memory.vector_store.col_info()["dimensions"] == 512
    backend.close()
    narrow = EmbeddedBackend(tmp_path / "mem0")
    narrow.write([make_memory(1)])
    assert len(narrow.search("profit", filters=MINE, limit=10)) == 2
    narrow.close()


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        ({"vector_store": {"provider": "qdrnt"}}, "qdrnt"),
        ({"embedder": {"provider": "nobody"}}, "nobody"),
        ({"llm": {"provider": "skynet"}}, "skynet"),
        ({"vector_store": {"host": "x"}}, 'block "vector_store" must name a "provider"'),
        ({"vector_store": {"provider": "qdrant", "config": {"pth": "x"}}}, "pth"),
        ({"vector_store": {"provider": "sqlite", "config": {"pth": "x"}}}, "pth"),
    ],
    ids=str,
)
def test_a_wrong_block_is_named(tmp_path: Path, blocks: dict[str, Any], words: str) -> None:
    """What Mem0 can not be started with is said with provider and cause."""
    backend = EmbeddedBackend(tmp_path / "mem0", **blocks)

    with pytest.raises(BackendError, match=words):
        backend.count(filters={})


def test_files_are_private(backend: EmbeddedBackend, make_memory: MakeMemory) -> None:
    """Nobody but the owner may read memories, history or Mem0's own folder."""
    backend.write([make_memory(0)])

    store = backend.memory.vector_store
    folder = store._file.path.parent  # the only way to the path of this fixture
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()}

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {name: mode & 0o077 for name, mode in modes.items()} == dict.fromkeys(modes, 0)


QUIET = """
import json, os, socket, sys, warnings
asked = []
def refuse(*where, **_):
    asked.append(repr(where))
    raise OSError("no network in this test")
socket.getaddrinfo = socket.create_connection = refuse
socket.socket.connect = refuse
from pathlib import Path
import freqtrade_mem0.backends.in_process.backend, freqtrade_mem0.backends.local
light = not {"mem0", "sklearn", "posthog", "qdrant_client"} & set(sys.modules)
from datetime import UTC, datetime
from freqtrade_mem0.records.memory import Memory
folder = Path(sys.argv[1])
backend = freqtrade_mem0.backends.in_process.backend.EmbeddedBackend(folder)
untouched = not folder.exists()
memory = Memory(id="00000000-0000-0000-0000-000000000001", text="calm uptrend", user_id="me",
                agent_id="", run_id="", created_at=datetime.now(UTC))
backend.write([memory])
assert backend.search("uptrend", filters={"user_id": "me"}, limit=500) != []
for _ in range(6):
    backend.memory.add("note for next week", user_id="me", infer=False)
backend.memory.delete_all(user_id="me")
backend.close()
home = sorted(os.listdir(os.environ["HOME"]))
print(json.dumps({"light": light, "untouched": untouched, "asked": asked, "home": home}))
"""


def test_nothing_leaves_the_machine_or_lands_in_the_home_folder(tmp_path: Path) -> None:
    """A fresh user's first run asks no network, prints no notice and writes to our folder alone."""
    home = tmp_path / "home"
    home.mkdir()
    unset = {"MEM0_TELEMETRY", "MEM0_DIR", "OPENAI_API_KEY"}
    environment = {key: value for key, value in os.environ.items() if key not in unset}

    child = subprocess.run(
        [sys.executable, "-c", QUIET, str(tmp_path / "memory")],
        env=environment | {"HOME": str(home), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
    )

    assert (child.returncode, child.stderr) == (0, "")
    assert json.loads(child.stdout) == {"light": True, "untouched": True, "asked": [], "home": []}
    assert sorted(each.name for each in (tmp_path / "memory").iterdir()) == [
        "history.db",
        "mem0",
        "memories.sqlite",
    ]


LATE = """
import os, sys
import mem0
from mem0.memory import main, telemetry
assert telemetry.MEM0_TELEMETRY is True
from pathlib import Path
from freqtrade_mem0.backends.in_process.backend import EmbeddedBackend
backend = EmbeddedBackend(Path(sys.argv[1]))
backend.memory
print(telemetry.MEM0_TELEMETRY, main.MEM0_TELEMETRY, flush=True)
backend.close()
os._exit(0)
"""


@pytest.mark.parametrize(("chosen", "left"), [(None, "False False"), ("True", "True True")])
def test_telemetry_is_off_unless_the_user_wants_it(
    tmp_path: Path, chosen: str | None, left: str
) -> None:
    """Also where Mem0 was imported before us; a value that the user set is respected."""
    environment = {key: value for key, value in os.environ.items() if key != "MEM0_TELEMETRY"}
    environment |= {"HOME": str(tmp_path), "MEM0_DIR": str(tmp_path / "theirs")}

    child = subprocess.run(
        [sys.executable, "-c", LATE, str(tmp_path / "memory")],
        env=environment if chosen is None else environment | {"MEM0_TELEMETRY": chosen},
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
    )

    assert child.stdout.splitlines()[-1:] == [left], child.stderr


def test_a_forked_child_builds_its_own(backend: EmbeddedBackend, make_memory: MakeMemory) -> None:
    """After a fork parent and child both write, and the child's close leaves the parent's alone."""
    backend.write([make_memory(0)])

    child = os.fork()
    if child == 0:
        try:
            backend.write([make_memory(1)])
            backend.close()
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    backend.memory.update(make_memory(0).id, text="changed")
    assert backend.count(filters={}) == {(): 2}


DELIVERING = """
import sys
from pathlib import Path
from datetime import UTC, datetime
from freqtrade_mem0.backends.in_process.backend import EmbeddedBackend
from freqtrade_mem0.records.memory import Memory
backend = EmbeddedBackend(Path(sys.argv[1]))
memory = Memory(id="00000000-0000-0000-0000-000000000001", text="calm uptrend", user_id="me",
                agent_id="", run_id="", created_at=datetime.now(UTC))
backend.write([memory])
assert backend.count(filters={}) == {(): 1} and list(backend.scan(filters={})) != []
assert backend.delete([memory.id]) == 1
print(sorted({"mem0", "sklearn", "openai", "qdrant_client"} & set(sys.modules)))
"""


@pytest.mark.skipif(find_spec("spacy") is not None, reason="Mem0 prepares texts with spaCy")
def test_delivering_does_not_load_mem0(tmp_path: Path) -> None:
    """Its import takes longer than most deliveries; our store and embedder need nothing of it."""
    said = subprocess.check_output(
        [sys.executable, "-c", DELIVERING, str(tmp_path / "mem0")], text=True
    )
    assert said == "[]\n"


def test_a_search_uses_the_store_that_is_open(
    backend: EmbeddedBackend, make_memory: MakeMemory
) -> None:
    """Vectors are kept in memory once, not twice."""
    backend.write([make_memory(1)])
    store = backend._parts.store if backend._parts else None

    assert backend.search("profit", filters=MINE, limit=1) != []
    assert backend.memory.vector_store is store


def test_mem0_without_a_language_model_says_so(backend: EmbeddedBackend) -> None:
    """Who lets Mem0 infer facts learns which block is missing."""
    with pytest.raises(BackendError, match="needs a language model"):
        backend.memory.llm.generate_response(messages=[])
