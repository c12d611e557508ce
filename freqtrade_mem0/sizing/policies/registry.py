"""Policies by name."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from freqtrade_mem0.config.policies import load_own_policy
from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    from freqtrade_mem0.config.sizing import SizingSettings
    from freqtrade_mem0.sizing.policy import Policy

# Imported by name: a run has one policy and need not load the others.
_POLICIES = {"bayes": "Bayes", "kelly": "Kelly", "rules": "Rules", "off": "Off"}


def policy_for(settings: SizingSettings) -> Policy:
    """Return the policy that `sizing.policy` names.

    Raises
    ------
    ConfigError
        A policy of another distribution can not be made.
    """
    if settings.policy in _POLICIES:
        module = import_module(f"freqtrade_mem0.sizing.policies.{settings.policy}")
        ours: Policy = getattr(module, _POLICIES[settings.policy]).from_settings(settings)
        return ours
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
