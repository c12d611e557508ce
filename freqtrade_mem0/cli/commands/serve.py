"""Serve the memory over HTTP, for dashboards, n8n, controllers and agents on other machines.

It listens on this machine alone unless --host says otherwise, and answers whoever shows a key of
'freqtrade-mem0 keys'. It also delivers what waits for Mem0, and maintains the memory every day
(mem0.service.maintain_hours). Bots never wait for it, and it can be stopped at any time.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from freqtrade_mem0.cli.context import read_config
from freqtrade_mem0.cli.options import config_options
from freqtrade_mem0.cli.output import print_error
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.words.extras import how_to_install

if TYPE_CHECKING:
    import argparse

NAME = "serve"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `serve`."""
    parser.add_argument(
        "--host", metavar="ADDRESS", help="Address to listen on. Default: mem0.service.host."
    )
    parser.add_argument(
        "--port", type=int, metavar="PORT", help="Default: mem0.service.port; 0 takes a free one."
    )
    parser.add_argument(
        "--no-auth",
        action="store_true",
        help="Let everybody on this machine do everything without a key. Refused for other "
        "addresses than loopback.",
    )
    parser.add_argument(
        "--behind-proxy",
        action="store_true",
        help="A proxy before it makes TLS (or the network is private, as in Docker) and says who "
        "asks; see mem0.service.trusted_proxies.",
    )
    config_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serve until the process is told to stop."""
    if find_spec("prometheus_client") is None:
        raise ConfigError(f"The service needs more packages: {how_to_install('service')}.")
    from freqtrade_mem0.service.server import Listening, serve
    from freqtrade_mem0.service.state import Service

    config = read_config(arguments)
    settings = config.settings.service
    where = Listening(
        host=arguments.host or settings.host,
        port=settings.port if arguments.port is None else arguments.port,
        behind_proxy=arguments.behind_proxy,
    )
    service = Service(
        config.memory(), config.freqtrade, config.user_data_dir, no_auth=arguments.no_auth
    )
    try:
        serve(service, where, print_error)
    finally:
        service.close()
    return 0
