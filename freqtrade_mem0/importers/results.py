"""Read Freqtrade's backtest results, from 2021's JSON files to today's archives.

Freqtrade's run id is a hash of config and strategy file, stored beside the result in `*.meta.json`.
Where that is missing, `content_run_id` makes one from the content of the result.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from freqtrade_mem0.importers.files import is_archive, metadata_file
from freqtrade_mem0.importers.report import ImportFileError

if TYPE_CHECKING:
    from pathlib import Path

RUN_TIMES = ("backtest_run_start_ts", "backtest_run_end_ts")
"""Statistics that say when the backtest was run; they are no part of its result."""

_ENCRYPTED = 0x1  # bit in the flags of a zip entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The backtest of one strategy, as a file has it.

    Parameters
    ----------
    strategy
        Class name.
    run_id
        Freqtrade's own, or `content_run_id`.
    ran_at
        Aware UTC wall time at which the backtest was started; None where the file does not say.
    config
        The user's config; None where the file does not hold it.
    metadata
        Freqtrade's file beside the result, for this strategy.
    statistics
        All that Freqtrade reports, without the trades.
    trades
        In the order in which they were closed.
    """

    strategy: str
    run_id: str
    ran_at: datetime | None
    config: Mapping[str, Any] | None
    metadata: Mapping[str, Any]
    statistics: Mapping[str, Any]
    trades: tuple[Mapping[str, Any], ...]


def read_results(path: Path) -> list[Result]:
    """Return the backtests in a result file, one per strategy.

    Raises `ImportFileError` where it is no result of Freqtrade's, is torn, or encrypted.
    """
    stored, config = _read_zip(path) if is_archive(path) else (_read_json(path), None)
    strategies = stored.get("strategy") if isinstance(stored, dict) else None
    if not isinstance(strategies, dict):
        raise ImportFileError(
            "is a mere list of trades, a format before 2020 that Freqtrade does not read any more"
            if isinstance(stored, list)
            else "is no backtest result of Freqtrade's"
        )
    metadata = read_metadata(metadata_file(path)) or _mapping(stored.get("metadata"))
    return [
        _result(name, _mapping(statistics), _mapping(metadata.get(name)), config)
        for name, statistics in strategies.items()
    ]


def read_metadata(path: Path) -> dict[str, Any]:
    """Return the content of a `*.meta.json`, by strategy; {} if it is missing or unreadable."""
    try:
        return _mapping(json.loads(path.read_bytes()))
    except (OSError, ValueError, RecursionError):
        return {}


def read_config(path: Path) -> dict[str, Any] | None:
    """Return the config in a result's archive, or None; the result itself is not unpacked.

    Raises `ImportFileError` where the archive can not be read.
    """
    with _archive(path) as archive:
        return _config_in(archive, _result_name(archive, path))


def read_strategy(path: Path, strategy: str) -> str | None:
    """Return the source file of a strategy in a result's archive; None if it is not in there.

    Raises `ImportFileError` where the archive can not be read.
    """
    with _archive(path) as archive:
        name = f"{_result_name(archive, path).removesuffix('.json')}_{strategy}.py"
        if name not in archive.namelist():
            return None
        return _member(archive, name).decode(errors="replace")


def content_run_id(strategy: str, statistics: Mapping[str, Any]) -> str:
    """Return a run id made from a result: equal results have equal ids, whenever they were run.

    `statistics` are all that the file has on the strategy, trades included.
    """
    content = {key: value for key, value in statistics.items() if key not in RUN_TIMES}
    return f"content-{sha256(canonical([strategy, content])).hexdigest()[:40]}"


def canonical(value: Any) -> bytes:
    """Return the JSON of a value in one fixed form, for hashing."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _result(
    name: str,
    statistics: Mapping[str, Any],
    metadata: Mapping[str, Any],
    config: Mapping[str, Any] | None,
) -> Result:
    started = metadata.get("backtest_start_time", statistics.get(RUN_TIMES[0]))
    trades = statistics.get("trades")
    return Result(
        strategy=name,
        run_id=str(metadata.get("run_id") or content_run_id(name, statistics)),
        ran_at=_wall_time(started),
        config=config,
        metadata=metadata,
        statistics={key: value for key, value in statistics.items() if key != "trades"},
        trades=tuple(trade for trade in trades if isinstance(trade, dict))
        if isinstance(trades, list)
        else (),
    )


def _wall_time(seconds: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, tz=UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _read_json(path: Path) -> Any:
    try:
        return _parsed(path.read_bytes())
    except OSError as error:
        raise ImportFileError(f"can not be read: {error.strerror or error}") from error


def _read_zip(path: Path) -> tuple[Any, dict[str, Any] | None]:
    with _archive(path) as archive:
        name = _result_name(archive, path)
        return _parsed(_member(archive, name)), _config_in(archive, name)


def _archive(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise ImportFileError(f"is no complete archive: {error}") from error


def _result_name(archive: zipfile.ZipFile, path: Path) -> str:
    """Return the name of the result in an archive; the archive may have been renamed."""
    names = archive.namelist()
    own = f"{path.stem}.json"
    candidates = [name for name in names if f"{name.removesuffix('.json')}_config.json" in names]
    if own in names:
        return own
    if not candidates:
        raise ImportFileError("is an archive without a backtest result of Freqtrade's in it")
    return candidates[0]


def _config_in(archive: zipfile.ZipFile, result_name: str) -> dict[str, Any] | None:
    name = f"{result_name.removesuffix('.json')}_config.json"
    if name not in archive.namelist():
        return None
    return _mapping(_parsed(_member(archive, name)))


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).flag_bits & _ENCRYPTED:
        raise ImportFileError("is encrypted")
    try:
        return archive.read(name)
    except (OSError, EOFError, zipfile.BadZipFile, RuntimeError, zlib.error) as error:
        raise ImportFileError(f"is a damaged archive: {error}") from error


def _parsed(text: bytes) -> Any:
    try:
        return from_json(text)  # three times as fast
    except ValueError:
        pass  # Python's own parser accepts more, half of a surrogate pair for example
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ImportFileError(f"is no complete JSON: {error}") from error


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
