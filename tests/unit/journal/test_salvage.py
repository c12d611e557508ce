"""Salvage: everything outside the damaged pages comes back, and nothing is deleted."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import sqlite3
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from freqtrade_mem0.cli.main import main
from freqtrade_mem0.errors import ConfigError, JournalError
from freqtrade_mem0.journal.journal import FILE_NAME, Journal
from freqtrade_mem0.journal.marks import Marks
from freqtrade_mem0.journal.outbox import Outbox
from freqtrade_mem0.journal.salvage import Salvaged, salvage
from freqtrade_mem0.journal.schema import VERSION
from tests.support.samples import a_trade
from tests.unit.journal.damage import (
    PAGE,
    a_full_journal,
    content_of,
    copied,
    overwrite,
    page_kinds,
    rows_on,
)

pytestmark = pytest.mark.usefixtures("forked")

NOW = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
ASSETS = Path(__file__).parents[2] / "assets"
ROOT = Path(__file__).parents[3]
OLD_VERSIONS = range(1, VERSION)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal with 400 trades and all else, undamaged; nobody changes it."""
    return a_full_journal(tmp_path_factory.mktemp("whole")).path


def pages_of(path: Path, beginning: str) -> list[int]:
    """Return the pages of a table or index, by the beginning of their kind."""
    return sorted(n for n, kind in page_kinds(path).items() if kind.startswith(beginning))


def salvaged(path: Path) -> Salvaged:
    """Salvage a file that is damaged."""
    done = salvage(path, NOW)
    assert done is not None
    return done


def digest(path: Path) -> str:
    """Return a hash of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("seed", range(3))
def test_everything_outside_the_damaged_pages_comes_back(
    whole: Path, tmp_path: Path, seed: int
) -> None:
    """Noise over three leaf pages of records: their rows are lost, all others are there."""
    chance = random.Random(seed)
    path = copied(whole, tmp_path)
    hit = set(chance.sample(pages_of(whole, "records leaf"), 3))
    lost = rows_on(whole, hit)
    for number in hit:
        overwrite(path, number, chance)
    done = salvaged(path)
    before, after = content_of(whole), content_of(path)
    assert before.missing_from(after) == {
        "records": len(lost),
        "decisions": 0,
        "outbox": len(lost & rows_on(whole, set(pages_of(whole, "outbox")), "outbox")),
        "seen": 0,
    }
    assert done.lost_records == len(lost) > 0
    assert (done.complete, done.n_queued) == (("decisions", "outbox"), 0)
    journal = Journal(tmp_path)
    assert journal.check() == "ok"
    assert journal.append([a_trade(9_999)]) == 1
    journal.close()


@pytest.mark.parametrize(
    "where", ["head", "records_id", "records_current", "records_scope", "seen"]
)
def test_damage_beside_the_rows_costs_no_row(whole: Path, tmp_path: Path, where: str) -> None:
    """The file's head and indexes: all of it can be made anew."""
    path = copied(whole, tmp_path)
    chance = random.Random(where)
    hit = pages_of(whole, where)
    for number in hit:
        overwrite(path, number, chance)
    done = salvaged(path)
    missing = content_of(whole).missing_from(content_of(path))
    assert missing == {"records": 0, "decisions": 0, "outbox": 0, "seen": missing["seen"]}
    assert (missing["seen"] == 0) == (where != "seen")
    assert done.lost_records == 0


def test_a_damaged_page_above_the_rows_costs_the_rows_below_it(whole: Path, tmp_path: Path) -> None:
    """SQLite finds rows through it alone. They are counted; the ledger is whole."""
    path = copied(whole, tmp_path)
    (root,) = pages_of(whole, "records inner")
    overwrite(path, root, random.Random(10))
    done = salvaged(path)
    missing = content_of(whole).missing_from(content_of(path))
    assert done.lost_records == missing["records"] == len(content_of(whole).rows["records"])
    assert (missing["decisions"], missing["seen"]) == (0, 0)
    assert done.complete == ("decisions", "outbox")


def test_where_the_outbox_is_damaged_everything_waits_again(whole: Path, tmp_path: Path) -> None:
    """Better sent twice, which doubles nothing, than never."""
    path = copied(whole, tmp_path)
    for hit in pages_of(whole, "outbox"):
        overwrite(path, hit, random.Random(1))
    done = salvaged(path)
    journal = Journal(tmp_path)
    current = sum(journal.counts().values())
    assert Outbox(journal).state().pending == current == done.n_queued > 400
    journal.close()


def test_a_damaged_ledger_costs_its_own_page(whole: Path, tmp_path: Path) -> None:
    """Decisions on other pages are there, tied to their trades as before."""
    path = copied(whole, tmp_path)
    hit = pages_of(whole, "decisions leaf")[1]
    lost = rows_on(whole, {hit}, "decisions")
    overwrite(path, hit, random.Random(2))
    done = salvaged(path)
    missing = content_of(whole).missing_from(content_of(path))
    assert missing == {"records": 0, "decisions": len(lost), "outbox": 0, "seen": 0}
    assert "decisions" not in done.complete


def test_words_inside_a_row_that_make_no_sense_are_damage(whole: Path, tmp_path: Path) -> None:
    """SQLite's own check finds the file in order; the row's text is no record any more."""
    path = copied(whole, tmp_path)
    content = path.read_bytes()
    at = content.index(b'"pair":"ETH/USDT"', PAGE * 8)
    path.write_bytes(content[:at] + bytes(12) + content[at + 12 :])
    assert Journal(tmp_path).check() == "ok"
    assert salvaged(path).lost_records == 1


def test_the_damaged_file_is_kept_to_the_last_byte(whole: Path, tmp_path: Path) -> None:
    """Under a dated name, with its log, private; a second time under another name."""
    path = copied(whole, tmp_path)
    path.chmod(0o600)
    log = path.with_name(f"{FILE_NAME}-wal")
    for _ in range(2):
        overwrite(path, 1, random.Random(3))
        log.write_bytes(b"damaged, too")
        before = (digest(path), digest(log))
        kept = salvaged(path).kept
        assert before == (digest(kept), digest(kept.with_name(f"{kept.name}-wal")))
        assert not log.exists()
    names = sorted(file.name for file in tmp_path.iterdir() if not file.name.endswith("-wal"))
    dated = f"{FILE_NAME}.damaged-20261121-153000"
    assert [FILE_NAME, dated, f"{dated}-1"] == names
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} <= {0o600, 0o644}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_intact_journal_is_left_alone(whole: Path, tmp_path: Path) -> None:
    """Also one of an older format: nothing is written at all."""
    for source in (whole, *(ASSETS / f"journal-v{version}.sqlite" for version in OLD_VERSIONS)):
        path = tmp_path / source.stem / FILE_NAME
        path.parent.mkdir()
        shutil.copy(source, path)
        before = digest(path)
        assert salvage(path, NOW) is None
        assert (before, [path]) == (digest(path), list(path.parent.iterdir()))


@pytest.mark.parametrize("version", OLD_VERSIONS)
def test_a_damaged_journal_of_an_older_format_becomes_a_new_one(
    tmp_path: Path, version: int
) -> None:
    """Its rows come into a file of the present format."""
    path = tmp_path / FILE_NAME
    shutil.copy(ASSETS / f"journal-v{version}.sqlite", path)
    before = content_of(path).rows if version > 1 else None
    for hit in pages_of(path, "records_current"):
        overwrite(path, hit, random.Random(5))
    assert salvaged(path).lost_records == 0
    after = content_of(path).rows
    with sqlite3.connect(path) as sqlite:
        assert sqlite.execute("PRAGMA user_version").fetchone() == (VERSION,)
    sqlite.close()
    if before is not None:
        assert before["records"] == after["records"]
        assert before["seen"] == after["seen"]
    assert len(after["records"]) > 10


@pytest.mark.parametrize("what", ["another program's", "a newer version's", "nothing"])
def test_what_is_no_damaged_journal_is_refused_and_left_alone(tmp_path: Path, what: str) -> None:
    """A sentence instead of a change."""
    path = tmp_path / FILE_NAME
    if what == "nothing":
        path.write_bytes(b"never was a journal " * 1_000)
    else:
        with sqlite3.connect(path) as sqlite:
            sqlite.execute("CREATE TABLE trades (id INTEGER)")
            if what == "a newer version's":
                sqlite.execute(f"PRAGMA user_version = {VERSION + 1}")
                sqlite.execute(f"PRAGMA application_id = {0x4D656D30}")
        sqlite.close()
    before = digest(path)
    with pytest.raises(JournalError if what == "nothing" else ConfigError) as error:
        salvage(path, NOW)
    assert str(path) in str(error.value)
    assert (before, [path]) == (digest(path), list(tmp_path.iterdir()))


def test_a_journal_in_use_is_refused(whole: Path, tmp_path: Path) -> None:
    """While another process has it open, whether it reads or writes."""
    path = copied(whole, tmp_path)
    code = (
        "import sys; from pathlib import Path; from freqtrade_mem0.journal.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1])); journal.open(); print('open', flush=True)\n"
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    ) as bot:
        assert bot.stdout is not None
        assert bot.stdout.readline() == b"open\n"
        with pytest.raises(JournalError, match=r"is in use\. Stop the bots"):
            salvage(path, NOW)
        bot.communicate()
    assert salvage(path, NOW) is None


@pytest.mark.parametrize("seed", range(3))
def test_a_kill_in_the_middle_leaves_the_damaged_file(
    whole: Path, tmp_path: Path, seed: int
) -> None:
    """Under its own name or its dated one, whole; the next attempt ends as the first would have."""
    path = copied(whole, tmp_path)
    chance = random.Random(seed)
    overwrite(path, pages_of(whole, "records leaf")[3], chance)
    damaged = digest(path)
    code = (
        "import sys; from pathlib import Path; from datetime import UTC, datetime\n"
        "from freqtrade_mem0.journal.salvage import salvage\n"
        "print('begins', flush=True); salvage(Path(sys.argv[1]), datetime.now(UTC))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begins\n"
        for _ in range(chance.randrange(4_000_000)):
            pass  # up to a few tenths of a second, in which it works
        process.kill()
    names = [file for file in tmp_path.iterdir() if file.name.startswith(FILE_NAME)]
    assert damaged in {digest(file) for file in names}
    salvage(path, NOW)
    assert damaged in {digest(file) for file in tmp_path.iterdir() if "damaged" in file.name}
    missing = content_of(whole).missing_from(content_of(path))
    assert 0 < missing["records"] < 10
    assert Journal(tmp_path).check() == "ok"


def test_what_sync_has_read_is_read_again(whole: Path, tmp_path: Path) -> None:
    """Rows that came from Mem0 are among the lost ones; how delivery fares is still known."""
    path = copied(whole, tmp_path)
    journal = Journal(tmp_path)
    Marks(journal).set("pulled 0123", {"since": "2026-01-01T00:00:00+00:00"})
    delivered_at = Outbox(journal).state().delivered_at
    journal.close()
    overwrite(path, 1, random.Random(6))
    salvaged(path)
    assert Marks(journal).get("pulled 0123") == {}
    assert Outbox(journal).state().delivered_at == delivered_at is not None
    journal.close()


def test_numbers_of_lost_rows_are_not_given_again(whole: Path, tmp_path: Path) -> None:
    """Whoever follows a journal by the order of arrival would pass over them."""
    path = copied(whole, tmp_path)
    last_page = pages_of(whole, "records leaf")[-1]
    highest = max(rows_on(whole, set(pages_of(whole, "records leaf"))))
    overwrite(path, last_page, random.Random(7))
    salvaged(path)
    journal = Journal(tmp_path)
    journal.append([a_trade(9_999)])
    assert max(seq for seq, _ in journal.records()) == highest + 1
    journal.close()


@pytest.mark.parametrize("n_bytes", [16, PAGE // 2, PAGE, 3 * PAGE + 100])
def test_a_torn_end_of_the_file_costs_what_stood_there(
    whole: Path, tmp_path: Path, n_bytes: int
) -> None:
    """As after a copy that broke off: what is in front of it comes back, and is not doubled."""
    path = copied(whole, tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[:-n_bytes])
    n_pages = len(content) // PAGE
    n_cut = -(-n_bytes // PAGE)
    torn = rows_on(whole, set(range(n_pages - n_cut + 1, n_pages + 1)))
    done = salvaged(path)
    missing = content_of(whole).missing_from(content_of(path))
    assert missing["records"] == done.lost_records <= len(torn)
    assert Journal(tmp_path).check() == "ok"


def test_a_damaged_log_ends_at_its_first_damaged_page(tmp_path: Path) -> None:
    """SQLite drops what its log holds behind it, and salvage reads as SQLite does."""
    folder = tmp_path / "mem0"
    code = (
        "import os, sys; from pathlib import Path\n"
        "from freqtrade_mem0.journal.journal import Journal\n"
        "from tests.support.samples import a_trade\n"
        "journal = Journal(Path(sys.argv[1]))\n"
        "for n in range(60): journal.append([a_trade(n)])\n"
        "os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True, cwd=ROOT)
    path, log = folder / FILE_NAME, folder / f"{FILE_NAME}-wal"
    content = bytearray(log.read_bytes())
    middle = len(content) // 3
    content[middle : middle + 500] = random.Random(8).randbytes(500)
    log.write_bytes(content)
    assert salvage(path, NOW) is None
    journal = Journal(folder)
    found = [record.id for _, record in journal.records()]
    assert 0 < len(found) < 60
    assert found == [a_trade(n).id for n in range(len(found))]
    journal.close()


def test_the_command_says_what_was_saved_and_what_to_do(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Named by the error's own sentence; run again, there is nothing more to do."""
    path = copied(whole, tmp_path / "mem0")
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"mem0": {"user_id": "me"}}))
    options = ["--userdir", str(tmp_path), "-c", str(config)]
    overwrite(path, pages_of(whole, "records leaf")[2], random.Random(9))
    overwrite(path, 1, random.Random(9))
    assert main(["stats", *options]) == 1
    assert "'freqtrade-mem0 salvage'" in capsys.readouterr().err
    assert main(["salvage", *options]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "; lost: " in said
    assert f"kept as {path}.damaged-" in said
    assert "'freqtrade-mem0 rebuild' reads from Mem0" in said
    assert main(["salvage", *options]) == 0
    assert "is intact; nothing was done." in " ".join(capsys.readouterr().out.split())
    assert main(["salvage", "--json", *options]) == 0
    assert json.loads(capsys.readouterr().out) == {"damaged": False}
