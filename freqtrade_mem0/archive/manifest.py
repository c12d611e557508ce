"""What a backup says about itself: files with hashes, counts, versions, and what is left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from freqtrade_mem0.errors import ArchiveError

FORMAT = 1
"""Version of the form of backups; a later one is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedFile:
    """A file in a backup: its size, and the SHA-256 of its content in hexadecimal digits."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the memory answered when it was backed up.

    Parameters
    ----------
    version
        The version of freqtrade_mem0 that answered; another one may decide differently.
    settings
        The blocks of the config that decisions depend on.
    n
        Number of decisions.
    sha256
        Hash of all of them.
    """

    version: str
    settings: dict[str, Any]
    n: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The manifest of a backup.

    Parameters
    ----------
    format
        Version of the form of backups.
    made_by, python, sqlite
        Versions of what made it.
    made_at
        UTC time in ISO 8601 format.
    user_id, mode
        As in the config; `mode` says where the memories were.
    files
        By name.
    counts
        Current records by kind, and `records`, `decisions`, `memories`.
    answers
        For comparison after it is restored.
    not_in_it
        What the memory has beside these files, one sentence each.
    has_own_store
        Whether the memories are in our own store with our own embedder, which needs no settings.
    """

    format: int
    made_by: str
    python: str
    sqlite: str
    made_at: str
    user_id: str
    mode: str
    files: dict[str, PackedFile]
    counts: dict[str, int]
    answers: Answers
    not_in_it: list[str]
    has_own_store: bool


_ADAPTER: TypeAdapter[Manifest] = TypeAdapter(Manifest)


def to_json(manifest: Manifest) -> bytes:
    """Return a manifest as JSON."""
    return _ADAPTER.dump_json(manifest, indent=2)


def from_json(text: bytes, name: str) -> Manifest:
    """Return the manifest in the backup `name`.

    Raises
    ------
    ArchiveError
        It is no manifest, or one of a newer version.
    """
    try:
        version = TypeAdapter(dict[str, Any]).validate_json(text).get("format")
        if isinstance(version, int) and version > FORMAT:
            raise ArchiveError(
                f"{name} is a backup of format {version}; this version of freqtrade_mem0 reads up "
                f"to {FORMAT}. Upgrade freqtrade_mem0."
            )
        return _ADAPTER.validate_json(text)
    except ValidationError as error:
        raise ArchiveError(f"{name} has no manifest that can be read: it is damaged.") from error
