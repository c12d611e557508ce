"""The registry of every place that holds data, and of what forgetting does there.

Whoever adds a table to the journal or the embedded store, or a file to the memory's folder, adds
one entry here; a test compares this with what is found after a run of everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Rule(StrEnum):
    """What forgetting does with the rows of a table or with a file."""

    SCOPE = "rows of the scope are deleted"
    ROW = "rows that belong to a deleted row are deleted"
    RECORD = "rows with the id of a deleted record are deleted"
    RENEWED = "made anew of what is left"
    UNUSED = "texts that no row needs any more are deleted"
    CLEARED = "all rows are deleted, as nothing says whose they are"
    MARKS = "entries that name the scope are deleted"
    HASHES = "kept: only hashes, numbers and times are in it"
    STORE = "memories of the scope are deleted through Mem0, then the file is written anew"
    HISTORY = "rows about memories that are gone are deleted, then the file is written anew"
    REWRITTEN = "the file is written anew without free pages, and its log is emptied"
    DELETED = "the file is deleted"
    NO_DATA = "kept: it holds no memory"
    LEFT = "left, and named in the receipt"


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the journal; `column` has the number or id of the record or decision."""

    name: str
    rule: Rule
    column: str = ""


JOURNAL_TABLES = (
    Table("outbox", Rule.ROW, "seq"),
    Table("adopted", Rule.ROW, "seq"),
    Table("aged", Rule.ROW, "seq"),
    Table("told", Rule.ROW, "seq"),
    Table("asked", Rule.RECORD, "id"),
    Table("seen", Rule.RECORD, "record_id"),
    Table("packed", Rule.ROW, "number"),
    Table("evidence", Rule.ROW, "seq"),
    Table("records", Rule.SCOPE),
    Table("decisions", Rule.SCOPE),
    Table("old_decisions", Rule.SCOPE),
    Table("blocks", Rule.RENEWED),
    Table("dictionaries", Rule.RENEWED),
    Table("words", Rule.UNUSED),
    Table("scopes", Rule.UNUSED),
    Table("revoked", Rule.SCOPE),
    Table("set_aside", Rule.CLEARED),
    Table("marks", Rule.MARKS),
    Table("chain", Rule.HASHES),
    Table("chain_roots", Rule.HASHES),
    Table("chain_gone", Rule.HASHES),
    Table("forgotten", Rule.HASHES),
    Table("sqlite_sequence", Rule.HASHES),
    Table("sqlite_stat1", Rule.HASHES),
)

STORE_TABLES = {
    "collections": Rule.NO_DATA,
    "embedders": Rule.NO_DATA,
    "scopes": Rule.SCOPE,
    "memories": Rule.STORE,
    "times": Rule.STORE,
    "tombstones": Rule.HASHES,
    "words": Rule.STORE,
    "word_counts": Rule.STORE,
    "sqlite_sequence": Rule.HASHES,
}
"""Tables of the embedded store; those that FTS5 makes for `words` belong to it."""

FILES = {
    "journal.sqlite": Rule.REWRITTEN,
    "memories.sqlite": Rule.STORE,
    "history.db": Rule.HISTORY,
    "remote_ids.sqlite": Rule.REWRITTEN,
    "*-wal": Rule.REWRITTEN,
    "*-shm": Rule.NO_DATA,
    "*-journal": Rule.REWRITTEN,
    "session.sqlite": Rule.SCOPE,
    "service.sqlite": Rule.SCOPE,
    "webhooks.sqlite": Rule.SCOPE,
    "core_memory_updates.txt*": Rule.DELETED,
    "parameter_updates.json*": Rule.DELETED,
    "recall-*.snapshot": Rule.DELETED,
    "recall-*.tmp": Rule.DELETED,
    "compare-trials.jsonl": Rule.SCOPE,
    "journal.sqlite.damaged-*": Rule.DELETED,
    "before-restore-*/*": Rule.DELETED,
    "freqtrade-mem0-*.zip": Rule.LEFT,
    "*.lock": Rule.NO_DATA,
    "encryption.json*": Rule.NO_DATA,
    "audit.sqlite": Rule.NO_DATA,
    "mem0/*": Rule.NO_DATA,
    "qdrant/*": Rule.STORE,
}
"""Files in the memory's folder, by pattern. Those of `salvage`, `backup` and `VACUUM` that are gone
when these end have no entry."""

OUT_OF_REACH = (
    "Freqtrade's trade database, its logs and its backtest results: they are Freqtrade's",
    "journals and Mem0 stores of other machines: run this command there as well",
    "copies of the folder by file system snapshots or other backup programs",
    "session memory in Redis, whose values end by themselves after `session.ttl_s`",
    "released blocks of the disk: encrypt the disk if that matters",
)
"""What no forgetting reaches, in every mode."""

OUT_OF_REACH_BY_MODE = {
    "server": (
        "the server's own history of changes and its logs",
        "the files of the server's database until it writes them anew: VACUUM FULL in PostgreSQL",
    ),
    "platform": ("copies that the platform retains for a time that its terms say",),
}

OUT_OF_REACH_BY_STORE = {
    "pgvector": (
        "PostgreSQL's write-ahead log with its archives, its statistics, and base backups",
    ),
}
"""By the provider of the vector store; ours leaves nothing."""

OTHER_STORE = "what the vector store {!r} keeps of deleted memories until it compacts its files"
