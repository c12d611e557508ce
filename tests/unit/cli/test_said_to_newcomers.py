"""What commands say where there is nothing yet, or little that fits."""

from __future__ import annotations

import errno
import json
import sys
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.cli import output
from freqtrade_mem0.cli.commands import backup
from freqtrade_mem0.cli.main import main
from freqtrade_mem0.cli.progress import progress_bar
from tests.support.full_memory import OTHER, open_memory
from tests.support.samples import a_decision, a_note, a_trade

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A config whose memory exists and is empty."""
    memory = open_memory(tmp_path, OTHER.user_id, mode="local")
    memory.journal.open()
    memory.close()
    return written(tmp_path, "local")


def written(folder: Path, mode: str) -> str:
    """Write a config for the memory in a folder."""
    path = folder / "config.json"
    block = {"mode": mode, "user_id": OTHER.user_id}
    path.write_text(json.dumps({"user_data_dir": str(folder), "mem0": block}))
    return str(path)


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """Return what was printed, without line breaks."""
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("ledger", "Backtests and bots with Mem0Mixin write them"),
        ("records", "Backtests and bots with Mem0Mixin write them"),
        ("agent log", "Agents log decisions by log_decision()"),
        ("agent rules", "Agents propose rules"),
        ("agent parameters", "Agents propose parameters"),
        ("priors", "--promote RUN lets a strategy know"),
        ("keys list", "'freqtrade-mem0 keys add' makes one"),
        ("maintain", "in the trades of dry-run and live bots, and none is here"),
        ("backup", "It has no decision that could be asked again."),
    ],
)
def test_an_empty_listing_says_what_fills_it(
    config: str, command: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one sentence."""
    assert main([*command.split(), "-c", config]) == 0
    assert expected in said(capsys)


def test_nothing_to_forget_asks_for_no_yes(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """--yes would do nothing."""
    assert main(["forget", "--user", "nobody", "-c", config]) == 0
    assert said(capsys) == "Of user nobody, this would be deleted: nothing."


def test_a_bot_with_trades_has_its_patterns_looked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The twin of an empty memory: nothing has to be said."""
    memory = open_memory(tmp_path, OTHER.user_id, mode="local")
    memory.journal.append([a_trade(1, origin=OTHER)])
    memory.close()
    assert main(["maintain", "-c", written(tmp_path, "local")]) == 0
    assert "none is here" not in said(capsys)


@pytest.mark.parametrize(("query", "is_weak"), [("xyzzy", True), ("never on sundays", False)])
def test_weak_matches_are_said_to_be_weak(
    tmp_path: Path, query: str, *, is_weak: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where no memory holds a word of the question or means the same."""
    memory = open_memory(tmp_path, OTHER.user_id)
    memory.journal.append([a_note(1, origin=OTHER, content="never trade on sundays")])
    memory.close()
    config = written(tmp_path, "embedded")
    assert main(["deliver", "-c", config]) == 0
    assert main(["search", query, "-c", config]) == 0
    assert ("These matches are weak" in said(capsys)) is is_weak


def test_a_title_is_as_wide_as_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not as narrow as a small table below it."""
    title = "Memory in /a/long/path/to/the/folder"
    monkeypatch.setattr(output, "get_terminal_size", lambda: (80, 24), raising=False)
    output.print_table(title, ["a"], [["b"]])
    assert capsys.readouterr().out.splitlines()[0] == title


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("rotate-key --new env:NEW", "The config names no key, so there is none to change"),
        ("webhooks", "the following arguments are required: what"),
    ],
)
def test_a_command_that_can_do_nothing_says_what_is_missing(
    config: str, command: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """And nothing that may be left out."""
    try:
        code: object = main([*command.split(), "-c", config])
    except SystemExit as ended:
        code = ended.code
    assert code in {1, 2}
    said = " ".join(capsys.readouterr().err.split())
    assert expected in said
    assert "NAME" not in said.partition("required:")[2]


def test_of_many_tags_insights_show_the_largest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And say how many are left out; --all shows them."""
    memory = open_memory(tmp_path, OTHER.user_id, mode="local")
    tags = [number for number in range(20) for _ in range(number + 1)]
    memory.journal.append(
        a_trade(n, origin=OTHER, enter_tag=f"tag{tag}", situation={}) for n, tag in enumerate(tags)
    )
    memory.close()
    asked = ["insights", "-c", written(tmp_path, "local")]
    assert main(asked) == 0
    few = said(capsys)
    assert "Left out are the groups with the fewest trades: 8 of enter tag. --all shows" in few
    assert "tag8 " in few
    assert "tag7 " not in few
    assert main([*asked, "--all"]) == 0
    every = said(capsys)
    assert "tag0 " in every
    assert "Left out" not in every


def test_the_ledger_shows_the_multiplier_that_the_limits_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A stake that was left as proposed has x 1.000."""
    memory = open_memory(tmp_path, OTHER.user_id, mode="local")
    decision = a_decision(origin=OTHER, multiplier=1.3, stake=100.0)
    memory.journal.append([decision])
    memory.close()
    assert main(["ledger", "--all", "-c", written(tmp_path, "local")]) == 0
    assert "100 1.000 100" in said(capsys)


def test_no_progress_bar_is_drawn_among_lines_of_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An export to standard output is only lines; into a pipe or a file a bar can stand beside."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    for is_terminal in (True, False):
        monkeypatch.setattr(sys.stdout, "isatty", lambda seen=is_terminal: seen)
        with progress_bar(beside_output=False) as hidden, progress_bar() as shown:
            assert (hidden.disable, shown.disable) == (is_terminal, False)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(errno.EROFS, "Read-only file system", "x/backups"), "x/backups: Read-only file"),
        (OSError(errno.ENOSPC, "No space left on device"), "freqtrade-mem0: No space left on"),
    ],
)
def test_a_disk_that_takes_nothing_is_one_sentence(
    error: OSError,
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """From any command, as from `backup` on a read-only file system, and no traceback."""

    def run(_: object) -> int:
        raise error

    monkeypatch.setattr(backup, "run", run)
    assert main(["backup"]) == 1
    said = capsys.readouterr().err
    assert expected in said
    assert said.endswith("choose a folder that this user may write to, and try again.\n")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("keys add laptop", "'keys add' takes no id, got 'laptop'; 'keys revoke' does."),
        ("keys list --role reader", "'keys list' takes no --role, got 'reader'; 'keys add' does."),
        ("keys revoke", "'keys revoke ID' needs the id of a key"),
        ("keys add", "'keys add' needs a role"),
    ],
)
def test_what_a_command_on_keys_lacks_or_does_not_take(
    config: str, words: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Told apart, so that the sentence is about the command that was written."""
    assert main([*words.split(), "-c", config]) == 1
    assert expected in " ".join(capsys.readouterr().err.split())
