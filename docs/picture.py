"""The picture of README and first page: what memory did to the stakes of the demo, as SVG."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from freqtrade_mem0.config.load import load_settings
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.memory_folder import MemoryFolder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

FILE = Path(__file__).parent / "pictures" / "stakes.svg"

_WIDTH, _HEIGHT = 760, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 16, 52, 30
_DAYS_APART = 30

_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #57606a; }
.title { font-size: 16px; font-weight: 600; fill: #24292f; }
.grid { stroke: #d0d7de; } .proposed { stroke: #57606a; stroke-width: 1.5; }
.dots { fill: none; stroke-width: 4; stroke-linecap: round; stroke-opacity: .55; }
.cut { stroke: #bc4c00; } .raised { stroke: #00796b; } .same { stroke: #6e7781; }
@media (prefers-color-scheme: dark) {
  text { fill: #9198a1; } .title { fill: #f0f6fc; } .grid { stroke: #3d444d; }
  .proposed { stroke: #9198a1; } .cut { stroke: #f0883e; } .raised { stroke: #2fbfad; }
}
"""


def demo_picture(folder: Path) -> str:
    """Return the picture of the stakes of a demo that was run in a folder."""
    settings = load_settings(json.loads((folder / "config.json").read_text(encoding="utf-8")))
    assert settings is not None  # noqa: S101 - the demo wrote the block
    memory = MemoryFolder(settings, folder)
    try:
        decisions = [line.decision for line in memory.journal.ledger(Scope())]
    finally:
        memory.close()
    followed = [each.account.followed for each in decisions if each.account is not None]
    return stakes_picture(
        [(each.decided_at, each.multiplier) for each in decisions],
        most_followed=max(followed),
        followed_last=followed[-1],
    )


def stakes_picture(
    stakes: Sequence[tuple[datetime, float]], *, most_followed: float, followed_last: float
) -> str:
    """Return a drawing with a dot for each stake.

    Parameters
    ----------
    stakes
        When each was decided, and its multiplier; at least one.
    most_followed, followed_last
        How far memory was followed at most and at the last stake, in [0, 1].
    """
    first = min(at for at, _ in stakes)
    span = max(at for at, _ in stakes) - first or timedelta(days=1)
    reach = max(0.05, *(abs(multiplier - 1.0) for _, multiplier in stakes)) * 1.08

    def x(at: datetime) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * ((at - first) / span)

    def y(multiplier: float) -> float:
        middle = (_TOP + _HEIGHT - _BOTTOM) / 2
        return middle - (multiplier - 1.0) / reach * (_HEIGHT - _TOP - _BOTTOM) / 2

    title = f"What memory did to the stakes of {len(stakes):,} trades"
    about = (
        f"One dot a trade. Memory was followed {most_followed:.0%} at most, {followed_last:.0%} in "
        "the end: as far as it had been right"
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        f"<title>{title}</title><style>{_STYLE}</style>",
        f'<text class="title" x="{_LEFT}" y="20">{title}</text>',
        f'<text x="{_LEFT}" y="40">{about}</text>',
    ]
    for change in (-0.05, 0.0, 0.05):
        height, kind = f"{y(1.0 + change):.0f}", "grid" if change else "proposed"
        parts.append(f'<path class="{kind}" d="M{_LEFT} {height}H{_WIDTH - _RIGHT}"/>')
        at = f'x="{_LEFT - 8}" y="{height}" dy="4" text-anchor="end"'
        parts.append(f"<text {at}>{change:+.0%}</text>" if change else f"<text {at}>same</text>")
    for kind, chosen in (
        ("same", [each for each in stakes if each[1] == 1.0]),
        ("cut", [each for each in stakes if each[1] < 1.0]),
        ("raised", [each for each in stakes if each[1] > 1.0]),
    ):
        dots = "".join(f"M{x(at):.0f} {y(multiplier):.0f}h0" for at, multiplier in chosen)
        parts.append(f'<path class="dots {kind}" d="{dots}"/>')
    parts += [
        f'<text x="{x(first + timedelta(days=day)):.0f}" y="{_HEIGHT - 8}"'
        f' text-anchor="{"middle" if day else "start"}">day {day}</text>'
        for day in range(0, span.days + 1, _DAYS_APART)
    ]
    return "\n".join([*parts, "</svg>", ""])
