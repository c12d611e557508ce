"""Two embedders and one store: vectors are told apart, made anew, and lost in no case."""

from __future__ import annotations

import gzip
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from freqtrade_mem0.backends.in_process import own_parts, semantic
from freqtrade_mem0.backends.in_process.backend import EmbeddedBackend
from freqtrade_mem0.backends.in_process.embedder import HashingEmbedder
from freqtrade_mem0.backends.in_process.semantic import SemanticEmbedder
from freqtrade_mem0.backends.sqlite.file import SqliteFile
from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from freqtrade_mem0.records.memory import Memory

MINE = {"user_id": "me"}
HASHING = {"provider": "hashing"}
MARGIN = "00000000-0000-0000-0000-000000000001"


@pytest.fixture
def old_folder(tmp_path: Path) -> Path:
    """Lay a file of format 2, with four hashed memories, one of them compressed."""
    kept = Path(__file__).with_name("memories_format_2.sqlite.gz")
    folder = tmp_path / "mem0"
    folder.mkdir()
    (folder / "memories.sqlite").write_bytes(gzip.decompress(kept.read_bytes()))
    return folder


def run_python(*arguments: str) -> str:
    """Run code in a process of its own; return what it printed."""
    command = [sys.executable, "-c", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def vectors_in(folder: Path) -> list[tuple[int | None, int]]:
    """Read embedder and length of each vector past the store."""
    connection = sqlite3.connect(folder / "memories.sqlite")
    rows = connection.execute(
        "SELECT embedder, length(vector) FROM memories ORDER BY seq"
    ).fetchall()
    connection.close()
    return rows


def read_all(backend: EmbeddedBackend) -> list[Memory]:
    """Return all memories in order."""
    return list(backend.scan(filters=MINE))


def test_an_old_store_is_embedded_anew_at_the_first_search(old_folder: Path) -> None:
    """A note is found in other words; all memories stay, and what was compressed is again."""
    hashed = EmbeddedBackend(old_folder, embedder=HASHING)
    before = read_all(hashed)
    assert vectors_in(old_folder) == [(None, 1024), (None, 1024), (None, 1024), (None, 260)]
    hashed.close()
    backend = EmbeddedBackend(old_folder)

    found = backend.search("margin call on a solana position", filters=MINE, limit=4)

    assert found[0].id == MARGIN
    assert read_all(backend) == before
    assert vectors_in(old_folder) == [(1, 512), (1, 512), (1, 512), (1, 132)]
    assert backend.renew(10) == 0
    backend.close()


def test_short_words_are_found_in_other_forms(old_folder: Path) -> None:
    """Also by another name: a pullback is a dip, and the note says "dips"."""
    backend = EmbeddedBackend(old_folder)

    found = backend.search("buy the pullback", filters=MINE, limit=4)

    assert found[0].text.startswith("Buying dips works")
    assert (found[0].score or 0.0) > 0.3
    backend.close()


def test_a_store_between_two_embedders_still_answers(
    old_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that are not embedded anew yet are found by their words, beside those that are."""
    monkeypatch.setattr("freqtrade_mem0.backends.in_process.backend._RENEWING_S", -1.0)
    monkeypatch.setattr("freqtrade_mem0.backends.in_process.backend._RENEWED_AT_ONCE", 1)
    backend = EmbeddedBackend(old_folder)

    found = backend.search("server in Tokyo", filters=MINE, limit=4)

    assert [number for number, _ in vectors_in(old_folder)] == [1, None, None, None]
    assert found[0].text.startswith("Moved the server")
    assert len(found) == 4
    assert backend.renew(2) == 2  # continues where it was stopped
    assert backend.renew(2) == 1
    assert backend.renew(2) == 0
    backend.close()


def test_another_process_sees_new_vectors(old_folder: Path) -> None:
    """A store whose vectors are in memory notices that they were made anew."""
    one, other = EmbeddedBackend(old_folder), EmbeddedBackend(old_folder)
    one._has_renewed = True
    question = "danger that the position is closed by force"
    before = one.search(question, filters=MINE, limit=1)

    assert other.renew(10) == 4

    assert one.search(question, filters=MINE, limit=1)[0].score != before[0].score
    one.close()
    other.close()


def test_writing_makes_old_vectors_anew(old_folder: Path, make_memory: Any) -> None:
    """The process that delivers moves an old store bit by bit; nobody has to start anything."""
    backend = EmbeddedBackend(old_folder)

    backend.write([make_memory(20)])

    assert {number for number, _ in vectors_in(old_folder)} == {1}
    backend.close()


def test_a_configured_hashing_embedder_stays(old_folder: Path, make_memory: Any) -> None:
    """Nothing is embedded anew for it: memories of earlier versions are its own."""
    backend = EmbeddedBackend(old_folder, embedder=HASHING)

    backend.write([make_memory(20)])
    found = backend.search("server Tokyo", filters=MINE, limit=1)

    assert found[0].text.startswith("Moved the server")
    assert backend.renew(10) == 0
    assert [length for _, length in vectors_in(old_folder)] == [1024, 1024, 1024, 260, 1024]
    backend.close()


def test_where_it_is_not_installed_words_are_hashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_memory: Any
) -> None:
    """The stand-in answers, says so, and undoes no vector of the semantic embedder."""
    folder = tmp_path / "mem0"
    full = EmbeddedBackend(folder)
    full.write([make_memory(20)])
    monkeypatch.setattr(own_parts, "is_installed", lambda: False)
    bare = EmbeddedBackend(folder)

    bare.write([make_memory(21)])

    assert [length for _, length in vectors_in(folder)] == [512, 1024]
    assert len(bare.search(make_memory(20).text, filters=MINE, limit=5)) == 2
    assert bare.renew(10) == 0
    assert "wordllama is not installed" in own_parts.how_it_searches(None)
    monkeypatch.undo()
    assert full.renew(10) == 1
    assert own_parts.how_it_searches(None) == "searches go by meaning and by words"
    bare.close()
    full.close()


def test_a_read_only_old_store_answers(old_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of format 2 that can not be changed is searched by words, as it is."""

    def refuse(_file: SqliteFile) -> sqlite3.Connection:
        raise OSError("read-only")

    monkeypatch.setattr("freqtrade_mem0.backends.sqlite.file.is_writable", lambda _path: False)
    monkeypatch.setattr(SqliteFile, "_open", refuse)
    backend = EmbeddedBackend(old_folder)

    assert backend.search("server Tokyo", filters=MINE, limit=1)[0].text.startswith("Moved")
    backend.close()


def test_vectors_are_of_length_one_or_zero_for_any_text() -> None:
    """Blank, huge, broken and foreign texts have a vector; the same text has the same one."""
    embedder = SemanticEmbedder()
    texts = [
        "",
        "  \n",
        "a",
        "\ud800 half",
        "ä" * 50_000,
        "stop loss",
        "多头爆仓",
        "\x00",
        "stop  loss",
    ]

    matrix = embedder.embed_matrix(texts)

    lengths = np.linalg.norm(matrix, axis=1)
    assert np.all(np.isclose(lengths, 1.0, atol=1e-5) | (lengths == 0.0))
    assert lengths[0] == lengths[1] == 0.0
    assert np.array_equal(matrix[5], matrix[8])
    assert np.allclose(embedder.embed_batch(texts, "add"), matrix)


def test_the_vectors_are_those_of_the_package() -> None:
    """A text is the mean of its word pieces: what WordLlama gives."""
    one, other = SemanticEmbedder(dimensions=256).embed_matrix(
        ["I went to the car", "I went to the pawn shop"]
    )

    assert one @ other == pytest.approx(0.06641249, abs=1e-4)  # as its own README prints


def test_dimensions_out_of_range_are_refused() -> None:
    """The sentence names the key and the range."""
    with pytest.raises(BackendError, match=r"1 to 256 numbers, not 300.*embedding_dims"):
        SemanticEmbedder(dimensions=300)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who configures it without the package is told what to install."""
    semantic._opened.cache_clear()
    monkeypatch.setattr(semantic, "_folder", lambda: None)
    with pytest.raises(BackendError, match="pip install 'wordllama"):
        SemanticEmbedder()


OFFLINE = """
import socket, sys
def refuse(*_): raise OSError("no network here")
socket.socket.connect = refuse; socket.getaddrinfo = refuse
from pathlib import Path
from freqtrade_mem0.backends.in_process.backend import EmbeddedBackend
backend = EmbeddedBackend(Path(sys.argv[1]))
print(backend.search("margin call", filters={"user_id": "me"}, limit=1)[0].id)
print(sorted({"wordllama", "requests", "huggingface_hub", "mem0"} & set(sys.modules)))
"""


def test_it_needs_no_network_and_no_foreign_import(old_folder: Path) -> None:
    """With the network refused a search answers; neither the package nor Mem0 is imported."""
    assert run_python(OFFLINE, str(old_folder)).split("\n")[:2] == [MARGIN, "[]"]


def test_hashed_and_semantic_vectors_differ_in_kind() -> None:
    """Both embedders are told apart by name also where their vectors are equally long."""
    names = {
        own_parts.name_of({"provider": name, "config": {"embedding_dims": 128}})
        for name in own_parts.OWN_EMBEDDERS
    }

    assert len(names) == len(own_parts.OWN_EMBEDDERS) == 2
    assert HashingEmbedder(dimensions=128).dimensions == SemanticEmbedder().dimensions


def test_imports_stay_light() -> None:
    """Importing the embedder loads neither NumPy nor what splits texts."""
    code = (
        "import sys, freqtrade_mem0.backends.in_process.semantic;"
        "print({'tokenizers', 'wordllama'} & set(sys.modules))"
    )
    assert run_python(code).strip() == "set()"
