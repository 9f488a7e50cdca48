"""How often a crawling process looks for cyclic garbage.

A crawl makes some thousand small objects for each server, nearly all of which reference counting frees; looking through
them for cycles, every 700 of them as CPython does by default, was a tenth of the CPU time of a crawl (docs/bench.md).
What cycles there are (tracebacks of failed exchanges) are small, and wait a little longer.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

EVERY_OBJECTS = 10_000
"""Allocations, less deallocations, between two looks at the youngest generation."""
EVERY_YOUNG, EVERY_MIDDLE = 10, 10
"""Looks at one generation between two at the next older, as by default: more rarely costs memory and gains little."""


@contextmanager
def rare_collections() -> Iterator[None]:
    """Until the end of the block; what exists now (modules, above all) is not looked at at all."""
    was = gc.get_threshold()
    gc.set_threshold(EVERY_OBJECTS, EVERY_YOUNG, EVERY_MIDDLE)
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*was)
