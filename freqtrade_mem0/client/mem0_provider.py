"""Providers that open their memory themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.client.opening import get_mem0_client
from freqtrade_mem0.client.provider import AsyncMemoryProvider

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Mem0Provider(AsyncMemoryProvider):
    """An `AsyncMemoryProvider` over the memory that `get_mem0_client` opens.

    Parameters
    ----------
    api_key, config, org_id, user_data_dir
        As in `get_mem0_client`.
    project_id
        As in `get_mem0_client`; "default" is the project of the key.
    user_id_field
        Where an agent's context has the user's id: names of attributes or keys, with dots.
    encryption_key
        As in `get_mem0_client`: the key by which the files on this machine are encrypted.
    bounds
        `max_workers` and `max_waiting` of `AsyncMemoryProvider`.

    Raises
    ------
    ConfigError
        The config is wrong, or the memory has another key.
    """

    def __init__(
        self,
        api_key: str | None = None,
        config: Mapping[str, Any] | Path | str | None = None,
        *,
        org_id: str | None = None,
        project_id: str = "default",
        user_id_field: str = "user.id",
        encryption_key: str | None = None,
        user_data_dir: Path | str | None = None,
        **bounds: int,
    ) -> None:
        client = get_mem0_client(
            config,
            api_key=api_key,
            org_id=org_id,
            project_id=None if project_id == "default" else project_id,
            user_data_dir=user_data_dir,
            encryption_key=encryption_key,
        )
        super().__init__(client, **bounds)
        self.user_id_field = user_id_field
