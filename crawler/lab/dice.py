"""Randomness by path: every fact of the world has a generator of its own, named by what it is about.

A single stream of random numbers would change every later server when one draw is added anywhere, and would make it
impossible to ask for server 12,345 alone.
"""

import hashlib
import random


def dice(seed: int, *path: str | int) -> random.Random:
    """The generator of one fact, for example `dice(seed, "server", 17)`; the same on every machine and Python."""
    return random.Random(int.from_bytes(digest(seed, *path, size=16)))  # noqa: S311 - a practice world, no secret


def digest(seed: int, *path: str | int, size: int = 32) -> bytes:
    """`size` bytes that depend on the path alone: for identifiers and for keys that must be the same every day."""
    text = "\x1f".join(str(part) for part in (seed, *path))
    return hashlib.blake2b(text.encode(), digest_size=size).digest()


def share(seed: int, *path: str | int) -> float:
    """A number in [0, 1) that depends on the path alone: cheaper than a generator for one yes or no."""
    return int.from_bytes(digest(seed, *path, size=7)) / (1 << 56)
