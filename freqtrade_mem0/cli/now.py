"""`why --now`: what memory would make of an entry, with all it knows by now."""

from __future__ import annotations

from argparse import ArgumentTypeError
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING

from freqtrade_mem0.cli.context import opened_memory, scope_of
from freqtrade_mem0.cli.output import console, print_json
from freqtrade_mem0.decide import explain
from freqtrade_mem0.errors import ConfigError, RecordError
from freqtrade_mem0.records.base import Mode, to_ms
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.views.decisions import decision_facts
from freqtrade_mem0.views.scope import described

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping, Sequence

    from freqtrade_mem0.memory_folder import MemoryFolder

_OF_THE_ENTRY = ("pair", "side", "enter_tag")
_PREFERRED = (Mode.DRY_RUN, Mode.LIVE, Mode.BACKTEST)
_N_NAMED = 6
_STAKE = 100.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that describe an entry."""
    group = parser.add_argument_group("what memory would do now")
    group.add_argument(
        "--now",
        metavar="PAIR",
        help="Ask about an entry in this pair instead of a trade. What is known is what the "
        "strategy's dry-run bot knows, else its live bot, else its newest backtest run; --mode and "
        "--run-id name another.",
    )
    group.add_argument(
        "--side", choices=["long", "short"], default="long", help="Of the entry. Default: long."
    )
    group.add_argument("--tag", default="", metavar="TAG", help="Enter tag of the entry.")
    group.add_argument(
        "--feature",
        nargs="+",
        action="extend",
        type=_feature,
        default=[],
        metavar="NAME=VALUE",
        help="Of the situation, as in trend_regime=uptrend. A level whose features are not told "
        "says nothing. Default: the session and the weekday of this moment.",
    )


def check(arguments: argparse.Namespace) -> None:
    """Refuse options that would be passed over.

    Raises
    ------
    ConfigError
        A trade and `--now` are both named, or an entry is described without `--now`.
    """
    if arguments.now is None and (arguments.tag or arguments.feature):
        raise ConfigError("--tag and --feature describe an entry: name its pair with --now.")
    if arguments.now is not None and arguments.trade is not None:
        raise ConfigError(f"{arguments.trade} and --now {arguments.now}: ask about one of them.")


def run(arguments: argparse.Namespace) -> int:
    """Print what would be decided, and from what."""
    from freqtrade_mem0.run.replay import Replay
    from freqtrade_mem0.situation import calendar

    told: dict[str, float | str] = dict(arguments.feature)
    with opened_memory(arguments) as store:
        levels = store.settings.sizing.levels
        _check_features(told, levels)
        trades = _trades(store, arguments)
        replay = Replay(store, trades[-1].origin)
    origin = trades[-1].origin
    wall = datetime.now(UTC)
    moment = max(trade.known_at for trade in trades) + timedelta(milliseconds=1)
    if origin.mode is not Mode.BACKTEST:
        moment = max(moment, wall)
    features = {**calendar(to_ms(wall)), **told}
    if {"volatility_regime", "trend_regime"} <= features.keys():
        both = f"{features['volatility_regime']} {features['trend_regime']}"
        features.setdefault("regime", both)
    decision = replay.asked(
        arguments.now.upper(), arguments.side, arguments.tag, moment, features, stake=_STAKE
    )
    missing = _missing(levels, features, arguments.tag, trades)
    text = "\n".join(
        [
            explain.would(decision),
            f"  from {origin.mode} {origin.run_id[:12]} of {origin.strategy}",
            *explain.numbers(decision),
            *(
                f"  not told, so not counted: {name} (seen: {', '.join(seen) or 'nothing'})"
                for name, seen in missing.items()
            ),
        ]
    )
    if arguments.json:
        facts = {"expected_ratio": decision.expected_ratio} | decision_facts(decision)
        asked_about = {"mode": str(origin.mode), "run_id": origin.run_id, "not_told": missing}
        print_json({"text": text, "strategy": origin.strategy} | facts | asked_about)
    else:
        console().print(text, markup=False)
    return 0


def _feature(text: str) -> tuple[str, float | str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise ArgumentTypeError(f"must be NAME=VALUE, got {text!r}")
    try:
        return name, float(value)
    except ValueError:
        return name, value


def _check_features(names: Iterable[str], levels: Sequence[str]) -> None:
    known = _features_of(levels)
    for name in names:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f"Did you mean {close[0]}?" if close else f"There are: {', '.join(known)}."
            raise ConfigError(f'--feature {name}: no level of "mem0.sizing.levels". {hint}')


def _features_of(levels: Sequence[str]) -> list[str]:
    names = dict.fromkeys(name for level in levels for name in level.split("*"))
    return [name for name in names if name not in _OF_THE_ENTRY]


def _trades(store: MemoryFolder, arguments: argparse.Namespace) -> list[TradeRecord]:
    """Return the trades of the run that is asked, in order of arrival."""
    scope = replace(scope_of(arguments, store), kind=TradeRecord.kind, pair=None)
    is_open = scope.modes is None and scope.run_id is None
    for modes in [[mode] for mode in _PREFERRED] if is_open else [scope.modes]:
        found = store.journal.records(replace(scope, modes=modes))
        trades = [record for _, record in found if isinstance(record, TradeRecord)]
        if trades:
            newest = trades[-1].origin
            return [trade for trade in trades if trade.origin == newest]
    raise RecordError(
        f"No trade of {described(scope)} is remembered in {store.folder}. "
        "'freqtrade-mem0 stats' shows what is."
    )


def _missing(
    levels: Sequence[str],
    features: Mapping[str, float | str],
    tag: str,
    trades: Sequence[TradeRecord],
) -> dict[str, list[str]]:
    """Return what is not told of the entry, with values that were seen."""
    seen = {
        name: {str(trade.situation[name]) for trade in trades if name in trade.situation}
        for name in _features_of(levels)
        if name not in features
    }
    if not tag and any("enter_tag" in level.split("*") for level in levels):
        seen["enter_tag"] = {trade.enter_tag for trade in trades if trade.enter_tag}
        if not seen["enter_tag"]:
            del seen["enter_tag"]  # the strategy has none
    return {name: sorted(values)[:_N_NAMED] for name, values in seen.items()}
