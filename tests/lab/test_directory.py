"""Directories, read by a stranger who signs as the specification says: whole, in every dialect, and refused as told."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from crawler.lab.directory import Directories
from crawler.lab.network import Role
from crawler.lab.oddities import Quirk
from crawler.lab.plan import ServerPlan
from crawler.lab.room import HIDDEN_FROM
from crawler.lab.software import Dialect, Door
from crawler.lab.world import World
from crawler.model.rooms import DirectoryWay
from crawler.protocol.signing import x_matrix_header
from tests.lab.conftest import LabMaker, crawler_key_served
from tests.lab.peer import Page, Stranger

Ask = Callable[[dict[str, str]], Awaitable[Page]]


def signed_asker(stranger: Stranger, index: int) -> Ask:
    async def ask(query: dict[str, str]) -> Page:
        uri = f"/_matrix/federation/v1/publicRooms?{urlencode(query)}"
        header = x_matrix_header(stranger.lab.identity, stranger.lab.world.names[index], "GET", uri)
        return await stranger.federation(index, uri, Authorization=header)

    return ask


def client_asker(stranger: Stranger, index: int) -> Ask:
    base = stranger.lab.world.presence(index).client_base
    assert base is not None

    async def ask(query: dict[str, str]) -> Page:
        return await stranger.get_url(f"{base}/_matrix/client/v3/publicRooms?{urlencode(query)}")

    return ask


async def pages(ask: Ask, limit: int) -> list[dict[str, Any]]:
    """All pages of a directory."""
    found: list[dict[str, Any]] = []
    query = {"limit": str(limit), "include_all_networks": "false"}
    for _ in range(200):
        page = await ask(query)
        assert page.status == 200, page.body
        found.append(page.json())
        if "next_batch" not in found[-1]:
            return found
        query["since"] = found[-1]["next_batch"]
    raise AssertionError("it never ends")


def rooms_of(read: list[dict[str, Any]]) -> dict[str, int]:
    """room ID -> members; every room once."""
    entries = [entry for page in read for entry in page["chunk"]]
    found = {entry["room_id"]: entry["num_joined_members"] for entry in entries}
    assert len(found) == len(entries)
    return found


def expected(world: World, index: int, way: DirectoryWay) -> dict[str, int]:
    rows = Directories(world).rows(index, way)
    return {row.room.room_id: row.members for row in rows if not row.is_filtered}


def plans_with(world: World, federation: Door, dialect: Dialect) -> list[ServerPlan]:
    found = [
        plan
        for plan in world.plans()
        if plan.alive
        and plan.policy.federation is federation
        and plan.release.dialect is dialect
        and plan.quirk is None
    ]
    assert found
    return found


@pytest.mark.parametrize("dialect", [Dialect.SYNAPSE, Dialect.DENDRITE, Dialect.CONDUIT, Dialect.ROCKET_CHAT])
async def test_a_directory_is_read_whole_in_every_dialect(lab: LabMaker, dialect: Dialect) -> None:
    async with lab(servers=250) as stranger, crawler_key_served(stranger.lab):
        world = stranger.lab.world
        for plan in plans_with(world, Door.OPEN, dialect)[:4]:
            for limit in (7, 100) if world.rooms.count(plan.index) < 150 else (60, 1000):
                read = await pages(signed_asker(stranger, plan.index), limit)
                assert rooms_of(read) == expected(world, plan.index, DirectoryWay.FEDERATION)
                if dialect is Dialect.SYNAPSE:
                    assert all(len(page["chunk"]) <= min(limit, 100) for page in read)
                if dialect is Dialect.ROCKET_CHAT:
                    assert len(read) == 1
                if dialect is Dialect.DENDRITE:
                    assert not any("room_type" in entry for page in read for entry in page["chunk"])


async def test_access_lists_make_pages_short_and_one_empty(lab: LabMaker) -> None:
    async with lab() as stranger, crawler_key_served(stranger.lab):
        read = await pages(signed_asker(stranger, 1), 100)
        lengths = [len(page["chunk"]) for page in read]
        assert 0 in lengths[:-1]
        unsigned = await pages(client_asker(stranger, 1), 100)
        hidden = set(rooms_of(unsigned)) - set(rooms_of(read))
        assert len(hidden) > 100
        assert stranger.lab.world.rooms.count(1) > HIDDEN_FROM + 100


async def test_the_client_door_opens_without_a_signature(lab: LabMaker) -> None:
    async with lab() as stranger:
        world = stranger.lab.world
        for plan in world.plans():
            if plan.alive and plan.publishes_client:
                page = await client_asker(stranger, plan.index)({"limit": "10"})
                status = {Door.OPEN: 200, Door.WANTS_TOKEN: 401, Door.ABSENT: 404}[plan.policy.client]
                assert page.status == status
                if status == 401:
                    assert page.json()["errcode"] == "M_MISSING_TOKEN"
        assert rooms_of(await pages(client_asker(stranger, 0), 100)) == expected(world, 0, DirectoryWay.CLIENT)


async def test_closed_empty_and_absent_directories(lab: LabMaker) -> None:
    async with lab(servers=250) as stranger, crawler_key_served(stranger.lab):
        world = stranger.lab.world
        for door, dialect in ((Door.DENIED, Dialect.SYNAPSE), (Door.DENIED, Dialect.CONDUIT)):
            page = await signed_asker(stranger, plans_with(world, door, dialect)[0].index)({})
            assert (page.status, page.json()["errcode"]) == (403, "M_FORBIDDEN")
        page = await signed_asker(stranger, plans_with(world, Door.EMPTY, Dialect.SYNAPSE)[0].index)({})
        assert (page.status, page.json()) == (200, {"chunk": [], "total_room_count_estimate": 0})
        page = await signed_asker(stranger, plans_with(world, Door.ABSENT, Dialect.NO_DIRECTORY)[0].index)({})
        assert (page.status, page.json()["errcode"]) == (404, "M_UNRECOGNIZED")


async def test_bad_parameters_are_answered_as_each_implementation_does(lab: LabMaker) -> None:
    async with lab(servers=250) as stranger, crawler_key_served(stranger.lab):
        world = stranger.lab.world
        cases: list[tuple[Dialect, dict[str, str], int, str]] = [
            (Dialect.SYNAPSE, {"since": "garbage!"}, 500, "M_UNKNOWN"),
            (Dialect.SYNAPSE, {"limit": "-1"}, 400, "M_INVALID_PARAM"),
            (Dialect.SYNAPSE, {"limit": "x"}, 400, "M_INVALID_PARAM"),
            (Dialect.DENDRITE, {"since": "garbage"}, 500, "M_UNKNOWN"),
            (Dialect.CONDUIT, {"since": "garbage"}, 400, "M_INVALID_PARAM"),
            (Dialect.ROCKET_CHAT, {"limit": "10"}, 400, "M_UNKNOWN"),
        ]
        for dialect, query, status, errcode in cases:
            page = await signed_asker(stranger, plans_with(world, Door.OPEN, dialect)[0].index)(query)
            assert (page.status, page.json()["errcode"]) == (status, errcode)


async def test_a_rate_limit_is_lifted_after_one_refusal(lab: LabMaker) -> None:
    async with lab() as stranger, crawler_key_served(stranger.lab):
        index = next(p.index for p in stranger.lab.world.plans() if p.quirk is Quirk.RATE_LIMITED_ONCE and p.alive)
        ask = signed_asker(stranger, index)
        first, second = await ask({}), await ask({})
        assert (first.status, first.headers["retry-after"], first.json()["retry_after_ms"]) == (429, "1", 800)
        assert second.status == 200


async def test_alias_answers_name_who_is_in_the_room(lab: LabMaker) -> None:
    async with lab() as stranger:
        world = stranger.lab.world
        asked = 0
        for origin in (0, 1, 2):
            base = world.presence(origin).client_base
            for serial in range(world.rooms.count(origin)):
                room = world.rooms.room(origin, serial)
                if room.alias is None or (serial > 30 and room.alias.isascii()):
                    continue
                page = await stranger.get_url(f"{base}/_matrix/client/v3/directory/room/{quote(room.alias, safe='')}")
                said = page.json()
                assert said["room_id"] == room.room_id
                names = {world.names[member] for member in world.rooms.participants(origin, serial)}
                assert names <= set(said["servers"])
                assert (set(said["servers"]) - names == set()) or origin == 0
                assert said["servers"][0] == world.names[origin]
                asked += 1
        assert asked > 60


@pytest.mark.parametrize(
    ("alias", "status", "errcode"),
    [
        ("#no-such-room-3:{own}", 404, "M_NOT_FOUND"),
        ("#x:nowhere.invalid", 502, "M_UNKNOWN"),
        ("no-alias", 400, "M_INVALID_PARAM"),
        ("#:{own}", 400, "M_INVALID_PARAM"),
    ],
)
async def test_aliases_that_are_none(lab: LabMaker, alias: str, status: int, errcode: str) -> None:
    async with lab(servers=5) as stranger:
        own, base = stranger.lab.world.names[0], stranger.lab.world.presence(0).client_base
        spelled = quote(alias.format(own=own), safe="")
        page = await stranger.get_url(f"{base}/_matrix/client/v3/directory/room/{spelled}")
        assert (page.status, page.json()["errcode"]) == (status, errcode)


async def test_published_client_bases_lead_to_a_client_api(lab: LabMaker) -> None:
    async with lab() as stranger:
        world = stranger.lab.world
        asked = 0
        for plan in world.plans():
            presence = world.presence(plan.index)
            fronts = [r for _, h, r in presence.routes if h == presence.own_host and Role.WELL_KNOWN in r.role]
            if not plan.alive or not fronts or presence.client_base is None:
                continue
            page = await stranger.get_url(f"https://{presence.own_host}/.well-known/matrix/client")
            assert page.json()["m.homeserver"] == {"base_url": presence.client_base}
            page = await stranger.get_url(f"{presence.client_base}/_matrix/client/versions")
            assert "v1.1" in page.json()["versions"]
            assert all(isinstance(value, bool) for value in page.json()["unstable_features"].values())
            asked += 1
        assert asked > 30
