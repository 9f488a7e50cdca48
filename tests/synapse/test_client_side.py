"""What real homeservers say on the client side, and what a visit and a check make of it."""

import pytest

from crawler.config import Limits, Settings
from crawler.config import Network as NetworkSettings
from crawler.engine.client_side import ask_client_side
from crawler.engine.task import Visit
from crawler.engine.visit import visit
from crawler.model.client_side import Registration, Support, SupportContact
from crawler.model.close_look import ClientSide
from crawler.model.names import parse_server_name
from crawler.model.observation import Ok, ServerObservation, Skipped, SkipReason
from crawler.net.transport import Network
from tests.synapse.federation import Federation, json_reply
from tests.synapse.homeserver import Homeserver

pytestmark = [pytest.mark.synapse, pytest.mark.slow]

SUPPORT_PATH = "/.well-known/matrix/support"
CONTACT = SupportContact("m.role.admin", "@admin:alpha.test", "admin@alpha.test")


def our_network(federation: Federation) -> Network:
    around = federation.network
    return Network(
        Settings(
            limits=Limits(address_rate_per_s=100.0),
            network=NetworkSettings(
                dns=str(around.dns),
                ca=str(around.authority.file),
                connect=(around.https_rule,),
                allow_address=("127.0.0.0/8",),
            ),
        ),
        version="0",
    )


async def look(
    federation: Federation, server: Homeserver, *, registration: bool
) -> tuple[ServerObservation, ClientSide]:
    name = parse_server_name(server.name)
    async with our_network(federation) as network:
        visited = await visit(network, None, Visit(name), directory_pages=1)
        async with network.visit(name) as session:
            side = await ask_client_side(session, name, visited.client_base, registration=registration)
    return visited.observation, side


async def test_a_server_without_anything_beside(federation: Federation) -> None:
    seen, side = await look(federation, federation.beta, registration=True)
    assert seen.online
    assert isinstance(seen.support, Ok)
    assert seen.support.value is None
    assert isinstance(side.login_flows, Ok)
    assert "m.login.password" in side.login_flows.value
    for absent in (side.oauth, side.policy_server, side.robots, side.client_robots):
        assert isinstance(absent, Ok)
        assert absent.value is None
    assert isinstance(side.registration, Ok)
    assert side.registration.value is Registration.OPEN


async def test_a_server_that_says_whom_to_write_to(federation: Federation) -> None:
    contact = {"role": CONTACT.role, "matrix_id": CONTACT.matrix_id, "email_address": CONTACT.email_address}
    federation.alpha_web.routes[SUPPORT_PATH] = json_reply({"contacts": [contact]})
    try:
        seen, side = await look(federation, federation.alpha, registration=True)
    finally:
        del federation.alpha_web.routes[SUPPORT_PATH]
    assert isinstance(seen.support, Ok)
    assert seen.support.value == Support((CONTACT,))
    assert isinstance(side.registration, Ok)
    assert side.registration.value is Registration.CLOSED


async def test_sign_up_is_not_asked_about_unless_told_to(federation: Federation) -> None:
    _, side = await look(federation, federation.beta, registration=False)
    assert side.registration == Skipped(SkipReason.NOT_NEEDED)
