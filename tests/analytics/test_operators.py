"""Who runs which servers: domains by the public suffix list, keys that join, blocks of addresses."""

import json

import polars as pl
import pytest

from analytics.operators import address_block, first_key, operator_of_each, registrable_domain


@pytest.mark.parametrize(
    ("server_name", "domain"),
    [
        ("matrix.example.org", "example.org"),
        ("example.org:8448", "example.org"),
        ("a.b.example.co.uk", "example.co.uk"),
        ("home.duckdns.org", "home.duckdns.org"),  # the private section: tenants are strangers to each other
        ("MATRIX.Example.ORG", "example.org"),
        ("org", "org"),
        ("192.0.2.7:8448", "192.0.2.7"),
        ("[2001:db8::1]:8448", "2001:db8::1"),
    ],
)
def test_the_registrable_domain(server_name: str, domain: str) -> None:
    assert registrable_domain(server_name) == domain


def test_domains_and_keys_join_through_each_other() -> None:
    servers = pl.DataFrame(
        {
            "server_name": ["a.one.example", "b.one.example", "two.test", "three.test", "four.test", "five.test"],
            "verify_keys": [
                None,
                json.dumps({"ed25519:x": "K1"}),
                json.dumps({"ed25519:other": "K1", "ed25519:y": "K2"}),
                json.dumps({"ed25519:z": "K2"}),
                json.dumps({"ed25519:x": "K3"}),
                None,
            ],
        }
    )
    # a and b by their domain, b and two by K1, two and three by K2; the others are alone.
    operators = operator_of_each(servers).to_list()
    assert operators == ["one.example", "one.example", "one.example", "one.example", "four.test", "five.test"]


def test_a_key_id_alone_joins_nobody() -> None:
    servers = pl.DataFrame(
        {"server_name": ["one.test", "two.test"], "verify_keys": ['{"ed25519:auto": "A"}', '{"ed25519:auto": "B"}']}
    )
    assert operator_of_each(servers).n_unique() == 2


def test_blocks_and_first_keys() -> None:
    assert address_block("192.0.2.77") == "192.0.2.0/24"
    assert address_block("2001:db8:1:2::3") == "2001:db8:1::/48"
    assert address_block(None) is None
    assert first_key('{"ed25519:b": "Z", "ed25519:a": "A"}') == "A"
    assert first_key(None) is None
    assert operator_of_each(pl.DataFrame(schema={"server_name": pl.String, "verify_keys": pl.String})).is_empty()
