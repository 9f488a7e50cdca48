"""What `bench store` asks of what it made: of a serving file, and the same of the full daily copies.

Apart from the making and from the world that is made up.
"""

import statistics
import time
from contextlib import closing
from pathlib import Path

from crawler.store.connection import Connection, connect_to_read

_ASKED = 5
"""Times that a question is asked; the median counts."""


def answers(file: Path, questions: dict[str, tuple[str, ...]], asked: dict[str, str]) -> dict[str, float]:
    """Milliseconds that each question takes, as slow as the slowest of its statements."""
    found = {}
    with closing(connect_to_read(file)) as connection:
        for name, statements in questions.items():
            found[name] = max(_asked_ms(connection, statement, asked) for statement in statements)
    return found


def _asked_ms(connection: Connection, statement: str, asked: dict[str, str]) -> float:
    values = {key: value for key, value in asked.items() if f"${key}" in statement}
    times = []
    for _ in range(_ASKED):
        began = time.perf_counter()
        connection.execute(statement, values).fetchall()
        times.append(time.perf_counter() - began)
    return round(statistics.median(times) * 1000, 1)


BUSIEST = """
SELECT
    (SELECT room_id FROM room_life GROUP BY room_id ORDER BY count(*) DESC, room_id LIMIT 1),
    (SELECT server_name FROM server_life GROUP BY server_name ORDER BY count(*) DESC, server_name LIMIT 1)
"""

QUESTIONS = {
    "online_series_ms": ("SELECT * FROM online_by_software",),
    "growth_ms": ("SELECT * FROM members_by_crawl",),
    "life_ms": (
        "SELECT * FROM room_life WHERE room_id = $room ORDER BY valid_from",
        "SELECT * FROM server_life WHERE server_name = $server ORDER BY valid_from",
    ),
}
FULL_QUESTIONS = {
    "online_series_ms": ("SELECT day, software, count(*) FROM server_day WHERE online GROUP BY ALL ORDER BY ALL",),
    "growth_ms": ("SELECT day, count(*), sum(members) FROM room_day GROUP BY day ORDER BY day",),
    "life_ms": (
        "SELECT * FROM room_day JOIN room_name USING (room) WHERE room_id = $room ORDER BY day",
        "SELECT * FROM server_day JOIN server_name USING (server_id) WHERE server_name = $server ORDER BY day",
    ),
}
