"""Make a copy of a strategy that remembers.

The copy is a small file beside the strategy's file: a strategy with another name that behaves the
same and has memory. The original is not changed, and changes to it apply to both. Delete the new
file to undo this.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.cli.context import read_config
from freqtrade_mem0.cli.options import memory_options, strategy_search_options
from freqtrade_mem0.cli.output import console, print_json
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.words.visible import visible_lines

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


NAME = "wrap"

_SUFFIX = "Mem0"
_BLOCK = {"mem0": {"enabled": True}}

_FILE = '''\
"""{name} with long-term memory, made by `freqtrade-mem0 wrap`. Delete this file to undo that.

The strategy itself is read from {original}: make changes there. The hyperopt parameters of {name}
are used until {copy} has its own.
"""

from pathlib import Path

from freqtrade_mem0.mixin import Mem0Mixin
from freqtrade_mem0.wrapped import original, parameters

Original = original({path}, "{name}")


class {copy}(Mem0Mixin, Original):
    """{name} with memory."""

    def load_params_from_file(self):
        return super().load_params_from_file() or parameters(Original)
'''


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `wrap`."""
    parser.add_argument(
        "-s", "--strategy", required=True, metavar="NAME", help="Class name of the strategy."
    )
    parser.add_argument(
        "--name", metavar="NAME", help=f"Class name of the copy. Default: NAME{_SUFFIX}."
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="File to write. Default: the strategy's file, with _mem0 at the end of its name.",
    )
    parser.add_argument("--force", action="store_true", help="Overwrite an existing file.")
    strategy_search_options(parser)
    memory_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the copy, and say what to do next."""
    from freqtrade_mem0.compare.engine.find_strategy import check_names, file_of

    config = read_config(arguments)
    folders, recursive = config.strategy_folders, config.recursive_strategy_search
    strategy: str = arguments.strategy
    copy: str = arguments.name or f"{strategy}{_SUFFIX}"
    check_names([strategy], folders, recursive=recursive)
    file = file_of(strategy, folders, recursive=recursive)
    if file is None:
        raise ConfigError(f"{strategy} is source code, not a file. Name a strategy in a file.")
    target: Path = arguments.output or file.with_name(f"{file.stem}_mem0.py")
    _check_target(target, file, force=arguments.force)
    _check_name(copy, strategy, file_of(copy, folders, recursive=recursive), target)
    _check_class(file, strategy)
    is_beside = target.absolute().parent.resolve() == file.absolute().parent.resolve()
    path = (
        f"Path(__file__).with_name({json.dumps(file.name)})"
        if is_beside
        else f"Path({json.dumps(str(file.resolve()))})"
    )
    text = _FILE.format(name=strategy, copy=copy, original=file.name, path=path)
    try:
        with target.open("w" if arguments.force else "x", encoding="utf-8") as written:
            written.write(text)
    except OSError as error:
        raise ConfigError(f"{target} can not be written: {error.strerror}.") from error
    options = _options(arguments, target, folders)
    facts = {
        "strategy": strategy,
        "original": str(file),
        "name": copy,
        "file": str(target),
        "block": None if config.has_block else _BLOCK,
        "next": [
            shlex.join(["freqtrade", "backtesting", "-s", copy, *options]),
            shlex.join(["freqtrade-mem0", "compare", "-s", copy, *options]),
        ],
    }
    if arguments.json:
        print_json(facts)
    else:
        _show(facts)
    return 0


def _check_target(target: Path, file: Path, *, force: bool) -> None:
    if target.suffix != ".py":
        raise ConfigError(f"-o {target}: Freqtrade reads .py files only. Choose such a name.")
    if not target.absolute().parent.is_dir():
        raise ConfigError(f"-o {target}: its folder does not exist. Create it first.")
    if target.stem == file.stem:
        raise ConfigError(f"-o {target}: this is the original's name ({file}). Choose another.")
    if target.exists() and not force:
        raise ConfigError(f"{target} exists. Overwrite it with --force, or choose another -o.")


def _check_name(copy: str, strategy: str, defined_in: Path | None, target: Path) -> None:
    if not copy.isidentifier() or copy == strategy:
        raise ConfigError(f"--name {copy}: must be a class name, other than {strategy}.")
    if defined_in is not None and defined_in.resolve() != target.resolve():
        raise ConfigError(
            f"{defined_in} defines {copy} already, and Freqtrade takes the first it finds. Delete "
            "that file, or choose another --name."
        )


def _check_class(file: Path, strategy: str) -> None:
    """Refuse a class that can not be read, is no strategy, or has memory already."""
    from freqtrade_mem0.mixin import Mem0Mixin
    from freqtrade_mem0.wrapped import original

    try:
        found = original(file, strategy)
    except SyntaxError as error:
        where = f"{error.filename or file}, line {error.lineno}"
        raise ConfigError(f"{strategy} can not be read: {where}: {error.msg}.") from error
    except Exception as error:
        problem = f"{type(error).__name__}: {error}"
        raise ConfigError(f"{strategy} in {file} can not be read. {problem}") from error
    if issubclass(found, Mem0Mixin):
        raise ConfigError(
            f"{strategy} in {file} has Mem0Mixin already and needs no copy. "
            f"'freqtrade-mem0 compare -s {strategy}' runs it with and without memory."
        )
    if not issubclass(found, Mem0Mixin.__bases__):
        raise ConfigError(f"{strategy} in {file} is no strategy: it is not an IStrategy.")


def _options(
    arguments: argparse.Namespace, target: Path, folders: Sequence[Path]
) -> tuple[str, ...]:
    """Return the options under which Freqtrade finds the copy."""
    options = [part for path in arguments.config or () for part in ("-c", path)]
    if arguments.userdir is not None:
        options += ["--userdir", str(arguments.userdir)]
    if arguments.recursive_strategy_search:
        options.append("--recursive-strategy-search")
    folder = target.parent.resolve()
    if all(folder != known.resolve() for known in folders):
        options += ["--strategy-path", str(target.parent)]
    elif arguments.strategy_path is not None:
        options += ["--strategy-path", str(arguments.strategy_path)]
    return tuple(options)


def _show(facts: dict[str, Any]) -> None:
    lines = [
        f"{facts['file']} defines {facts['name']}: {facts['strategy']} with memory.",
        f"The original, {facts['original']}, is not changed.",
    ]
    if facts["block"] is not None:
        lines += ["", "Add this to the Freqtrade config; without it Freqtrade refuses to start:"]
        lines += ["", f"    {json.dumps(_BLOCK)[1:-1]}"]
    lines += ["", "Next:", "", *(f"    {command}" for command in facts["next"])]
    from rich.text import Text

    console().print(Text(visible_lines("\n".join(lines))), soft_wrap=True)
