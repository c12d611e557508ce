"""The wheel and the sdist: what is in them, and that the wheel works in an empty environment."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.wait import HANG_S

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "freqtrade_mem0"


def run(
    command: Sequence[str | Path], folder: Path = ROOT, variables: Mapping[str, str] | None = None
) -> str:
    """Run a command to its end and return what it printed."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Build both, the wheel from the sdist, by the ending of their names."""
    folder = tmp_path_factory.mktemp("dist")
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", folder])
    return {path.suffix: path for path in folder.iterdir()}


@pytest.fixture(scope="module")
def programs(built: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into an environment without this folder; return its programs.

    What the wheel depends on is lent by the tests' own environment.
    """
    folder = tmp_path_factory.mktemp("empty") / "venv"
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet")
    run([*pip, "--no-deps", "--no-index", "--disable-pip-version-check", str(built[".whl"])])
    own = run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]).strip()
    (Path(own) / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return folder / "bin"


def test_both_are_fit_for_an_index(built: dict[str, Path]) -> None:
    """Their metadata is complete, and the README can be rendered there."""
    run([sys.executable, "-m", "twine", "check", "--strict", *built.values()])


def test_the_wheel_has_the_whole_package_and_nothing_else(built: dict[str, Path]) -> None:
    """Templates, assets, the marker of types; no tests, no caches."""
    wanted = {
        path.relative_to(ROOT).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    with zipfile.ZipFile(built[".whl"]) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == wanted
    assert "freqtrade_mem0/py.typed" in names


def test_the_sdist_has_what_building_and_testing_needs(built: dict[str, Path]) -> None:
    """Also tests, docs, constraints and the files for Docker."""
    with tarfile.open(built[".gz"]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {
        "pyproject.toml",
        "constraints.txt",
        "LICENSE",
        "CHANGELOG.md",
        "Makefile",
        "Dockerfile",
        "docker-compose.yml",
        "mkdocs.yml",
        "docs/tutorial.md",
        "docs/pictures/stakes.svg",
        "tests/unit/test_wheel.py",
        "user_data/strategies/mem0_example.py",
    } <= names


def test_the_installed_wheel_works(programs: Path, tmp_path: Path) -> None:
    """Its commands run in another folder, without this one: import, version, help, a check-up."""
    config = tmp_path / "config.json"
    config.write_text('{"mem0": {"enabled": true, "path": "memory"}}', encoding="utf-8")
    variables = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8"}

    def answer(*command: str) -> str:
        return run([programs / command[0], *command[1:]], tmp_path, variables)

    where = "import freqtrade_mem0, freqtrade_mem0.mixin; print(freqtrade_mem0.__file__)"
    assert Path(answer("python", "-c", where).strip()).is_relative_to(programs.parent)
    assert answer("freqtrade-mem0", "--version").startswith("freqtrade-mem0 ")
    assert "compare" in answer("freqtrade-mem0", "--help")
    assert "ok" in answer("freqtrade-mem0", "doctor", "-c", "config.json")
