"""Texts that are nearly the same: a MinHash sketch of each text's shingles, gathered by locality-sensitive hashing.

Apart, because it compares every text with every other. The similarity of two texts is that of Jaccard of their sets of
shingles (every run of five characters of the folded text); two are near duplicates where the estimate reaches the
threshold, and groups are what is joined by such pairs. Broder 1997; Indyk and Motwani 1998.

A sketch is the last byte of each minimum (b-bit minwise hashing, Li and Koenig 2010): 64 bytes, a function of the text
alone, so that it is computed once for each text and kept with its features; making it is nearly all of the cost. Which
texts are alike is a function of the sketches alone, so that it comes out the same whether they were kept or not.
"""

import re
import unicodedata
import zlib
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from analytics.amounts import IntArray

if TYPE_CHECKING:
    from datasketch import MinHash

SHINGLE = 5
BANDS = 8
"""Texts that agree in a band are compared: at a similarity of 0.8 three pairs in four are, at 0.9 99 in 100."""

PERMUTATIONS = 64
"""One byte of a sketch each: eight for each band."""

THRESHOLD = 0.8
SEED = 1
"""The permutations are drawn from it: the same texts, the same groups, in every census."""

TEXT_MIN = 20
"""Characters; shorter texts are alike by chance (Lobby, General)."""

TEXT_MAX = 1000
"""Characters compared: what differs only behind them is the same to a reader of a list."""

NEAREST = 32
"""Texts before it in a band that a text is compared with, besides the first of all: a wave of spam is a long row of
neighbours, and comparing all of them with all would be quadratic."""

_BY_CHANCE = 1 / 256
"""Bytes of different minima that are the same."""

_AGREE_MIN = PERMUTATIONS * (THRESHOLD * (1 - _BY_CHANCE) + _BY_CHANCE)

_SPACE = re.compile(r"\s+")


def folded(text: str) -> str:
    """The text as it is compared: compatibility forms, lower case, single spaces, digits made one."""
    plain = _SPACE.sub(" ", unicodedata.normalize("NFKC", text[: 4 * TEXT_MAX]).casefold()).strip()
    return re.sub(r"\d", "0", plain)[:TEXT_MAX]


def similarity(one: str, other: str) -> float:
    """Jaccard's similarity of two texts, exactly: 0 to 1; 0 where both are too short for a shingle."""
    first, second = shingles(folded(one)), shingles(folded(other))
    return len(first & second) / len(first | second) if first | second else 0.0


def shingles(text: str) -> set[str]:
    """Every run of `SHINGLE` characters."""
    return {text[i : i + SHINGLE] for i in range(len(text) - SHINGLE + 1)}


def sketch(text: str) -> list[int] | None:
    """The sketch of a text as `BANDS` numbers of 64 bits; None for one too short to be like another."""
    parts = shingles(folded(text)) if len(text) >= TEXT_MIN else set()
    if not parts:
        return None
    minima = _none_seen().copy()
    minima.update_batch([part.encode("utf-8", "surrogatepass") for part in parts])
    bands: list[int] = (minima.hashvalues & 0xFF).astype(np.uint8).view("<u8").tolist()
    return bands


@cache
def _none_seen() -> "MinHash":
    from datasketch import MinHash  # a second to import, and few commands need it

    # A checksum is hash enough for what the permutations then spread, and SHA-1 would cost most of the time.
    return MinHash(num_perm=PERMUTATIONS, seed=SEED, hashfunc=zlib.crc32)


def group_sizes(sketches: pl.Series) -> IntArray:
    """For each sketch, how many are in its group, itself included; 1 for one that is like no other, and where there is
    none."""
    sizes = np.ones(len(sketches), dtype=np.int64)
    there = sketches.is_not_null().to_numpy()
    if not there.any():
        return sizes
    bands = sketches.drop_nulls().explode().to_numpy().astype("<u8").reshape(-1, BANDS)
    distinct, of_text = np.unique(bands, axis=0, return_inverse=True)
    ends = list(_alike(np.ascontiguousarray(distinct)))
    one, other = (np.concatenate(side) for side in zip(*ends, strict=True))
    links = csr_array((np.ones(one.size, dtype=np.int8), (one, other)), shape=(len(distinct), len(distinct)))
    _, labels = connected_components(links, directed=False)
    group = labels[of_text.ravel()]
    sizes[there] = np.bincount(group)[group]
    return sizes


def _alike(distinct: npt.NDArray[np.uint64]) -> Iterator[tuple[IntArray, IntArray]]:
    """Pairs of sketches that are near duplicates, as their numbers; all that a group needs to hang together."""
    minima = distinct.view(np.uint8)
    for band in distinct.T:
        # Sketches are sorted, so that within a band those stand together that agree in the bands before as well.
        order = np.argsort(band, kind="stable")
        keys = band[order]
        begins = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
        first = np.repeat(begins, np.diff(np.append(begins, keys.size)))
        yield _those_alike(minima, order, order[first])
        for steps in range(1, NEAREST + 1):
            same = keys[steps:] == keys[:-steps]
            if not same.any():
                break
            yield _those_alike(minima, order[steps:][same], order[:-steps][same])


def _those_alike(minima: npt.NDArray[np.uint8], one: IntArray, other: IntArray) -> tuple[IntArray, IntArray]:
    is_alike = (minima[one] == minima[other]).sum(axis=1) >= _AGREE_MIN
    return one[is_alike], other[is_alike]
