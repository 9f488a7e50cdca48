"""Whether this machine knows a way to an address: asked of the kernel, in network namespaces whose routes we set."""

import json
import shutil
import subprocess
import sys

import pytest

from crawler.net.dial import Dialler, parse_rule
from crawler.protocol.addresses import AddressPolicy

ASK = """
import json, sys
from crawler.net.dial import Dialler
from crawler.protocol.addresses import AddressPolicy
dialler = Dialler(AddressPolicy(), ())
print(json.dumps({address: dialler.has_route(address, 8448) for address in sys.argv[1:]}))
"""
V4, V6, OURS = "192.0.2.1", "2606:4700::1", "fd00:1::2"


def can_have_namespaces() -> bool:
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return False
    tried = subprocess.run(["unshare", "-rn", "ip", "link", "set", "lo", "up"], capture_output=True, check=False)
    return tried.returncode == 0


def with_routes(*commands: str) -> dict[str, bool]:
    """What is said of the three addresses in a namespace of its own, after these commands of `ip`."""
    script = "".join(f"ip {command} && " for command in ("link set lo up", *commands)) + 'exec "$0" "$@"'
    asked = subprocess.run(
        ["unshare", "-rn", "sh", "-c", script, sys.executable, "-c", ASK, V4, V6, OURS],
        capture_output=True,
        check=True,
        text=True,
    )
    known: dict[str, bool] = json.loads(asked.stdout)
    return known


@pytest.mark.skipif(not can_have_namespaces(), reason="this user may make no network namespace")
@pytest.mark.parametrize(
    ("commands", "known"),
    [
        ((), (False, False, False)),
        (("route add default dev lo",), (True, False, False)),
        # A container's unique-local address: what is public cannot answer to it, what is private can.
        (("-6 addr add fd00::1/8 dev lo", "-6 route add default dev lo"), (False, False, True)),
        (("-6 addr add 2606:4700::2/64 dev lo", "-6 route add default dev lo"), (False, True, True)),
    ],
    ids=["no route", "IPv4 alone", "IPv6 of its own kind", "public IPv6"],
)
def test_a_way_is_known_where_a_route_leads(commands: tuple[str, ...], known: tuple[bool, bool, bool]) -> None:
    assert tuple(with_routes(*commands).values()) == known


def test_it_is_asked_of_where_we_are_sent_instead() -> None:
    nowhere = "255.255.255.255"  # the kernel refuses broadcast to who did not ask for it
    assert not Dialler(AddressPolicy(), ()).has_route(nowhere, 8448)
    assert Dialler(AddressPolicy(), (parse_rule(f"{nowhere}:*=127.0.0.1:1"),)).has_route(nowhere, 8448)
