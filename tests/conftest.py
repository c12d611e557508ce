"""Properties are tried on the same examples every time, and no clock decides over them."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# A process of pytest-xdist inherits the size of a terminal, which GNU readline puts into the
# environment without anybody's asking. Freqtrade would break the lines of its log there.
for name in ("COLUMNS", "LINES"):
    os.environ.pop(name, None)

settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],  # the machine may be busy, and imports take time
)
settings.register_profile("quick", settings.get_profile("repeatable"), max_examples=25)
settings.load_profile("repeatable")  # `make check` takes "quick"
