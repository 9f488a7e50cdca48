"""Who lives on the two test homeservers: users and rooms of every kind that a census must tell apart.

The rooms are data (`ALPHA`, `BETA`); what the servers say of them is read from their own APIs, never from here.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.synapse.client import Client
from tests.synapse.homeserver import Homeserver

SETTLED_S = 60.0
"""Directory counts come from statistics that Synapse brings up to date beside its other work."""


@dataclass(frozen=True, slots=True)
class Room:
    """A room to be made. `content` is what createRoom is sent besides name and version."""

    name: str
    version: str = "12"
    alias: str | None = None
    listed: bool = True
    topic: str | None = None
    content: Mapping[str, Any] = field(default_factory=dict)


def _state(event_type: str, **content: str) -> dict[str, Any]:
    return {"type": event_type, "state_key": "", "content": content}


HOSTILE_NAMES = (
    "<script>alert(document.domain)</script>",
    "\x1b[31mred\x1b[0m \x1b]0;title\x07",
    "\u202egnp.exe\u202c",
    "=cmd|' /C calc'!A0",
    "'; DROP TABLE room; --",
    "Zürich \N{SNOWMAN} 株式会社 \N{FAMILY}\u200d\N{ROCKET}",
    "line one\nline two\r\n\tthree",
    "a\u0301\u0323\u0360" * 40,
)

ALPHA: dict[str, Room] = {
    "lobby": Room("Lobby", "10", "lobby"),
    "modern": Room("Modern", "12", "modern", topic="A room whose ID names no server"),
    "space": Room("Everything", "12", "space", content={"creation_content": {"type": "m.space"}}),
    "behind_space": Room("Behind the space", "11", "behind", listed=False),
    "unfederated": Room("Ours alone", "11", "ours", content={"creation_content": {"m.federate": False}}),
    "private": Room("Private", "11", listed=False, content={"preset": "private_chat"}),
    "readable": Room(
        "Readable",
        "11",
        "readable",
        content={"initial_state": [_state("m.room.history_visibility", history_visibility="world_readable")]},
    ),
    "knock": Room("Knock", "10", "knock", content={"initial_state": [_state("m.room.join_rules", join_rule="knock")]}),
    "no_alias": Room("No alias", "12"),
    "opted_out": Room("Not to be found", "11", "optedout", topic="By invitation [.](MRS-noindex:true-MRS)"),
    **{
        f"hostile_{n}": Room(name, "11" if n % 2 else "12", f"hostile{n}", topic=name * 20 if n == 0 else None)
        for n, name in enumerate(HOSTILE_NAMES)
    },
    **{f"filler_{n}": Room(f"Filler {n}", "11") for n in range(4)},
}

SHARED = {"lobby": 4, "modern": 2, "harbour": 2}
"""Members of the rooms that both homeservers are in, once all joins have arrived everywhere."""

BETA: dict[str, Room] = {
    "harbour": Room("Harbour", "11", "harbour"),
    "workshop": Room("Workshop", "12", "workshop"),
    "beta_unfederated": Room("Beta alone", "11", "alone", content={"creation_content": {"m.federate": False}}),
}


@dataclass(frozen=True, slots=True)
class Population:
    """Room IDs by their keys in `ALPHA` and `BETA`, and a logged-in admin of each server to ask about them."""

    rooms: dict[str, str]
    alpha: Client
    beta: Client

    def close(self) -> None:
        self.alpha.close()
        self.beta.close()


def populate(alpha: Homeserver, beta: Homeserver) -> Population:
    """Make the users and rooms.

    Federated joins, both ways: users of beta are in alpha's `lobby` and `modern`, a user of alpha in beta's `harbour`.
    `lobby` is listed in both directories.
    """
    alice = Client.register(alpha, "alice", admin=True)
    carol = Client.register(beta, "carol", admin=True)
    population = Population({}, alice, carol)
    try:
        with Client.register(alpha, "bob") as bob, Client.register(beta, "dave") as dave:
            for client, rooms in ((alice, ALPHA), (carol, BETA)):
                for key, room in rooms.items():
                    population.rooms[key] = _make(client, room)
            for child in ("lobby", "modern", "behind_space"):
                content = {"via": [alpha.name], "suggested": child == "lobby"}
                alice.send_state(population.rooms["space"], "m.space.child", population.rooms[child], content)
            for key in ("lobby", "space", "unfederated"):
                bob.join(population.rooms[key])
            for client in (carol, dave):
                client.join(f"#lobby:{alpha.name}")
            carol.join(f"#modern:{alpha.name}")
            alice.join(f"#harbour:{beta.name}")
            carol.publish(population.rooms["lobby"])
        _wait_settled(population)
    except BaseException:
        population.close()
        raise
    return population


def _make(client: Client, room: Room) -> str:
    content: dict[str, Any] = {
        "preset": "public_chat",
        "visibility": "public" if room.listed else "private",
        "name": room.name,
        "room_version": room.version,
    }
    if room.alias is not None:
        content["room_alias_name"] = room.alias
    if room.topic is not None:
        content["topic"] = room.topic
    return client.create_room(**content | dict(room.content))


def _wait_settled(population: Population) -> None:
    """Wait until each directory lists what was published, with the member counts of the rooms themselves, and both
    homeservers agree on the rooms that they share."""
    give_up_at = time.monotonic() + SETTLED_S
    expected_beta = {population.rooms[key] for key, room in BETA.items() if room.listed} | {population.rooms["lobby"]}
    expected_alpha = {population.rooms[key] for key, room in ALPHA.items() if room.listed}
    shared = {population.rooms[key]: members for key, members in SHARED.items()}
    while True:
        wrong = [
            f"{client.server.name}: {problem}"
            for client, expected in ((population.alpha, expected_alpha), (population.beta, expected_beta))
            for problem in _unsettled(client, expected, shared)
        ]
        if not wrong:
            return
        if time.monotonic() > give_up_at:
            raise AssertionError("the homeservers did not settle: " + "; ".join(wrong))
        time.sleep(0.2)


def _unsettled(client: Client, expected: set[str], shared: Mapping[str, int]) -> list[str]:
    directory, rooms = client.directory(), client.all_rooms()
    problems = [f"{room_id} is not listed" for room_id in expected - directory.keys()]
    problems += [f"{room_id} is listed" for room_id in directory.keys() - expected]
    for room_id, members in shared.items():
        if rooms[room_id]["joined_members"] != members:
            problems.append(f"{room_id} has {rooms[room_id]['joined_members']} of {members} members")
    for room_id in expected & directory.keys():
        listed, joined = directory[room_id]["num_joined_members"], rooms[room_id]["joined_members"]
        if listed != joined:
            problems.append(f"{room_id} lists {listed} of {joined} members")
    return problems
