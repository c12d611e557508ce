"""Guards the policy of a run: its errors are logged once and never reach a trade."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from freqtrade_mem0.config.policies import BUILT_IN
from freqtrade_mem0.sizing.guard import Guarded
from freqtrade_mem0.sizing.policies.split import Split
from freqtrade_mem0.sizing.registry import policy_for

if TYPE_CHECKING:
    from freqtrade_mem0.config.sizing import SizingSettings
    from freqtrade_mem0.sizing.policy import Policy

logger = logging.getLogger(__name__)


def guarded_policy(sizing: SizingSettings) -> Guarded:
    """Return the policy that `sizing.policy` names, guarded.

    Raises
    ------
    ConfigError
        The policy can not be made.
    """
    policy = policy_for(sizing)
    if isinstance(policy, Split):
        experts = {name: _guarded(each, name, sizing) for name, each in policy.experts.items()}
        policy = replace(policy, experts=experts)
    return _guarded(policy, sizing.policy, sizing)


def _guarded(policy: Policy, name: str, sizing: SizingSettings) -> Guarded:
    return Guarded(
        policy,
        name,
        sizing.min_multiplier,
        sizing.max_multiplier,
        _TroubleLog(name),
        is_built_in=name in BUILT_IN,
    )


class _TroubleLog:
    """Logs each kind of trouble with a policy once."""

    def __init__(self, policy: str) -> None:
        self._policy = policy
        self._logged: set[tuple[str, str]] = set()

    def __call__(self, trouble: str, error: Exception | None) -> None:
        kind = (trouble, type(error).__name__)
        if kind in self._logged:
            return
        self._logged.add(kind)
        logger.error(
            'Trouble with the policy "%s": %s. More of this kind is not logged.',
            self._policy,
            trouble,
            exc_info=error,
        )
