"""Print facts on the terminal: tables for people, JSON for programs.

What is printed is data: Rich's markup and emoji codes are off, control characters are shown as
codes.
"""

from __future__ import annotations

import json
import sys
from io import TextIOWrapper
from shutil import get_terminal_size
from textwrap import fill
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.cli.options import limit_of
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.words.numbers import counted
from freqtrade_mem0.words.visible import strict_json, visible, visible_lines

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Sequence, Sized
    from pathlib import Path

    from rich.console import Console

    Lines = list[str]
    """A cell of several lines."""


NOTHING_YET = (
    "Backtests and bots with Mem0Mixin write them; where options leave some out, all are shown "
    "without these options."
)


def print_json(value: Any) -> None:
    """Print strict JSON to standard output."""
    text = strict_json(value)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, indent=2, allow_nan=False)
    sys.stdout.write(f"{text}\n")


def escape_what_can_not_be_printed() -> None:
    """Show characters that the terminal or pipe has no code for as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def console() -> Console:
    """Return a console on standard output, 160 columns wide where that is no terminal."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else 160
    return Console(width=width, highlight=False, emoji=False, markup=False)


def print_error(sentence: str) -> None:
    """Print a sentence to standard error, wrapped where that is a terminal."""
    text = visible_lines(sentence)
    if sys.stderr.isatty():
        text = "\n".join(_wrapped(text, get_terminal_size().columns))
    print(text, file=sys.stderr)  # noqa: T201 - this is the command line


def print_lines(*lines: str) -> None:
    """Print lines; the continuation of a long one is indented further than its beginning."""
    from rich.text import Text

    out = console()
    for line in _wrapped(visible_lines("\n".join(lines)), out.width):
        out.print(Text(line), soft_wrap=True)


def _wrapped(text: str, width: int) -> Iterator[str]:
    """Yield each line, wrapped between words."""
    for line in text.splitlines():
        yield fill(
            line,
            width,
            subsequent_indent=" " * (len(line) - len(line.lstrip()) + 2),
            break_long_words=False,
            break_on_hyphens=False,
        )


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str | Lines]],
    optional: Sequence[str] = (),
    empty: str = "",
) -> None:
    """Print a table, or its title where it has no row.

    Parameters
    ----------
    title
        The title.
    columns
        Their names. A column whose name begins with a capital is of numbers and aligns right.
    rows
        The cells.
    optional
        Columns that are left out, one after another, until the table fits the terminal.
    empty
        What fills the table, printed where it has no row.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    out = console()
    if not rows:
        print_lines(visible(title), *([empty] if empty else []))
        return
    shown = [[_cell(each) for each in row] for row in rows]
    cells = dict(zip(columns, zip(*shown, strict=True), strict=True))
    for name in optional:
        if sum(3 + max(map(len, [each, *cells[each]])) for each in cells) > out.width:
            del cells[name]
    # As a title of the table it would be as narrow as the table.
    for line in _wrapped(visible(title), out.width):
        out.print(Text(line, style="italic"), soft_wrap=True)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in cells:
        is_number = name[:1].isupper()
        table.add_column(
            name, justify="right" if is_number else "left", no_wrap=is_number, overflow="fold"
        )
    for row in zip(*cells.values(), strict=True):
        table.add_row(*map(Text, row))  # a tag in brackets is not markup
    out.print(table)


def _cell(value: str | Lines) -> str:
    return visible(value) if isinstance(value, str) else "\n".join(map(visible, value))


def title(rows: Sized, what: str, arguments: Namespace) -> str:
    """Return the title of a listing; it says where `--limit` may have left rows out."""
    is_cut = len(rows) == limit_of(arguments)
    return f"{counted(len(rows), what)}{', the newest; -n shows more' if is_cut else ''}"


def write_page(path: Path, text: str) -> None:
    """Write the page that --html names; where that fails, an earlier one stays as it was.

    Raises
    ------
    ConfigError
        It can not be written.
    """
    from freqtrade_mem0.archive.whole_file import whole_file

    try:
        with whole_file(path) as file:
            file.write(text.encode("utf-8"))
    except OSError as error:
        raise ConfigError(f"--html {path} can not be written: {error.strerror}.") from error


def when(iso_time: str | None) -> str:
    """Return a time in ISO format as tables show it, "" for None.

    >>> when("2024-01-02T13:45:00+00:00")
    '2024-01-02 13:45'
    """
    return (iso_time or "")[:16].replace("T", " ")
