"""What the import contracts in pyproject.toml can not say: what is loaded, and when."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import freqtrade_mem0

PACKAGE = Path(freqtrade_mem0.__file__).parent
CONFIG_MODULES = ("freqtrade.configuration", "freqtrade.exceptions", "freqtrade.misc")
HEAVY = {"pandas", "numpy", "talib", "mem0", "freqtrade", "pydantic", "sklearn", "rich", "sqlite3"}


def loaded_by(module: str) -> set[str]:
    """Return the modules that a new Python process has loaded after importing one."""
    code = f"import sys, json, {module}; print(json.dumps(list(sys.modules)))"
    return set(json.loads(subprocess.check_output([sys.executable, "-c", code], text=True)))


def test_the_bare_package_loads_nothing_heavy() -> None:
    """`import freqtrade_mem0` costs nothing until a name is asked for."""
    assert loaded_by("freqtrade_mem0") & HEAVY == set()


@pytest.mark.parametrize("name", ["strategy.attach", "mixin"])
def test_listing_strategies_does_not_load_mem0(name: str) -> None:
    """Naming the mixin, as `freqtrade list-strategies` does, loads no Mem0 and no embedder."""
    assert loaded_by(f"freqtrade_mem0.{name}") & {"mem0", "sklearn", "tokenizers"} == set()


@pytest.mark.parametrize(
    ("module", "allowed"),
    [("strategy.attach", 215), ("mixin", 5), ("cli.main", 15), ("cli.commands.why", 18)],
)
def test_what_is_imported_stays_within_its_budget(module: str, allowed: int) -> None:
    """A module of ours costs half a millisecond at each start, of a run or of a command."""
    ours = [name for name in loaded_by(f"freqtrade_mem0.{module}") if "freqtrade_mem0" in name]

    assert len(ours) <= allowed


def test_a_backtest_does_not_load_what_only_bots_and_importers_need() -> None:
    """Each worker of a hyperopt imports the same."""
    only_elsewhere = ("freqtrade_mem0.run.bot", "freqtrade_mem0.importers")
    loaded = loaded_by("freqtrade_mem0.strategy.attach")

    assert not [name for name in loaded if name.startswith(only_elsewhere)]


@pytest.mark.parametrize("package", ["cli", "demo"])
def test_commands_only_read_freqtrades_configuration(package: str) -> None:
    """The contracts see `freqtrade` as one module; anything but its configuration is for host."""
    sources = [
        node.module
        for file in (PACKAGE / package).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module is not None
    ]
    from_freqtrade = {name for name in sources if name.split(".")[0] == "freqtrade"}

    assert {name for name in from_freqtrade if not name.startswith(CONFIG_MODULES)} == set()


def test_only_one_module_connects_to_our_sqlite_files() -> None:
    """Encryption has one place. The importer opens Freqtrade's databases, which are not ours."""
    connecting = {
        file.relative_to(PACKAGE).as_posix()
        for file in PACKAGE.rglob("*.py")
        if "sqlite3.connect(" in file.read_text(encoding="utf-8")
    }

    assert connecting == {"sqlite_files/connecting.py", "importers/database.py"}
