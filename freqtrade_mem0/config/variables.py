"""The variables of the environment and of the file `.env.mem0`."""

from __future__ import annotations

import os
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE_NAME = ".env.mem0"


def variables() -> Mapping[str, str]:
    """Return the variables of `.env.mem0` in the working folder, overridden by the environment.

    Raises
    ------
    ConfigError
        The file can not be read.
    """
    return {**read_env_file(Path.cwd() / FILE_NAME), **os.environ}


def read_env_file(path: Path) -> dict[str, str]:
    """Return the variables in a file of lines `NAME=value`; {} where there is no file."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # Windows' editors write a byte-order mark
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path} can not be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path} can not be read: it is no UTF-8 text. Save it as UTF-8."
        ) from error
    from dotenv.parser import parse_stream

    values = {}
    for binding in parse_stream(StringIO(text)):
        if binding.error or (binding.key is not None and binding.value is None):
            statement = binding.original.string
            n_blank_lines = len(statement) - len(statement.lstrip("\n"))
            line = binding.original.line + n_blank_lines
            raise ConfigError(f"{path}, line {line}: expected NAME=value.")
        if binding.key is not None and binding.value is not None:
            values[binding.key] = binding.value
    return values
