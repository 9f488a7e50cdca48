"""What all connections of a process share."""

import random
from datetime import UTC, datetime

import pytest

from crawler.config import Network as NetworkSettings
from crawler.config import Politeness, Settings
from crawler.errors import UsageError
from crawler.model.user_agent import user_agent
from crawler.net.stack import build_stack, utc_now
from crawler.net.transport import Network
from tests.net.certificates import Authority
from tests.net.conftest import MakeNetwork


def test_one_context_for_all_connections(make_network: MakeNetwork) -> None:
    network = make_network()
    one, two = network.connection("127.0.0.1", 1, "a.test"), network.connection("127.0.0.1", 2, "b.test")
    assert one.stack.context is two.stack.context
    assert one.stack.pacer is two.stack.pacer
    assert one.stack.traffic is network.traffic
    assert network.limits is one.stack.limits


def test_addresses_have_one_spelling(make_network: MakeNetwork) -> None:
    assert make_network().connection("2001:DB8:0:0::1", 1, "a.test").address == "2001:db8::1"


@pytest.mark.parametrize(
    ("contact", "sent"),
    [
        ("", b"matrix-census/0.1.0"),
        ("me@example.org", b"matrix-census/0.1.0 (+me@example.org)"),
        ("@me:example.org (ops)", rb"matrix-census/0.1.0 (+@me:example.org \(ops\))"),
        ("mé", "matrix-census/0.1.0 (+mé)".encode()),
    ],
)
def test_user_agent(contact: str, sent: bytes) -> None:
    assert user_agent("0.1.0", contact).encode() == sent


def test_the_settings_come_true(authority: Authority) -> None:
    settings = Settings(
        politeness=Politeness(contact="me@example.org"),
        network=NetworkSettings(
            dns="[::1]:5353", ca=str(authority.pem), connect=("*:443=127.0.0.1:*",), allow_address=("127.0.0.0/8",)
        ),
    )
    stack = build_stack(settings, "0.1.0", random.Random(1), utc_now)
    assert stack.policy.may_dial("127.0.0.1")
    assert not stack.policy.may_dial("10.0.0.1")
    assert stack.dialler.where("9.9.9.9", 443) == ("127.0.0.1", 443)
    assert stack.busy.total_tokens == settings.limits.busy_connections
    assert [str(server) for server in stack.dns._servers] == ["[::1]:5353"]


def test_a_missing_ca_is_a_usage_error(authority: Authority) -> None:
    settings = Settings(network=NetworkSettings(dns="127.0.0.1:53", ca=str(authority.folder / "none.pem")))
    with pytest.raises(UsageError, match="--ca"):
        Network(settings, version="0.1.0")


def test_the_clock_is_aware_and_utc() -> None:
    now = utc_now()
    assert now.tzinfo is UTC
    assert abs((datetime.now(UTC) - now).total_seconds()) < 3600
