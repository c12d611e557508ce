"""Guards the policy of a run: its errors are logged once and never reach a trade."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from freqtrade_mem0.config.policies import BUILT_IN
from freqtrade_mem0.sizing.guard import Guarded
from freqtrade_mem0.sizing.registry import policy_for

if TYPE_CHECKING:
    from freqtrade_mem0.config.sizing import SizingSettings

logger = logging.getLogger(__name__)


def guarded_policy(sizing: SizingSettings) -> Guarded:
    """Return the policy that `sizing.policy` names, guarded.

    Raises
    ------
    ConfigError
        The policy can not be made.
    """
    return Guarded(
        policy_for(sizing),
        sizing.policy,
        sizing.min_multiplier,
        sizing.max_multiplier,
        _TroubleLog(sizing.policy),
        is_built_in=sizing.policy in BUILT_IN,
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
