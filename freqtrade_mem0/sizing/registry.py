"""Policies by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.config.policies import load_own_policy
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.sizing.bayes import Bayes
from freqtrade_mem0.sizing.kelly import Kelly
from freqtrade_mem0.sizing.off import Off
from freqtrade_mem0.sizing.rules import Rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade_mem0.config.sizing import SizingSettings
    from freqtrade_mem0.sizing.policy import Policy

_POLICIES: dict[str, Callable[[SizingSettings], Policy]] = {
    "bayes": Bayes.from_settings,
    "kelly": Kelly.from_settings,
    "rules": Rules.from_settings,
    "off": Off.from_settings,
}


def policy_for(settings: SizingSettings) -> Policy:
    """Return the policy that `sizing.policy` names.

    Raises
    ------
    ConfigError
        A policy of another distribution can not be made.
    """
    make = _POLICIES.get(settings.policy)
    if make is not None:
        return make(settings)
    make = load_own_policy(settings.policy)
    try:
        policy: Policy = make(settings)
    except Exception as error:
        raise ConfigError(
            f'"mem0.sizing.policy" is {settings.policy!r}: it can not be made from the settings '
            f"({type(error).__name__}: {error}). Mend it, or name another policy."
        ) from error
    if not callable(policy):
        raise ConfigError(
            f'"mem0.sizing.policy" is {settings.policy!r}: its entry point must return a policy, '
            f"something to call with what is known; it returned {policy!r}."
        )
    return policy
