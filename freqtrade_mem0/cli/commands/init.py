"""Set memory up: ask what is needed, and write it into Freqtrade's config.

In the style of 'freqtrade new-config'. What an option answers is not asked; without a terminal, or
with --yes, nothing is. Only the keys that are answered are written; comments and format of the
config stay. Keys of Mem0 go to .env.mem0, not to the config. At the end 'doctor' checks everything.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.cli.context import config_named, read_config
from freqtrade_mem0.cli.options import config_options
from freqtrade_mem0.cli.output import print_json, print_lines
from freqtrade_mem0.cli.questions import add_question_options, answers, ask_key, confirmed
from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from freqtrade_mem0.cli.context import CliConfig

NAME = "init"

_KEY_NAME = "M0_API_KEY"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `init`."""
    add_question_options(parser.add_argument_group("answers"))
    how = parser.add_argument_group("how")
    how.add_argument(
        "--to",
        type=Path,
        metavar="FILE",
        help="Write into this config file, new or not, instead of the first of --config. Freqtrade "
        "merges several: -c config.json -c FILE.",
    )
    how.add_argument("--yes", action="store_true", help="Ask nothing; change keys that are set.")
    how.add_argument("--dry-run", action="store_true", help="Only show what would be written.")
    how.add_argument("--json", action="store_true", help="Print JSON, and do not run doctor.")
    config_options(parser.add_argument_group("which config"))


def run(arguments: argparse.Namespace) -> int:
    """Ask, write, and check; return the exit code of `doctor`."""
    from freqtrade_mem0.config.edited import with_keys
    from freqtrade_mem0.config.load import load_settings

    asks = sys.stdin.isatty() and not (arguments.yes or arguments.json)
    config = read_config(arguments)
    target = _target(arguments)
    before = _text(target)
    now = _values(config)
    answered = answers(arguments, now, asks=asks)
    keys = _keys(answered, now, config)
    text = with_keys(before, {f"mem0.{key}": value for key, value in keys.items()})
    load_settings(_merged(config.freqtrade, keys))  # says what is wrong with an answer
    changed = [key for key, value in keys.items() if config.has_block and now[key] != value]
    if changed and not (asks or arguments.yes or arguments.dry_run):
        raise ConfigError(
            f'{target} has a "mem0" block, and {", ".join(changed)} would change; --yes changes it.'
        )
    if not arguments.json:
        tense = "would be" if asks or arguments.dry_run else "are"
        print_lines(
            f"{target}: these keys {tense} set."
            if keys
            else f"{target} stays as it is: all of this is set in it.",
            *(f"  mem0.{key} = {json.dumps(value)}" for key, value in keys.items()),
        )
    is_written = text != before and not arguments.dry_run
    if is_written:
        if asks and not confirmed(f"Write {target}?"):
            raise ConfigError("Nothing was written.")
        _write(target, text)
    if asks and not arguments.dry_run and answered.get("mode") == "platform":
        _store_key(ask_key())
    if arguments.json:
        print_json({"path": str(target), "written": is_written, "keys": keys})
        return 0
    return 0 if arguments.dry_run else _end(arguments, target, config)


def _target(arguments: argparse.Namespace) -> Path:
    from freqtrade_mem0.host.config_files import default_files

    if arguments.to is not None:
        return Path(arguments.to)
    files = arguments.config or default_files(arguments.userdir)
    if not files:
        raise ConfigError(
            "There is no config here to write to. 'freqtrade new-config' makes one; --config names "
            "another; --to FILE writes a config file of its own."
        )
    # A later file overrides an earlier one.
    return next((Path(each) for each in reversed(files) if _has_block(Path(each))), Path(files[0]))


def _has_block(file: Path) -> bool:
    return '"mem0"' in _text(file)


def _text(target: Path) -> str:
    """Return the text of a file, or of an empty config where there is none."""
    if not target.exists():
        return "{}\n"
    try:
        with target.open(encoding=None, newline="") as file:  # as Freqtrade reads it
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{target} can not be read: {error}.") from error


def _values(config: CliConfig) -> dict[str, Any]:
    """Return the values of all keys by path, as they hold now."""
    found: dict[str, Any] = {}

    def take(block: Mapping[str, Any], path: str) -> None:
        for name, value in block.items():
            found[path + name] = value
            if isinstance(value, dict):
                take(value, f"{path}{name}.")

    take(config.settings.model_dump(mode="json"), "")
    return found


def _keys(answered: Mapping[str, Any], now: Mapping[str, Any], config: CliConfig) -> dict[str, Any]:
    """Return what has to be written: what differs from what holds, and that memory is on."""
    keys = {key: value for key, value in answered.items() if now[key] != value}
    return keys if config.has_block and now["enabled"] else {"enabled": True} | keys


def _merged(config: Mapping[str, Any], keys: Mapping[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = json.loads(json.dumps(config, default=str))
    for path, value in keys.items():
        *blocks, last = path.split(".")
        place = merged.setdefault("mem0", {})
        for name in blocks:
            place = place.setdefault(name, {})
        place[last] = value
    return merged


def _write(target: Path, text: str) -> None:
    """Replace a file at once; its mode stays."""
    real = target.resolve()
    draft = real.with_name(f".{real.name}.new")
    try:
        with draft.open("w", encoding=None, newline="") as file:
            if real.exists():
                draft.chmod(real.stat().st_mode & 0o777)
            file.write(text)
        draft.replace(real)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ConfigError(f"{target} can not be written: {error}.") from error


def _store_key(key: str) -> None:
    """Add a key to `.env.mem0`, which only its owner may read."""
    from freqtrade_mem0.config.variables import FILE_NAME, read_env_file

    path = Path(FILE_NAME)
    if not key:
        return
    if read_env_file(path).get(_KEY_NAME):
        print_lines(f"{FILE_NAME} has a key already, which stays. Change {_KEY_NAME} there.")
        return
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as file:
        path.chmod(0o600)
        file.write(f"{_KEY_NAME}={key}\n")
    print_lines(f"The key is in {FILE_NAME}. Start Freqtrade in this folder, and keep it private.")


def _end(arguments: argparse.Namespace, target: Path, config: CliConfig) -> int:
    """Print the next commands and what `doctor` finds."""
    from freqtrade_mem0.cli.commands import doctor

    files = [*(arguments.config or []), *([str(target)] if arguments.to else [])]
    files = files or [str(target)]
    arguments.config, arguments.test_alert = files, False
    named = config_named(arguments)
    strategy = str(config.freqtrade.get("strategy") or "MyStrategy")
    print_lines(
        "Next:",
        f"  freqtrade-mem0 wrap -s {strategy}{named}",
        f"  freqtrade backtesting -s {strategy}Mem0{named}",
        f"  freqtrade-mem0 insights{named}",
        "What doctor says:",
    )
    return doctor.run(arguments)
