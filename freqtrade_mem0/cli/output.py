"""Print facts on the terminal: tables for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.cli.options import limit_of

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence, Sized

    from rich.console import Console


def print_json(value: Any) -> None:
    """Print strict JSON to standard output."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False, allow_nan=False)
    sys.stdout.write("\n")


def console() -> Console:
    """Return a console on standard output, 160 columns wide where that is no terminal."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 160, highlight=False)


def print_lines(*lines: str) -> None:
    """Print sentences, each on lines of its own."""
    out = console()
    for line in lines:
        out.print(line, markup=False)


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table. Columns whose name begins with a capital are numbers and align right."""
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, justify="right" if column[:1].isupper() else "left")
    for row in rows:
        table.add_row(*row)
    console().print(table)


def title(rows: Sized, what: str, arguments: Namespace) -> str:
    """Return the title of a listing; it says where `--limit` may have left rows out."""
    is_cut = len(rows) == limit_of(arguments)
    return f"{len(rows)} {what}{', the newest; -n shows more' if is_cut else ''}"


def when(iso_time: str | None) -> str:
    """Return a time in ISO format as tables show it, "" for None.

    >>> when("2024-01-02T13:45:00+00:00")
    '2024-01-02 13:45'
    """
    return (iso_time or "")[:16].replace("T", " ")
