"""Mem0's key: where it is found, and that nobody sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.config.credentials import Credentials, find_credentials
from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

ENVIRON = {"M0_API_KEY": "from-m0", "MEM0_API_KEY": "from-mem0", "M0_ORG_ID": "org-env"}
FILE = "# keys\nM0_API_KEY=from-file\nM0_ORG_ID=org-file\nM0_PROJECT_ID=project-file\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a `.env.mem0`."""
    (tmp_path / ".env.mem0").write_text(FILE, encoding="utf-8")
    return tmp_path


def found(folder: Path, argument: str | None, environ: dict[str, str]) -> tuple[str, str] | None:
    """Return key and source of what was found."""
    credentials = find_credentials(argument, environ=environ, folder=folder)
    return None if credentials is None else (credentials.api_key, credentials.source)


def test_the_first_of_four_places_counts(folder: Path) -> None:
    """Argument, M0_API_KEY, MEM0_API_KEY, `.env.mem0`: take one away and the next is used."""
    environ = dict(ENVIRON)

    assert found(folder, "from-code", environ) == ("from-code", "argument")
    assert found(folder, None, environ) == ("from-m0", "environment M0_API_KEY")
    del environ["M0_API_KEY"]
    assert found(folder, None, environ) == ("from-mem0", "environment MEM0_API_KEY")
    del environ["MEM0_API_KEY"]
    assert found(folder, None, environ) == ("from-file", ".env.mem0")
    (folder / ".env.mem0").unlink()
    assert found(folder, None, environ) is None


def test_an_empty_value_is_no_key(folder: Path) -> None:
    """`M0_API_KEY=` in a container's environment means: not set."""
    assert found(folder, "", {"M0_API_KEY": ""}) == ("from-file", ".env.mem0")


def test_scopes_come_from_the_environment_before_the_file(folder: Path) -> None:
    """Organisation and project are looked for in the same places."""
    credentials = find_credentials("key", environ=ENVIRON, folder=folder)

    assert Credentials(
        api_key="key", source="argument", org_id="org-env", project_id="project-file"
    ) == (credentials)


def test_scopes_given_by_the_caller_come_first(folder: Path) -> None:
    """Before environment and file."""
    credentials = find_credentials(
        "key", org_id="mine", project_id="p", environ=ENVIRON, folder=folder
    )

    assert credentials is not None
    assert (credentials.org_id, credentials.project_id) == ("mine", "p")


def test_the_key_is_never_printed(folder: Path) -> None:
    """Not by `repr`, `str` or formatting."""
    credentials = find_credentials("m0-s3cr3t", environ={}, folder=folder)

    assert "s3cr3t" not in f"{credentials!r} {credentials!s} {credentials}"
    assert "argument" in repr(credentials)


def test_the_process_is_asked_by_default(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without arguments: the environment, then the current folder."""
    monkeypatch.chdir(folder)
    for name in ENVIRON:
        monkeypatch.delenv(name, raising=False)
    in_file = find_credentials()
    monkeypatch.setenv("M0_API_KEY", "from-m0")
    in_environment = find_credentials()

    assert in_file is not None
    assert in_environment is not None
    assert (in_file.api_key, in_environment.api_key) == ("from-file", "from-m0")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("M0_API_KEY=key", "key"),
        ("export M0_API_KEY=key", "key"),
        ("export\tM0_API_KEY=key", "key"),
        ('M0_API_KEY="key"', "key"),
        ("M0_API_KEY = 'key'", "key"),
        ("M0_API_KEY=key # the new one", "key"),
        ("M0_API_KEY=key#1", "key#1"),
        ('M0_API_KEY="key#1" # the new one', "key#1"),
        ("M0_API_KEY=  key\t \r\nOTHER=1\r\n", "key"),
        ('M0_API_KEY="key \n"', "key"),
        ("\ufeffM0_API_KEY=key", "key"),
        ("\ufeff# keys\r\nM0_API_KEY=key", "key"),
        ("M0_API_KEY=key${HOME}$HOME", "key${HOME}$HOME"),
        ("M0_API_KEY=a=b==", "a=b=="),
        ("M0_API_KEY=\nMEM0_API_KEY=key", "key"),
        ("\n\n# M0_API_KEY=other\nM0_API_KEY=key\n", "key"),
        ("M0_API_KEY=old\nM0_API_KEY=key\n", "key"),
        ("MEM0_API_KEY=key", "key"),
    ],
)
def test_the_usual_ways_to_write_a_line(tmp_path: Path, text: str, key: str) -> None:
    """Shells, Docker and Windows' editors write it differently."""
    (tmp_path / ".env.mem0").write_text(text, encoding="utf-8", newline="")

    assert found(tmp_path, None, {}) == (key, ".env.mem0")


@pytest.mark.parametrize("key", ["key ", " key", "key\n", "key\r\n", "\tkey"])
def test_blanks_around_a_key_are_left_out(tmp_path: Path, key: str) -> None:
    """They come with copying, and from secrets in files."""
    assert found(tmp_path, key, {}) == ("key", "argument")
    assert found(tmp_path, None, {"M0_API_KEY": key}) == ("key", "environment M0_API_KEY")
    assert found(tmp_path, None, {"M0_API_KEY": " ", "MEM0_API_KEY": key}) == (
        "key",
        "environment MEM0_API_KEY",
    )


@pytest.mark.parametrize("key", ["m0-s3cr3t m0-other", "m0-s3cr3t\nOTHER=1", "m0-s3cr3t\u2026"])
def test_a_key_that_can_not_be_one_is_refused_and_not_shown(tmp_path: Path, key: str) -> None:
    """An HTTP header can not carry it."""
    with pytest.raises(ConfigError, match=r"\(environment M0_API_KEY\) holds a blank") as error:
        found(tmp_path, None, {"M0_API_KEY": key})
    assert "s3cr3t" not in str(error.value)


def test_a_malformed_line_is_named_by_its_number_and_not_shown(tmp_path: Path) -> None:
    """It may hold the secret."""
    (tmp_path / ".env.mem0").write_text("# key\n\nm0-s3cr3t\n", encoding="utf-8")

    with pytest.raises(ConfigError, match=r"\.env\.mem0, line 3: expected NAME=value") as error:
        find_credentials(environ={}, folder=tmp_path)
    assert "s3cr3t" not in str(error.value)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 end in our own error."""
    (tmp_path / ".env.mem0").write_bytes(b"M0_API_KEY=\xff\xfe")

    with pytest.raises(ConfigError, match=r"\.env\.mem0 can not be read"):
        find_credentials(environ={}, folder=tmp_path)


def test_a_file_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    """A folder of that name, for example."""
    (tmp_path / ".env.mem0").mkdir()

    with pytest.raises(ConfigError, match=r"\.env\.mem0 can not be read"):
        find_credentials(environ={}, folder=tmp_path)
