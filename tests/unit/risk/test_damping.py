"""How events damp: in closed form, wearing off, strictly after, adding up."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from freqtrade_mem0.config.risk_settings import RiskSettings
from freqtrade_mem0.config.sizing import SizingSettings
from freqtrade_mem0.risk.damping import ActiveEvents, Damping
from tests.support.samples import a_risk_event, at

SEVERITY = {"liquidation": 0.5, "drawdown": 0.3}
DAMPING = Damping(severity=SEVERITY, half_life_days=2.0, min_multiplier=0.1, leverage=True)


def active(*hours_types_pairs: tuple[float, str, str], damping: Damping = DAMPING) -> ActiveEvents:
    """Return events at some hours, of some types and pairs."""
    found = ActiveEvents(damping)
    for number, (hours, event_type, pair) in enumerate(hours_types_pairs):
        found.add(a_risk_event(number, known_at=at(hours), event_type=event_type, pair=pair))
    return found


def test_an_event_wears_off_by_its_half_life() -> None:
    """1 - s * 2^(-age / half-life), in market days."""
    events = active((0, "liquidation", ""))
    for days in (0.001, 1, 2, 4, 8):
        multiplier, (damped,) = events.damp(1.0, at(24 * days), "ETH/USDT")
        reason = damped.reason()
        assert multiplier == pytest.approx(1.0 - 0.5 * 2.0 ** (-days / 2.0))
        assert reason.effect == pytest.approx(multiplier - 1.0)
        assert (reason.name, reason.value) == ("risk", "liquidation")


def test_an_event_has_worn_off_one_day() -> None:
    """Below a thousandth it is no reason any more, and the multiplier is exactly what it was."""
    events = active((0, "liquidation", ""))
    lasts = DAMPING.lasts_at_most
    assert events.damp(1.3, at() + lasts * 0.999, "ETH/USDT")[0] < 1.3
    assert events.damp(1.3, at() + lasts * 1.001, "ETH/USDT") == (1.3, ())


def test_an_event_does_not_damp_at_its_own_moment() -> None:
    """Strictly before."""
    events = active((5, "liquidation", ""))
    assert events.damp(1.0, at(5), "ETH/USDT") == (1.0, ())
    assert events.damp(1.0, at(5) + timedelta(milliseconds=1), "ETH/USDT")[0] < 1.0


def test_an_event_of_a_pair_damps_that_pair() -> None:
    """One without a pair damps all; a type without severity none."""
    events = active((0, "liquidation", "ETH/USDT"), (0, "force_exit", ""))
    assert events.damp(1.0, at(1), "BTC/USDT") == (1.0, ())
    assert events.damp(1.0, at(1), "ETH/USDT")[0] < 1.0


def test_an_event_that_is_taken_back_leaves_no_trace() -> None:
    """Bit for bit."""
    events = active((0, "drawdown", ""))
    before = events.damp(1.2, at(9), "ETH/USDT")
    late = a_risk_event(7, known_at=at(3), event_type="liquidation", pair="")
    events.add(late)
    assert events.damp(1.2, at(9), "ETH/USDT") != before
    events.remove(late.id)
    assert events.damp(1.2, at(9), "ETH/USDT") == before
    events.clear()
    assert events.damp(1.2, at(9), "ETH/USDT") == (1.2, ())


@given(
    st.lists(st.tuples(st.floats(0, 500), st.sampled_from([*SEVERITY, "stop_loss"]))),
    st.floats(0.1, 3.0),
    st.floats(0, 600),
)
def test_effects_add_up_and_bounds_hold(
    found: list[tuple[float, str]], multiplier: float, hours: float
) -> None:
    """Whatever happened: the product of all, never below the least, explained to the last bit."""
    events = active(*((when, kind, "") for when, kind in found))
    damped, found_active = events.damp(multiplier, at(hours), "ETH/USDT")
    assert min(multiplier, DAMPING.min_multiplier) <= damped <= multiplier
    assert math.fsum(each.effect for each in found_active) == pytest.approx(damped - multiplier)
    ages = [((at(hours) - at(when)) / timedelta(days=1), kind) for when, kind in found]
    shares = [SEVERITY[k] * 2.0 ** (-age / 2.0) for age, k in ages if k in SEVERITY and age > 0.0]
    product = math.prod(1.0 - share for share in shares if share >= 0.001)
    assert damped == pytest.approx(max(multiplier * product, min(multiplier, 0.1)))
    assert events.factor(at(hours), "ETH/USDT") == pytest.approx(max(product, 0.1))


def test_by_default_nothing_is_damped() -> None:
    """Severities stand in the settings, but damping has to be switched on."""
    settings = RiskSettings()
    off = Damping.from_settings(settings, 0.25)
    assert (off.severity, off.leverage) == ({}, False)
    on = Damping.from_settings(RiskSettings.model_validate({"damping": {"enabled": True}}), 0.25)
    assert on.severity == {"liquidation": 0.5, "drawdown": 0.3}
    assert "not damped" in off.response("liquidation", "")
    assert on.response("liquidation", "ETH/USDT") == (
        "stakes of ETH/USDT are damped by 50%, half of which wears off in 7 days"
    )


@pytest.mark.parametrize(
    "block",
    [
        {"leverage": True},
        {"damping": {"severity": {"liquidation": 1.0}}},
        {"damping": {"severity": {"liquidation": -0.1}}},
        {"damping": {"half_life_days": 0}},
        {"damping": {"severity": {"typing_mistake": 0.1}}},
    ],
)
def test_wrong_settings_are_refused(block: dict[str, object]) -> None:
    """Out of range, unknown, or without effect."""
    with pytest.raises(ValidationError):
        RiskSettings.model_validate(block)


def test_a_veto_that_can_never_happen_is_refused() -> None:
    """No multiplier is below the least one."""
    assert SizingSettings(veto_below=0.3).veto_below == 0.3
    with pytest.raises(ValidationError, match="nothing would ever be refused"):
        SizingSettings(veto_below=0.25)
