"""What memory would make of an entry now, with all it knows and the present settings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.decide import explain
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.journal.evidence.trade import TradeEvidence
from freqtrade_mem0.records.base import Mode, Origin, to_ms
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.run.replay import Replay
from freqtrade_mem0.situation import calendar
from freqtrade_mem0.views.decisions import decision_facts
from freqtrade_mem0.views.insights import newest_of, newest_trades
from freqtrade_mem0.views.seen import OF_THE_TRADE, Seen
from freqtrade_mem0.views.values import Facts, iso, origin_facts
from freqtrade_mem0.words.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from freqtrade_mem0.journal.scope import Scope
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.decision import Decision
    from freqtrade_mem0.views.present import Market

_PREFERRED = (Mode.DRY_RUN, Mode.LIVE, Mode.BACKTEST)
_OF_THE_CALENDAR = tuple(calendar(0))
"""Features that are added to the question; nobody mistypes them."""

_N_EXAMPLES = 6
_STAKE = 100.0
"""The proposed stake; the answer is a multiple of it."""


@dataclass(frozen=True, slots=True)
class KnownRun:
    """The run whose knowledge is asked: what its trades had, and what it would decide.

    `trades` are these themselves, where they are kept.
    """

    origin: Origin
    seen: Seen
    replay: Replay
    trades: list[TradeRecord | TradeEvidence]

    def follow(self, after_seq: int) -> Sequence[TradeRecord | TradeEvidence] | None:
        """Learn what came into the journal after a row; see `Replay.follow`."""
        news = self.replay.follow(after_seq)
        self.seen.add(news or ())
        self.trades.extend(news or ())
        return news


def known_run(memory: MemoryFolder, scope: Scope, *, keeps_trades: bool = False) -> KnownRun:
    """Return the run of a scope whose knowledge is asked; see `explain_entry`."""
    origin, run = newest_trades(memory, replace(scope, pair=None), _preferred(scope))
    seen, evidence = Seen(memory.settings.sizing.levels), memory.journal.evidence
    trades: list[TradeRecord | TradeEvidence] = []
    if keeps_trades:
        trades += evidence.trades(run)
        seen.add(trades)
    else:
        for page in evidence.pages(run):
            seen.add_page(page)
    return KnownRun(origin, seen, Replay(memory, origin), trades)


def is_newest(memory: MemoryFolder, scope: Scope, run: KnownRun) -> bool:
    """Return whether a run is still the one that `known_run` returns."""
    return newest_of(memory, replace(scope, pair=None), _preferred(scope)) == run.origin


def _preferred(scope: Scope) -> Sequence[Mode]:
    is_open = scope.modes is None and scope.run_id is None
    return _PREFERRED if is_open else ()


def explain_entry(
    memory: MemoryFolder,
    scope: Scope,
    now: datetime,
    *,
    pair: str,
    side: str = "long",
    enter_tag: str = "",
    features: Mapping[str, float | str] | None = None,
    market: Market | None = None,
    run: KnownRun | None = None,
) -> Facts:
    """Return the decision on an entry, with its explanation.

    Parameters
    ----------
    memory
        The memory; its settings decide.
    scope
        Whose knowledge is asked. Without a mode and a run id, it is that of the strategy's dry-run
        bot, else its live bot, else its newest backtest. The scope's pair is ignored.
    now
        Aware UTC. A bot is asked as of this moment, a backtest as of its last trade.
    pair, side, enter_tag
        The entry; the tag is "" where there is none.
    features
        The situation by feature name. Session and weekday of `now` are added. A level whose
        features are missing does not count; `not_told` in the answer names them with values that
        were seen. `not_seen` names what was told and is in no trade, such as a mistyped value.
    market
        Where the situation is looked up if no features are given; `candle` in the answer says when
        the candle closed that it is from. None looks nothing up.
    run
        What `known_run` returned for the scope, where several entries are asked about.

    Raises
    ------
    ConfigError
        A feature is in no level of `mem0.sizing.levels`.
    RecordError
        The scope has no trade.
    """
    levels = memory.settings.sizing.levels
    _check_features(features or {}, levels)
    run = known_run(memory, scope) if run is None else run
    seen, origin = run.seen, run.origin
    present = None
    if market is not None and not features:
        present = market.look_up(origin.strategy, pair.upper(), now)
    situation = {**calendar(to_ms(now)), **(present.situation if present else features or {})}
    decision = decided(run, pair.upper(), side, enter_tag, now, situation)
    situation = dict(decision.situation)
    untold = not_told(levels, situation, enter_tag, seen)
    entry = {"pair": pair.upper(), "side": side, "enter_tag": enter_tag}
    unseen = not_seen({**entry, **situation}, seen)
    text = [
        explain.would(decision),
        f"  from {origin.mode} {origin.run_id[:12]} of {origin.strategy}",
        *([f"  {present.text}"] if present else []),
        *(
            f"  {name} {asked} is in no trade, so nothing is known of it (seen: {', '.join(near)})"
            for name, (asked, *near) in unseen.items()
        ),
        *explain.numbers(decision),
        *(
            f"  not told, so not counted: {name} (seen: {', '.join(values) or 'nothing'})"
            for name, values in untold.items()
        ),
    ]
    return (
        {"text": "\n".join(map(visible, text)), "expected_ratio": decision.expected_ratio}
        | decision_facts(decision)
        | origin_facts(origin)
        | {"candle": iso(present.closed_at) if present and present.closed_at else None}
        | {"not_told": untold, "not_seen": {name: near for name, (_, *near) in unseen.items()}}
    )


def explain_entries(
    memory: MemoryFolder,
    scope: Scope,
    now: datetime,
    *,
    pairs: Sequence[str],
    market: Market,
    asks_exchange: bool = False,
    **entry: Any,
) -> list[Facts]:
    """Return what `explain_entry` does for each of some pairs, by default those of the trades.

    With `asks_exchange` the situation is from the exchange's newest candles.
    """
    run = known_run(memory, scope)
    pairs = [each.upper() for each in pairs] or sorted(run.seen.pairs)
    if asks_exchange:
        market = market.asking_exchange(run.origin.strategy, pairs)
    return [
        explain_entry(memory, scope, now, pair=pair, market=market, run=run, **entry)
        for pair in pairs
    ]


def decided(  # noqa: PLR0917 - as in `Replay.asked`
    run: KnownRun,
    pair: str,
    side: str,
    enter_tag: str,
    now: datetime,
    situation: Mapping[str, float | str],
) -> Decision:
    """Return what a run would decide about an entry.

    A bot is asked as of `now` (aware UTC), a backtest as of its last trade.
    """
    moment = run.seen.last_known_at + timedelta(milliseconds=1)
    if run.origin.mode is not Mode.BACKTEST:
        moment = now
    features = dict(situation)
    if {"volatility_regime", "trend_regime"} <= features.keys():
        both = f"{features['volatility_regime']} {features['trend_regime']}"
        features.setdefault("regime", both)
    return run.replay.asked(pair, side, enter_tag, moment, features, stake=_STAKE)


def _check_features(names: Iterable[str], levels: Sequence[str]) -> None:
    known = features_of(levels)
    for name in names:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f"Did you mean {close[0]}?" if close else f"There are: {', '.join(known)}."
            raise ConfigError(f'{name!r} is no feature of a level in "mem0.sizing.levels". {hint}')


def features_of(levels: Sequence[str]) -> list[str]:
    """Return the features of the market that these levels use."""
    names = dict.fromkeys(name for level in levels for name in level.split("*"))
    return [name for name in names if name not in OF_THE_TRADE]


def not_told(
    levels: Sequence[str],
    situation: Mapping[str, float | str],
    enter_tag: str,
    seen: Seen,
) -> dict[str, list[str]]:
    """Return what the levels use and the question leaves out, with values that trades had."""
    untold = {name: seen.values[name] for name in features_of(levels) if name not in situation}
    tags = seen.tags - {""}
    if tags and not enter_tag and "enter_tag" in seen.values:
        untold["enter_tag"] = tags
    return {name: sorted(values)[:_N_EXAMPLES] for name, values in untold.items()}


def not_seen(asked: Mapping[str, float | str], seen: Seen) -> dict[str, list[str]]:
    """Return what was asked and is in no trade: the value, then the nearest values of trades."""
    found = {}
    for name, values in seen.values.items():
        value = str(asked.get(name, ""))
        if value and value not in values and name not in _OF_THE_CALENDAR:
            near = get_close_matches(value, values - {""}, n=_N_EXAMPLES, cutoff=0.3)
            others = sorted(values.difference(near, [""]))
            found[name] = [value, *[*near, *others][:_N_EXAMPLES]]
    return found
