from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis.strategies import ip_addresses

from service.clients.client import Client, hashing_keys

KEYS = hashing_keys(["s" * 32])


def name(address: str, agent: str = "Mozilla/5.0", link: str = "lnk_a") -> str:
    return Client(address, agent, "browser").hashes(KEYS, link)[0]


@pytest.mark.parametrize(
    ("address", "prefix"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("nonsense", None),
        ("", None),
    ],
)
def test_people_read_the_24_or_48_prefix(address: str, prefix: str | None) -> None:
    assert Client(address, "", "program").prefix == prefix


@given(ip_addresses(v=4) | ip_addresses(v=6) | ip_addresses(network="::ffff:0:0/96") | ip_addresses(network="::/80"))
@settings(deadline=None)
def test_networks_are_those_of_the_standard_library(address: IPv4Address | IPv6Address) -> None:
    plain = getattr(address, "ipv4_mapped", None) or address
    lengths = (32, 24) if plain.version == 4 else (64, 48)
    whole, kept = (str(ip_network(f"{plain}/{length}", strict=False)) for length in lengths)
    client = Client(str(address), "a browser", "browser")
    assert (client.network, client.prefix) == (whole, kept)


def test_the_same_client_is_the_same_address_and_agent_on_the_same_link() -> None:
    assert name("192.0.2.1") == name("192.0.2.1")
    assert name("2001:db8::1") == name("2001:db8::ffff"), "one IPv6 /64 is one client"
    assert name("2001:db8::1") != name("2001:db8:0:1::1")
    assert len({name("192.0.2.1"), name("192.0.2.2"), name("192.0.2.1", "curl/8"), name("192.0.2.1", link="b")}) == 4


def test_a_hash_needs_the_key() -> None:
    assert Client("192.0.2.1", "", "browser").hashes(hashing_keys(["t" * 32]), "lnk_a") != [name("192.0.2.1", "")]
