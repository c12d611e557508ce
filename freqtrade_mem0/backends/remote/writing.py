"""One call's writes or deletions on a server, each with its effect once (see `backend`)."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from freqtrade_mem0.backends.remote import copy as remote_copy
from freqtrade_mem0.backends.remote.http import RemoteError
from freqtrade_mem0.backends.remote.ids import CONFIRMED, FORGOTTEN, SENT, UNCERTAIN, Write
from freqtrade_mem0.backends.remote.store import WriteFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from freqtrade_mem0.backends.remote.copy import RemoteCopy
    from freqtrade_mem0.backends.remote.http import Patience
    from freqtrade_mem0.backends.remote.store import RemoteStore, Stored
    from freqtrade_mem0.records.memory import Memory

_CONFIRMED_VALID_S = 600.0  # how long a confirmed write is not looked up again
_FIRST_POLL_S = 0.05
_MAX_POLL_S = 2.0


class Writing:
    """One call's work on a store; `patience` is the time of the call."""

    def __init__(self, store: RemoteStore, patience: Patience) -> None:
        self._store = store
        self._ids = store.ids
        self._patience = patience

    def write(self, wanted: Mapping[str, Memory]) -> None:
        """Store the memories that are not stored as they are; return when all are stored."""
        digests = {each: remote_copy.digest(memory) for each, memory in wanted.items()}
        known = self._known(wanted)
        todo = [
            memory
            for each, memory in wanted.items()
            if not _is_done(known.get(each), digests[each])
        ]
        if not todo:
            return
        found = self._look_up(todo, known)
        sent = []
        for memory in todo:
            there = found.get(memory.id)
            if there is not None and remote_copy.digest(there.memory) == digests[memory.id]:
                self._note(memory.id, digests[memory.id], CONFIRMED, remote_id=there.remote_id)
                continue
            with self._ids.turn(self._patience):
                write = self._send_once(memory, digests[memory.id], there, known.get(memory.id))
            if write.state == SENT:
                sent.append(write)
        for each, write in self._followed(sent).items():
            if write.state == UNCERTAIN:
                raise RemoteError(
                    f"Memory {each}: {self._store.where} accepted it and then failed to store"
                    " it. It stays in the journal and is sent again."
                )

    def delete(self, memory_ids: list[str]) -> int:
        """Delete all copies of these memories; return how many memories were there."""
        known = self._known(memory_ids)
        copies = self._store.find_ids(memory_ids, known)
        remote_ids = {copy.remote_id: copy.memory.id for copy in copies if copy.is_ours}
        for each in memory_ids:
            if each in remote_ids.values():
                continue
            write = known.get(each)
            remote_id = each if write is None or write.remote_id is None else write.remote_id
            there = self._store.one(remote_id)
            if there is not None and there.memory.id == each:
                remote_ids[there.remote_id] = each
        # A write whose result is not known may still become visible. The others are uncertain until
        # they are deleted, so that a write after a lost answer is looked up.
        doubtful = {write.id for write in known.values() if write.state != CONFIRMED}
        self._ids.note(
            replace(write, state=FORGOTTEN if each in doubtful else UNCERTAIN)
            for each, write in known.items()
        )
        self._store.remove(remote_ids)
        self._ids.forget(each for each in memory_ids if each not in doubtful)
        return len(set(remote_ids.values()))

    def _known(self, memory_ids: Iterable[str]) -> dict[str, Write]:
        known = self._ids.of(memory_ids)
        return known | self._followed(write for write in known.values() if write.state == SENT)

    def _look_up(self, todo: list[Memory], known: Mapping[str, Write]) -> dict[str, RemoteCopy]:
        copies = self._store.find(todo, known)
        hidden = set(self._ids.surplus())
        found, surplus = remote_copy.newest(
            copy for copy in copies if copy.is_ours and copy.remote_id not in hidden
        )
        self._ids.note_surplus(surplus)
        for memory in todo:  # moved from another owner, or too new for the server's own look-up
            write = known.get(memory.id)
            if memory.id not in found and write is not None and write.remote_id is not None:
                there = self._store.one(write.remote_id)
                if there is not None and there.memory.id == memory.id:
                    found[memory.id] = there
        self._patience.progressed()
        return found

    def _send_once(
        self, memory: Memory, digest: str, there: RemoteCopy | None, known: Write | None
    ) -> Write:
        """Send, unless another process has done it since the look-up."""
        now_known = self._ids.of([memory.id]).get(memory.id)
        if now_known is not None and not _is_same(now_known, known):
            is_under_way = now_known.state == SENT and now_known.digest == digest
            if is_under_way or _is_done(now_known, digest):
                return now_known
            there = self._look_up([memory], {memory.id: now_known}).get(memory.id)
        return self._send(memory, digest, there, now_known)

    def _send(
        self, memory: Memory, digest: str, there: RemoteCopy | None, before: Write | None
    ) -> Write:
        """Note the intention, send, note the result; a process killed in between looks it up."""
        old_id = None if there is None else there.remote_id
        self._note(memory.id, digest, UNCERTAIN, remote_id=old_id)
        try:
            stored = self._patience.writing(lambda: self._replace_or_add(memory, there))
        except RemoteError as error:
            if error.left_no_trace and before is None:
                self._ids.forget([memory.id])
            elif error.left_no_trace and before is not None:
                self._ids.note([before])
            raise error.about(memory.id) from None
        self._patience.progressed()
        if old_id is not None and stored.remote_id != old_id:
            self._ids.note_surplus([old_id])
        state = SENT if stored.event_id is not None and stored.remote_id is None else CONFIRMED
        return self._note(
            memory.id, digest, state, remote_id=stored.remote_id, event_id=stored.event_id
        )

    def _replace_or_add(self, memory: Memory, there: RemoteCopy | None) -> Stored:
        replaced = None if there is None else self._store.replace(there, memory)
        return self._store.add(memory) if replaced is None else replaced

    def _followed(self, writes: Iterable[Write]) -> dict[str, Write]:
        """Wait for writes that the server stores later; one that it failed to is uncertain again.

        Raises `RemoteError` where some are still under way when the time of the call is up.
        """
        open_writes = {write.id: write for write in writes}
        ended: dict[str, Write] = {}
        pause_s = _FIRST_POLL_S
        while open_writes:
            for write in list(open_writes.values()):
                end = self._end_of(write)
                if end is not None:
                    ended[write.id] = end
                    del open_writes[write.id]
                    self._patience.progressed()
            if open_writes and not self._patience.wait(pause_s):
                raise RemoteError(
                    f"{self._store.where} accepted {len(open_writes)} memories but has not "
                    "stored them yet. They are looked up before they are sent again."
                )
            pause_s = min(2 * pause_s, _MAX_POLL_S)
        return ended

    def _end_of(self, write: Write) -> Write | None:
        try:
            stored = self._store.follow(write.event_id or "")
        except WriteFailed:
            return self._note(write.id, write.digest, UNCERTAIN)
        except RemoteError as error:
            if not error.is_missing:
                raise
            return self._note(write.id, write.digest, UNCERTAIN)  # the event is deleted: look it up
        if stored is None:
            return None
        return self._note(write.id, write.digest, CONFIRMED, remote_id=stored.remote_id)

    def _note(
        self,
        memory_id: str,
        digest: str,
        state: str,
        *,
        remote_id: str | None = None,
        event_id: str | None = None,
    ) -> Write:
        write = Write(
            id=memory_id,
            state=state,
            digest=digest,
            remote_id=remote_id,
            event_id=event_id,
            noted_at=time.time(),
        )
        self._ids.note([write])
        return write


def _is_done(write: Write | None, digest: str) -> bool:
    return (
        write is not None
        and write.state == CONFIRMED
        and write.digest == digest
        and 0 <= time.time() - write.noted_at < _CONFIRMED_VALID_S
    )


def _is_same(write: Write, other: Write | None) -> bool:
    return other is not None and replace(write, noted_at=other.noted_at) == other
