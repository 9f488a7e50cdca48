"""Where real Synapse and the crawler arrive, for each branch of the resolution algorithm: at the same place, alike.

Servers at every crossroad record who comes: address, TLS name, Host header. Both are held against the specification's
table, so that a mistake that both make is seen too.
"""

from collections.abc import Iterator

import httpx
import pytest

from tests.synapse.client import ApiError
from tests.synapse.crossroads import CROSSROADS, PutUp, put_up
from tests.synapse.federation import Federation
from tests.synapse.snapshot import Census, take_census

pytestmark = [pytest.mark.synapse, pytest.mark.slow]

KEYS = [crossroad.key for crossroad in CROSSROADS]


@pytest.fixture(scope="module")
def crossroads(federation: Federation) -> Iterator[dict[str, PutUp]]:
    with put_up(federation.network) as standing:
        yield standing


@pytest.fixture(scope="module")
def synapse_found(federation: Federation, crossroads: dict[str, PutUp]) -> dict[str, bool]:
    """alpha is asked for an alias at each name, and asks there in turn: whether it got its answer."""
    return {key: _asks(federation, standing.name) for key, standing in crossroads.items()}


def _asks(federation: Federation, name: str) -> bool:
    try:
        return federation.people.alpha.room_servers(f"#practice:{name}") == [name]
    except ApiError as error:
        if error.status != httpx.codes.BAD_GATEWAY:
            raise
        return False


@pytest.fixture(scope="module")
def census(federation: Federation, crossroads: dict[str, PutUp], tmp_path_factory: pytest.TempPathFactory) -> Census:
    names = [standing.name for standing in crossroads.values()]
    return take_census(federation, tmp_path_factory.mktemp("crossroads"), signed=False, seeds=names)


@pytest.fixture(params=KEYS)
def standing(request: pytest.FixtureRequest, crossroads: dict[str, PutUp]) -> PutUp:
    if request.param not in crossroads:
        pytest.skip("this machine has no IPv6 loopback address")
    return crossroads[request.param]


def test_synapse_arrives(standing: PutUp, synapse_found: dict[str, bool]) -> None:
    nowhere = standing.expected is None or standing.crossroad.synapse_differs is not None
    assert synapse_found[standing.crossroad.key] is not nowhere
    assert standing.arrivals("Synapse/") == (set() if nowhere else {standing.expected})


def test_the_crawler_arrives(standing: PutUp, census: Census) -> None:
    expected = standing.expected
    assert standing.arrivals("matrix-census/") == (set() if expected is None else {expected})
    seen = census.observation(standing.name)
    assert seen["online"] is (expected is not None)
    if expected is not None:
        (address, port), tls_name, host_header = expected
        found = (seen["branch"], seen["address"], seen["port"], seen["host_header"], seen["tls_name"].lower())
        assert found == (standing.crossroad.branch, address, port, host_header, tls_name or address)
