"""The file of webhooks in the memory's folder: what waits, what was sent, what was given up.

It is no part of the journal, so that no bot waits for it. Messages are for the endpoints of an
owner; ids are those of their events, so that one that is made again is not sent again.
"""

from __future__ import annotations

from freqtrade_mem0.errors import JournalError
from freqtrade_mem0.sqlite_files.own_file import OwnFile

FILE_NAME = "webhooks.sqlite"
_APPLICATION_ID = 0x4D305748  # "M0WH"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS endpoints (
    name TEXT PRIMARY KEY,                  -- the owner, a blank, and the name in the config
    journal TEXT NOT NULL,                  -- which journal the places are of
    record_seq INTEGER NOT NULL,            -- the last rows that were looked at
    decision_seq INTEGER NOT NULL,
    made_ms INTEGER NOT NULL,               -- all times are epoch milliseconds
    troubles TEXT NOT NULL DEFAULT '{}',    -- JSON: since when each trouble lasts
    rests_until_ms INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,    -- in a row
    gone_ms INTEGER,                        -- since when it is switched off, as it answered 410
    n_sent INTEGER NOT NULL DEFAULT 0,
    n_failed INTEGER NOT NULL DEFAULT 0,    -- attempts
    sent_ms INTEGER,
    error TEXT NOT NULL DEFAULT ''          -- of the last attempt
) STRICT;
CREATE TABLE IF NOT EXISTS messages (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    endpoint TEXT NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    about TEXT NOT NULL,
    version TEXT NOT NULL,
    strategy TEXT,                          -- whose it is; NULL where it concerns no bot
    mode TEXT,
    run_id TEXT,
    made_ms INTEGER NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    since_ms INTEGER NOT NULL,              -- when it was queued, or asked for again
    due_ms INTEGER NOT NULL,
    done_ms INTEGER,                        -- when it was sent, or given up
    error TEXT NOT NULL DEFAULT '',
    body BLOB NOT NULL,
    UNIQUE (endpoint, id)
) STRICT;
CREATE INDEX IF NOT EXISTS messages_waiting ON messages (endpoint, number) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS messages_about ON messages (endpoint, about) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS messages_done ON messages (done_ms) WHERE done_ms IS NOT NULL;
CREATE TABLE IF NOT EXISTS heard (          -- ids of incoming webhooks
    id TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"""


class WebhookFile(OwnFile):
    """The file, opened at first use; threads and processes may share it."""

    name = FILE_NAME
    application_id = _APPLICATION_ID
    schema = _SCHEMA

    def refusal(self, why: str) -> JournalError:
        """Return the error that is raised where the file can not be used."""
        return JournalError(why)
