"""Finds trades by Freqtrade's own number in the trade databases of bots, which it only reads."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_DEFAULT_FILES = ("tradesv3.sqlite", "tradesv3.dryrun.sqlite")
"""Where Freqtrade keeps trades of live and dry-run bots if the config has no `db_url`."""

_FIRST_ENTRY = """
    SELECT t.pair, t.is_short, o.order_id FROM trades AS t JOIN orders AS o ON o.ft_trade_id = t.id
    WHERE t.id = :number AND o.filled > 0
    AND o.ft_order_side = CASE WHEN t.is_short THEN 'sell' ELSE 'buy' END
    ORDER BY o.id LIMIT 1
"""


class Entered(NamedTuple):
    """A trade in a database: `order_id` is that of its first filled entry order."""

    database: str
    pair: str
    side: str
    order_id: str


def databases(config: Mapping[str, Any], user_data_dir: Path, named: str | None) -> list[str]:
    """Return the addresses of the trade databases that a config and an option point to.

    Parameters
    ----------
    named
        The address in an option; with it, nothing else is looked at.
    """
    url = named or config.get("db_url")
    if url:
        return [str(url)]
    files = [folder / name for folder in (Path(), user_data_dir) for name in _DEFAULT_FILES]
    found = {file.resolve(): None for file in files if file.is_file()}
    return [f"sqlite:///{file}" for file in found]


def entered(urls: Iterable[str], number: int) -> list[Entered]:
    """Return the trades with a number, one for each database that has it.

    Raises
    ------
    ConfigError
        A database can not be read.
    """
    found = []
    for url in urls:
        row = _first_entry(url, number)
        if row is not None:
            pair, is_short, order_id = row
            side = "short" if is_short else "long"
            found.append(Entered(_shown(url), pair, side, str(order_id)))
    return found


def _first_entry(url: str, number: int) -> Any:
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.pool import NullPool

    try:
        engine = create_engine(_read_only(url), poolclass=NullPool)
        with closing(engine.connect()) as connection:
            return connection.execute(text(_FIRST_ENTRY), {"number": number}).first()
    except (SQLAlchemyError, ImportError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        raise ConfigError(
            f"The trade database {_shown(url)} can not be read: {reason}. Name another one with "
            "--db-url, or the trade by its id in memory."
        ) from error


def _read_only(url: str) -> str:
    """Return an address that creates no file."""
    kind, separator, path = url.partition(":///")
    if kind != "sqlite" or not separator or path in ("", ":memory:"):
        return url
    return f"sqlite:///file:{path}?mode=ro&uri=true"


def _shown(url: str) -> str:
    """Return an address without user name and password."""
    kind, separator, rest = url.partition("://")
    return f"{kind}{separator}{rest.rpartition('@')[2]}"
