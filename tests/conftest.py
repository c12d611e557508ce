"""Properties are tried on the same examples every time, and no clock decides over them.

Besides, the fixture `forked`.
"""

from __future__ import annotations

import os
import signal
import sys

import pytest
from hypothesis import HealthCheck, settings

from tests.support.forked_python import ForkedPython

# A process of pytest-xdist inherits the size of a terminal, which GNU readline puts into the
# environment without anybody's asking. Freqtrade would break the lines of its log there.
for name in ("COLUMNS", "LINES"):
    os.environ.pop(name, None)

# Where nothing is compiled to files, each of the many processes compiles the package once more.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A shell's background job ignores SIGINT, and so would each process that a test starts and stops.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile(
    "repeatable",
    max_examples=30,  # always the same ones: more of them cost every run, and find nothing new
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],  # the machine may be busy, and imports take time
)
settings.register_profile("quick", settings.get_profile("repeatable"), max_examples=25)
settings.register_profile(
    "thorough", settings.get_profile("repeatable"), max_examples=1_000, derandomize=False
)
settings.load_profile("repeatable")  # `make check` takes "quick"


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fork the Python processes that a test starts, or what it tests does; see `ForkedPython`."""
    monkeypatch.setattr("subprocess.Popen", ForkedPython)
