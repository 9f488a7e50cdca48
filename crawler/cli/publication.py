"""From a census file to its serving file, with what the roof adds to it; what waits in the inbox is taken in before.

Apart from `crawl`, because every verb that changes what readers may see ends here.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from crawler.errors import CensusError
from crawler.model.crawl import CrawlState
from crawler.store.connection import without_pandas
from crawler.store.crawls import crawl_rows
from crawler.store.draft import Draft
from crawler.store.drain import drain
from crawler.store.publish import stage
from crawler.store.rewrite import COMPACTED_EVERY, compact
from crawler.store.serving import drop_older, unpublish

OnSealed = Callable[[Draft], None]
"""A step that adds tables to the draft of a serving file before it is swapped in; handed down by the roof."""


def take_in(db: Path, on_sealed: Sequence[OnSealed]) -> None:
    """Take in what waits in the inbox; what was forgotten by it leaves the serving files at once."""
    with without_pandas():
        drained = drain(db)
    if drained.forgotten:
        publish_alone(db, on_sealed)


def publish_alone(db: Path, on_sealed: Sequence[OnSealed]) -> tuple[Path | None, int]:
    """Publish anew, and remove every older serving file: they hold what was forgotten.

    Returns:
        The new one, None when there is no completed crawl; and how many were removed.
    """
    completed = any(crawl.state is CrawlState.COMPLETED for crawl in crawl_rows(db))
    try:
        published = publish(db, on_sealed) if completed else None
    except BaseException:
        # Whatever hinders a new serving file must not leave the old ones up.
        unpublish(db)
        raise
    return published, drop_older(db) if published else unpublish(db)


def publish(db: Path, on_sealed: Sequence[OnSealed]) -> Path:
    """Publish the newest sealed crawls, with what the steps add."""
    draft = stage(db)
    try:
        for step in on_sealed:
            step(draft)
        return draft.commit()
    except BaseException:
        draft.discard()
        raise


def compact_in_turn(db: Path) -> None:
    """Compact the census file after every thirtieth completed crawl, once that is published. What hinders it (there may
    be no room for a second copy of the file) is said, and is no fault of the crawl's."""
    try:
        completed = sum(each.state is CrawlState.COMPLETED for each in crawl_rows(db))
        if completed % COMPACTED_EVERY == 0:
            compact(db)
    except CensusError as error:
        click.echo(f"The census file was not compacted: {error}", err=True)
