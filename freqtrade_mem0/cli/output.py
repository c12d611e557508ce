"""Facts on the terminal: tables for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from rich.console import Console


def print_json(value: Any) -> None:
    """Print strict JSON to standard output."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False, allow_nan=False)
    sys.stdout.write("\n")


def console() -> Console:
    """Return a console on standard output; wide where the output is no terminal."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 160, highlight=False)


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; columns whose name begins with a capital are numbers, to the right."""
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, justify="right" if column[:1].isupper() else "left")
    for row in rows:
        table.add_row(*row)
    console().print(table)


def when(moment: datetime | None) -> str:
    """Return a UTC time for a table, "" for None."""
    return "" if moment is None else moment.strftime("%Y-%m-%d %H:%M")
