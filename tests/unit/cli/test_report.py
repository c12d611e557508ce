"""`report`, `runs` and `--since` as a person meets them, at 80 columns and as a page."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.cli.main import main
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.report.page import page
from freqtrade_mem0.views.report import report
from tests.support.reported import BOT, NOW, a_folder, fill

if TYPE_CHECKING:
    from pathlib import Path

NASTY = '<script>alert("x")</script>&\x1b[31m'


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the config of a memory with one bot; nothing here changes it."""
    return a_folder(tmp_path_factory.mktemp("reported"))


class Elements(HTMLParser):
    """Collects tags, and their attributes that load something."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append(tag)
        self.loads += [name for name, _ in attrs if name in {"src", "href", "onclick", "onload"}]

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text += data


def printed(capsys: pytest.CaptureFixture[str], config: Path, *words: str) -> str:
    """Return what a command prints."""
    assert main([*words, "-c", str(config)]) == 0
    return capsys.readouterr().out


def test_a_report_answers_the_five_questions(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What happened, what memory did, whether it helped, what is wrong, what to do."""
    out = printed(capsys, config, "report", "--since", "2024-05-25")
    for words in (
        "Sample, dry_run bot-1",
        "What happened",
        "trades closed",
        "1 position open, as far as memory knows",
        "What memory did",
        "It refused 1 entry.",
        "Whether it helped",
        "160 trades in 120 days, looked at after",
        "95% interval",
        "What is wrong",
        f"-> freqtrade-mem0 backup -c {config}",
        f"-> freqtrade-mem0 drift -c {config}",
    ):
        assert "".join(words.split()) in "".join(out.split())


def test_json_is_what_the_view_gives(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Programs get the same facts."""
    facts = json.loads(printed(capsys, config, "report", "--since", "2024-05-25", "--json"))
    assert facts["bots"][0]["worth"][0]["n_trades"] == 160
    assert facts["since"] == "2024-05-25T00:00:00+00:00"


def test_a_page_loads_nothing_and_runs_nothing(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It has its chart, no script, and no address of anything."""
    path = tmp_path / "report.html"
    printed(capsys, config, "report", "--since", "2024-05-25", "--html", str(path))
    text = path.read_text(encoding="utf-8")
    found = Elements()
    found.feed(text)
    assert {"svg", "table"} <= set(found.tags)
    assert not {"script", "link", "iframe", "img"} & set(found.tags)
    assert found.loads == []
    assert not re.search(r"url\(|@import|https?://", text)
    assert "1 position open" in found.text


def test_a_page_that_can_not_be_written_is_said_so(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error names the option, the path and the reason."""
    path = tmp_path / "missing" / "report.html"
    assert main(["report", "--html", str(path), "-c", str(config)]) == 1
    assert f"--html {path} can not be written: No such file" in capsys.readouterr().err


def test_hostile_texts_are_text(tmp_path: Path) -> None:
    """Markup in a tag, an event or a name is shown, not obeyed."""
    memory = MemoryFolder(Settings(mode="local"), tmp_path)
    fill(memory, tag=NASTY)
    facts = report(memory, Scope(user_id=BOT.user_id), NOW, NOW.replace(month=5))
    memory.close()
    found = Elements()
    found.feed(page(facts))
    assert "script" not in found.tags
    assert '<script>alert("x")</script>&' in found.text
    assert "\x1b" not in found.text


def test_runs_are_listed_with_ids(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As a table and as JSON; --since leaves older ones out."""
    assert "bot-1" in printed(capsys, config, "runs")
    (run,) = json.loads(printed(capsys, config, "runs", "--json"))
    assert (run["run_id"], run["n_trades"], run["stake_currency"]) == ("bot-1", 160, "USDT")
    assert json.loads(printed(capsys, config, "runs", "--since", "2024-06-02", "--json")) == []


@pytest.mark.parametrize("command", ["records", "ledger"])
def test_listings_begin_where_since_says(
    command: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only what is not older, and all of it, whatever the number of rows."""
    time = {"records": "known_at", "ledger": "decided_at"}[command]
    rows = json.loads(printed(capsys, config, command, "--json"))
    start = rows[-20][time]
    late = json.loads(printed(capsys, config, command, "--since", start, "--json"))
    assert [each["id"] for each in late] == [each["id"] for each in rows if each[time] >= start]
    newest = json.loads(printed(capsys, config, command, "--since", start, "-n", "3", "--json"))
    assert newest == late[-3:]


@pytest.mark.parametrize(
    "command",
    [["report"], ["runs"], ["records"], ["ledger"], ["patterns"], ["revoke", "--run-id", "bot-1"]],
)
def test_nothing_is_newer_than_now(
    command: list[str], config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A time in the future is refused, in place of an empty answer."""
    assert main([*command, "--since", "2999-01-01", "-c", str(config)]) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "--since is '2999-01-01', which is in the future" in told
