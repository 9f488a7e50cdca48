"""Rooms of third-party networks: portals that a bridge made, in lists of their own beside a server's directory.

A directory gives them only to who asks for all networks (client-server API, "POST /publicRooms",
`include_all_networks`). Their aliases carry the fingerprints that bridges are known by.
"""

from crawler.lab.dice import dice, digest
from crawler.lab.room import Room

_LOCALPARTS = {
    "irc": ("_oftc_#{word}", "irc_#{word}", "_snoonet_#{word}"),
    "discord": ("_discord_{guild}_{channel}",),
    "slack": ("slack_{word}_{channel}",),
    "telegram": ("telegram_{word}",),
    "xmpp": ("_bifrost_xmpp_conference.{word}.example_{word}",),
}
_WORDS = ("linux", "python", "music", "retro", "amiga", "packet", "solar", "bsd", "fonts", "chess")
FIRST_SERIAL = 1_000_000
"""Portals are counted from here, apart from the rooms that people made."""


def portals(seed: int, index: int, name: str) -> tuple[tuple[str, Room], ...]:
    """(network, room) of the lists of a server that has a bridge."""
    draw = dice(seed, "portals", index)
    network = draw.choice(list(_LOCALPARTS))
    found: dict[str, tuple[str, Room]] = {}
    for k in range(draw.randrange(3, 13)):
        localpart = draw.choice(_LOCALPARTS[network]).format(
            word=f"{draw.choice(_WORDS)}{k}", guild=10**17 + draw.randrange(10**17), channel=10**17 + k
        )
        room = Room(
            origin=index,
            serial=FIRST_SERIAL + k,
            room_id=f"!{digest(seed, 'portal', index, k, size=9).hex()}:{name}",
            alias=f"#{localpart}:{name}",
            name=f"{localpart.strip('_')} ({network.capitalize()})",
            topic=f"Bridged to {network}",
            members=draw.randrange(2, 30),
            room_type=None,
            join_rule="public",
            world_readable=draw.random() < 0.2,
            guest_can_join=False,
            is_published=False,
            is_federated=True,
            hides_from_federation=False,
            is_noindex=False,
        )
        found[room.room_id] = (network, room)
    return tuple(found.values())
