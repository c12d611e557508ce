"""What a session decides with. Runs, replays and comparisons all make it here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freqtrade_mem0.config.settings import CategorySettings
from freqtrade_mem0.decide.guarded import guarded_policy
from freqtrade_mem0.decide.known import EvidenceReader
from freqtrade_mem0.decide.learned import NO_RULES, LearnedRule, LearnedRules
from freqtrade_mem0.decide.rule_form import read_rule
from freqtrade_mem0.errors import ConfigError, RecordError
from freqtrade_mem0.insight.shrinkage import Shrinkage
from freqtrade_mem0.recall import Recall
from freqtrade_mem0.recall.priors import Prior
from freqtrade_mem0.records.base import Origin
from freqtrade_mem0.risk.damping import Damping
from freqtrade_mem0.sizing.guard import unguarded
from freqtrade_mem0.sizing.policies.split import Split
from freqtrade_mem0.sizing.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freqtrade_mem0.config.settings import Settings
    from freqtrade_mem0.run.description import RunDescription


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSetup:
    """What a session decides with.

    Parameters
    ----------
    origin
        Owner, strategy, mode and run id.
    recall
        The known trades, initially none; the session adds to it.
    prior
        Trades of promoted runs, known from the start.
    policy
        Turns what is known about an entry into a stake multiplier.
    shrinkage
        How strongly the means of small groups are shrunk.
    rules
        Learned rules that act on stakes.
    damping
        How much risk events reduce stakes; None for no damping.
    veto_below
        Refuse entries with a smaller multiplier; None refuses none.
    applied
        False in shadow mode: decisions are recorded, stakes stay as proposed.
    categories
        Which categories of records are written.
    """

    origin: Origin
    recall: Recall
    prior: Prior
    policy: Policy
    shrinkage: Shrinkage
    rules: LearnedRules = NO_RULES
    damping: Damping | None = None
    veto_below: float | None = None
    applied: bool = True
    categories: CategorySettings

    @property
    def evidence(self) -> EvidenceReader:
        """A new reader of what the policy uses."""
        return EvidenceReader(
            self.recall, self.shrinkage, unguarded(self.policy), self.origin.strategy
        )


def session_setup(run: RunDescription, prior: Prior) -> SessionSetup:
    """Return what the session of a run decides with.

    Raises
    ------
    ConfigError
        The policy can not be made.
    """
    settings = run.settings
    sizing = settings.sizing
    damping = (
        None
        if sizing.policy == "off"
        else Damping.from_settings(settings.risk, sizing.min_multiplier)
    )
    policy = guarded_policy(sizing)
    own = unguarded(policy)
    asks_again = isinstance(own, Split) and own.lone_response is None
    return SessionSetup(
        origin=run.origin,
        recall=Recall(sizing.levels, sizing.half_life_days, keeps_entries=asks_again),
        prior=prior,
        policy=policy,
        shrinkage=Shrinkage(pseudo_trades=sizing.pseudo_trades),
        rules=learned_rules(run.settings, () if run.kind.is_bot else trial_rules(run.settings)),
        damping=damping,
        veto_below=sizing.veto_below,
        applied=run.applies_stakes,
        categories=settings.categories,
    )


def learned_rules(settings: Settings, rules: Sequence[LearnedRule]) -> LearnedRules:
    """Return rules within the bounds of the config; none where `sizing.policy` is `off`."""
    sizing = settings.sizing
    rules = () if sizing.policy == "off" else rules
    return LearnedRules(rules, sizing.min_multiplier, sizing.max_multiplier)


def trial_rules(settings: Settings) -> list[LearnedRule]:
    """Return the rules that the config tries in backtests.

    Raises
    ------
    ConfigError
        One of them can not be read.
    """
    found = []
    for number, given in enumerate(settings.sizing.trial_rules):
        rule = dict(given)
        name = str(rule.pop("id", f"trial-{number + 1}"))
        try:
            found.append(read_rule(rule, name))
        except RecordError as error:
            raise ConfigError(f'"mem0.sizing.trial_rules", number {number + 1}: {error}') from error
    return found
