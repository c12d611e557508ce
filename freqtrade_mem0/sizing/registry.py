"""Policies by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.sizing.bayes import Bayes
from freqtrade_mem0.sizing.off import Off

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade_mem0.config.settings import SizingSettings
    from freqtrade_mem0.sizing.policy import Policy

_POLICIES: dict[str, Callable[[SizingSettings], Policy]] = {
    "bayes": Bayes.from_settings,
    "off": Off.from_settings,
}


def policy_for(settings: SizingSettings) -> Policy:
    """Return the policy that `sizing.policy` names."""
    return _POLICIES[settings.policy](settings)
