"""A type of risk event is one file: its name, default severity, detector, words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from freqtrade_mem0.risk.events import EVENT_TYPES, SEQUENCE_TYPES
from freqtrade_mem0.risk.sequence import Checkpoint, Sequence
from tests.support.added_file import output_with_file
from tests.support.samples import a_trade

if TYPE_CHECKING:
    from pathlib import Path

BIG_LOSS = '''
"""A single trade loses a lot."""

from freqtrade_mem0.risk.event_type import Completed, Detector, EventType


class _BigLoss(Detector):
    def closed(self, trade):
        lost = trade.profit_ratio
        return Completed(f"one trade lost {-lost:.0%}", lost) if lost < -0.2 else None


EVENT = EventType(
    when="a trade loses more than 20 %", concerns="all pairs", severity=0.25, detector=_BigLoss
)
'''

SCRIPT = """
import json
from freqtrade_mem0.config.load import load_settings
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.risk.damping import Damping
from freqtrade_mem0.risk.events import EVENT_TYPES
from freqtrade_mem0.risk.log import RiskLog
from tests.support.samples import NOTED, ORIGIN, a_trade, at

settings = load_settings({"mem0": {"risk": {"damping": {"enabled": True}}}})
kept = []
log = RiskLog(
    origin=ORIGIN,
    keep=kept.append,
    now=lambda: NOTED,
    damping=Damping.from_settings(settings.risk, 0.25),
)
log.closed(a_trade(1, profit_ratio=-0.3))
log.until(at(2))
multiplier, damped = log.damp(1.0, at(2), "ETH/USDT")
try:
    load_settings({"mem0": {"risk": {"damping": {"severity": {"big_loss": 1}}}}})
except ConfigError as error:
    refusal = str(error)
print(json.dumps({
    "kept": [(event.event_type, event.description, event.response) for event in kept],
    "multiplier": multiplier,
    "reasons": [each.reason().value for each in damped],
    "when": EVENT_TYPES["big_loss"].when,
    "refusal": refusal,
}))
"""


def test_a_type_is_added_by_its_file_alone(tmp_path: Path) -> None:
    """It is detected, recorded, configured, and damps stakes."""
    output = output_with_file(tmp_path, "risk/events/big_loss.py", BIG_LOSS, SCRIPT)
    found = json.loads(output)

    assert found["kept"] == [
        [
            "big_loss",
            "one trade lost 30%",
            "stakes of all pairs are damped by 25%, half of which wears off in 7 days",
        ]
    ]
    assert 0.74 < found["multiplier"] < 0.76
    assert found["reasons"] == ["big_loss"]
    assert found["when"] == "a trade loses more than 20 %"
    assert '"mem0.risk.damping.severity.big_loss" is 1' in found["refusal"]


def test_a_checkpoint_of_other_detectors_is_not_used() -> None:
    """A new detector has to see all earlier trades: they are read again."""
    sequence = Sequence()
    sequence.show(a_trade(1))
    state = sequence.checkpoint().to_json()

    assert Checkpoint.from_json(state) == sequence.checkpoint()
    for name in SEQUENCE_TYPES:
        others = {key: value for key, value in state["detectors"].items() if key != name}
        assert Checkpoint.from_json({**state, "detectors": others}) is None


def test_every_type_says_how_it_is_found() -> None:
    """In exactly one way."""
    for name, event in EVENT_TYPES.items():
        ways = (event.exit_reasons, event.detector, event.of_lock, event.of_jump, event.is_drift)
        assert sum(bool(way) for way in ways) == 1, name
