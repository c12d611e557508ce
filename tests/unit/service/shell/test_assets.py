"""Files of the pages: kept by browsers for as long as they are the same, and never another's."""

from __future__ import annotations

import gzip
import logging
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from zstandard import ZstdDecompressor

from freqtrade_mem0.service.shell import assets
from freqtrade_mem0.service.shell.assets import ECHARTS, Asset, all_assets
from tests.support.served import Served, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service that asks for a key."""
    with served(tmp_path_factory.mktemp("site")) as running:
        yield running


def test_a_file_is_asked_for_once(site: Served) -> None:
    """Its address names its content, so it may be kept; asked for again it is not sent again."""
    address = site.app.state.shell.assets["app.css"].address
    with site.client() as client:
        first = client.get(address)
        assert first.status_code == 200
        assert "immutable" in first.headers["cache-control"]
        again = client.get(address, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.text) == (304, "")
        other = client.get("/assets/app.css?v=older")
        assert other.headers["cache-control"] == "no-cache"
        assert client.get("/assets/nothing.js").status_code == 404
        assert client.get("/assets/..%2f..%2fapp.py").status_code == 404


@pytest.mark.parametrize("encoding", ["gzip", "zstd", ""])
def test_a_file_comes_as_the_browser_takes_it(encoding: str) -> None:
    """Compressed or plain, it is the same file."""
    asset = Asset("a.css", b"a { color: red }" * 100)
    answer = asset.answer(encoding, None, None)
    body = bytes(answer.body)
    if encoding:
        body = gzip.decompress(body) if encoding == "gzip" else ZstdDecompressor().decompress(body)
    assert body == asset.body
    assert answer.headers.get("content-encoding", "") == encoding


def test_the_first_paint_is_light(site: Served) -> None:
    """All files that a page may load, compressed: below the 400 kB that a page may have."""
    found = site.app.state.shell.assets
    sizes = {
        name: len(bytes(asset.answer("gzip", None, None).body)) for name, asset in found.items()
    }
    assert sum(sizes.values()) < 390_000, sizes
    assert sum(size for name, size in sizes.items() if name != ECHARTS) < 20_000, sizes


def test_a_file_of_others_that_was_changed_is_not_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Pages then have no charts, and the log says how to get them."""
    (tmp_path / "vizly" / "assets").mkdir(parents=True)
    (tmp_path / "vizly" / "__init__.py").touch()
    (tmp_path / "vizly" / "assets" / ECHARTS).write_text("alert(1)")
    spec = find_spec("vizly")
    assert spec is not None
    spec.submodule_search_locations = [str(tmp_path / "vizly")]
    monkeypatch.setattr(assets, "find_spec", lambda _: spec)
    with caplog.at_level(logging.WARNING):
        assert ECHARTS not in all_assets(tmp_path)
    assert "vizly==1.0.1" in caplog.text


def test_without_the_package_there_are_no_charts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing fails."""
    monkeypatch.setattr(assets, "find_spec", lambda _: None)
    assert all_assets(tmp_path) == {}
