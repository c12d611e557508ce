"""The examples in docstrings answer what stands below them.

Pytest collects those of pages. For docstrings it would import and search every module of the
package and of the tests in each of its processes.
"""

from __future__ import annotations

import doctest
import re
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WITH_EXAMPLES = [
    file.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
    for folder in ("freqtrade_mem0", "tests/support", "tests/flow", "tests/servers")
    for file in sorted((ROOT / folder).rglob("*.py"))
    if re.search(r"^ *>>> ", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
]


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_answer_what_stands_below_them(name: str) -> None:
    """The module's examples are found, and none fails."""
    module = import_module(name)
    found = [test for test in doctest.DocTestFinder().find(module) if test.examples]
    assert found
    assert doctest.testmod(module).failed == 0
