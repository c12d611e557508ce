"""Benchmarks run, with tiny sizes, and print the figures that the docs and the table name."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import instructions
from benchmarks import run as runner
from benchmarks.table import lines_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.flow

COMMAND = {f"{what}_{unit}" for what in ("command_wall", "command_cpu") for unit in ("s", "ratio")}
LOOP = {f"{what}_{unit}" for what in ("loop_wall", "loop_cpu") for unit in ("s", "ratio")}
DELIVERED = {"deliver_afterwards_wall_s", "deliver_afterwards_cpu_s"}
SHRUNK = {"cycle_s", "bytes_per_trade", "bytes_per_trade_before", "smaller_ratio", "megabytes"}
MACHINE = {"cores", "cpu", "python", "freqtrade", "mem0ai", "commit", "date", "load_before"}

CASES: dict[str, tuple[list[str], set[str]]] = {
    "backtest": (
        ["--rounds", "1", "--days", "2", "--variants", "deferred"],
        {"trades.plain", "trades.deferred", "plain.command_wall_s", "deferred.after_loop_s"}
        | {f"deferred.{name}" for name in COMMAND | LOOP | DELIVERED},
    ),
    "callbacks": (
        ["--rounds", "1", "--trades", "3", "--conditions", "quiet", "both"],
        {"us.quiet.custom_stake_amount", "us.both.bot_loop_start", "us.both.all"}
        | {"p99_ratio.both.order_filled_exit"},
    ),
    "hang": (
        ["--trades", "3"],
        {"trades", "mem0_hangs", "without_mem0", "median_ratio"},
    ),
    "lifecycle": (
        ["--trades", "100", "--year", "100"],
        {f"{run}.{name}" for run in ("archived", "year") for name in SHRUNK}
        | {"archived.cycle_s_of_100000", "archived.write_beside_p99_ms"},
    ),
    "service": (
        ["--rate", "20", "--seconds", "3", "--mode", "local"],
        {"record_trade_ms", "health_ms", "cpu_ms_per_trade", "answered", "lost"},
    ),
    "query": (
        ["--memories", "200"],
        {"parse.cpu", "refuse.cpu", "answer.all.wall", "answer.user_only.cpu", "first_search_s"},
    ),
    "retrieval": (
        ["--trades", "2"],
        {f"wordllama.{part}.in_plain_words.mrr" for part in ("test", "development")}
        | {"hashing_alone.by_shared_words.none.mrr", "wordllama_among_trades.all.recall_at_5"},
    ),
    "fleet": (
        ["--bots", "1", "--trades", "5"],
        {"measured.1.loaded.records_per_s", "measured.1.first_sync.rows"}
        | {"measured.1.sync_ten_news_ms", "measured.1.sync_ten_news_explained.buffers"}
        | {"measured.1.search_by_strategy_ms", "measured.1.bytes_per_memory.all"}
        | {"measured.1.loaded.most_connections", "measured.1.write_one.wall_ms"}
        | {"measured.1.payload_bytes", "measured.1.journal_bytes_per_record"}
        | {"computed.server_cpu_of_a_sync.per_row_s", "computed.bots_per_disk"}
        | {"computed.sync_interval_60_s.bots_per_core"}
        | {"computed.sync_interval_60_s.network_mb_per_s.1000"},
    ),
}
"""Options with which each takes seconds, and the paths of its figures."""


@pytest.mark.parametrize("name", CASES)
def test_a_benchmark_prints_its_figures(name: str, tmp_path: Path) -> None:
    """Each ends well, and what it kept is JSON with the figures that are documented."""
    if name == "fleet":
        pytest.importorskip("pgserver", reason="pgserver (PostgreSQL) is not installed")
    options, figures = CASES[name]
    kept = tmp_path / f"{name}.json"
    assert runner.run(runner.benchmarks()[name], kept, options)
    result: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
    there = {line.figure for line in lines_of(result)}
    assert figures - there == set()
    assert set(result.get("goals", {})) - there == set()
    assert set(result.get("machine", MACHINE)) >= MACHINE


def test_a_benchmark_that_fails_keeps_nothing(tmp_path: Path) -> None:
    """A figure of an earlier run is not taken for one of a run that failed."""
    kept = tmp_path / "hang.json"
    kept.write_text("{}", encoding="utf-8")
    assert not runner.run(runner.benchmarks()["hang"], kept, ["--no-such-option"])
    assert not kept.exists()


@pytest.mark.skipif(not instructions.is_available(), reason="valgrind is not installed")
def test_instructions_grow_with_the_work() -> None:
    """More work is more instructions, and what both runs share is left out."""
    command = [sys.executable, "-S", "-c"]

    def sums(n: int) -> list[str]:
        return [*command, f"for number in range({n}): number * number"]

    assert 10 < instructions.each_of(sums, 100_000) < 10_000
