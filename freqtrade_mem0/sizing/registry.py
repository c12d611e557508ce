"""Makes the policy that `sizing.policy` names."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from freqtrade_mem0.config.policies import BUILT_IN, PACKAGE, load_own_policy
from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    from freqtrade_mem0.config.sizing import SizingSettings
    from freqtrade_mem0.sizing.policy import Policy


def policy_for(sizing: SizingSettings) -> Policy:
    """Return the policy that `sizing.policy` names.

    Raises
    ------
    ConfigError
        A policy of another distribution can not be made.
    """
    return policy_named(sizing.policy, sizing)


def policy_named(name: str, sizing: SizingSettings, key: str = "sizing.policy") -> Policy:
    """Return a policy by its name, see `policy_for`; `key` is the config key that names it."""
    if name in BUILT_IN:
        built_in: Policy = import_module(f"{PACKAGE}.{name}").from_settings(sizing)
        return built_in
    make = load_own_policy(name, key)
    try:
        policy: Policy = make(sizing)
    except Exception as error:
        raise ConfigError(
            f'"mem0.{key}" is {name!r}: it can not be made from the settings '
            f"({type(error).__name__}: {error}). Correct it, or name another policy."
        ) from error
    if not callable(policy):
        raise ConfigError(
            f'"mem0.{key}" is {name!r}: its entry point must return a policy, '
            f"something to call with what is known; it returned {policy!r}."
        )
    return policy
