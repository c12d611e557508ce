"""Notes that an agent or a language model writes: labelled, never evidence for a stake."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.client.told_note import told_note
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.base import record_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.client.mem0_client import Mem0Client

WRITTEN_BY = "written_by"
"""Key of a note's metadata that says who wrote it; without it, a person or a tool did."""


def add_note(
    client: Mem0Client,
    writer: str,
    category: str,
    text: str,
    metadata: Mapping[str, Any] | None = None,
) -> str:
    """Keep a note under the name of its writer, such as "agent trader_1"; return its id.

    The same text of one writer is kept once in a category, and beside that of another writer.

    Raises
    ------
    RecordError
        As `Mem0Client.store`, or the metadata names another writer.
    """
    given = dict(metadata or {})
    if WRITTEN_BY in given:
        raise RecordError(f"metadata {WRITTEN_BY!r} says who wrote a note; leave it out.")
    note = told_note(client.folder, client.manual_origin, category, text, given)
    note = replace(
        note,
        id=record_id("note", note.id, writer),
        origin=replace(note.origin, run_id=writer.rpartition(" ")[2]),  # as of its decisions
        metadata={**note.metadata, WRITTEN_BY: writer},
    )
    if client.folder.journal.record_of(type(note), note.id) is None:
        client.append(note)
    return note.id
