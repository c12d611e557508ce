"""Memory's account: its floor on any data, and brute force over any order of arrival."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freqtrade_mem0.config.sizing import SizingSettings
from freqtrade_mem0.decide.known import EvidenceReader
from freqtrade_mem0.insight.account import MIN_DAYS, RATE, Account
from freqtrade_mem0.insight.shrinkage import Shrinkage
from freqtrade_mem0.insight.standing import Standing
from freqtrade_mem0.recall import Recall
from freqtrade_mem0.records.decision import Reason
from freqtrade_mem0.sizing.policies import split
from freqtrade_mem0.sizing.policy import Known, Wish
from tests.support.samples import START, a_trade

if TYPE_CHECKING:
    from freqtrade_mem0.records.kinds.trade import TradeRecord

DAY_MS = 86_400_000
LEVELS = ("pair", "side")
PRIOR = Shrinkage(pseudo_trades=100.0)


@dataclass(frozen=True)
class Said:
    """A closed trade of the account: the day, its result, and what two experts said."""

    day: int
    ratio: float
    multipliers: tuple[float, float]


def said_on(day: int) -> st.SearchStrategy[Said]:
    """Return trades of a day, ruinous ones and those that no expert sees coming among them."""
    ratios = st.sampled_from([-1e6, -1.0, -0.01, 0.0, 0.01, 1.0, 1e6]) | st.floats(-2.0, 2.0)
    multiplier = st.sampled_from([0.01, 0.25, 1.0, 1.75, 10.0])
    return st.builds(Said, st.just(day), ratios, st.tuples(multiplier, multiplier))


days = st.lists(st.integers(0, 120), max_size=40).map(sorted)
sequences = days.flatmap(lambda all_days: st.tuples(*map(said_on, all_days)))
shares = st.sampled_from([(0.3, 0.2), (0.5, 0.49), (0.01, 0.01)])


@given(sequences, shares)
def test_the_loss_never_passes_the_floor(
    sequence: tuple[Said, ...], begins_with: tuple[float, float]
) -> None:
    """Whoever chooses results and multipliers: the sum of w * x stays above ln(off) / rate."""
    account = Account(dict(zip("ab", begins_with, strict=True)))
    for said in sequence:
        account.add(said.day * DAY_MS, said.ratio, 1.0, said.multipliers)
    for day in range(123):
        standing = account.at(day * DAY_MS)
        off = 1.0 - sum(begins_with)
        assert standing.earned >= math.log(off) / RATE - 1e-9
        assert 0.0 <= standing.weight <= 1.0
        assert standing.earned / standing.floor <= 1.0 + 1e-9
        # The whole capital: what the floor follows from.
        wealth = [each.wealth for each in standing.shares.values()]
        capital = off + sum(s * w for s, w in zip(begins_with, wealth, strict=True))
        parts = [each.weight for each in standing.shares.values()]
        for share, part, each in zip(begins_with, parts, wealth, strict=True):
            assert part in (0.0, pytest.approx(share * each / capital))


def test_the_floor_is_nearly_reached_by_the_worst_sequence() -> None:
    """An expert that is wrong by a usual day each day loses all that it may lose, not more."""
    account = Account({"wrong": 0.3})
    for day in range(2_000):
        up = day % 2 == 0
        account.add(day * DAY_MS, 0.01 if up else -0.01, 1.0, [0.5 if up else 1.5])
    standing = account.at(2_000 * DAY_MS)
    assert account.floor * 1.0 < standing.earned < account.floor * 0.9
    assert standing.weight < 1e-9


def lost_by_stakes(lasts: int, turns: int) -> tuple[float, float]:
    """Return what 1,000 days earn by the account, and by stakes with the weight of their entry.

    One trade closes a day, alternately won and lost. The expert is right and wrong in turns of so
    many days, and each trade was opened some days before.
    """
    account, weights, by_stakes = Account({"timed": 0.3}), list[float](), 0.0
    for day in range(1_000):
        share = account.at(day * DAY_MS).shares["timed"]
        weights.append(share.weight)
        ratio = 0.05 if day % 2 else -0.05
        is_right = day // turns % 2 == 0
        multiplier = 1.75 if (ratio > 0.0) == is_right else 0.25
        if day >= MIN_DAYS:
            excess = (multiplier / share.mean_multiplier - 1.0) * ratio / 0.05
            by_stakes += weights[day - lasts] * max(-3.0, min(excess, 3.0))
        account.add(day * DAY_MS, ratio, 1.0, [multiplier])
    return account.at(1_000 * DAY_MS).earned, by_stakes


@pytest.mark.parametrize(("lasts", "lost"), [(0, 1.7), (1, 5.0), (5, 17.8)])
def test_weights_of_the_entry_can_lose_more_than_the_account(lasts: int, lost: float) -> None:
    """Why there is a floor under stakes, too: within a day they lose what the account loses."""
    worst = [lost_by_stakes(lasts, turns) for turns in (1, 2, 3, 5, 8, 10, 15, 20, 40)]
    floor = math.log(0.7) / RATE
    assert min(by_account for by_account, _ in worst) >= floor
    assert min(by_stakes for _, by_stakes in worst) == pytest.approx(-lost, rel=0.03)


# ---- against brute force, in any order of arrival ----


def entries(number: int) -> st.SearchStrategy[TradeRecord]:
    """Return trades within some months, some at the same moment, some without a situation."""
    return st.builds(
        lambda day, held, ratio, side, volatility, momentum: replace(
            a_trade(
                number,
                closed_at=START + timedelta(hours=12 * day),
                profit_ratio=ratio,
                situation={}
                if volatility is None
                else {"volatility": volatility, "momentum": momentum},
            ),
            side=side,
            open_date=START + timedelta(hours=12 * day - held),
        ),
        st.integers(0, 120),
        st.sampled_from([1, 12, 40, 300]),
        st.sampled_from([-0.03, -0.01, 0.0, 0.01, 0.04]),
        st.sampled_from(["long", "short"]),
        st.sampled_from([None, 0.004, 0.01, 0.03]),
        st.sampled_from([-9.0, -1.0, 0.5, 2.0]),
    )


trades = st.integers(0, 25).flatmap(lambda n: st.tuples(*(entries(i) for i in range(n))))
EXPERTS = {"response": 0.3, "bayes": 0.2}


def reader(recall: Recall) -> EvidenceReader:
    """Return a reader whose account follows `EXPERTS`."""
    sizing = SizingSettings.model_validate({"split": {"experts": EXPERTS}, "levels": LEVELS})
    return EvidenceReader(recall, PRIOR, split.from_settings(sizing))


def empty_recall() -> Recall:
    """Return a recall that keeps entries."""
    return Recall(LEVELS, 365.0, keeps_entries=True)


def asked(evidence: EvidenceReader, moment: datetime) -> Known:
    """Return what is known about some entry."""
    return evidence.for_entry(
        strategy="Sample",
        pair="ETH/USDT",
        side="long",
        enter_tag="dip",
        moment=moment,
        situation={"volatility": 0.02, "momentum": -1.0},
    )


@settings(max_examples=60)
@given(trades, st.data())
def test_order_of_arrival_corrections_and_questions_leave_no_trace(
    history: tuple[TradeRecord, ...], data: st.DataObject
) -> None:
    """Trades arrive in any order, are corrected and removed; questions go back and forth."""
    recall = empty_recall()
    evidence = reader(recall)
    arrived: dict[str, TradeRecord] = {}
    order = data.draw(st.permutations(history))
    for number, trade in enumerate(order):
        recall.add(replace(trade, profit_ratio=trade.profit_ratio + 0.01))
        if number % 3 == 0:
            asked(evidence, START + timedelta(days=data.draw(st.integers(0, 70))))
        recall.add(trade)
        arrived[trade.id] = trade
        if number % 5 == 4:
            recall.remove(trade.id)
            del arrived[trade.id]
    moment = START + timedelta(days=data.draw(st.integers(0, 70)), hours=5)
    fresh = empty_recall()
    for trade in sorted(arrived.values(), key=lambda each: (each.known_at, each.id)):
        fresh.add(trade)
    left, right = asked(evidence, moment), asked(reader(fresh), moment)
    assert left.account == right.account
    assert left.response == right.response


@pytest.mark.parametrize("seed", range(8))
def test_late_arrivals_leave_no_trace_where_days_are_dense(seed: int) -> None:
    """Several trades a day, asked every day: what arrives after its day is as if it had been there.

    Trades of other machines come in between, also before the first own one; they change nothing.
    """
    dice = random.Random(seed)
    history = [
        replace(
            a_trade(
                number,
                closed_at=START + timedelta(hours=8 * number),
                profit_ratio=dice.gauss(0.001, 0.02),
                situation={"volatility": dice.uniform(0.002, 0.03), "momentum": dice.gauss(0, 2)},
            ),
            side=dice.choice(["long", "long", "short"]),
        )
        for number in range(150)
    ]
    late = set(dice.sample(range(150), 30))
    recall, fresh = Recall(LEVELS, 365.0), Recall(LEVELS, 365.0)
    sizing = SizingSettings.model_validate({})
    evidence = EvidenceReader(recall, PRIOR, split.from_settings(sizing))
    before = a_trade(999, closed_at=START - timedelta(days=300), profit_ratio=-0.5)
    recall.add(before, is_foreign=True)
    for number, trade in enumerate(history):
        fresh.add(trade)
        if number not in late:
            recall.add(trade)
        if number % 10 == 0:
            recall.add(a_trade(1_000 + number, closed_at=trade.known_at), is_foreign=True)
        asked(evidence, trade.known_at + timedelta(hours=1))
    moment = START + timedelta(days=52)
    for number in dice.sample(sorted(late), len(late)):
        recall.add(history[number])
        asked(evidence, moment)
    right = asked(EvidenceReader(fresh, PRIOR, split.from_settings(sizing)), moment)
    left = asked(evidence, moment)
    assert right.account is not None
    assert right.account.shares["response"].weight != 0.3
    assert (left.account, left.response) == (right.account, right.response)


def test_an_expert_that_reads_no_levels_is_asked_again() -> None:
    """Its recall keeps entries, and it is asked under the strategy's name."""
    names = set()

    class Half:
        reads_levels = False
        name = "half"

        def __call__(self, known: Known) -> Wish:
            names.add(known.strategy.value)
            return Wish(multiplier=0.5, reasons=[Reason(name="half", effect=-0.5)])

    recall = empty_recall()
    policy = split.Split(experts={"half": Half()}, shares={"half": 0.4})
    evidence = EvidenceReader(recall, PRIOR, policy, "Sample")
    for number in range(40):
        recall.add(a_trade(number, closed_at=START + timedelta(days=number), profit_ratio=-0.01))
    known = asked(evidence, START + timedelta(days=41))
    assert known.account is not None
    assert known.account.n_trades == 40.0
    assert policy(known).multiplier < 1.0
    assert names == {"Sample"}


@settings(max_examples=60)
@given(trades, st.integers(0, 70))
def test_the_account_is_that_of_the_formulas(history: tuple[TradeRecord, ...], day: int) -> None:
    """The same numbers from the formulas of the module, computed plainly from all trades."""
    recall = Recall(LEVELS, 365.0)
    for trade in history:
        recall.add(trade)
    sizing = SizingSettings.model_validate({})
    evidence = EvidenceReader(recall, PRIOR, split.from_settings(sizing))
    moment = START + timedelta(days=day, hours=5)
    known = asked(evidence, moment)
    assert isinstance(known.account, Standing)
    plain = PlainAccount(history)
    assert known.response.multiplier == pytest.approx(
        plain.response(moment, 0.02), rel=1e-9, abs=1e-12
    )
    assert known.account.shares["response"].weight == pytest.approx(plain.weight(moment), rel=1e-9)


class PlainAccount:
    """The formulas of the brief, one after the other, over all trades."""

    def __init__(self, history: tuple[TradeRecord, ...]) -> None:
        self.trades = sorted(history, key=lambda trade: (trade.known_at, trade.id))

    def response(self, moment: datetime, volatility: float | None) -> float:
        """Return exp(z * (0.5 - 0.5 C - 0.8 S)) of an entry."""
        known = [trade for trade in self.trades if trade.known_at < moment]
        seen = [trade for trade in known if trade.situation]
        if not seen or volatility is None:
            return 1.0
        ages = [(moment - trade.known_at) / timedelta(days=1) for trade in seen]
        weights = [0.5 ** (age / 365.0) for age in ages]
        logs = [math.log(float(trade.situation["volatility"])) for trade in seen]
        momenta = [
            max(-5.0, min(5.0, float(trade.situation["momentum"])))
            * (-1.0 if trade.side == "short" else 1.0)
            for trade in seen
        ]
        share = len(seen) / (len(seen) + 30.0)
        mean = sum(w * x for w, x in zip(weights, logs, strict=True)) / sum(weights)
        moved = sum(w * x for w, x in zip(weights, momenta, strict=True)) / sum(weights)
        both = len({trade.side for trade in known}) == 2
        excess = share * (math.log(volatility) - mean)
        return math.exp(excess * (0.5 - 0.5 * share * moved - 0.8 * both))

    def weight(self, moment: datetime) -> float:
        """Return w at the start of the moment's day."""
        today = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        by_day: dict[int, list[TradeRecord]] = {}
        for trade in self.trades:
            if trade.known_at < today:
                by_day.setdefault((trade.known_at - START).days, []).append(trade)
        wealth, said = 1.0, list[float]()
        results: dict[int, float] = {}
        for day in sorted(by_day):
            mean = (50.0 + sum(said)) / (50.0 + len(said))
            first = min(results, default=day)
            ages = range(day - first)
            squares = sum(results.get(day - 1 - k, 0.0) ** 2 * 0.5 ** (k / 180.0) for k in ages)
            count = sum(0.5 ** (k / 180.0) for k in ages)
            excess = 0.0
            for trade in by_day[day]:
                raw = trade.situation.get("volatility")
                multiplier = self.response(trade.open_date, None if raw is None else float(raw))
                multiplier = max(0.25, min(multiplier, 1.75))
                excess += (multiplier / mean - 1.0) * trade.profit_ratio
                said.append(multiplier)
            if day - first >= 20 and squares > 0.0:
                move = excess / math.sqrt(squares / count)
                wealth *= 1.0 + 0.2 * max(-3.0, min(move, 3.0))
            results[day] = sum(trade.profit_ratio for trade in by_day[day])
        return 0.3 * wealth / (0.7 + 0.3 * wealth) if self.is_followed(today, results) else 0.0

    def is_followed(self, today: datetime, results: dict[int, float]) -> bool:
        """Return whether the usual day is known."""
        first = min(results, default=(today - START).days)
        return (today - START).days - first >= 20 and any(results.values())
