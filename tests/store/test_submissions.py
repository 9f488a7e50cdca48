"""Names that visitors submitted: into the inbox, into the census file, to the crawl that begins, and gone."""

from pathlib import Path

from crawler.model.names import parse_server_name
from crawler.store.connection import connect_to_write, transaction
from crawler.store.drain import drain
from crawler.store.inbox import append
from crawler.store.submissions import SUBMIT, drop_submitted, read_submitted, submit
from crawler.store.writer import CensusWriter
from tests.store.observations import DAY


def test_a_name_waits_once_in_the_order_of_coming_and_nonsense_is_dropped(tmp_path: Path) -> None:
    census = tmp_path / "census.duckdb"
    CensusWriter.open(census).close()
    submit(census, parse_server_name("B.example"), now=lambda: DAY)
    submit(census, parse_server_name("a.example:8448"))
    submit(census, parse_server_name("b.example"))
    for nonsense in ({"server_name": "bad..name"}, {"server_name": 7}, {}, {"server_name": None}):
        append(census, SUBMIT, nonsense)
    append(census, "other", {"server_name": "not-for-us.example"})
    assert drain(census).kept == 8
    with CensusWriter.open(census) as writer:
        waiting = writer.submitted()
        assert [name.raw for name in waiting.names] == ["B.example", "a.example:8448"]
        assert len(waiting.digests) == 7
        writer.drop_submitted(waiting)
        assert writer.submitted().names == ()
    connection = connect_to_write(census)
    try:
        kinds = connection.execute("SELECT kind FROM inbox_entry").fetchall()
        with transaction(connection, census):
            drop_submitted(connection, ["no such entry"])
        assert read_submitted(connection).digests == ()
    finally:
        connection.close()
    assert kinds == [("other",)]
