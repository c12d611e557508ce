"""Imports point down only. The layers and their reasons stand in the docs on the architecture."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import freqtrade_mem0

if TYPE_CHECKING:
    from collections.abc import Iterable

PACKAGE = Path(freqtrade_mem0.__file__).parent
NAME = "freqtrade_mem0"

LAYERS: tuple[tuple[str, ...], ...] = (
    ("mixin", "strategy", "cli", "demo", "service"),
    ("run", "client", "compare", "views"),
    ("decide", "delivery", "host", "importers", "memory_folder", "recall", "risk", "wrapped"),
    ("journal", "backends"),
    ("insight", "sizing", "situation"),
    ("records", "config", "errors"),
)
"""Top-level modules and packages, from the edges down."""

DEPTH = {name: depth for depth, layer in enumerate(LAYERS) for name in layer}

PURE = (
    "delivery.breaker",
    "insight",
    "recall.index",
    "risk",
    "situation",
    "sizing",
)
"""Arithmetic on what is handed to it: no clock, no files, no network, no logs."""

IMPURE_MODULES = {
    "asyncio",
    "atexit",
    "io",
    "logging",
    "multiprocessing",
    "os",
    "pathlib",
    "random",
    "shutil",
    "socket",
    "sqlite3",
    "subprocess",
    "sys",
    "tempfile",
    "time",
    "urllib",
}

EDGES_THAT_READ_CONFIGS = ("cli", "demo")
"""They use Freqtrade's own way to read a config or a time range; no more of it."""

CONFIG_MODULES = ("freqtrade.configuration", "freqtrade.exceptions", "freqtrade.misc")

ONLY_IN = {
    "mem0": {"backends"},
    "fastapi": {"service"},
    # The reader of trade databases is a process of its own that lets Freqtrade migrate a copy.
    # The comparison runs Freqtrade's own backtest engine.
    "freqtrade": {
        "mixin",
        "host",
        "importers.database_reader",
        "compare.engine.run_both",
        *EDGES_THAT_READ_CONFIGS,
    },
}
"""Foreign packages, and the only parts of ours that may import them."""

HEAVY = ("pandas", "numpy", "talib", "mem0", "freqtrade", "pydantic", "sklearn", "rich", "sqlite3")

FILES = sorted(PACKAGE.rglob("*.py"))


def module_of(file: Path) -> str:
    """Return the dotted name of a file below the package, for example "journal.writer"."""
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def part_of(module: str) -> str:
    """Return the top-level module or package a module belongs to."""
    return module.split(".", maxsplit=1)[0]


def names_in(nodes: Iterable[ast.AST]) -> list[str]:
    """Return the full names that the import statements among some nodes import."""
    names: list[str] = []
    for node in nodes:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            source = node.module or ""
            # `from freqtrade_mem0 import runtime` names a module; elsewhere the source is enough.
            names += [f"{NAME}.{a.name}" for a in node.names] if source == NAME else [source]
    return names


def imported(file: Path) -> list[str]:
    """Return the full names a file imports: anywhere, in functions and for typing alike."""
    return names_in(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))


def own(names: list[str]) -> list[str]:
    """Return which of the imported names are modules of ours, without the package's name."""
    return [
        module
        for name in names
        if name.startswith(f"{NAME}.") and (module := name.removeprefix(f"{NAME}."))[:2] != "__"
    ]


def imported_when_loaded(file: Path) -> list[str]:
    """Return the modules of ours a file needs to be loaded: not in functions, not for typing."""
    return own(names_in(ast.parse(file.read_text(encoding="utf-8")).body))


def test_every_module_has_a_layer() -> None:
    """A new top-level module or package has to be given its place in `LAYERS`."""
    parts = {part_of(module_of(file)) for file in FILES} - {"", "__main__"}

    assert parts - set(DEPTH) == set()


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_imports_point_down(file: Path) -> None:
    """A module imports its own layer and those below it, never one above; also not for typing."""
    part = part_of(module_of(file))
    # The package itself offers the public names, each loaded when it is asked for.
    depth = DEPTH.get(part, 0)

    assert [name for name in own(imported(file)) if DEPTH[part_of(name)] < depth] == []


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_foreign_packages_stay_where_they_belong(file: Path) -> None:
    """Mem0 is known to the backends alone, Freqtrade to the mixin, the host and the commands."""
    module = module_of(file)
    strays = [
        name
        for name in imported(file)
        if not {module, part_of(module)} & ONLY_IN.get(part_of(name), {module})
    ]

    assert strays == []


def test_commands_know_freqtrades_configuration_alone() -> None:
    """Commands read Freqtrade's config its own way; all else of Freqtrade goes through host."""
    names = {
        name
        for file in FILES
        if part_of(module_of(file)) in EDGES_THAT_READ_CONFIGS
        for name in imported(file)
        if part_of(name) == "freqtrade"
    }

    assert {name for name in names if not name.startswith(CONFIG_MODULES)} == set()


@pytest.mark.parametrize(
    "file", [file for file in FILES if module_of(file).startswith(PURE)], ids=module_of
)
def test_statistics_and_policies_are_pure(file: Path) -> None:
    """Statistics, policies and situations import no clock, no file system, no network, no log."""
    assert [name for name in imported(file) if part_of(name) in IMPURE_MODULES] == []


def test_modules_do_not_import_in_circles() -> None:
    """No module needs itself, over however many others, when it is loaded."""
    needs = {module_of(file): set(imported_when_loaded(file)) for file in FILES}
    known = set(needs)
    reached = {module: {name for name in names if name in known} for module, names in needs.items()}
    for _ in needs:
        reached = {
            module: names.union(*(reached[name] for name in names))
            for module, names in reached.items()
        }

    assert [module for module, names in reached.items() if module in names] == []


def test_the_bare_package_costs_nothing() -> None:
    """`import freqtrade_mem0` alone loads nothing heavy."""
    code = "import sys, json, freqtrade_mem0; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.check_output([sys.executable, "-c", code], text=True))

    assert [name for name in HEAVY if name in loaded] == []


@pytest.mark.parametrize("name", ["strategy.attach", "mixin"])
def test_a_strategy_that_is_only_listed_does_not_load_mem0(name: str) -> None:
    """Naming the mixin, as `freqtrade list-strategies` does, loads no Mem0, no embedder."""
    code = f"import sys, json, freqtrade_mem0.{name}; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.check_output([sys.executable, "-c", code], text=True))

    assert [package for package in ("mem0", "sklearn") if package in loaded] == []
