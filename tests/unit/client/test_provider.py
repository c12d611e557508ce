"""The provider: four calls by user that never hold up the loop, and never do anything half."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from freqtrade_mem0.client.mem0_client import Mem0Client
from freqtrade_mem0.client.provider import AsyncMemoryProvider, MemoryProvider
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.errors import BackendError, Mem0Error, RecordError
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.records.kinds.note import Note
from freqtrade_mem0.records.mapping import to_memory
from tests.support.mem0_stand_in import Mem0StandIn
from tests.support.samples import a_note

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE_S = 300.0
Scene: TypeAlias = Callable[[AsyncMemoryProvider], Awaitable[None]]


def settings(mode: str = "embedded") -> Settings:
    """Return settings under which a Mem0 that failed is not asked again in a test."""
    slow = {"retry_s": 3600, "max_retry_s": 3600}
    return Settings.model_validate({"mode": mode, "user_id": "owner", "delivery": slow})


def play(scene: Scene, folder: Path, mem0: Mem0StandIn | None = None, **bounds: int) -> None:
    """Run a scene with a provider, over a stand-in or over the real thing."""
    play_with(scene, MemoryFolder(settings(), folder), mem0, **bounds)


def play_with(
    scene: Scene, store: MemoryFolder, mem0: Mem0StandIn | None = None, **bounds: int
) -> None:
    """Run a scene with a provider of this store."""
    if mem0 is not None:
        store._backend = mem0

    async def run() -> None:
        async with asyncio.timeout(PATIENCE_S):
            provider = AsyncMemoryProvider(Mem0Client(store), **bounds)
            try:
                await scene(provider)
            finally:
                if mem0 is not None:
                    mem0.may_answer.set()
                await provider.aclose()

    asyncio.run(run())


async def until(condition: Callable[[], bool]) -> None:
    """Let others run until the condition holds; `play` ends what would take for ever."""
    while not condition():  # noqa: ASYNC110 - threads, which an asyncio.Event does not hear
        await asyncio.sleep(0)


def contents(found: list[dict[str, Any]]) -> list[str]:
    """Return the texts, sorted."""
    return sorted(memory["content"] for memory in found)


@pytest.mark.parametrize("mode", ["embedded", "local"])
def test_what_is_added_is_found_until_it_is_deleted(mode: str, tmp_path: Path) -> None:
    """With metadata, category and filters, each user for themselves."""

    async def scene(memory: AsyncMemoryProvider) -> None:
        kept = await memory.add("fees eat profits", user_id="ann", metadata={"n": 1})
        gone = await memory.add(
            "news move prices", user_id="ann", metadata={"n": 2}, category="market_conditions"
        )
        await memory.add("news move prices", user_id="bob")

        (found,) = await memory.search("news", user_id="ann", limit=1)
        assert (found["id"], found["metadata"]["n"]) == (gone, 2)
        assert found["metadata"]["category"] == "market_conditions"
        filtered = await memory.get_all(user_id="ann", filters={"n": {"lt": 2}})
        assert [each["id"] for each in filtered] == [kept]
        newest = await memory.get_all(user_id="ann", limit=1)
        assert [each["id"] for each in newest] == [gone]
        assert await memory.delete(gone, user_id="ann")
        assert not await memory.delete(gone, user_id="ann")
        assert contents(await memory.get_all(user_id="ann")) == ["fees eat profits"]
        assert contents(await memory.get_all(user_id="bob")) == ["news move prices"]
        assert await memory.get_all(user_id="owner") == []

    play_with(scene, MemoryFolder(settings(mode), tmp_path))


def test_no_user_reaches_what_is_anothers(tmp_path: Path) -> None:
    """Not by a filter, not by an id, not by the wildcard; nor what a script stored as the owner."""
    mem0 = Mem0StandIn()
    foreign = to_memory(a_note(content="secret"))
    mem0.memories[foreign.id] = foreign

    async def scene(memory: AsyncMemoryProvider) -> None:
        secret = await memory.add("secret", user_id="ann")
        for filters in (
            {"user_id": "ann"},
            {"OR": [{"user_id": "ann"}, {"n": 1}]},
            {"user_id": {"in": ["ann", "bob"]}},
        ):
            with pytest.raises(RecordError, match="The filter names the user"):
                await memory.search("secret", user_id="bob", filters=filters)
            with pytest.raises(RecordError, match="The filter names the user"):
                await memory.get_all(user_id="bob", filters=filters)
        assert await memory.get_all(user_id="bob", filters={"NOT": [{"n": 1}]}) == []
        assert await memory.search("secret", user_id="bob") == []
        for memory_id in (secret, foreign.id, "no id at all"):
            assert not await memory.delete(memory_id, user_id="bob")
        for nobody in ("*", "", "ann bob"):
            with pytest.raises(RecordError, match="user_id must be a text"):
                await memory.get_all(user_id=nobody)
        with pytest.raises(RecordError, match="'user_id' is a name Mem0 keeps"):
            await memory.add("x", user_id="bob", metadata={"user_id": "ann"})
        assert contents(await memory.get_all(user_id="ann")) == ["secret"]
        assert foreign.id in mem0.memories

    play(scene, tmp_path, mem0)


def test_the_loop_goes_on_while_mem0_does_not_answer(tmp_path: Path) -> None:
    """A call of each kind hangs, and other tasks run; then all are answered."""
    mem0 = Mem0StandIn()

    async def scene(memory: AsyncMemoryProvider) -> None:
        old = await memory.add("old", user_id="ann")
        mem0.may_answer.clear()
        calls: list[asyncio.Task[Any]] = [
            asyncio.create_task(memory.search("old", user_id="ann")),
            asyncio.create_task(memory.get_all(user_id="ann")),
            asyncio.create_task(memory.add("new", user_id="bob")),
            asyncio.create_task(memory.delete(old, user_id="cleo")),
        ]
        await until(lambda: mem0.n_inside > 0)
        heartbeats = 0
        for _ in range(1_000):
            await asyncio.sleep(0)
            heartbeats += 1
        assert heartbeats == 1_000
        assert not any(call.done() for call in calls[:3])
        mem0.may_answer.set()
        found, every, added, deleted = await asyncio.gather(*calls)
        assert contents(found) == contents(every) == ["old"]
        assert added in mem0.memories
        assert not deleted

    play(scene, tmp_path, mem0)


def test_a_cancelled_add_is_stored_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    """One at work is finished behind the scenes; one that waits is never begun."""
    mem0 = Mem0StandIn()

    async def scene(memory: AsyncMemoryProvider) -> None:
        mem0.may_answer.clear()
        at_work = asyncio.create_task(memory.add("at work", user_id="ann", metadata={"n": 1}))
        await until(lambda: mem0.n_inside == 1)
        waiting = asyncio.create_task(memory.add("waiting", user_id="ann"))
        await asyncio.sleep(0)
        for call in (at_work, waiting):
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
        mem0.may_answer.set()
        (found,) = await memory.get_all(user_id="ann")
        assert (found["content"], found["metadata"]["n"]) == ("at work", 1)

    play(scene, tmp_path, mem0, max_workers=1)


def test_what_was_acknowledged_survives_without_mem0(tmp_path: Path) -> None:
    """While Mem0 is away it is read from the journal; another process finds and delivers it."""
    mem0 = Mem0StandIn()
    later = MemoryFolder(settings(), tmp_path)

    async def scene(memory: AsyncMemoryProvider) -> None:
        gone = await memory.add("gone", user_id="ann")
        mem0.is_away = True
        await memory.add("fees eat profits", user_id="ann")
        assert await memory.delete(gone, user_id="ann")
        assert contents(await memory.get_all(user_id="ann")) == ["fees eat profits"]
        assert contents(await memory.search("fees", user_id="ann")) == ["fees eat profits"]
        assert await memory.get_all(user_id="bob") == []
        # As after a kill: nothing was closed, another process opens the same folder.
        notes = [record for record in later.records(user_id="ann") if isinstance(record, Note)]
        assert [note.content for note in notes] == ["fees eat profits"]
        assert later.outbox.state().pending == 2

    play(scene, tmp_path, mem0)

    async def after(memory: AsyncMemoryProvider) -> None:
        assert contents(await memory.get_all(user_id="ann")) == ["fees eat profits"]

    back = Mem0StandIn()
    back.memories = mem0.memories
    play_with(after, later, back)
    assert "fees eat profits" in {memory.text for memory in back.memories.values()}
    assert "gone" not in {memory.text for memory in back.memories.values()}


def test_calls_beyond_the_bound_are_refused(tmp_path: Path) -> None:
    """So many work, so many wait, the next one hears why; later calls are taken again."""
    mem0 = Mem0StandIn()

    async def scene(memory: AsyncMemoryProvider) -> None:
        await memory.add("old", user_id="ann")
        mem0.may_answer.clear()
        calls = [asyncio.create_task(memory.search("old", user_id="ann")) for _ in range(5)]
        await until(lambda: mem0.n_inside == 2)
        with pytest.raises(BackendError, match="5 calls of this memory provider run or wait"):
            await memory.add("too much", user_id="ann")
        mem0.may_answer.set()
        assert [contents(found) for found in await asyncio.gather(*calls)] == [["old"]] * 5
        assert mem0.most_inside == 2
        assert contents(await memory.get_all(user_id="ann")) == ["old"]

    play(scene, tmp_path, mem0, max_workers=2, max_waiting=3)


def test_many_users_at_once_get_their_own(tmp_path: Path) -> None:
    """Written and read in parallel, over the real Mem0."""

    async def scene(memory: AsyncMemoryProvider) -> None:
        users = [f"user-{n}" for n in range(8)]
        await asyncio.gather(
            *(memory.add(f"note {n} of {user}", user_id=user) for user in users for n in range(3))
        )
        every = await asyncio.gather(*(memory.get_all(user_id=user) for user in users))
        found = await asyncio.gather(*(memory.search("note", user_id=user) for user in users))
        for user, of_user, matching in zip(users, every, found, strict=True):
            assert (
                contents(of_user) == contents(matching) == [f"note {n} of {user}" for n in range(3)]
            )

    play(scene, tmp_path)


def test_closing_finishes_what_was_begun_and_refuses_the_rest(tmp_path: Path) -> None:
    """An add at work is stored; closing twice is harmless."""
    mem0 = Mem0StandIn()
    later = MemoryFolder(settings(), tmp_path)

    async def scene(memory: AsyncMemoryProvider) -> None:
        mem0.may_answer.clear()
        adding = asyncio.create_task(memory.add("the last one", user_id="ann"))
        await until(lambda: mem0.n_inside == 1)
        closing = asyncio.create_task(memory.aclose())
        await asyncio.sleep(0)
        with pytest.raises(Mem0Error, match="closed"):
            await memory.get_all(user_id="ann")
        mem0.may_answer.set()
        await asyncio.gather(adding, closing)
        await memory.aclose()

    play(scene, tmp_path, mem0)
    assert [record.kind for record in later.records(user_id="ann")] == ["note"]
    later.close()


def test_what_the_caller_changes_meanwhile_changes_nothing(tmp_path: Path) -> None:
    """Metadata and filters are those of the moment of the call."""
    mem0 = Mem0StandIn()

    async def scene(memory: AsyncMemoryProvider) -> None:
        metadata, filters = {"n": 1}, {"OR": [{"n": 1}]}
        mem0.may_answer.clear()
        first = asyncio.create_task(memory.get_all(user_id="nobody"))
        await until(lambda: mem0.n_inside == 1)
        adding = asyncio.create_task(memory.add("x", user_id="ann", metadata=metadata))
        reading = asyncio.create_task(memory.get_all(user_id="ann", filters=filters))
        await asyncio.sleep(0)
        metadata["n"] = 2
        filters["OR"].append({"user_id": 3})
        mem0.may_answer.set()
        await first
        await adding
        assert [each["metadata"]["n"] for each in await reading] == [1]

    play(scene, tmp_path, mem0, max_workers=1)


def test_it_is_a_memory_provider(tmp_path: Path) -> None:
    """For type checkers and readers: the class has what the protocol names."""
    provider: MemoryProvider = AsyncMemoryProvider(Mem0Client(MemoryFolder(settings(), tmp_path)))
    assert {name for name in vars(MemoryProvider) if name[0] != "_"} <= set(dir(provider))
    with pytest.raises(ValueError, match="max_waiting"):
        AsyncMemoryProvider(Mem0Client(MemoryFolder(settings(), tmp_path)), max_waiting=-1)


def test_each_call_is_understood_in_all_forms(tmp_path: Path) -> None:
    """By position, by name, with the user first or by name; conversations and texts."""
    talk = [{"role": "user", "content": "Buy?"}, {"role": "assistant", "content": "No."}]

    async def scene(memory: AsyncMemoryProvider) -> None:
        ids = [
            await memory.add("ann", talk),
            await memory.add(user_id="ann", messages=talk, metadata=None),
            await memory.add(talk, user_id="ann"),
            await memory.add("ann", messages=talk),
        ]
        assert len(set(ids)) == 1
        (found,) = await memory.search("ann", "Buy?", 3)
        assert found["memory"] == "user: Buy?\nassistant: No."
        other = await memory.add("ann", "no leverage", {"category": "preferences"})
        for found_now in (
            await memory.search("ann", "leverage", filters={"category": "preferences"}),
            await memory.search(
                user_id="ann", query="leverage", filters={"category": "preference"}
            ),
            await memory.search("leverage", user_id="ann", limit=1),
        ):
            assert found_now[0]["id"] == other
        assert len(await memory.get_all("ann")) == len(await memory.get_all(user_id="ann")) == 2
        assert await memory.delete("ann", other)
        assert await memory.delete(memory_id=ids[0], user_id="ann")
        assert await memory.get_all("ann") == []

    play(scene, tmp_path)


@pytest.mark.parametrize(
    ("messages", "sentence"),
    [
        ([], "at least one message, got none"),
        ([{"role": "user"}], "must have a 'role' and a 'content' with text"),
        ([7], "must have a 'role' and a 'content' with text, got 7"),
    ],
)
def test_messages_without_text_are_refused(messages: Any, sentence: str, tmp_path: Path) -> None:
    """There is nothing to remember, and half a conversation would mislead."""

    async def scene(memory: AsyncMemoryProvider) -> None:
        with pytest.raises(RecordError, match=sentence):
            await memory.add("ann", messages)
        with pytest.raises(TypeError, match=r"add\(\) needs messages"):
            await memory.add("ann")
        with pytest.raises(TypeError, match=r"delete\(\) takes user_id, memory_id; got 3"):
            await memory.delete("ann", "x", "y")

    play(scene, tmp_path)
