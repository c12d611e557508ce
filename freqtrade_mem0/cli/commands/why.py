"""Explain the stake of a trade, or of an entry now.

With --now, the answer is what memory would make of the stake of an entry at this moment, with the
present settings. The market's situation is that of the newest candle that Freqtrade has stored, or
with --ask-exchange of the newest one that the exchange has.
"""

from __future__ import annotations

import logging
from argparse import ArgumentTypeError
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.cli.context import opened_memory, read_config, scope_of
from freqtrade_mem0.cli.options import memory_options, scope_options
from freqtrade_mem0.cli.output import print_json, print_lines, print_table, when
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.words.numbers import percent

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from freqtrade_mem0.host.trade_lookup import Entered

NAME = "why"

_MOST_DIGITS = 7
"""A longer number is the beginning of an id in memory: tables show eight characters of those."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `why`."""
    parser.add_argument(
        "trade",
        nargs="?",
        help="Id of a trade or decision, or its first characters; Freqtrade's own number of a "
        "bot's trade, as in 25; or a pair, for its last trade. Default: the last trade.",
    )
    parser.add_argument(
        "--db-url",
        metavar="URL",
        help="Trade database in which Freqtrade's number of a trade is looked up. Default: that of "
        "the config, else Freqtrade's own files in this folder and in the user data folder.",
    )
    group = parser.add_argument_group("what memory would do now")
    group.add_argument(
        "--now",
        metavar="PAIR",
        nargs="?",
        const="",
        help="Ask about an entry in this pair instead of a trade; without a pair, in each pair of "
        "the config's pair_whitelist, else of the known trades. The answer uses what the "
        "strategy's dry-run bot knows, else its live bot, else its newest backtest; --mode and "
        "--run-id select another.",
    )
    group.add_argument(
        "--ask-exchange",
        action="store_true",
        help="Take the newest candles from the exchange of the config, instead of those that "
        "Freqtrade has stored. Nothing is stored, and no account is used.",
    )
    group.add_argument(
        "--side",
        choices=["long", "short"],
        default="long",
        help="Side of the entry. Default: long.",
    )
    group.add_argument("--tag", default="", metavar="TAG", help="Enter tag of the entry.")
    group.add_argument(
        "--feature",
        nargs="+",
        action="extend",
        type=_feature,
        default=[],
        metavar="NAME=VALUE",
        help="A feature of the situation, for example trend_regime=uptrend, instead of those of "
        "the newest stored candle. Levels whose features are missing do not count. Session and "
        "weekday are those of this moment by default.",
    )
    group.add_argument(
        "-i",
        "--timeframe",
        default="",
        metavar="TF",
        help="Timeframe of the candles. Default: that of the config, else of the strategy's newest "
        "backtest in memory.",
    )
    scope_options(parser)
    memory_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the explanation of one decision."""
    _check(arguments)
    wanted: str | None = arguments.trade
    if wanted is not None and "/" in wanted:
        arguments.pair, wanted = wanted, None
    with opened_memory(arguments) as memory:
        scope = scope_of(arguments, memory)
        if arguments.now is None:
            from freqtrade_mem0.views.decisions import why

            facts = why(memory, scope, wanted, _entries(arguments, wanted))
        else:
            from freqtrade_mem0.views.entries import explain_entries
            from freqtrade_mem0.views.present import Market

            config = read_config(arguments)
            # The answer itself says what is missing.
            logging.getLogger("freqtrade").setLevel(logging.ERROR)
            market = Market(
                memory=memory,
                config=config.freqtrade,
                user_data_dir=config.user_data_dir,
                timeframe=arguments.timeframe,
            )
            listed = (config.freqtrade.get("exchange") or {}).get("pair_whitelist") or []
            answers = explain_entries(
                memory,
                scope,
                datetime.now(UTC),
                pairs=[arguments.now] if arguments.now else [p for p in listed if _is_pair(p)],
                side=arguments.side,
                enter_tag=arguments.tag,
                features=dict(arguments.feature),
                market=market,
                asks_exchange=arguments.ask_exchange,
            )
            if not arguments.now:
                return _list(answers, as_json=arguments.json)
            (facts,) = answers
    if arguments.json:
        print_json(facts)
    else:
        print_lines(f"{facts['strategy']}, {facts['mode']} {facts['run_id'][:12]}:")
        print_lines(facts["text"])
    return 0


def _is_pair(name: str) -> bool:
    """Return whether an entry of a pair list is a pair, and not a pattern of several."""
    return all(each.isalnum() or each in "/:-_" for each in name)


def _list(answers: list[dict[str, Any]], *, as_json: bool) -> int:
    if as_json:
        print_json(answers)
        return 0
    first = answers[0]
    print_table(
        f"{first['strategy']}, {first['mode']} {first['run_id'][:12]}: an entry now; 'why --now "
        "PAIR' explains one",
        ["pair", "x", "Expected", "Known", "regime", "candle closed (UTC)"],
        [
            [
                each["pair"],
                f"{each['multiplier']:.3f}{'' if each['applied'] else ' shadow'}",
                "" if each["expected_ratio"] is None else percent(each["expected_ratio"]),
                f"{each['n_effective']:.1f}",
                str(each["situation"].get("regime", "")),
                when(each["candle"]),
            ]
            for each in answers
        ],
        optional=["Known"],
    )
    if not any(each["candle"] for each in answers):
        print_lines("No candle was looked at: 'why --now PAIR' says why.")
    return 0


def _entries(arguments: argparse.Namespace, wanted: str | None) -> Sequence[Entered]:
    """Return the trades that have the wanted number in a bot's trade database."""
    if wanted is None or not wanted.isdecimal() or len(wanted) > _MOST_DIGITS:
        return ()
    from freqtrade_mem0.host.trade_lookup import databases, entered

    config = read_config(arguments)
    urls = databases(config.freqtrade, config.user_data_dir, arguments.db_url)
    return entered(urls, int(wanted))


def _feature(text: str) -> tuple[str, float | str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise ArgumentTypeError(f"must be NAME=VALUE, got {text!r}")
    try:
        return name, float(value)
    except ValueError:
        return name, value


def _check(arguments: argparse.Namespace) -> None:
    """Refuse options that would have no effect."""
    if arguments.ask_exchange and (arguments.now is None or arguments.feature):
        raise ConfigError("--ask-exchange looks at the market for --now, without --feature.")
    if arguments.now is None and (arguments.tag or arguments.feature):
        raise ConfigError("--tag and --feature describe an entry: name its pair with --now.")
    if arguments.now is not None and arguments.trade is not None:
        raise ConfigError(f"{arguments.trade} and --now {arguments.now}: ask about one of them.")
