"""Finding what is listed: rooms that spaces name, too, how fresh listings are, where a room stands in a search."""

from analytics import discovery, diversity, freshness, known_item
from dashboard.charts.chart import Chart
from dashboard.charts.series import COLUMNS, NOW_COLUMNS, newest, reworded, series
from dashboard.choices import SCALE
from dashboard.figures.count_bars import CountBars
from dashboard.figures.lines import Line, Lines, fixed

IN_SPACES = Chart(
    name="rooms-in-spaces",
    title="Listed rooms that a space names, too",
    unit="share of rooms, at least",
    window="each census",
    denominator="listed rooms",
    sql=series(discovery.IN_SPACES),
    columns=reworded(COLUMNS, coverage="share, 0 to 1, of the listed spaces that were seen to name a room"),
    drawing=Lines(fixed(**{"also in a space": Line("in a space", 0)}), share=True),
    metrics=(discovery.IN_SPACES,),
    absent="No space was opened: that takes listed spaces, and an identity (matrix-census identity --help).",
)

_NEW, _CHANGED = "first met within", "entry changed within"

FRESHNESS = Chart(
    name="listing-freshness",
    title="New and changed listings, and own servers that answer",
    unit="share of rooms; says nothing of whether anybody talks in them",
    window="30 and 90 days before each census",
    denominator="listed rooms; for own servers those that name one",
    sql=series(freshness.FRESHNESS, where=f"m.dimension <> '{freshness.MEDIAN}'"),
    columns=COLUMNS,
    drawing=Lines(
        fixed(
            **{
                freshness.OWN_SERVER: Line("own server online", 3),
                f"{_CHANGED} 90 d": Line("changed in 90 days", 1),
                f"{_CHANGED} 30 d": Line("changed in 30 days", 1, "dash"),
                f"{_NEW} 90 d": Line("new in 90 days", 0),
                f"{_NEW} 30 d": Line("new in 30 days", 0, "dash"),
            }
        ),
        share=True,
    ),
    metrics=(freshness.FRESHNESS,),
    absent="No rooms are listed.",
)

AGE = Chart(
    name="listing-age",
    title="Days since the entry of half of the rooms changed",
    unit="days; at least so many where the series does not reach back further",
    window="the series up to each census",
    denominator="listed rooms",
    sql=series(freshness.FRESHNESS, (freshness.MEDIAN,)),
    columns=COLUMNS,
    drawing=Lines(fixed(**{freshness.MEDIAN: Line("median", 0)})),
    metrics=(freshness.FRESHNESS,),
    looks=(SCALE,),
    absent="No rooms are listed.",
)

_TEN = "among the first 10"
_NOT_DRAWN = "No listed room has a name to search for."


def _briefly(dimension: str) -> str:
    """`name: first`, `one word: among the first 10`."""
    by, _, where = dimension.partition(": ")
    return f"{'one word' if by == known_item.BY_WORD else 'name'}: {where}"


SEARCH_NOW = Chart(
    name="known-item-now",
    title="Is a room found by its name?",
    unit="share of rooms, with Wilson intervals; in the room list of this program",
    window="newest census",
    denominator="listed rooms drawn by lot, the same in every census as far as they are listed",
    sql=newest(known_item.KNOWN_ITEM, where=f"NOT ends_with(m.dimension, '{known_item.MEDIAN}')"),
    columns=NOW_COLUMNS,
    drawing=CountBars("searched for, and found", label_of=_briefly, share=True),
    metrics=(known_item.KNOWN_ITEM,),
    absent=_NOT_DRAWN,
)

SEARCH_OVER_TIME = Chart(
    name="known-item",
    title="Found among the first ten",
    unit="share of rooms, with Wilson intervals; in the room list of this program",
    window="each census",
    denominator="listed rooms drawn by lot, the same in every census as far as they are listed",
    sql=series(known_item.KNOWN_ITEM, tuple(f"{by}: {_TEN}" for by in (known_item.BY_NAME, known_item.BY_WORD))),
    columns=COLUMNS,
    drawing=Lines(
        fixed(
            **{
                f"{known_item.BY_NAME}: {_TEN}": Line("by its name", 0),
                f"{known_item.BY_WORD}: {_TEN}": Line("by one word of it", 1, "dash"),
            }
        ),
        share=True,
    ),
    metrics=(known_item.KNOWN_ITEM,),
    absent=_NOT_DRAWN,
)

_LOTS = fixed(**{"in 1,000 rooms": Line("in 1 000 rooms", 0), "in 100 rooms": Line("in 100 rooms", 1, "dash")})
_TOO_FEW = "Fewer than 100 rooms are listed, or none of them says enough."

LANGUAGES_AMONG = Chart(
    name="languages-rarefied",
    title="Languages in as many rooms",
    unit="languages that so many rooms drawn by lot show, on average",
    window="each census",
    denominator="listed rooms of a determined language",
    sql=series(diversity.LANGUAGES_AMONG),
    columns=COLUMNS,
    drawing=Lines(_LOTS),
    metrics=(diversity.LANGUAGES_AMONG,),
    looks=(SCALE,),
    absent=_TOO_FEW,
)

WORDS_AMONG = Chart(
    name="name-words-rarefied",
    title="Words in the names of as many rooms",
    unit="different words that so many rooms drawn by lot show, on average; a proxy for topics",
    window="each census",
    denominator="listed rooms with a word in their name",
    sql=series(diversity.WORDS_AMONG),
    columns=COLUMNS,
    drawing=Lines(_LOTS),
    metrics=(diversity.WORDS_AMONG,),
    looks=(SCALE,),
    absent=_TOO_FEW,
)

CHARTS = (IN_SPACES, FRESHNESS, AGE, SEARCH_NOW, SEARCH_OVER_TIME, LANGUAGES_AMONG, WORDS_AMONG)
