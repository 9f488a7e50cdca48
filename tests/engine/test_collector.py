"""How often a crawl looks for cyclic garbage: more rarely while it runs, as before afterwards."""

import gc

from crawler.engine.collector import EVERY_OBJECTS, rare_collections


def test_the_collector_is_as_it_was_after_the_crawl() -> None:
    before = gc.get_threshold(), gc.get_freeze_count()
    with rare_collections():
        assert gc.get_threshold()[0] == EVERY_OBJECTS
        assert gc.get_freeze_count() > before[1]
    assert (gc.get_threshold(), gc.get_freeze_count()) == before
