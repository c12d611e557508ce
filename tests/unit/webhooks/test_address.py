from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freqtrade_mem0.webhooks.address import why_refused

REFUSED = [
    "169.254.169.254",
    "169.254.1.1",
    "168.63.129.16",
    "100.100.100.200",
    "0.0.0.0",  # noqa: S104 - refused
    "0.1.2.3",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
]
ALLOWED = ["127.0.0.1", "10.0.0.5", "172.18.0.3", "192.168.1.20", "100.64.0.1", "93.184.216.34"]


@pytest.mark.parametrize("address", [*REFUSED, "fe80::1", "fe80::1%eth0", "ff02::1", "::"])
def test_metadata_and_addresses_of_no_one_machine_are_refused(address: str) -> None:
    """In every form."""
    assert why_refused(address)


@pytest.mark.parametrize("address", [*ALLOWED, "::1", "fd12:3456::1", "2606:2800:220:1::1"])
def test_private_and_public_addresses_are_allowed(address: str) -> None:
    """Most receivers run beside the bot."""
    assert why_refused(address) == ""


@pytest.mark.parametrize("address", ["fd00:ec2::254", "fd20:ce::254", "nonsense", ""])
def test_metadata_by_ipv6_and_what_is_no_address_are_refused(address: str) -> None:
    """These are in private networks."""
    assert why_refused(address)


@given(st.ip_addresses(v=4))
def test_an_address_counts_alike_in_every_form(address: IPv4Address) -> None:
    """IPv4-mapped, IPv4-compatible, 6to4 and NAT64 addresses lead to the same machine."""
    number = int(address)
    forms = [
        IPv6Address((0xFFFF << 32) | number),
        IPv6Address((0x2002 << 112) | (number << 80)),
        IPv6Address((0x64FF9B << 96) | number),
    ]
    if number > 1:
        forms.append(IPv6Address(number))
    for form in forms:
        assert bool(why_refused(str(form))) == bool(why_refused(str(address))), form
