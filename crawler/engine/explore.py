"""Spaces, asked of the servers in them: signed, one room after the other, over one connection."""

from functools import partial

from crawler.engine.patience import patiently
from crawler.engine.task import Explore, Explored
from crawler.errors import ProtocolError
from crawler.model.discovery import Endpoint
from crawler.model.observation import Attempt, Ok
from crawler.model.rooms import SpaceAnswer
from crawler.net.fetch import Answer
from crawler.net.session import Session
from crawler.net.transport import Connection
from crawler.protocol.hierarchy import hierarchy_uri, parse_hierarchy
from crawler.protocol.signing import Identity, x_matrix_header

NOT_SPOKEN = frozenset({401, 403, 405})
"""Statuses of a server that does not, or not to us, answer this question: it is asked no more. (404 is of rooms.)"""


async def explore(session: Session, identity: Identity, task: Explore) -> Explored:
    """Ask about each room of the task in turn, until one goes without an HTTP answer or is refused as a question."""
    answers: list[SpaceAnswer] = []
    resolution = await session.resolve()
    for endpoint in resolution.endpoints:
        connection = session.connection(endpoint)
        await connection.connect()
        if not isinstance(connection.tls, Ok):
            continue
        for room_id in task.rooms:
            ask = partial(_ask, session, connection, endpoint, identity, task.destination, room_id)
            attempt = await patiently(session, ask)
            if not isinstance(attempt, Ok) or attempt.value.status in NOT_SPOKEN:
                break
            if attempt.value.status == 200:
                try:
                    answers.append(parse_hierarchy(attempt.value.body, room_id))
                except ProtocolError:
                    continue
        break
    return Explored(task, tuple(answers))


async def _ask(
    session: Session, connection: Connection, endpoint: Endpoint, identity: Identity, destination: str, room_id: str
) -> Attempt[Answer]:
    uri = hierarchy_uri(room_id)
    return await session.request(
        connection,
        uri,
        host_header=endpoint.host_header,
        headers=(("Authorization", x_matrix_header(identity, destination, "GET", uri)),),
        body_limit_bytes=session.limits.directory_page_bytes,
    )
