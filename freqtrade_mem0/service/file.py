"""The service's own file in the memory's folder: keys, signing secrets and jobs.

It is no part of the journal, so that no bot waits for it, and no part of a backup, so that a
restore does not bring a revoked key back.
"""

from __future__ import annotations

from freqtrade_mem0.sqlite_files.own_file import OwnFile

FILE_NAME = "service.sqlite"
_APPLICATION_ID = 0x4D305356  # "M0SV"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS keys (
    id TEXT PRIMARY KEY,
    hash BLOB NOT NULL,           -- SHA-256 of the secret
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    user_id TEXT,                 -- what it is bound to; NULL: not bound
    strategy TEXT,
    bot_id TEXT,
    made_ms INTEGER NOT NULL,     -- all times are epoch milliseconds
    expires_ms INTEGER,
    used_ms INTEGER,
    revoked_ms INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS signing (
    kid TEXT PRIMARY KEY,
    secret BLOB NOT NULL,
    made_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    params TEXT NOT NULL,
    state TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    asked_ms INTEGER NOT NULL,
    began_ms INTEGER,
    ended_ms INTEGER,
    pid INTEGER,
    result TEXT,
    error TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE IF NOT EXISTS schedule (
    began_ms INTEGER NOT NULL     -- when a service first looked at it; one row
) STRICT;
"""


class ServiceFile(OwnFile):
    """The file, opened at first use; threads and processes may share it."""

    name = FILE_NAME
    application_id = _APPLICATION_ID
    schema = _SCHEMA
