"""What the start says of keys that have no effect, and of defaults that changed."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.strategy.resolve import warn_of_unused


def said(caplog: pytest.LogCaptureFixture, **sizing: Any) -> str:
    """Return what is logged about a config."""
    caplog.set_level(logging.INFO, logger="freqtrade_mem0")
    warn_of_unused(Settings.model_validate({"sizing": sizing}))
    return caplog.text


def test_an_old_config_with_bayes_is_told_what_changed(caplog: pytest.LogCaptureFixture) -> None:
    """It goes on working."""
    assert 'no longer the default: out of sample it gained nothing. The default is "split"' in said(
        caplog, policy="bayes", brake_after=3
    )


@pytest.mark.parametrize("policy", [{}, {"policy": "response"}])
def test_keys_of_the_earlier_default_are_named(
    caplog: pytest.LogCaptureFixture, policy: dict[str, Any]
) -> None:
    """They moved stakes; now they do not."""
    text = said(caplog, brake_after=3, levels=["pair"], **policy)
    assert '"brake_after", "levels" have no effect on stakes with the policy' in text


def test_experts_that_read_levels_use_these_keys(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is said then, nor where nothing is set."""
    split = {"experts": {"response": 0.3, "bayes": 0.1}}
    assert said(caplog, brake_after=3, split=split) == ""
    assert said(caplog) == ""
