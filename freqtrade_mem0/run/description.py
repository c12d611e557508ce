"""The description of one run of one strategy, made once from the config and the strategy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.host.run_kind import RunKind
from freqtrade_mem0.records.base import Mode, Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDescription:
    """Everything about a run that does not change while it runs.

    Hyperopt pickles it with the strategy.

    Parameters
    ----------
    settings
        The `"mem0"` block.
    kind
        How Freqtrade runs the strategy.
    origin
        Owner, strategy, mode and run id that its records carry.
    user_data_dir
        Freqtrade's user data folder.
    database_lasts
        Whether it has a trade database that outlives its process, as a bot has; which one it is,
        is known once Freqtrade has opened it.
    timeframe_s
        Seconds of a candle of the strategy; 0 where it is unknown.
    unfilled_s
        Seconds after which Freqtrade cancels an unfilled entry and exit; None where it does not.
    has_prior
        Whether trades of promoted runs are known from the start; None where that was not looked up.
    """

    settings: Settings
    kind: RunKind
    origin: Origin
    user_data_dir: Path
    database_lasts: bool = False
    timeframe_s: int = 0
    unfilled_s: tuple[float | None, float | None] = (None, None)
    has_prior: bool | None = None

    @property
    def applies_stakes(self) -> bool:
        """Whether stakes are changed; in shadow mode decisions are only recorded."""
        sizing = self.settings.sizing
        return not sizing.shadow and (self.origin.mode is not Mode.LIVE or sizing.live)

    @property
    def follows_default_alone(self) -> bool:
        """Whether the stakes of a backtest follow from nothing but the default policy."""
        settings, sizing = self.settings, self.settings.sizing
        return (
            self.has_prior is False
            and self.applies_stakes
            and sizing.policies == ("split", "response")
            and not sizing.trial_rules
            and sizing.veto_below is None
            and not settings.risk.damping.enabled
        )

    @property
    def says_stakes_only(self) -> bool:
        """Whether that is so and nothing is recorded."""
        return not self.kind.writes and self.follows_default_alone
