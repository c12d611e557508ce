"""A built-in policy is one file: its name, its keys, the policy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.support.added_file import output_with_file

if TYPE_CHECKING:
    from pathlib import Path

HALF = '''
"""The policy `half`."""

from pydantic import Field

from freqtrade_mem0.config.block import PolicyBlock
from freqtrade_mem0.records.decision import Reason
from freqtrade_mem0.sizing.policy import Wish


class Settings(PolicyBlock):
    """Numbers of the policy `half`."""

    share: float = Field(0.5, gt=0, le=1, description="Multiplier. (0, 1]")


def from_settings(sizing):
    share = sizing.block(Settings).share

    def half(known):
        return Wish(multiplier=share, reasons=(Reason(name="half", effect=share - 1.0),))

    return half
'''

SCRIPT = """
import json
from freqtrade_mem0.config.load import load_settings
from freqtrade_mem0.decide.guarded import guarded_policy
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.insight.shrinkage import Moments, EntryGroup
from freqtrade_mem0.sizing.policy import Known

def sizing(**keys):
    return load_settings({"mem0": {"sizing": keys}}).sizing

known = Known(strategy=EntryGroup("strategy", "Sample", Moments(1.0, 0.1, 0.1)), levels=[])
found = []
for keys in ({"policy": "half"}, {"policy": "half", "half": {"share": 0.75}}):
    found.append(guarded_policy(sizing(**keys))(known).multiplier)
for keys in ({"half": {"share": 2}}, {"policy": "halv"}):
    try:
        sizing(**keys)
    except ConfigError as error:
        found.append(str(error))
print(json.dumps(found))
"""


def test_a_policy_is_added_by_its_file_alone(tmp_path: Path) -> None:
    """Its name may be configured, its keys are checked, its multiplier is used."""
    output = output_with_file(tmp_path, "sizing/policies/half.py", HALF, SCRIPT)
    default, configured, wrong_key, wrong_name = json.loads(output)

    assert (default, configured) == (0.5, 0.75)
    assert '"mem0.sizing.half.share" is 2' in wrong_key
    assert 'Did you mean "half"?' in wrong_name
