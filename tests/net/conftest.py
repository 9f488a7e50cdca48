"""What every test of the network stands on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crawler.config import Limits, Politeness, Settings
from crawler.config import Network as NetworkSettings
from crawler.net.transport import Network
from tests.net.certificates import Authority

MakeNetwork = Callable[..., Network]

UNPACED = {"address_concurrency": 100, "address_rate_per_s": 1e6}
"""For tests that do not look at the pace. Time-outs stay as long as they are for everybody: a test that waits for one
shortens that one, so that no other can strike on a busy machine."""


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def make_network(authority: Authority) -> MakeNetwork:
    """A network that trusts the test's authority and may dial 127.0.0.0/8."""

    def make(
        *,
        dns: str = "127.0.0.1:1",
        connect: tuple[str, ...] = (),
        allow_address: tuple[str, ...] = ("127.0.0.0/8",),
        contact: str = "",
        ca: Path | None = None,
        **limits: Any,
    ) -> Network:
        settings = Settings(
            limits=Limits(**{**UNPACED, **limits}),
            politeness=Politeness(contact=contact),
            network=NetworkSettings(dns=dns, ca=str(ca or authority.pem), connect=connect, allow_address=allow_address),
        )
        return Network(settings, version="1.2.3")

    return make
