"""robots.txt of the practice servers (RFC 9309), and whether one of them means us.

Nobody has standardised what a homeserver's robots.txt says of the federation; operators write what they know from the
web, and a crawl that asks for it meets all of these.
"""

from enum import StrEnum

TOKEN = "matrix-census"  # noqa: S105 - the product token by which robots.txt addresses us
_DIRECTORY_PATHS = ("/_matrix/federation/v1/publicRooms", "/_matrix/client/v3/publicRooms")


class Robots(StrEnum):
    """What a robots.txt says; each server answers the same at all its hosts."""

    ABSENT = "absent"
    """404, as Synapse answers."""
    ALLOWS = "allows"
    """Everything to everybody."""
    DISALLOWS_OTHERS = "disallows_others"
    """Everything to some other robot, to everybody a path that is none of ours."""
    DISALLOWS_EVERYBODY = "disallows_everybody"
    """Everything to `*`; we are not named."""
    ALLOWS_US_ALONE = "allows_us_alone"
    """Everything to `*`, but a group that names us allows us in: the more specific group counts (RFC 9309, 2.2.1)."""
    DISALLOWS_US = "disallows_us"
    """Everything to us, by name."""
    DISALLOWS_US_THE_DIRECTORY = "disallows_us_the_directory"
    """To us, by name, the room directory, and nothing else."""
    PAGE = "page"
    """200 and a web page: no rule in it."""

    @property
    def names_us(self) -> bool:
        """Whether the directory must not be asked for: we are named and refused."""
        return self in (Robots.DISALLOWS_US, Robots.DISALLOWS_US_THE_DIRECTORY)


_US_DIRECTORY_LINES = "".join(f"Disallow: {path}\n" for path in _DIRECTORY_PATHS)

ROBOTS_TEXT: dict[Robots, bytes] = {
    robots: text.encode()
    for robots, text in {
        Robots.ALLOWS: "User-agent: *\nDisallow:\n",
        Robots.DISALLOWS_OTHERS: f"User-agent: big-bad-bot\nDisallow: /\n\nUser-agent: {TOKEN}-archive\nDisallow: /\n\n"
        "User-agent: *\nDisallow: /account/\n",
        Robots.DISALLOWS_EVERYBODY: "# no robots\nUser-agent: *\nDisallow: /\n",
        Robots.ALLOWS_US_ALONE: f"User-agent: *\nDisallow: /\n\nUser-agent: {TOKEN}\nAllow: /\n",
        # Written as people write it: CRLF, another letter case, a comment, several agents to one group.
        Robots.DISALLOWS_US: f"User-Agent: room-spider\r\nUSER-AGENT: {TOKEN.title()} # not here\r\nDisallow: /\r\n",
        Robots.DISALLOWS_US_THE_DIRECTORY: f"User-agent: *\nDisallow:\n\nUser-agent: {TOKEN}\n{_US_DIRECTORY_LINES}",
        Robots.PAGE: "<!doctype html><html><body><h1>Welcome</h1></body></html>",
    }.items()
}
"""The bytes of each, but for ABSENT."""
