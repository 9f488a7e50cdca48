"""The data dictionary says what the schema says, and the queries on its page work."""

import re
from pathlib import Path

import duckdb
import pytest

from crawler.resources import shipped
from crawler.store.dictionary import dictionary, with_dictionary
from crawler.store.migrations import migrations
from tests.store.census import crawl, publish
from tests.store.observations import online

PAGE = shipped("README.md")


def test_the_page_is_up_to_date() -> None:
    page = PAGE.read_text("utf-8")
    assert with_dictionary(page) == page, "run: python -m crawler.store.dictionary"


def test_every_comment_of_the_schema_is_on_the_page_in_the_same_words() -> None:
    """Read from the SQL files by other means than the generator's."""
    page = PAGE.read_text("utf-8")
    sql = [step.sql for step in migrations()] + [shipped("schema", "serving.sql").read_text("utf-8")]
    comments = re.findall(r"^COMMENT ON COLUMN (\w+)\.(\w+) IS '((?:[^']|'')*)';$", "\n".join(sql), re.MULTILINE)
    # A later step may say anew what a column means.
    said = [(*column, comment) for column, comment in {(table, name): text for table, name, text in comments}.items()]
    assert len(said) > 150
    sections = dict(re.findall(r"^### `(\w+)`.*?\n(.*?)(?=^### |\Z)", page, re.MULTILINE | re.DOTALL))
    for table, column, comment in said:
        lines = [line for line in sections[table].splitlines() if line.startswith(f"| `{column}` |")]
        assert len(lines) == 1, (table, column)
        assert lines[0].endswith(f"| {comment.replace(chr(39) * 2, chr(39))} |"), (table, column)
    assert sum(page.count(f"\n| `{column}` |") for column in {column for _, column, _ in said}) == len(said)


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="no marks"):
        with_dictionary("# Nothing")
    assert dictionary().startswith("### `schema_migration`")


def test_the_queries_on_the_page_work(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    crawl(path, [online("a.test"), online("b.test", software="Dendrite")])
    (block,) = re.findall(r"```sql\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    queries = [query for query in re.sub(r"--.*", "", block).split(";") if query.strip()]
    assert len(queries) == 3
    with duckdb.connect(str(publish(path)), read_only=True) as connection:
        answers = [connection.execute(query).fetchall() for query in queries]
    assert answers[0][0][0].startswith("census-000001-")
    assert answers[1][0][0] == 1
    assert sorted(answers[2]) == [("dendrite", 1), ("synapse", 1)]
