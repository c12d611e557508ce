"""Options that several commands share. This module is imported for `--help`, so it stays light."""

from __future__ import annotations

import os
from argparse import ArgumentTypeError
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.records.base import Mode, as_utc

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace, _ActionsContainer
    from collections.abc import Callable

_MOST_DAYS = 36_500

ROWS_IN_TABLES = 20
"""Rows of a listing without `--limit`, unless it is printed as JSON."""


def config_options(parser: _ActionsContainer) -> None:
    """Add the options that name the Freqtrade config and the user data folder."""
    parser.add_argument(
        "-c",
        "--config",
        action="append",
        metavar="PATH",
        help="Freqtrade's config file; several are merged. Default: user_data/config.json or "
        "config.json, whichever exists.",
    )
    parser.add_argument(
        "--userdir",
        "--user-data-dir",
        metavar="PATH",
        type=Path,
        help="Freqtrade's user data folder. Default: as in the config, else user_data.",
    )


def memory_options(parser: ArgumentParser) -> None:
    """Add the options that select the memory, and `--json`."""
    config_options(parser.add_argument_group("which memory"))
    output_options(parser)


def output_options(parser: ArgumentParser) -> None:
    """Add `--json`."""
    parser.add_argument("--json", action="store_true", help="Print JSON instead of tables.")


def scope_options(parser: ArgumentParser) -> None:
    """Add the options that select a part of the memory."""
    group = parser.add_argument_group("which part of it")
    group.add_argument("-s", "--strategy", metavar="NAME", help="Only this strategy.")
    group.add_argument("--mode", choices=[str(mode) for mode in Mode], help="Only this mode.")
    group.add_argument(
        "--run-id",
        metavar="ID",
        help="Only this backtest run or bot; the first characters of its id are enough.",
    )
    group.add_argument("-p", "--pair", metavar="PAIR", help="Only this pair.")


def listing_options(
    parser: ArgumentParser,
    limit_help: str = f"Show at most N: the newest. Default: {ROWS_IN_TABLES} in tables, all with "
    "--json.",
) -> None:
    """Add the options of a command that lists rows."""
    parser.add_argument("-n", "--limit", type=count, metavar="N", help=limit_help)
    scope_options(parser)
    memory_options(parser)


def where_option(parser: _ActionsContainer) -> None:
    """Add `--where`."""
    parser.add_argument(
        "--where",
        type=decoded,
        metavar="QUERY",
        help="Only what passes this query, as in 'strategy:MyStrategy AND profit:>10.0'; "
        "docs/reference/queries.md lists the fields.",
    )


def since_option(parser: _ActionsContainer, what: str) -> None:
    """Add `--since`, whose value is a function of now; `what` says what it selects."""
    parser.add_argument(
        "--since",
        type=moment,
        metavar="TIME",
        help=f"{what} A time in UTC, as in 2026-11-27 or 2026-11-27T12:00, or days, as in 7d.",
    )


def decoded(text: str) -> str:
    """Return an option's text; where the locale is not UTF-8, Python leaves it undecoded."""
    return os.fsencode(text).decode(errors="replace")


def limit_of(arguments: Namespace) -> int | None:
    """Return how many rows a listing shows, None for all."""
    limit: int | None = arguments.limit
    return ROWS_IN_TABLES if limit is None and not arguments.json else limit


def strategy_search_options(parser: _ActionsContainer) -> None:
    """Add the options that say where strategies are looked for."""
    parser.add_argument(
        "--strategy-path", metavar="PATH", type=Path, help="Another folder with strategies."
    )
    parser.add_argument(
        "--recursive-strategy-search",
        action="store_true",
        help="Look for strategies in sub-folders, too.",
    )


def not_blank(text: str) -> str:
    """Return the value of an option that must say something, as a variable may be empty."""
    if not text.strip():
        raise ArgumentTypeError("must not be empty")
    return text


def count(text: str) -> int:
    """Return the value of an option that takes a whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"must be a whole number >= 1, got {text!r}")
    return int(text)


def moment(text: str) -> Callable[[datetime], datetime]:
    """Return the value of an option that takes a time, such as 2026-11-27T12:00, or days: 7d.

    It is a function of now.
    """
    if text.endswith("d") and text[:-1].isdecimal() and int(text[:-1]) < _MOST_DAYS:
        return lambda now: now - timedelta(days=int(text[:-1]))
    try:
        found = as_utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        raise ArgumentTypeError(
            f"must be a time such as 2026-11-27T12:00, or days such as 7d, got {text!r}"
        ) from None

    def past(now: datetime) -> datetime:
        if found > now:
            raise ConfigError(
                f"--since is {text!r}, which is in the future: nothing is that new. Name a time "
                f"before {now:%Y-%m-%dT%H:%M} UTC, or days such as 7d."
            )
        return found

    return past
