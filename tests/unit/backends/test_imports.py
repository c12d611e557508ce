"""A process ends after the imports that its threads have begun."""

from __future__ import annotations

import os
import subprocess
import sys
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from tests.support.forked_python import ROOT

if TYPE_CHECKING:
    from pathlib import Path

ENDING = """
    import sys
    import threading

    from freqtrade_mem0.backends.imports import import_whole

    threading.Thread(target=import_whole, args=[sys.argv[1]], daemon=True).start()
    while sys.argv[1] not in sys.modules:
        threading.Event().wait(0.001)
"""
"""Ends while its thread imports."""

SLOW = """
    import threading
    import time

    while threading.main_thread().is_alive():
        time.sleep(0.001)
    print("imported")
"""
"""A module whose import ends after the process has begun to end."""


def test_a_process_waits_for_the_import_of_a_thread(tmp_path: Path) -> None:
    """Python would stop the thread, and abort where it is in a module in C++."""
    (tmp_path / "slow.py").write_text(dedent(SLOW))
    ended = subprocess.run(
        [sys.executable, "-c", dedent(ENDING), "slow"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "imported\n", "")


def test_a_missing_module_is_an_error() -> None:
    """As without a thread."""
    from freqtrade_mem0.backends.imports import import_whole

    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        import_whole("no_such_module")
