"""What users and strangers wrote is shown as it is: no markup, no emoji, no escape sequence."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from freqtrade_mem0.cli.main import main
from freqtrade_mem0.cli.output import print_lines, print_table
from freqtrade_mem0.cli.progress import progress_bar
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.words.visible import strict_json, visible
from tests.support.hostile_text import CONTROLS, HOSTILE_TEXTS
from tests.support.samples import a_decision, a_note, a_trade, opened

if TYPE_CHECKING:
    from pathlib import Path

SHORT = [text for text in HOSTILE_TEXTS if len(text) < 100]
TAGS = [text for text in SHORT if "\ud83d" not in text]
"""Half a character is in no record: UTF-8 has no bytes for it."""


def _is_clean(printed: str) -> bool:
    return not (CONTROLS - {"\n"}) & set(printed)


def _joined(printed: str) -> str:
    return "".join(printed.split())


@pytest.mark.parametrize("text", SHORT, ids=ascii)
def test_tables_titles_and_lines_show_texts(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A cell, a title with rows, a title alone, a line."""
    print_table(f"title {text}", ["what"], [[text]])
    print_table(text, ["what"], [])
    print_lines(visible(text))
    printed = capsys.readouterr().out
    assert _joined(printed).count(_joined(visible(text))) == 4
    assert _is_clean(printed)


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=ascii)
def test_json_keeps_every_character(text: str) -> None:
    """A program reads the text itself, a person sees no control character."""
    printed = strict_json({text: [text]})
    assert json.loads(printed) == {text: [text]}
    assert _is_clean(printed)


@pytest.mark.parametrize("text", SHORT, ids=ascii)
def test_a_progress_bar_shows_texts(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of a file is no markup."""
    out = io.StringIO()
    terminal = Console(file=out, force_terminal=True, width=300)
    monkeypatch.setattr("rich.console.Console", lambda **_: terminal)
    with progress_bar() as progress:
        progress.add_task(text, total=1)
    assert visible(text) in out.getvalue()


@pytest.fixture
def _memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A memory with a trade, a decision and a note for each hostile text."""
    monkeypatch.chdir(tmp_path)
    store = MemoryFolder(Settings.model_validate({"user_id": "me"}), tmp_path / "user_data")
    entries: list[Any] = []
    for number, text in enumerate(TAGS):
        decision = a_decision(number, enter_tag=text)
        trade = a_trade(
            number, enter_tag=text, exit_reason=text, situation={"regime": text, text: 1.0}
        )
        entries += [decision, opened(decision, trade), trade, a_note(number, content=text)]
    store.journal.append(entries)
    store.close()
    (tmp_path / "config.json").write_text('{"mem0": {"user_id": "me"}}', encoding="utf-8")


@pytest.mark.usefixtures("_memory")
@pytest.mark.parametrize(
    "command",
    [
        *("records -n 500", "ledger -n 500", "insights", "search dip red -n 500", "why", "stats"),
        *("report --since 2000-01-01", "runs", "why --now"),
        *("why --now ETH/USDT", "preview", "priors", "dead-letters", "doctor"),
    ],
)
@pytest.mark.parametrize("as_json", [True, False])
def test_commands_print_texts_as_they_are(
    command: str, *, as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """No tag ends a command or acts on a terminal."""
    assert main([*command.split(), *(["--json"] if as_json else [])]) == 0
    said = capsys.readouterr()
    assert _is_clean(said.out + said.err)
    if command.startswith(("ledger", "records")) and not as_json:
        for text in TAGS:
            if len(text) < 20:
                assert _joined(visible(text)) in _joined(said.out)


@pytest.mark.usefixtures("_memory")
@pytest.mark.parametrize("text", [text for text in TAGS if not text.startswith("-")], ids=ascii)
def test_errors_show_texts(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong id, a wrong option, and an error that quotes somebody else."""
    assert main(["why", f"x{text}"]) == 1
    with pytest.raises(SystemExit):
        main(["why", "--side", text])
    assert _is_clean(capsys.readouterr().err)
    assert _is_clean(str(RecordError(text)))
