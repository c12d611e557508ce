"""What a backtest puts off gives what it would have given at once, to the last bit."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.config.sizing import SizingSettings
from freqtrade_mem0.decide.decider import Decider
from freqtrade_mem0.decide.guarded import guarded_policy
from freqtrade_mem0.decide.known import EvidenceReader
from freqtrade_mem0.decide.learned import NO_RULES
from freqtrade_mem0.decide.proposal import Proposal
from freqtrade_mem0.decide.vetoes import Vetoes
from freqtrade_mem0.insight.shrinkage import Shrinkage
from freqtrade_mem0.recall import Recall
from freqtrade_mem0.recall.index.history import EntryReader
from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.risk.log import RiskLog
from freqtrade_mem0.sizing.guard import Guarded, unguarded
from tests.support.samples import NOTED, ORIGIN, START, a_trade

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freqtrade_mem0.records.kinds.trade import TradeRecord

LEVELS = ("pair", "side", "regime", "pair*regime")
PRIOR = Shrinkage(pseudo_trades=20.0)
SIZING = SizingSettings()
N_TRADES = 150


def trades(dice: random.Random) -> Iterator[TradeRecord]:
    """Return trades in order, except for a few that come late; many close in the same moment."""
    for number in range(N_TRADES):
        late = dice.random() < 0.1
        closed = START + timedelta(hours=24 * (number // 3 - late * dice.randrange(40)))
        situation: dict[str, float | str] = {
            "volatility": dice.choice([0.01, 0.02, 0.05]),
            "momentum": dice.gauss(0.0, 4.0),
            "regime": dice.choice(["calm", "volatile"]),
        }
        record = a_trade(
            number,
            closed_at=closed,
            pair=dice.choice(["ETH/USDT", "BTC/USDT"]),
            profit_ratio=dice.gauss(0.0, 0.05),
            situation=situation if dice.random() < 0.9 else {},
            is_evidence=dice.random() < 0.95,
        )
        yield replace(
            record, side=dice.choice(["long", "short"]), open_date=closed - timedelta(hours=30)
        )


def add_later(recall: Recall, trade: TradeRecord) -> None:
    """Add a trade as a backtest does."""
    if trade.is_evidence:
        get = trade.situation.get
        times_ms = to_ms(trade.known_at), to_ms(trade.open_date)
        movement = get("volatility"), get("momentum")
        recall.add_later(trade, trade.profit_ratio, trade.side, times_ms, movement)


@pytest.mark.parametrize("seed", range(12))
def test_a_trade_added_later_counts_as_one_added_now(seed: int) -> None:
    """Whatever is asked in between, and also where it replaces or follows other trades."""
    dice = random.Random(seed)
    now, later = Recall(LEVELS, 30.0), Recall(LEVELS, 30.0)
    readers = now.entries(EntryReader()), later.entries(EntryReader())
    promised = []
    added: list[TradeRecord] = []
    for trade in trades(dice):
        now.add(trade)
        add_later(later, trade)
        added.append(trade)
        moment = trade.known_at + timedelta(hours=dice.randrange(-30, 30))
        now_ms = to_ms(moment)
        if dice.random() < 0.3:
            at_once, *laters = now.whole(now_ms), now.whole_kept(now_ms), later.whole_later(now_ms)
            promised += [(at_once, each) for each in laters]
        what = dice.randrange(20)
        if what == 0:
            known = (trade.pair, trade.side, "dip", trade.situation, now_ms)
            assert now.of_entry(*known) == later.of_entry(*known)
        elif what == 1:
            assert now.groups(moment) == later.groups(moment)
        elif what == 2:
            gone = dice.choice(added)
            now.remove(gone.id)
            later.remove(gone.id)
        elif what == 3:
            changed = replace(dice.choice(added), profit_ratio=0.125)
            now.add(changed)
            later.add(changed)
        elif what < 10:
            first, second = (read_on(now_ms) for read_on in readers)
            assert first == second
        elif what < 15:
            assert now.whole(now_ms) == later.whole(now_ms)
    dice.shuffle(promised)
    assert [whole() for _, whole in promised] == [whole for whole, _ in promised]
    end = START + timedelta(days=400)
    assert now.groups(end) == later.groups(end)
    assert len(now) == len(later)


def _late(dice: random.Random) -> timedelta:
    """Return how long after its close a trade is told of, most often not at all."""
    return timedelta(hours=dice.choice([0, 0, 0, 0, 0, 300]))


class Plain(Guarded):
    """The default policy, asked the plain way."""

    def __init__(self) -> None:
        policy = guarded_policy(SIZING)
        super().__init__(
            policy, policy.name, SIZING.min_multiplier, SIZING.max_multiplier, lambda *_: None
        )


def decider(recall: Recall, policy: Guarded, *, puts_off: bool) -> Decider:
    """Return who decides with a recall."""
    return Decider(
        origin=ORIGIN,
        evidence=EvidenceReader(recall, PRIOR, unguarded(guarded_policy(SIZING)), "Sample"),
        policy=policy,
        risk=RiskLog(origin=ORIGIN, keep=lambda _: None, now=lambda: NOTED),
        rules=NO_RULES,
        vetoes=Vetoes(None),
        applied=True,
        puts_off=puts_off,
    )


@pytest.mark.parametrize("puts_off", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_a_quick_decision_is_the_policys_own(seed: int, *, puts_off: bool) -> None:
    """The stake at once, and its explanation later, when more trades are known.

    Also where trades were taken in before, as of any moment.
    """
    dice = random.Random(seed)
    recalls = [Recall(LEVELS, 30.0) for _ in range(2)]
    quick = decider(recalls[0], guarded_policy(SIZING), puts_off=puts_off)
    plain = decider(recalls[1], Plain(), puts_off=False)
    found, expected, multipliers = [], [], set()
    events = [(trade.open_date, True, trade) for trade in trades(dice)]
    events += [(each.known_at + _late(dice), False, each) for _, _, each in events]
    for moment, is_entry, trade in sorted(events, key=lambda event: event[:2]):
        if not is_entry:
            recalls[0].add(trade)
            recalls[1].add(trade)
            continue
        if dice.random() < 0.5:
            quick.evidence.prepare(moment + timedelta(hours=dice.choice([-40, 0, 0, 0, 40])))
        asked = Proposal(
            pair=trade.pair,
            side=trade.side,
            enter_tag="dip",
            moment=moment if dice.random() < 0.9 else moment - timedelta(hours=40),
            stake=100.0,
            min_stake=dice.choice([None, 10.0, 99.0]),
            max_stake=dice.choice([101.0, 1_000.0]),
            situation=trade.situation,
        )
        volatility, momentum = (trade.situation.get(name) for name in ("volatility", "momentum"))
        assert not isinstance(volatility, str)
        assert not isinstance(momentum, str)
        unbuilt = replace(
            asked,
            situation=partial(dict, trade.situation),
            volatility_and_momentum=(volatility, momentum),
        )
        answer, oracle = quick.answer(unbuilt), plain.answer(asked)
        assert (answer.multiplier, answer.stake) == (oracle.multiplier, oracle.stake)
        assert answer.account == oracle.account
        multipliers.add(answer.multiplier)
        found.append(answer)
        expected.append(oracle.decision())
    assert [replace(each.decision(), policy="") for each in found] == [
        replace(each, policy="") for each in expected
    ]
    assert len(multipliers) > 30
