"""Which addresses are opened, and what has to be there first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.service import server
from freqtrade_mem0.service.keys import Role
from freqtrade_mem0.service.server import Listening, serve
from freqtrade_mem0.service.state import Service

if TYPE_CHECKING:
    from pathlib import Path

EVERYWHERE = "0.0.0.0"  # noqa: S104


def opened(
    folder: Path,
    *,
    host: str = EVERYWHERE,
    no_auth: bool = False,
    with_key: bool = True,
    behind_proxy: bool = False,
    certificate: str | None = None,
) -> bool:
    """Return True if the address would be opened; raise as `serve` does otherwise."""
    block = {"certificate": certificate, "certificate_key": certificate}
    settings = Settings.model_validate({"mode": "local", "path": folder, "service": block})
    service = Service(MemoryFolder(settings, folder), {}, folder, no_auth=no_auth)
    try:
        if with_key:
            service.keys.add(Role.READER)
        where = Listening(host=host, port=0, behind_proxy=behind_proxy)
        server._refuse_unsafe(service, where, settings.service)
    finally:
        service.close()
    return True


def test_this_machine_is_always_open(tmp_path: Path) -> None:
    """Also without a key, to the person with the link, and with `--no-auth`."""
    assert opened(tmp_path, host="127.0.0.1", with_key=False)
    assert opened(tmp_path, host="localhost", no_auth=True)


def test_others_need_a_key_and_tls(tmp_path: Path) -> None:
    """Each refusal differs in one thing from what is opened."""
    assert opened(tmp_path / "a", behind_proxy=True)
    assert opened(tmp_path / "b", certificate="cert.pem")
    with pytest.raises(ConfigError, match="there is no key yet"):
        opened(tmp_path / "c", behind_proxy=True, with_key=False)
    with pytest.raises(ConfigError, match="travel in the clear"):
        opened(tmp_path / "d")
    with pytest.raises(ConfigError, match="on this machine alone"):
        opened(tmp_path / "e", behind_proxy=True, no_auth=True)


def test_an_address_that_is_none_is_named(tmp_path: Path) -> None:
    """Before anything is opened."""
    settings = Settings.model_validate({"mode": "local", "path": tmp_path})
    service = Service(MemoryFolder(settings, tmp_path), {}, tmp_path)
    service.keys.add(Role.READER)
    where = Listening(host="not an address", port=0, behind_proxy=True)
    with pytest.raises(ConfigError, match=re.escape("Port 0 of not an address can not be opened")):
        serve(service, where, print)
    service.close()


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_certificate_that_can_not_be_used_is_named(tmp_path: Path, content: str | None) -> None:
    """Before anything is opened or said."""
    file = tmp_path / "cert.pem"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    block = {"certificate": file, "certificate_key": file}
    settings = Settings.model_validate({"mode": "local", "path": tmp_path, "service": block})
    service, said = Service(MemoryFolder(settings, tmp_path), {}, tmp_path), list[str]()
    with pytest.raises(ConfigError, match=r"'mem0.service.certificate' \(.*cert.pem\)"):
        serve(service, Listening(host="127.0.0.1", port=0), said.append)
    service.close()
    assert said == []


def test_only_both_files_of_a_certificate_are_one() -> None:
    """One without the other is a mistake in the config."""
    with pytest.raises(ValueError, match="belong together"):
        Settings.model_validate({"service": {"certificate": "cert.pem"}})


@pytest.mark.parametrize("proxy", ["*", "0.0.0.0/0", "::/0", "proxy", "10.0.0.1/8"])
def test_a_proxy_is_named_by_its_address(proxy: str) -> None:
    """Who trusts every address lets each caller choose whose limits count."""
    with pytest.raises(ValueError, match="must be an address or a network"):
        Settings.model_validate({"service": {"trusted_proxies": [proxy]}})
    kept = Settings.model_validate({"service": {"trusted_proxies": ["172.18.0.0/16", "::1"]}})
    assert kept.service.trusted_proxies == ("172.18.0.0/16", "::1")
