"""Signatures: who is let in, who is not and with which words (server-server API, "Request Authentication")."""

import dataclasses

import trio

from crawler.lab.oddities import Quirk
from crawler.lab.peers import FETCH_AGAIN_AFTER_S
from crawler.lab.seen import Signature
from crawler.model.names import parse_server_name
from crawler.protocol.signing import Identity, SigningKey, x_matrix_header
from tests.lab.conftest import LabMaker, crawler_key_served
from tests.lab.peer import Page, Stranger

URI = "/_matrix/federation/v1/publicRooms?limit=10&include_all_networks=false"


async def ask(stranger: Stranger, authorization: str | None, uri: str = URI, index: int = 0) -> Page:
    headers = {} if authorization is None else {"Authorization": authorization}
    return await stranger.federation(index, uri, **headers)


def refused(page: Page, status: int = 401) -> str:
    assert (page.status, page.json()["errcode"]) == (status, "M_UNAUTHORIZED")
    return str(page.json()["error"])


async def test_a_good_signature_is_let_in_and_our_key_is_fetched_once_for_all(lab: LabMaker) -> None:
    async with lab(servers=60) as stranger, crawler_key_served(stranger.lab):
        world = stranger.lab.world
        openers = [p.index for p in world.plans() if p.is_open and p.quirk is None and p.policy.federation == "open"]
        assert len(openers) > 5

        async def one(index: int) -> None:
            header = x_matrix_header(stranger.lab.identity, world.names[index], "GET", URI)
            assert (await ask(stranger, header, index=index)).status == 200

        async with trio.open_nursery() as nursery:
            for index in openers:
                nursery.start_soon(one, index)
        asked = [s for s in stranger.lab.seen.sightings if s.target == URI]
        assert {s.signature for s in asked} == {Signature.GOOD}
        assert len(asked) == len(openers)


async def test_everything_else_is_kept_out(lab: LabMaker) -> None:
    async with lab(servers=20) as stranger, crawler_key_served(stranger.lab):
        us, them = stranger.lab.identity, stranger.lab.world.names[0]
        good = x_matrix_header(us, them, "GET", URI)
        assert "Missing" in refused(await ask(stranger, None))
        assert "Malformed" in refused(await ask(stranger, "X-Matrix origin=x"), 400)
        assert "Malformed" in refused(await ask(stranger, "Bearer abc"), 400)
        assert "Destination" in refused(await ask(stranger, x_matrix_header(us, "other.example", "GET", URI)))
        assert "Invalid signature" in refused(await ask(stranger, good, URI + "&limit=9"))
        assert "Invalid signature" in refused(await ask(stranger, x_matrix_header(us, them, "POST", URI)))
        stranger_there = Identity(parse_server_name("stranger.example"), us.key)
        assert "any key" in refused(await ask(stranger, x_matrix_header(stranger_there, them, "GET", URI)))
        impostor = Identity(us.server_name, SigningKey(us.key.key_id, bytes(32)))
        assert "Invalid signature" in refused(await ask(stranger, x_matrix_header(impostor, them, "GET", URI)))
        other_id = Identity(us.server_name, SigningKey("ed25519:other", us.key.seed))
        assert "any key" in refused(await ask(stranger, x_matrix_header(other_id, them, "GET", URI)))
        assert (await ask(stranger, good)).status == 200


async def test_without_our_key_served_nothing_is_believed_and_with_it_again(lab: LabMaker) -> None:
    async with lab(servers=5) as stranger:
        header = x_matrix_header(stranger.lab.identity, stranger.lab.world.names[0], "GET", URI)
        assert "any key" in refused(await ask(stranger, header))
        async with crawler_key_served(stranger.lab):
            await trio.sleep(FETCH_AGAIN_AFTER_S)  # a failed fetch is remembered for that long
            assert (await ask(stranger, header)).status == 200


async def test_a_key_served_under_another_name_is_not_believed(lab: LabMaker) -> None:
    async with lab(servers=5) as stranger:
        us = stranger.lab.identity
        header = x_matrix_header(us, stranger.lab.world.names[0], "GET", URI)
        liar = dataclasses.replace(stranger.lab, identity=Identity(parse_server_name("other.test"), us.key))
        async with crawler_key_served(liar):
            assert "any key" in refused(await ask(stranger, header))


async def test_a_server_that_cannot_get_our_key_says_so_to_the_best_signature(lab: LabMaker) -> None:
    async with lab() as stranger, crawler_key_served(stranger.lab):
        world = stranger.lab.world
        index = next(p.index for p in world.plans() if p.quirk is Quirk.SIGNATURE_REFUSED and p.alive)
        header = x_matrix_header(stranger.lab.identity, world.names[index], "GET", URI)
        assert "any key" in refused(await ask(stranger, header, index=index))
