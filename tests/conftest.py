"""Properties are tried on the same examples every time, and no clock decides over them.

Besides, the fixture `forked`, and what makes all of them faster: files in memory, and a garbage
collector that leaves alone what was there before the first test.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import tempfile
from pathlib import Path

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

# Files of tests are in memory where there is room: a disk makes each commit of a journal wait.
# No test cuts the power. TMPDIR chooses another folder.
_MEMORY = Path("/dev/shm")  # noqa: S108 - pytest makes a folder of its own there
_ROOM_BYTES = 4 * 2**30
if "TMPDIR" not in os.environ and _MEMORY.is_mount():
    about = os.statvfs(_MEMORY)
    runs_programs = not about.f_flag & os.ST_NOEXEC  # a container's does not
    if runs_programs and about.f_bavail * about.f_frsize >= _ROOM_BYTES:
        os.environ["TMPDIR"] = str(_MEMORY)
        tempfile.tempdir = None  # pytest has asked before

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

# Modules and cases, made up to the end of the collection, live as long as the process.
gc.disable()


def pytest_collection_finish() -> None:
    """Let the garbage collector look at what tests make, and not at thousands of modules."""
    gc.freeze()
    gc.enable()


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fork the Python processes that a test starts, or what it tests does; see `ForkedPython`."""
    monkeypatch.setattr("subprocess.Popen", ForkedPython)
