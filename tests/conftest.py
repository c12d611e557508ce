"""Properties are tried on the same examples every time, and no clock decides over them."""

from __future__ import annotations

import os
import sys

from hypothesis import HealthCheck, settings

# A process of pytest-xdist inherits the size of a terminal, which GNU readline puts into the
# environment without anybody's asking. Freqtrade would break the lines of its log there.
for name in ("COLUMNS", "LINES"):
    os.environ.pop(name, None)

# Where nothing is compiled to files, each of the many processes compiles the package once more.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

settings.register_profile(
    "repeatable",
    max_examples=50,  # always the same ones: more of them cost every run, and find nothing new
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],  # the machine may be busy, and imports take time
)
settings.register_profile("quick", settings.get_profile("repeatable"), max_examples=25)
settings.register_profile(
    "thorough", settings.get_profile("repeatable"), max_examples=1_000, derandomize=False
)
settings.load_profile("repeatable")  # `make check` takes "quick"
