"""Texts that are nearly the same: MinHash signatures of their shingles, gathered by locality-sensitive hashing.

Apart, because it compares every text with every other, and brings in datasketch, which takes a second to import. The
similarity of two texts is that of Jaccard of their sets of shingles (every run of five characters of the folded text);
two are near duplicates where the estimate reaches the threshold, and groups are what is joined by such pairs.
Broder 1997; Indyk and Motwani 1998. Equal texts are folded into one beforehand: most copies are exact.
"""

import re
import unicodedata
import zlib
from collections.abc import Callable, Sequence

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from analytics.amounts import IntArray

SHINGLE = 5
PERMUTATIONS = 64
THRESHOLD = 0.8
SEED = 1
"""The permutations are drawn from it: the same texts, the same groups, in every census."""

TEXT_MAX = 1000
"""Characters compared: what differs only behind them is the same to a reader of a list."""

MANY = 200
"""Candidates of one text that are looked at; a text with more is in a group already."""

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


def group_sizes(texts: Sequence[str], progress: Callable[[int, int], None] | None = None) -> IntArray:
    """For each text, how many texts are in its group, itself included; 1 for a text that is like no other.

    Texts shorter than a shingle are like no other, also when equal.
    """
    place: dict[str, int] = {}
    of_text = np.array([place.setdefault(folded(text), len(place)) for text in texts], dtype=np.int64)
    distinct = list(place)
    if not distinct:
        return of_text
    pairs = _similar_pairs(distinct, progress)
    rows, columns = [a for a, _ in pairs], [b for _, b in pairs]
    links = csr_array((np.ones(len(pairs), dtype=np.int8), (rows, columns)), shape=(len(distinct), len(distinct)))
    _, labels = connected_components(links, directed=False)
    group = labels[of_text].astype(np.int64)
    sizes = np.bincount(group)[group]
    long_enough = np.array([len(text) >= SHINGLE for text in distinct])[of_text]
    found: IntArray = np.where(long_enough, sizes, 1)
    return found


def _similar_pairs(texts: Sequence[str], progress: Callable[[int, int], None] | None) -> list[tuple[int, int]]:
    from datasketch import MinHash, MinHashLSH  # a second to import, and few commands need it

    index = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
    signatures: dict[int, MinHash] = {}
    pairs = []
    for number, text in enumerate(texts):
        parts = shingles(text)
        if not parts:
            continue
        # A checksum is hash enough for what the permutations then spread, and SHA-1 would cost most of the time.
        signature = MinHash(num_perm=PERMUTATIONS, seed=SEED, hashfunc=zlib.crc32)
        signature.update_batch([part.encode("utf-8", "surrogatepass") for part in parts])
        candidates = index.query(signature)[:MANY]
        pairs += [(number, other) for other in candidates if signature.jaccard(signatures[other]) >= THRESHOLD]
        index.insert(number, signature)
        signatures[number] = signature
        if progress is not None and number % 1000 == 0:
            progress(number, len(texts))
    return pairs
