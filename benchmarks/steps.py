"""The steps of a bot's path of a stake and of a closed trade, each with a budget.

`bench_steps` times them in one run, and `make bench BENCH=steps` fails where one takes longer. A
step is a method or function of the package; a step with an indent is part of the one above it.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

REFERENCE_US = 100.0
"""What `bench_steps.reference` takes where a step may take its budget. On a machine where it takes
twice as long, the steps may take twice as long."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a path.

    Parameters
    ----------
    name
        In results, without spaces.
    what
        What happens, for the table in the documentation.
    where
        `module:function` or `module:Class.method` below the package.
    budget_us
        Microseconds of processor time in the median, where the reference takes `REFERENCE_US`.
    depth
        0 for what Freqtrade waits for as a whole, 1 and more for its parts.
    per_entry
        Whether the time is divided by the number of entries that the first argument holds.
    """

    name: str
    what: str
    where: str
    budget_us: float
    depth: int = 0
    per_entry: bool = False

    def holder(self) -> tuple[Any, str]:
        """Return the module or class that has the function, and its name there.

        Raises
        ------
        AttributeError, ModuleNotFoundError
            It is not there any more.
        """
        module, _, path = self.where.partition(":")
        holder: Any = import_module(f"freqtrade_mem0.{module}")
        *classes, name = path.split(".")
        for each in classes:
            holder = getattr(holder, each)
        getattr(holder, name)
        return holder, name


_HOOKS = "strategy.hooks:Hooks"
_BOT_HOOKS = "strategy.bot_hooks:BotHooks"
_SESSION = "run.bot.session:BotSession"

STEPS = (
    Step(
        "candle",
        "situation, after Freqtrade analysed a candle",
        "strategy.market:Market.make_ready",
        1_300,
    ),
    Step(
        "ready",
        "take in a closed trade then, once per loop",
        "run.bot.runtime:BotRuntime.make_ready",
        260,
    ),
    Step("learn", "recall learns it", "run.session:Session.learn", 125, 1),
    Step("account", "memory's account, response", "decide.account:AccountReader._read", 90, 1),
    Step("stake", "**`custom_stake_amount`**", f"{_HOOKS}.custom_stake_amount", 210),
    Step("situation", "look up the situation", "strategy.market:Market.at", 30, 1),
    Step("decision", "the decision", "run.session:Session.answer", 115, 1),
    Step("known", "what is known", "decide.decider:Decider._with_lone_response", 54, 2),
    Step("policy", "the policy", "sizing.policies.split:Split.with_lone_response", 11, 3),
    Step("damping", "damping after risk events", "risk.log:RiskLog.damp", 22, 2),
    Step("entry", "**`confirm_trade_entry`**", f"{_HOOKS}.confirm_trade_entry", 85),
    Step(
        "confirm",
        "keep the answer until the order is filled",
        "run.session:Session.entry_confirmed",
        42,
        1,
    ),
    Step(
        "hand_over",
        "hand an entry to the journal's writer",
        "journal.writer:JournalWriter.submit",
        8,
        1,
    ),
    Step("link", "**`order_filled`** of an entry", f"{_SESSION}.entry_filled", 115),
    Step("closed", "**`order_filled`** of an exit", f"{_SESSION}.trade_closed", 320),
    Step("record", "the record", "run.bot.session:trade_record", 80, 1),
    Step("risk", "look for risk events", "risk.log:RiskLog.closed", 24, 1),
    Step("exit", "**`confirm_trade_exit`**", f"{_BOT_HOOKS}.confirm_trade_exit", 130),
    Step("loop", "**`bot_loop_start`**", f"{_BOT_HOOKS}.bot_loop_start", 115),
    Step("watch", "risk events of trades that are over", f"{_SESSION}.watch_risk", 42, 1),
    Step(
        "append",
        "write an entry, in the writer's thread",
        "journal.journal:Journal.append",
        700,
        0,
        True,
    ),
)
"""In the order of the table."""


def budgets(reference_us: float, steps: Sequence[Step] = STEPS) -> dict[str, float]:
    """Return the budget of each figure where the reference takes so long.

    >>> step = Step("recall", "", "", 20.0)
    >>> budgets(2 * REFERENCE_US, [step])
    {'us.recall.p50': 40.0}
    """
    scale = reference_us / REFERENCE_US
    return {f"us.{step.name}.p50": round(step.budget_us * scale, 1) for step in steps}


def table(measured_us: Mapping[str, float]) -> str:
    """Return the steps with their budgets, and what was measured, as the documentation has it."""
    rows = [
        f"| {'- ' * step.depth}{step.what} | `{step.where}` | {step.budget_us:g} "
        f"| {measured_us.get(step.name, '')} |"
        for step in STEPS
    ]
    return "\n".join(["| step | where | budget | measured |", "|---|---|---|---|", *rows])
