"""Memory's account from many trades at once is that from one after the other, to the last bit."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from freqtrade_mem0.config.sizing import SizingSettings
from freqtrade_mem0.decide import account
from freqtrade_mem0.decide.account import AccountReader
from freqtrade_mem0.decide.known import EvidenceReader
from freqtrade_mem0.insight.account import MS_PER_DAY
from freqtrade_mem0.insight.closed_entry import ClosedEntry, EntryColumns
from freqtrade_mem0.insight.shrinkage import Shrinkage
from freqtrade_mem0.insight.stakes import StakeSums
from freqtrade_mem0.insight.standing import Share, Standing
from freqtrade_mem0.recall import Recall
from freqtrade_mem0.recall.index import history, recall
from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.sizing.policies import split
from tests.support.samples import START, a_trade

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from freqtrade_mem0.insight.response import Response
    from freqtrade_mem0.records.kinds.trade import TradeRecord

SHARES: tuple[dict[str, float], ...] = ({"a": 0.3}, {"a": 0.3, "b": 0.5}, {})
N_DAYS = 90


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two trades are many, and a page ends in the middle of most days."""
    monkeypatch.setattr(recall, "_MANY", 2)
    monkeypatch.setattr(history, "_PAGE", 37)


def trades(dice: random.Random, n: int, longest: int = 6) -> Iterator[TradeRecord]:
    """Return trades in a random order: long ones and short ones, many in the same millisecond."""
    for number in range(n):
        closed = START + timedelta(hours=dice.randrange(N_DAYS * 6) * 4)
        held = timedelta(hours=dice.choice([0, 1, 4, 30, 24 * 20, 24 * 400][:longest]))
        situation = {"volatility": dice.uniform(0.001, 0.05), "momentum": dice.gauss(0.0, 3.0)}
        record = a_trade(
            number,
            closed_at=closed,
            profit_ratio=dice.gauss(-0.002, dice.choice([0.01, 0.2])),
            situation=situation if dice.random() < 0.9 else {},
        )
        side = dice.choice(["long", "long", "short"]) if closed > START + timedelta(9) else "long"
        yield replace(record, side=side, open_date=closed - held)


class Twins:
    """Two readers of the same trades; one of them reads them one by one."""

    def __init__(self, shares: dict[str, float]) -> None:
        self.n_in_columns = 0
        self.n_experts = len(shares)
        self.recalls = Recall(("pair",), 365.0), Recall(("pair",), 365.0, keeps_entries=True)
        self.readers = [
            AccountReader(each, shares, self.ask, self.ask_all) for each in self.recalls
        ]

    def add(self, trade: TradeRecord, dice: random.Random) -> None:
        """Add a trade: a bot's own, one of priors, one without weight or one of another machine."""
        discount, is_foreign = dice.choice([1.0, 1.0, 1.0, 0.3, 1e-4]), dice.random() < 0.1
        for each in self.recalls:
            each.add(trade, discount, is_foreign=is_foreign)

    def ask(self, _: ClosedEntry, response: Response) -> Sequence[float]:
        """Return what two experts say that want the opposite."""
        said = max(0.25, min(response.multiplier, 1.75))
        return (said, 2.0 - said)[: self.n_experts]

    def ask_all(self, responses: NDArray[np.float64]) -> Sequence[NDArray[np.float64]]:
        """Return the same of many."""
        self.n_in_columns += len(responses)
        said = np.clip(responses, 0.25, 1.75)
        return (said, 2.0 - said)[: self.n_experts]

    def agree_at(self, hours: float, volatility: float) -> None:
        """Check the response and the account, each float to its last bit."""
        now_ms = to_ms(START + timedelta(hours=hours))
        in_columns, one_by_one = (repr(each.at(now_ms, volatility)) for each in self.readers)
        assert in_columns == one_by_one


@pytest.mark.parametrize("shares", SHARES)
@pytest.mark.parametrize("seed", range(4))
def test_the_same_to_the_last_bit(seed: int, shares: dict[str, float]) -> None:
    """In whatever order trades arrive or are removed, and at whatever moments it is asked."""
    dice = random.Random(seed)
    twins, arriving = Twins(shares), list(trades(dice, 600))
    for n_now in (400, 1, 60, 2, 137):
        for trade in arriving[:n_now]:
            twins.add(trade, dice)
        removed = dice.choice(arriving[:n_now]).id
        for each in twins.recalls:
            each.remove(removed)
        del arriving[:n_now]
        first = dice.uniform(0, N_DAYS * 24)
        for hours in (first, N_DAYS * 24 + 9, *(dice.uniform(0, N_DAYS * 24) for _ in range(40))):
            twins.agree_at(hours, dice.choice([0.0, 0.004, 0.02]))
    assert twins.n_in_columns > 600 or not shares


@pytest.mark.parametrize("shares", SHARES[:2])
@pytest.mark.parametrize("seed", range(6))
def test_a_checkpoint_goes_on_as_if_it_had_read_everything(
    seed: int, shares: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever arrives or is removed after it, and whatever moments it is asked about."""
    monkeypatch.setattr(account, "_KEPT_MS", 20 * MS_PER_DAY)
    dice, n_restored, n_kept = random.Random(seed), 0, 0
    twins, arriving = Twins(shares), list(trades(dice, 600, longest=2))
    arriving.sort(key=lambda trade: (trade.known_at, dice.random()))
    late = [arriving.pop(dice.randrange(len(arriving))) for _ in range(6)]
    end = N_DAYS * 24 + 30
    while arriving:
        for trade in [*arriving[:40], *(late.pop() for _ in late[: dice.random() < 0.4])]:
            twins.add(trade, dice)
        del arriving[:40]
        moments = [end, dice.uniform(end / 2, end)] if dice.random() < 0.5 else [end]
        for hours in moments:
            twins.agree_at(hours, 0.02)
        checkpoint = twins.readers[0].checkpoint()
        if checkpoint is not None:
            said = json.loads(json.dumps({**checkpoint._asdict(), "parts": None}))
            again = AccountReader(twins.recalls[0], shares, twins.ask, twins.ask_all)
            n_read = again.restore(account.Checkpoint(**{**said, "parts": checkpoint.parts}))
            n_restored += n_read == len(twins.recalls[0])
            n_kept += checkpoint.n_earlier > 0
            twins.readers[0] = again
            twins.agree_at(end, 0.004)
    assert n_restored > 5
    assert n_kept > 3


def test_a_checkpoint_of_other_trades_is_not_used() -> None:
    """One trade has another result: the hash tells, and all is computed."""
    dice, twins = random.Random(7), Twins({"a": 0.3})
    arriving = list(trades(dice, 100))
    for trade in arriving:
        twins.add(trade, random.Random(0))
    twins.agree_at(N_DAYS * 24 + 9, 0.01)
    checkpoint = twins.readers[0].checkpoint()
    assert checkpoint is not None
    twins.add(replace(arriving[50], profit_ratio=0.5), random.Random(0))
    twins.readers[0] = AccountReader(twins.recalls[0], {"a": 0.3}, twins.ask, twins.ask_all)
    assert twins.readers[0].restore(checkpoint) == 0
    twins.agree_at(N_DAYS * 24 + 9, 0.01)


def test_an_empty_day_and_trades_without_weight_alone() -> None:
    """A page in which no trade counts, before the first one that does."""
    twins = Twins({"a": 0.3})
    for number in range(80):
        closed = START + timedelta(hours=number)
        for each in twins.recalls:
            each.add(a_trade(number, closed_at=closed), is_foreign=number < 50)
        twins.agree_at(number + 1.0, 0.01)
    twins.agree_at(24 * 40, 0.01)


def test_late_trades_at_the_end_of_a_day_that_was_closed() -> None:
    """The day is computed again, with all of its trades."""
    dice, twins = random.Random(2), Twins({"a": 0.3})
    for hour in (*range(0, 24 * 40, 2), *range(24 * 30 + 23, 24 * 40, 24)):
        ratio = dice.gauss(0.0, 0.02)
        trade = a_trade(hour, closed_at=START + timedelta(hours=hour), profit_ratio=ratio)
        for each in twins.recalls:
            each.add(trade)
        if hour == 24 * 40 - 2:
            twins.agree_at(24 * 40, 0.01)
    twins.agree_at(24 * 40, 0.01)


@pytest.mark.parametrize("seed", range(20))
def test_stakes_are_held_back_the_same(seed: int) -> None:
    """Experts that want too much, from the first trade on or after losses."""
    dice = random.Random(seed)
    one_by_one, in_columns = StakeSums(1.78), StakeSums(1.78)
    standing = Standing({"a": Share(1.0)})
    for n_now in (1, 50, 300):
        n_before = len(in_columns._earned) - 1
        wish = dice.choice([0.05, 0.4, 2.0])
        wanted = [dice.uniform(-wish, wish) for _ in range(n_now)]
        results = [dice.gauss(-0.3, 2.0) for _ in range(n_now)]
        n_known = [dice.randint(0, n_before + number) for number in range(n_now)]
        for want, result, n in zip(wanted, results, n_known, strict=True):
            # `held_back` takes what an expert says: its wish is that less 1.
            _, moved = standing.held_back([1.0 + want], one_by_one.room(n))
            one_by_one.add(moved, result)
        exact = np.array([1.0 + want for want in wanted]) - 1.0
        in_columns.extend(exact, np.array(results), np.array(n_known))
        assert list(in_columns._earned) == list(one_by_one._earned)


def test_the_default_policy_reads_columns_and_others_whole_entries() -> None:
    """The lone expert `response` says the same either way; others must be able to ask again."""
    dice = random.Random(5)
    policy = split.from_settings(SizingSettings.model_validate({}))
    recalls = Recall(("pair",), 365.0), Recall(("pair",), 365.0, keeps_entries=True)
    for trade in trades(dice, 300):
        for each in recalls:
            each.add(trade)
    found = []
    for each in recalls:
        evidence = EvidenceReader(each, Shrinkage(pseudo_trades=100.0), policy)
        known = evidence.for_entry(
            strategy="Sample",
            pair="ETH/USDT",
            side="long",
            enter_tag="",
            moment=START + timedelta(days=N_DAYS + 1),
            situation={"volatility": 0.01},
        )
        found.append(repr((known.response, known.account)))
    assert found[0] == found[1]
    sizing = SizingSettings.model_validate({"split": {"experts": {"bayes": 0.3}}})
    evidence = EvidenceReader(
        recalls[0], Shrinkage(pseudo_trades=100.0), split.from_settings(sizing)
    )
    with pytest.raises(ValueError, match="must keep entries"):
        evidence.prepare(START + timedelta(days=N_DAYS))


@pytest.mark.parametrize("keeps_entries", [False, True])
def test_pages_hold_each_trade_once_while_trades_arrive(keeps_entries: bool) -> None:
    """A trade that arrives between two pages comes in its place, before or after what was read."""
    dice = random.Random(3)
    index = Recall(("pair",), 365.0, keeps_entries=keeps_entries)
    read_on, arriving = index.entries(history.EntryReader()), list(trades(dice, 400))
    for trade in arriving[:300]:
        index.add(trade)
    seen: list[int] = []
    end = to_ms(START + timedelta(days=N_DAYS + 1))
    for number in range(300, 420):
        n_kept, page, _ = read_on(end)
        del seen[n_kept:]
        if isinstance(page, EntryColumns):
            seen += page.known_ms.tolist()
        else:
            seen += [each.known_ms for each in page]
        if number < len(arriving):
            index.add(arriving[number])
    assert seen == sorted(to_ms(trade.known_at) for trade in arriving)
