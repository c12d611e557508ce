"""Files that commands write: whole or not at all, and nothing but files is replaced."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.archive.whole_file import whole_file

if TYPE_CHECKING:
    from pathlib import Path


def test_a_full_disk_leaves_the_earlier_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no part of the new one."""
    path = tmp_path / "page.html"
    path.write_text("earlier")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"), whole_file(path) as file:
        file.write(b"new")
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


def test_a_whole_file_takes_the_place_of_the_earlier_one(tmp_path: Path) -> None:
    """With the permissions of any file of this process."""
    path = tmp_path / "page.html"
    path.write_text("earlier, and longer")
    plain = path.stat().st_mode
    with whole_file(path) as file:
        file.write(b"new")
    assert (path.read_text(), path.stat().st_mode) == ("new", plain)


def test_nobody_else_may_read_what_only_its_owner_could(tmp_path: Path) -> None:
    """Where the earlier file was closed to others, the new one is."""
    path = tmp_path / "page.html"
    path.write_text("earlier")
    path.chmod(0o600)
    with whole_file(path) as file:
        file.write(b"new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o600)


def test_a_link_stays_one(tmp_path: Path) -> None:
    """What it points to is written."""
    path, link = tmp_path / "page.html", tmp_path / "link.html"
    link.symlink_to(path)
    with whole_file(link) as file:
        file.write(b"new")
    assert link.is_symlink()
    assert path.read_text() == "new"


def test_a_pipe_stays_one(tmp_path: Path) -> None:
    """As /dev/null would: a root user's export to it must not make it a file."""
    path, read = tmp_path / "pipe", []
    os.mkfifo(path)
    reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()
    with whole_file(path) as file:
        file.write(b"new")
    reader.join()
    assert read == [b"new"]
    assert path.is_fifo()
