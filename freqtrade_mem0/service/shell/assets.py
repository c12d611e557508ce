"""Styles, scripts and pictures of the pages: our own, and those that a pinned package carries.

Nothing is loaded from another machine. A file of others is served only if it is, byte for byte, the
one that its hash names; without it the pages work and say how to get charts.
"""

from __future__ import annotations

import gzip
import logging
import re
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import Response
from zstandard import ZstdCompressor

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

ECHARTS = "echarts.min.js"

_TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FOREVER = "public, max-age=31536000, immutable"
_ZSTD_LEVEL = 10
_SMALL_BYTES = 500


@dataclass(frozen=True, slots=True)
class _Foreign:
    """A file in a package of others: Apache ECharts as the Apache foundation released it."""

    package: str
    path: str
    digest: str


_FOREIGN: Mapping[str, _Foreign] = {
    ECHARTS: _Foreign(
        "vizly",
        "assets/echarts.min.js",
        "e84270bd0cd5bdf60fefc26d00c2a391cb2e81f4d26a7a9ee16185a54773a3cf",
    ),
}


class Asset:
    """A file that browsers may keep: its address changes with its content."""

    def __init__(self, name: str, body: bytes) -> None:
        self.name = name
        self.body = body
        self.digest = sha256(body).hexdigest()
        self.type = _TYPES[Path(name).suffix]

    @property
    def address(self) -> str:
        """The path and query under which this content, and no other, is found."""
        return f"/assets/{self.name}?v={self.digest[:16]}"

    @cached_property
    def _zstd(self) -> bytes:
        return ZstdCompressor(level=_ZSTD_LEVEL).compress(self.body)

    @cached_property
    def _gzip(self) -> bytes:
        return gzip.compress(self.body, mtime=0)

    def answer(self, accepted: str, known: str | None, version: str | None) -> Response:
        """Return the answer to a request.

        Parameters
        ----------
        accepted, known
            The headers Accept-Encoding and If-None-Match.
        version
            That of the address; the answer to another than the present one is not kept.
        """
        tag = f'"{self.digest[:16]}"'
        is_current = version == self.digest[:16]
        headers = {
            "Cache-Control": _FOREVER if is_current else "no-cache",
            "ETag": tag,
            "Vary": "Accept-Encoding",
        }
        if known is not None and tag in known:
            return Response(status_code=304, headers=headers)
        body, encoding = self.body, accepts(accepted) if len(self.body) > _SMALL_BYTES else ""
        if encoding:
            body = self._zstd if encoding == "zstd" else self._gzip
            headers["Content-Encoding"] = encoding
        return Response(body, media_type=self.type, headers=headers)


def accepts(accepted: str) -> str:
    """Return the best of our content encodings in a header Accept-Encoding; "" for none.

    >>> accepts("gzip, deflate, br, zstd"), accepts("gzip;q=0.5"), accepts("zstd;q=0, br")
    ('zstd', 'gzip', '')
    """
    offered = {}
    for part in accepted.lower().split(","):
        name, _, quality = part.partition(";")
        offered[name.strip()] = re.fullmatch(r"\s*q=0(\.0*)?\s*", quality) is None
    return next((each for each in ("zstd", "gzip") if offered.get(each)), "")


def all_assets(folder: Path) -> dict[str, Asset]:
    """Return the files of a folder and those of others, by name."""
    found = {
        path.name: Asset(path.name, path.read_bytes())
        for path in sorted(folder.iterdir())
        if path.suffix in _TYPES
    }
    for name, foreign in _FOREIGN.items():
        asset = _foreign(name, foreign)
        if asset is not None:
            found[name] = asset
    return found


def _foreign(name: str, wanted: _Foreign) -> Asset | None:
    # A specification is found without importing the package.
    spec = find_spec(wanted.package)
    folders = () if spec is None else spec.submodule_search_locations or ()
    for folder in folders:
        path = Path(folder) / wanted.path
        if not path.is_file():
            continue
        asset = Asset(name, path.read_bytes())
        if asset.digest == wanted.digest:
            return asset
        logger.warning(
            "%s is not the file that this version knows, so it is not served and pages have no "
            "charts. 'pip install --force-reinstall --no-deps vizly==1.0.1' brings it.",
            path,
        )
    return None
