"""What may be dialled: against the registries' own boundaries, Synapse's list and Python's opinion."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from synapse.config.server import DEFAULT_IP_RANGE_BLOCKLIST

from crawler.protocol.addresses import (
    GLOBAL_UNICAST,
    SPECIAL_IPV4,
    SPECIAL_IPV6,
    AddressPolicy,
    IpAddress,
    IpNetwork,
    embedded_ipv4,
    interleave,
    is_ip_literal,
)

LIVE = AddressPolicy()

# From the IANA IPv4 and IPv6 special-purpose address registries and the IPv6 address space registry.
_REFUSED = """
0.0.0.0 0.0.0.1 0.255.255.255
10.0.0.0 10.255.255.255
100.64.0.0 100.127.255.255
127.0.0.0 127.0.0.1 127.255.255.255
169.254.0.0 169.254.169.254 169.254.255.255
172.16.0.0 172.31.255.255
192.0.0.0 192.0.0.8 192.0.0.9 192.0.0.10 192.0.0.170 192.0.0.255
192.0.2.0 192.0.2.255
192.31.196.0 192.31.196.255
192.52.193.0 192.52.193.255
192.88.99.0 192.88.99.2 192.88.99.255
192.168.0.0 192.168.255.255
192.175.48.0 192.175.48.255
198.18.0.0 198.19.255.255
198.51.100.0 198.51.100.255
203.0.113.0 203.0.113.255
224.0.0.0 224.0.0.1 239.255.255.255
240.0.0.0 255.255.255.254 255.255.255.255
:: ::1 ::2 ::10.0.0.1 ::8.8.8.8 ::ffff:10.0.0.1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:7f00:1 ::ffff:0:127.0.0.1
64:ff9b::a00:1 64:ff9b::127.0.0.1 64:ff9b::8.8.8.8 64:ff9b:1::a00:1 64:ff9b:1:ffff::1
100::1 100:0:0:1::1 200::1 400::1 1fff:ffff::1
2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:1::1 2001:1::2 2001:1::3 2001:2::1 2001:3::1 2001:4:112::1
2001:10::1 2001:20::1 2001:30::1 2001:1ff:ffff::1
2001:db8::1 2001:db8:ffff::1
2002:a00:1::1 2002:7f00:1::1 2002:808:808::1
2620:4f:8000::1
3fff::1 3fff:fff:ffff::1
4000::1 5f00::1 8000::1 c000::1 e000::1
fc00::1 fd00::1 fdff:ffff::1
fe00::1 fe80::1 febf:ffff::1 fec0::1 feff:ffff::1
ff00::1 ff02::1 ff0e::1
"""

_DIALLED = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255 169.255.0.0
172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 198.51.99.255
203.0.112.255 203.0.114.0 223.255.255.255
2001:200::1 2001:db7:ffff::1 2001:db9::1 2003::1 2606:4700:4700::1111 2620:4f:7fff::1 2620:4f:8001::1 2a00:1450::1
2000::1 3ffe::1 3fff:1000::1
"""
REFUSED, DIALLED = _REFUSED.split(), _DIALLED.split()


@pytest.mark.parametrize("address", REFUSED)
def test_special_addresses_are_refused_with_a_reason(address: str) -> None:
    assert not LIVE.may_dial(address)
    assert LIVE.why_not(address)


@pytest.mark.parametrize("address", DIALLED)
def test_global_unicast_may_be_dialled(address: str) -> None:
    assert LIVE.why_not(address) is None
    assert LIVE.may_dial(address)


@pytest.mark.parametrize("address", DIALLED)
def test_no_public_address_may_be_dialled_inside_an_ipv6_one(address: str) -> None:
    """An embedded address is a detour that no honest name needs; what it is inside does not matter."""
    if ":" not in address:
        assert not any(
            LIVE.may_dial(str(ipaddress.IPv6Address(ipaddress.ip_network(prefix).network_address) + int_of(address)))
            for prefix in ("::/96", "::ffff:0:0/96", "64:ff9b::/96")
        )


def int_of(address: str) -> int:
    return int(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.org",
        "[::1]",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "1.2.3.4 ",
        "1.2.3.4:80",
        "8.8.8.8/8",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    assert LIVE.why_not(text) == "no IP address"


@pytest.mark.parametrize("address", ["fe80::1%eth0", "2606:4700:4700::1111%1", "2606:4700:4700::1111%", "%"])
def test_zone_ids_are_refused_even_where_all_is_allowed(address: str) -> None:
    assert not LIVE.may_dial(address)
    assert not AddressPolicy(("0.0.0.0/0", "::/0")).may_dial(address)


def edges(network: IpNetwork) -> tuple[IpAddress, IpAddress]:
    return network.network_address, network.broadcast_address


@pytest.mark.parametrize("cidr", DEFAULT_IP_RANGE_BLOCKLIST)
def test_whatever_synapse_does_not_dial_we_do_not(cidr: str) -> None:
    network = ipaddress.ip_network(cidr)
    assert not any(LIVE.may_dial(str(address)) for address in edges(network))


@given(st.ip_addresses(v=4) | st.ip_addresses(v=6) | st.integers(0, 2**125 - 1).map(lambda n: GLOBAL_UNICAST[n]))
def test_whatever_python_calls_special_we_do_not_dial(address: IpAddress) -> None:
    """One way only: `is_global` also says yes to some of what is listed above."""
    if not address.is_global or address.is_multicast or address.is_reserved:
        assert not LIVE.may_dial(str(address))


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_refused_only_for_an_entry_of_the_table(address: ipaddress.IPv4Address) -> None:
    assert LIVE.may_dial(str(address)) is not any(address in network for network, _ in SPECIAL_IPV4)


@given(st.integers(0, 2**125 - 1).map(lambda n: GLOBAL_UNICAST[n]))
def test_a_global_ipv6_address_is_refused_only_for_an_entry_or_what_is_inside(address: ipaddress.IPv6Address) -> None:
    listed = any(address in network for network, _ in SPECIAL_IPV6)
    assert LIVE.may_dial(str(address)) is not (listed or bool(embedded_ipv4(address)))


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("::ffff:192.0.2.33", ["192.0.2.33"]),
        ("::192.0.2.33", ["192.0.2.33"]),
        ("::ffff:0:192.0.2.33", ["192.0.2.33"]),
        ("64:ff9b::192.0.2.33", ["192.0.2.33"]),  # RFC 6052, 2.4
        ("64:ff9b:1::192.0.2.33", ["192.0.2.33"]),
        ("2002:c000:221::1", ["192.0.2.33"]),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", ["65.54.227.120", "192.0.2.45"]),  # RFC 4380's own example
        ("2606:4700::5efe:10.0.0.1", ["10.0.0.1"]),  # ISATAP, RFC 5214
        ("2606:4700::200:5efe:8.8.8.8", ["8.8.8.8"]),
        ("2002:a00:1::5efe:127.0.0.1", ["10.0.0.1", "127.0.0.1"]),
        ("::", []),
        ("::1", []),
        ("2606:4700:4700::1111", []),
        ("8.8.8.8", []),
    ],
)
def test_embedded_addresses_are_found(address: str, inside: list[str]) -> None:
    assert [str(found) for found in embedded_ipv4(ipaddress.ip_address(address))] == inside


@given(st.ip_addresses(v=4))
def test_python_finds_the_same_inside(address: ipaddress.IPv4Address) -> None:
    mapped = ipaddress.IPv6Address(f"::ffff:{address}")
    six_to_four = ipaddress.IPv6Address(0x2002 << 112 | int(address) << 80 | 1)
    assert embedded_ipv4(mapped) == (mapped.ipv4_mapped,)
    assert embedded_ipv4(six_to_four) == (six_to_four.sixtofour,)


def test_an_isatap_address_is_judged_by_what_is_inside() -> None:
    assert not LIVE.may_dial("2606:4700::5efe:10.0.0.1")
    assert LIVE.may_dial("2606:4700::5efe:8.8.8.8")


def test_allowing_lifts_the_ban_for_just_those() -> None:
    policy = AddressPolicy(("127.0.0.0/8", "fd12:3456::/32"))
    for address in ("127.0.0.1", "127.9.9.9", "fd12:3456::1", "8.8.8.8"):
        assert policy.may_dial(address)
    for address in ("::1", "10.0.0.1", "fd12:3457::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1"):
        assert not policy.may_dial(address)


def test_a_network_with_nat64_can_allow_its_prefix_without_opening_what_is_private() -> None:
    policy = AddressPolicy(("64:ff9b::/96",))
    assert policy.may_dial("64:ff9b::8.8.8.8")
    assert policy.why_not("64:ff9b::10.0.0.1") == "10.0.0.1 inside it is private (RFC 1918)"


def test_single_addresses_and_host_bits_can_be_allowed() -> None:
    assert AddressPolicy(("::1",)).may_dial("::1")
    assert AddressPolicy(("127.0.0.1/8",)).may_dial("127.1.2.3")
    everything = AddressPolicy(("0.0.0.0/0", "::/0"))
    assert all(everything.may_dial(address) for address in REFUSED)


@given(st.text(max_size=60) | st.text("0123456789abcdef:.%/[]", max_size=45))
def test_any_text_gets_a_verdict(text: str) -> None:
    assert LIVE.may_dial(text) is (LIVE.why_not(text) is None)
    if LIVE.may_dial(text):
        assert is_ip_literal(text)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("1.2.3.4", True),
        ("::1", True),
        ("fe80::1%eth0", True),
        ("[::1]", False),
        ("1.2.3", False),
        ("a.example", False),
    ],
)
def test_literals_are_told_from_names(text: str, is_one: bool) -> None:
    assert is_ip_literal(text) is is_one


def test_families_take_turns_ipv6_first() -> None:
    assert interleave(["1.1.1.1", "1.1.1.2", "1.1.1.3", "2606::1", "2606::2"]) == (
        "2606::1",
        "1.1.1.1",
        "2606::2",
        "1.1.1.2",
        "1.1.1.3",
    )
    assert interleave(["2606::1", "2606::2"]) == ("2606::1", "2606::2")
    assert interleave([]) == ()


@given(st.lists(st.ip_addresses().map(str), max_size=20))
def test_interleaving_loses_nothing_and_keeps_the_order_of_each_family(addresses: list[str]) -> None:
    mixed = interleave(addresses)
    assert [a for a in mixed if ":" in a] == [a for a in addresses if ":" in a]
    assert [a for a in mixed if ":" not in a] == [a for a in addresses if ":" not in a]
