"""Which addresses events may be sent to.

The hosts are those of the config, so private addresses are allowed: n8n or a controller often runs
beside the bot. A name may still lead elsewhere, by mistake or by a changed answer of a name server.
What has no business there is refused in every form: networks of one link, among them the metadata
services of clouds, which give out credentials, and addresses that mean many machines or none.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_METADATA = frozenset(
    map(
        ip_address,
        (
            "100.100.100.200",  # Alibaba
            "168.63.129.16",  # Azure
            "192.0.0.192",  # Oracle
            "fd00:ec2::254",  # Amazon
            "fd00:ec2::23",
            "fd20:ce::254",  # Google
        ),
    )
)
"""Those outside link-local networks."""

_LINK = "it is of a link-local network, or a metadata service of a cloud"
_NO_HOST = tuple(map(ip_network, ("0.0.0.0/8", "240.0.0.0/4")))
_WITH_IPV4 = tuple(map(ip_network, ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")))
"""IPv6 networks whose addresses have an IPv4 address in their last bits."""


def why_refused(address: str) -> str:
    """Return why nothing is sent to an address; "" where it may be.

    >>> why_refused("172.18.0.5"), why_refused("::ffff:169.254.169.254")
    ('', 'it is of a link-local network, or a metadata service of a cloud')
    """
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return "it is no address"
    return next(filter(None, map(_why, _meanings(parsed))), "")


def _meanings(address: IPv4Address | IPv6Address) -> Iterator[IPv4Address | IPv6Address]:
    """Yield an address, and the IPv4 addresses that it stands for."""
    yield address
    if not isinstance(address, IPv6Address):
        return
    embedded = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    yield from (each for each in embedded if each is not None)
    if any(address in network for network in _WITH_IPV4) and int(address) > 1:
        yield IPv4Address(int(address) & 0xFFFFFFFF)


def _why(address: IPv4Address | IPv6Address) -> str:
    if address.is_link_local or address in _METADATA:
        return _LINK
    if address.is_multicast:
        return "it means many machines (multicast)"
    if address.is_unspecified or any(
        address in network for network in _NO_HOST if network.version == address.version
    ):
        return "it means no machine, or every one"
    return ""
