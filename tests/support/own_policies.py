"""Distributions that offer sizing policies, installed into a folder as an installer does it."""

from __future__ import annotations

import tomllib
from pathlib import Path

from freqtrade_mem0.config.policies import GROUP

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "write-a-policy.md"


def install(site: Path, name: str, module: str, code: str, points: dict[str, str]) -> None:
    """Write a distribution as an installer does: its module, its name, its entry points."""
    (site / f"{module}.py").write_text(code, encoding="utf-8")
    info = site / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8"
    )
    lines = [f"[{GROUP}]", *(f"{point} = {target}" for point, target in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")


def block_after(text: str) -> str:
    """Return the indented block of the page that follows a text."""
    lines = PAGE.read_text(encoding="utf-8").split(text, 1)[1].splitlines()[1:]
    first = next(i for i, line in enumerate(lines) if line.startswith("    "))
    block = []
    for line in lines[first:]:
        if line and not line.startswith("    "):
            break
        block.append(line.removeprefix("    "))
    return "\n".join(block)


def install_the_documented_one(site: Path) -> None:
    """Install both files of the page."""
    project = tomllib.loads(block_after("Beside it, `pyproject.toml`."))
    points = project["project"]["entry-points"][GROUP]
    install(
        site,
        project["project"]["name"],
        "careful",
        block_after("The module, `careful.py`."),
        points,
    )
