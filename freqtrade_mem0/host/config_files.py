"""Read Freqtrade's config files with Freqtrade's result, without its second of imports.

Freqtrade's loader imports pandas and ccxt. A plain config is only JSON with comments, so it is read
and merged here. Overrides in the environment, standard input and every error are left to
Freqtrade's own loader.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rapidjson

from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_FILES = ("user_data/config.json", "config.json")
"""Where a config is looked for in the working folder."""

_PARSE_MODE = rapidjson.PM_COMMENTS | rapidjson.PM_TRAILING_COMMAS
_DEEPEST = 5
"""Levels of `add_config_files` that Freqtrade follows."""

_ERRORS = (OSError, ValueError, TypeError, AttributeError)
"""What a file that is missing, unreadable or no config raises."""


def default_files(userdir: Path | None = None) -> list[str]:
    """Return the config file to read where none is named, as a list of at most one."""
    places = DEFAULT_FILES if userdir is None else (str(userdir / "config.json"),)
    return [place for place in places if Path(place).is_file()][:1]


def read_config_files(files: Sequence[str]) -> dict[str, Any]:
    """Return the config in some files, merged as Freqtrade merges them; {} without a file.

    Environment variables `FREQTRADE__...` override them.

    Raises
    ------
    ConfigError
        A file is missing or is no valid config.
    """
    if any(name.startswith("FREQTRADE__") for name in os.environ):
        return _read_by_freqtrade(files)
    try:
        return _merged(files, Path(), 0) if files else {}
    except _ERRORS:
        return _read_by_freqtrade(files)


def _merged(files: Sequence[str], folder: Path, level: int) -> dict[str, Any]:
    """Return the merged files: later ones override earlier ones, added ones are overridden."""
    if level > _DEEPEST or not files or "-" in files:
        raise ValueError("left to Freqtrade")
    config: dict[str, Any] = {}
    for name in files:
        file = folder / name
        with file.open(encoding=None) as opened:  # Freqtrade reads in the system's encoding, too
            own = rapidjson.load(opened, parse_mode=_PARSE_MODE)
        if "add_config_files" in own:
            own = _merge(own, _merged(own["add_config_files"], file.resolve().parent, level + 1))
        config = _merge(own, config)
    return config


def _merge(source: dict[str, Any], target: dict[str, Any]) -> dict[str, Any]:
    """Override `target` with the values of `source`, block by block; return `target`."""
    for key, value in source.items():
        if isinstance(value, dict):
            _merge(value, target.setdefault(key, {}))
        else:
            target[key] = value
    return target


def _read_by_freqtrade(files: Sequence[str]) -> dict[str, Any]:
    from freqtrade.configuration.environment_vars import environment_vars_to_dict
    from freqtrade.configuration.load_config import load_from_files
    from freqtrade.exceptions import FreqtradeException

    try:
        config: dict[str, Any] = load_from_files(list(files)) if files else {}
    except FreqtradeException as error:
        raise ConfigError(str(error)) from error
    except _ERRORS as error:
        raise ConfigError(f"{', '.join(files)} is no valid Freqtrade config: {error}.") from error
    return _merge(environment_vars_to_dict(), config)
