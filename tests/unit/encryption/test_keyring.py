"""Which key a file has, and what is said where it is missing, wrong, or not wanted."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.config.encryption_settings import secret_at
from freqtrade_mem0.config.load import load_settings
from freqtrade_mem0.encryption import envelope as envelopes
from freqtrade_mem0.encryption.envelope import FILE_NAME, Secret
from freqtrade_mem0.encryption.keyring import Keyring
from freqtrade_mem0.encryption.rotation import rotate_key
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.sqlite_files.connecting import connect
from tests.support.samples import a_note, a_trade

if TYPE_CHECKING:
    from pathlib import Path

OWN, OTHER = Secret("env:OWN_KEY", "own secret"), Secret("env:OTHER_KEY", "other secret")


@pytest.fixture(autouse=True)
def _variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for secret in (OWN, OTHER):
        monkeypatch.setenv(secret.source.removeprefix("env:"), secret.text)


def memory(folder: Path, key: str | None = OWN.source, **block: Any) -> MemoryFolder:
    """Open the memory in a folder with a key."""
    config = {"mode": "local", "path": str(folder), "encryption": {"key": key}} | block
    settings = load_settings({"mem0": config})
    assert settings is not None
    return MemoryFolder(settings, folder)


def written(folder: Path, key: str | None = OWN.source) -> None:
    """Write a memory with one trade."""
    store = memory(folder, key)
    store.journal.append([a_trade(1, enter_tag="canary")])
    store.close()


def test_a_new_memory_is_encrypted_from_its_first_byte(tmp_path: Path) -> None:
    """Nothing is made before something is written; then each file is encrypted."""
    memory(tmp_path / "m").close()
    assert not (tmp_path / "m").exists()
    written(tmp_path / "m")
    files = [path for path in (tmp_path / "m").iterdir() if path.is_file()]

    assert {"encryption.json", "journal.sqlite"} <= {path.name for path in files}
    assert not any(b"canary" in path.read_bytes() for path in files)
    assert not (tmp_path / "m/journal.sqlite").read_bytes().startswith(b"SQLite")
    assert (tmp_path / "m" / FILE_NAME).stat().st_mode & 0o777 == 0o600
    store = memory(tmp_path / "m")
    assert [record.id for record in store.records()] == [a_trade(1).id]
    store.close()


def test_without_its_key_it_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    """Without a key, and with another one; the message names the folder, the key and its place."""
    written(tmp_path)
    content = (tmp_path / "journal.sqlite").read_bytes()

    with pytest.raises(ConfigError, match=r"is encrypted, and the config has no key.*env:OWN_KEY"):
        memory(tmp_path, None)
    with pytest.raises(ConfigError, match=r"by another key than.*encryption.key.*env:OWN_KEY"):
        memory(tmp_path, OTHER.source)
    with pytest.raises(ConfigError, match="is encrypted"):
        Keyring().data_key(tmp_path / "journal.sqlite")
    assert (tmp_path / "journal.sqlite").read_bytes() == content


def test_a_plain_memory_is_refused_where_there_is_a_key(tmp_path: Path) -> None:
    """The message names the file and the command; nothing is made."""
    written(tmp_path, None)

    with pytest.raises(ConfigError, match=r"journal.sqlite is not encrypted.*freqtrade-mem0 encr"):
        memory(tmp_path)
    assert not (tmp_path / FILE_NAME).exists()


def test_a_plain_file_in_an_encrypted_memory_is_named(tmp_path: Path) -> None:
    """And the reverse, where the envelope is lost."""
    written(tmp_path / "encrypted")
    written(tmp_path / "plain", None)
    journal = tmp_path / "encrypted" / "journal.sqlite"
    (tmp_path / "plain" / "journal.sqlite").replace(journal)
    memory_of = Journal(journal.parent)
    with pytest.raises(Exception, match=r"not encrypted, and the memory in its folder is.*encrypt"):
        list(memory_of.records())

    written(tmp_path / "third")
    (tmp_path / "third" / FILE_NAME).unlink()
    with pytest.raises(Exception, match=f"encrypted, {FILE_NAME} is missing"):
        list(Journal(tmp_path / "third").records())


def test_a_rotation_changes_no_file_but_the_envelope(tmp_path: Path) -> None:
    """What is open goes on; the old key opens nothing any more."""
    running = memory(tmp_path)
    running.journal.append([a_trade(1)])
    content = (tmp_path / "journal.sqlite").read_bytes()
    rotate_key(tmp_path, OWN, OTHER)
    assert (tmp_path / "journal.sqlite").read_bytes() == content

    running.journal.append([a_note(2)])
    running.journal.close()  # the next use opens it again
    running.journal.append([a_note(3)])
    running.close()
    with pytest.raises(ConfigError, match="another key"):
        memory(tmp_path)
    store = memory(tmp_path, OTHER.source)
    assert len(store.records()) == 3
    store.close()
    with pytest.raises(ConfigError, match="another key"):
        rotate_key(tmp_path, OWN, OTHER)


def test_two_processes_make_one_key(tmp_path: Path) -> None:
    """The second one takes the envelope of the first."""
    first, second = Keyring(), Keyring()
    for each in (first, second):
        each.unlock(tmp_path, OWN)

    keys = {each.data_key(tmp_path / "journal.sqlite") for each in (first, second)}
    assert len(keys) == 1
    assert None not in keys


def test_a_memory_that_is_deleted_under_a_process_is_encrypted_again(tmp_path: Path) -> None:
    """What it writes anew is no plain file."""
    store = memory(tmp_path / "m")
    store.journal.append([a_trade(1)])
    shutil.rmtree(tmp_path / "m")
    store.journal.append([a_trade(2, enter_tag="canary")])
    store.close()
    assert not (tmp_path / "m/journal.sqlite").read_bytes().startswith(b"SQLite")
    again = memory(tmp_path / "m")
    assert len(again.records()) == 1
    again.close()


def test_errors_of_encrypted_files_are_those_of_sqlite3(tmp_path: Path) -> None:
    """So everything that catches these catches those."""
    written(tmp_path)
    with closing(connect(tmp_path / "journal.sqlite", 0.0)) as sqlite:
        for statement, error in (
            ("SELECT * FROM nothing", sqlite3.OperationalError),
            ("INSERT INTO marks VALUES (NULL, NULL)", sqlite3.IntegrityError),
        ):
            with pytest.raises(error):
                sqlite.execute(statement)
        with closing(connect(tmp_path / "journal.sqlite", 0.0)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(sqlite3.OperationalError) as raised:
                sqlite.execute("BEGIN IMMEDIATE")
        assert raised.value.sqlite_errorcode == sqlite3.SQLITE_BUSY


def test_a_damaged_envelope_is_said(tmp_path: Path) -> None:
    """It is not a wrong key, and where it can be had is said."""
    written(tmp_path)
    (tmp_path / FILE_NAME).write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"encryption.json is damaged.*backup"):
        memory(tmp_path)


def test_no_secret_is_shown() -> None:
    """Not in a `repr`, and not in the message about a key that stands in the config."""
    assert "own secret" not in repr(OWN)
    with pytest.raises(ConfigError, match="not hold the key itself") as raised:
        load_settings({"mem0": {"encryption": {"key": "s3cr3t"}}})
    assert "s3cr3t" not in str(raised.value)


def test_a_key_is_read_from_a_file_or_a_variable(tmp_path: Path) -> None:
    """The end of the line does not count; what is missing or empty is named."""
    file = tmp_path / "key"
    file.write_text("from a file\n", encoding="utf-8")
    assert secret_at(f"file:{file}", "x").text == "from a file"
    assert secret_at("env:K", "x", {"K": " v \n"}).text == "v"
    file.write_text("\n", encoding="utf-8")
    for reference in (f"file:{file}", f"file:{tmp_path / 'no'}", "env:NONE", "plain", "env:"):
        with pytest.raises(ConfigError):
            secret_at(reference, "x", {})


@pytest.mark.parametrize(
    ("block", "why"),
    [
        ({"agents": {"write_files": True}}, "agents.write_files"),
        ({"vector_store": {"provider": "qdrant"}}, "'qdrant'"),
        (
            {"mode": "embedded", "vector_store": {"provider": "chroma", "config": {"path": "x"}}},
            "ro",
        ),
        (
            {"mode": "embedded", "vector_store": {"provider": "sqlite", "config": {"path": "x"}}},
            "our",
        ),
    ],
)
def test_a_config_that_asks_for_plain_files_is_refused(
    tmp_path: Path, block: dict[str, Any], why: str
) -> None:
    """They would stand beside the encrypted ones."""
    with pytest.raises(ConfigError, match=why):
        memory(tmp_path, **{"mode": "embedded"} | block)


def test_the_wrapped_key_is_another_each_time() -> None:
    """Salt and nonce are random, and the envelope fits its own key alone."""
    data_key = envelopes.new_data_key()
    one, two = envelopes.wrap(data_key, OWN), envelopes.wrap(data_key, OWN)
    assert one.wrapped != two.wrapped
    assert one.data_key_id == two.data_key_id
    assert envelopes.unwrap(one, OWN) == data_key
    assert envelopes.unwrap(one, OTHER) is None
    assert data_key.hex() not in envelopes.to_json(one).decode()
