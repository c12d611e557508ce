"""A real bot with an encrypted memory: nothing readable is on the disk, whatever happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.cli.main import main
from tests.flow.scenarios import REMEMBERING, complaints, memory_in, trade_records
from tests.support.full_memory import files_with

if TYPE_CHECKING:
    from pathlib import Path

    from tests.flow.conftest import StartBot

pytestmark = pytest.mark.flow


def test_no_byte_of_a_trade_is_readable(start_bot: StartBot, tmp_path: Path) -> None:
    """Not beside the running bot, after a kill, a change of the key and a cycle of upkeep."""
    old, new = tmp_path / "old.key", tmp_path / "new.key"
    old.write_text("the first key of this test", encoding="utf-8")
    new.write_text("another key of this test", encoding="utf-8")
    block = {"enabled": True, "sync_interval": 1, "encryption": {"key": f"file:{old}"}}
    bot = start_bot(REMEMBERING, block)
    options = ["-c", str(bot.config), "--userdir", str(bot.userdir)]
    bot.force_one_exit()

    def n_closed() -> int:
        with memory_in(bot.userdir, block) as store:
            return len(trade_records(store))

    def unreadable() -> bool:
        return not [word for word in (b"/usdt", b"sqlite format") if files_with(folder, word)]

    folder = bot.userdir / "mem0"
    bot.wait_until(lambda: n_closed() == 1)
    assert unreadable()
    bot.kill()
    assert unreadable()
    bot.start()
    assert main(["rotate-key", "--new", f"file:{new}", *options]) == 0
    block["encryption"] = {"key": f"file:{new}"}
    bot.force_one_exit()
    bot.wait_until(lambda: n_closed() == 2)
    old.write_text(new.read_text(encoding="utf-8"), encoding="utf-8")  # where the config looks
    assert main(["maintain", *options]) == 0
    assert main(["backup", str(tmp_path / "backup.zip"), *options]) == 0
    assert unreadable()
    assert b"usdt" not in (tmp_path / "backup.zip").read_bytes().lower()
    assert bot.stop() == 130
    assert unreadable()
    assert complaints(bot.log()) == []
