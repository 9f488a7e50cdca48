"""What servers serve beside the census: robots.txt, contacts, login, spaces, lists of other networks; and tarpits."""

import json
from dataclasses import replace
from urllib.parse import quote

import pytest
import trio

from crawler.lab.deaths import Death
from crawler.lab.network import Role
from crawler.lab.profile import SHOWCASE
from crawler.lab.robots import ROBOTS_TEXT, Robots
from crawler.lab.spaces import SPACE
from crawler.protocol.signing import x_matrix_header
from tests.lab.conftest import LabMaker, crawler_key_served
from tests.lab.peer import Page, Stranger

TARPITS = replace(SHOWCASE, tarpits=0.1)


async def signed(stranger: Stranger, index: int, uri: str) -> Page:
    header = x_matrix_header(stranger.lab.identity, stranger.lab.world.names[index], "GET", uri)
    return await stranger.federation(index, uri, Authorization=header)


async def test_documents_are_those_of_the_truth(lab: LabMaker) -> None:
    async with lab(servers=250) as stranger:
        world = stranger.lab.world
        seen: set[str] = set()
        for plan in world.plans():
            presence, published = world.presence(plan.index), world.published(plan.index)
            fronts = [r for _, h, r in presence.routes if h == presence.own_host and Role.WELL_KNOWN in r.role]
            if not plan.alive or presence.client_base is None or not fronts:
                continue
            for base, path, document in (
                (f"https://{presence.own_host}", "/.well-known/matrix/support", published.support),
                (f"https://{presence.own_host}", "/.well-known/matrix/policy_server", published.policy_server),
                (presence.client_base, "/_matrix/client/v3/login", published.login),
                (presence.client_base, "/_matrix/client/v1/auth_metadata", published.auth_metadata),
            ):
                page = await stranger.get_url(base + path)
                assert page.status == (404 if document is None else 200)
                if document is not None:
                    seen.add(path)
                    assert page.json() == json.loads(json.dumps(document))
            robots = await stranger.get_url(f"{presence.client_base}/robots.txt")
            assert robots.status == (404 if plan.robots is Robots.ABSENT else 200)
            if plan.robots is not Robots.ABSENT:
                assert robots.body == ROBOTS_TEXT[plan.robots]
        assert len(seen) == 4


async def test_a_space_tells_of_its_children_what_its_server_knows(lab: LabMaker) -> None:
    async with lab(servers=60) as stranger, crawler_key_served(stranger.lab):
        world = stranger.lab.world
        room = world.rooms.room(0, 1)
        assert room.room_type == SPACE
        uri = f"/_matrix/federation/v1/hierarchy/{quote(room.room_id, safe='')}?suggested_only=false"
        assert (await stranger.federation(0, uri)).status == 401
        told = (await signed(stranger, 0, uri)).json()
        assert set(told) == {"room", "children", "inaccessible_children"}
        assert told["room"]["room_id"] == room.room_id
        states = {state["state_key"]: state for state in told["room"]["children_state"]}
        children = {child.room_id: child for child in world.spaces.children(0, 1)}
        assert set(states) == set(children)
        for room_id, child in children.items():
            assert states[room_id]["content"].get("via", []) == [world.names[k] for k in child.via]
        assert len(told["children"]) <= 50
        assert {summary["room_id"] for summary in told["children"]} <= set(children)
        unlisted = [c.room for c in children.values() if c.room is not None and not c.room.is_published]
        assert unlisted
        other = f"/_matrix/federation/v1/hierarchy/{quote('!nowhere:example.test', safe='')}"
        assert (await signed(stranger, 0, other)).status == 404
        plain = next(c.room for c in children.values() if c.room is not None and c.room.room_type != SPACE)
        uri = f"/_matrix/federation/v1/hierarchy/{quote(plain.room_id, safe='')}"
        assert (await signed(stranger, plain.origin, uri)).json()["room"]["children_state"] == []


async def test_lists_of_other_networks_are_for_who_asks_for_them(lab: LabMaker) -> None:
    async with lab(servers=60) as stranger, crawler_key_served(stranger.lab):
        base = stranger.lab.world.presence(0).client_base
        portals = {room.room_id for _, room in stranger.lab.world.portals(0)}
        assert portals

        async def listed(all_networks: str) -> set[str]:
            found: set[str] = set()
            since = ""
            while True:
                page = await signed(
                    stranger,
                    0,
                    f"/_matrix/federation/v1/publicRooms?limit=100&include_all_networks={all_networks}{since}",
                )
                found |= {entry["room_id"] for entry in page.json()["chunk"]}
                if "next_batch" not in page.json():
                    return found
                since = f"&since={quote(page.json()['next_batch'], safe='')}"

        assert await listed("true") - await listed("false") == portals
        alias = next(room.alias for _, room in stranger.lab.world.portals(0))
        assert alias is not None
        page = await stranger.get_url(f"{base}/_matrix/client/v3/directory/room/{quote(alias, safe='')}")
        assert page.json()["room_id"] in portals


@pytest.mark.parametrize("death", [Death.STALLS, Death.NEVER_ANSWERS, Death.DRIPS])
async def test_a_tarpit_holds_up_and_costs_us_only_what_we_wait(lab: LabMaker, death: Death) -> None:
    async with lab(servers=200, profile=TARPITS) as stranger:
        world = stranger.lab.world
        plan = next(p for p in world.plans() if p.death is death)
        at = world.presence(plan.index).targets[0]
        with trio.move_on_after(2) as waited:
            if death is Death.STALLS:
                tcp = await stranger.dial(at.address, at.port)
                async with tcp:
                    await tcp.send_all(b"\x16\x03\x01")
                    await tcp.receive_some(10)
            else:
                await stranger.get(at.address, at.port, at.host_header, at.tls_name, "/_matrix/federation/v1/version")
        assert waited.cancelled_caught


async def test_an_endless_directory_never_repeats_and_never_ends(lab: LabMaker) -> None:
    async with lab(servers=200, profile=TARPITS) as stranger, crawler_key_served(stranger.lab):
        plan = next(p for p in stranger.lab.world.plans() if p.is_endless)
        seen: set[str] = set()
        since = ""
        for n in range(1, 30):
            uri = f"/_matrix/federation/v1/publicRooms?limit=100&include_all_networks=false{since}"
            page = (await signed(stranger, plan.index, uri)).json()
            seen |= {entry["room_id"] for entry in page["chunk"]}
            assert len(seen) == 20 * n
            since = f"&since={page['next_batch']}"


async def test_a_farm_answers_for_any_name_that_its_owner_thinks_of(lab: LabMaker) -> None:
    async with lab(servers=100, profile=replace(SHOWCASE, farmed=0.1)) as stranger:
        world = stranger.lab.world
        plan = next(p for p in world.plans() if p.farm is not None)
        domain = world.names[plan.index].partition(".")[2]
        assert await stranger.addresses(f"never-heard-of.{domain}") == await stranger.addresses(world.names[plan.index])
        assert "server" in (await stranger.federation(plan.index, "/_matrix/federation/v1/version")).json()
