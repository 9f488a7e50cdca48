"""Whether a server's robots.txt lets us read its room directory (RFC 9309), and what we make of it.

A group that names us (`User-agent: matrix-census`) is from somebody who knows who we are: it is obeyed. A group for
everybody is nearly always there to keep search engines out of web pages, and obeying those cost another census a
quarter of its servers: it is counted apart and not obeyed. A file that cannot be had because the server failed (a
status of the 500s, or no answer) closes the directory for this crawl, as the RFC wants; one that is not there allows
all.
"""

from collections.abc import Awaitable

from crawler.model.observation import Attempt, Ok
from crawler.model.schedule import Robots
from crawler.net.fetch import Answer
from crawler.protocol.federation import CLIENT_PUBLIC_ROOMS_PATH, PUBLIC_ROOMS_PATH, VERSION_URI
from crawler.protocol.robots import EVERYBODY, PRODUCT_TOKEN, may_fetch, names_token, robots_text

OBEYED = frozenset({Robots.DISALLOWS_US, Robots.DISALLOWS_US_ENTIRELY, Robots.UNREACHABLE})
"""What closes a directory to us."""


async def ask_robots(answer: Awaitable[Attempt[Answer]]) -> Robots:
    """What the robots.txt in `answer` says of our reading the directory, through whichever door."""
    attempt = await answer
    if not isinstance(attempt, Ok) or attempt.value.status >= 500:
        return Robots.UNREACHABLE
    if not 200 <= attempt.value.status < 300:
        return Robots.ALLOWS
    return judge_robots(robots_text(attempt.value.body))


def judge_robots(text: str) -> Robots:
    """What a robots.txt says of us."""
    is_named = names_token(text, PRODUCT_TOKEN)
    if is_named and not may_fetch(text, PRODUCT_TOKEN, VERSION_URI):
        return Robots.DISALLOWS_US_ENTIRELY
    doors = (PUBLIC_ROOMS_PATH, CLIENT_PUBLIC_ROOMS_PATH)
    if all(may_fetch(text, PRODUCT_TOKEN if is_named else EVERYBODY, door) for door in doors):
        return Robots.ALLOWS
    return Robots.DISALLOWS_US if is_named else Robots.DISALLOWS_ALL
