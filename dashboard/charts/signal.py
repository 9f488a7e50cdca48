"""Signal: the share of rooms with few signs of spam, at every threshold, and each sign."""

from analytics import signal as counted
from analytics.room_text import RULES
from dashboard.charts.chart import Chart, Column
from dashboard.charts.series import COLUMNS, NEWEST, NOW_COLUMNS, newest, series
from dashboard.choices import Choice
from dashboard.figures.count_bars import CountBars
from dashboard.figures.curves import Curves
from dashboard.figures.lines import DASHES, Line, Lines, fixed
from dashboard.wording import SIGN_WORDS

UNDER = Choice(
    "under",
    "Signs",
    (
        ("1", "rooms with none"),
        *((str(most), f"fewer than {most}") for most in range(2, len(counted.FEATURES) + 1)),
    ),
)

_WHAT = {
    "rooms": Line("of rooms", 0),
    "memberships": Line("of memberships", 1, "dash"),
    "tops of directories": Line("of directory tops", 2, "dot"),
}

SWEEP = Chart(
    name="signal-sweep",
    title="Share with fewer signs than each threshold",
    unit=f"share with fewer of {len(counted.FEATURES)} signs",
    window="newest census",
    denominator="listed rooms; memberships; the first 100 rooms of each directory",
    sql=f"""
SELECT split_part(m.dimension, ': under ', 1) AS line, split_part(m.dimension, ': under ', 2)::INTEGER AS x, m.value,
    m.lo, m.hi, m.n, m.coverage
FROM metric m WHERE m.metric = '{counted.SIGNAL}' AND {NEWEST} ORDER BY line, x
""",  # noqa: S608 - text of ours
    columns=(
        Column("line", "rooms, memberships, or the first 100 rooms of each directory"),
        Column("x", "threshold: fewer signs than this"),
        Column("value", "share, 0 to 1; empty when no rooms are listed"),
        Column("lo", "empty"),
        Column("hi", "empty"),
        Column("n", "rooms it rests on"),
        Column("coverage", "share of online servers whose directory answered"),
    ),
    drawing=Curves(fixed(**_WHAT), "fewer signs than", (1, 2, 3, 4, 5, 6, 7), point_words="fewer signs than {}"),
    metrics=(counted.SIGNAL,),
    absent="No rooms are listed.",
)

OVER_TIME = Chart(
    name="signal",
    title="Share with few signs over time",
    unit="share",
    window="each census",
    denominator="listed rooms; memberships; the first 100 rooms of each directory",
    sql=series(
        counted.SIGNAL,
        where="ends_with(m.dimension, ': under ' || $under)",
        line="split_part(m.dimension, ': under ', 1)",
    ),
    columns=COLUMNS,
    drawing=Lines(fixed(**_WHAT), share=True),
    metrics=(counted.SIGNAL,),
    choices=(UNDER,),
    absent="No rooms are listed.",
)

SIGNS_NOW = Chart(
    name="noise-now",
    title="Signs in the newest census",
    unit="share of rooms that show it, with Wilson intervals",
    window="newest census",
    denominator="listed rooms",
    sql=newest(counted.NOISE),
    columns=NOW_COLUMNS,
    drawing=CountBars("sign", label_of=lambda name: SIGN_WORDS.get(name, name), share=True),
    metrics=(counted.NOISE,),
    absent="No rooms are listed.",
)

SIGNS_OVER_TIME = Chart(
    name="noise",
    title="Signs over time",
    unit="share of rooms that show it, with Wilson intervals",
    window="each census",
    denominator="listed rooms",
    sql=series(counted.NOISE),
    columns=COLUMNS,
    drawing=Lines(
        fixed(
            **{sign: Line(SIGN_WORDS.get(sign, sign), at, DASHES[at % len(DASHES)]) for at, sign in enumerate(RULES)}
        ),
        share=True,
        bands=False,
    ),
    metrics=(counted.NOISE,),
    absent="No rooms are listed.",
)

CHARTS = (SWEEP, OVER_TIME, SIGNS_NOW, SIGNS_OVER_TIME)
