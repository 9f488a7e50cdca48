"""Who comes, goes and stays: births and deaths between censuses, what is left of those that came together, how long
servers last."""

from analytics import growth
from dashboard.charts.chart import Chart, Column
from dashboard.charts.series import COLUMNS, series
from dashboard.charts.software import coloured
from dashboard.choices import Choice
from dashboard.figures.cohorts import Cohorts
from dashboard.figures.curves import Curves
from dashboard.figures.lines import Line, Lines, fixed

_ONE = "each census"

DAYS = Choice("days", "Compared with", (("30", "30 days before"), ("7", "7 days before"), ("90", "90 days before")))

CHURN = Chart(
    name="servers-churn",
    title="Servers that came, went and came back",
    unit="servers",
    window="between each census and the one so many days before",
    denominator="servers ever online",
    sql=series(
        growth.CHURN, where="m.dimension LIKE '% in ' || $days || ' d'", line="split_part(m.dimension, ' in ', 1)"
    ),
    columns=COLUMNS,
    drawing=Lines(
        fixed(
            births=Line("came", 1),
            deaths=Line("went", 2, "dash"),
            returns=Line("came back", 0, "dot"),
            net=Line("net", 3, "dashdot"),
        )
    ),
    metrics=(growth.CHURN,),
    choices=(DAYS,),
    absent="No census is old enough to compare with.",
)

RETAINED = Chart(
    name="retained",
    title="Servers and rooms that stayed 30 days",
    unit="share still there, with Wilson intervals",
    window="30 days before each census",
    denominator="servers online, and rooms listed, then",
    sql=series(growth.RETAINED, line="split_part(m.dimension, ',', 1)"),
    columns=COLUMNS,
    drawing=Lines(fixed(servers=Line("servers", 0), rooms=Line("rooms", 1, "dash")), share=True),
    metrics=(growth.RETAINED,),
    absent="No census is 30 days older than another.",
)

SURVIVAL = Chart(
    name="servers-survival",
    title="Servers still online so long after they were first seen",
    unit="share (Kaplan and Meier), with 95 % intervals",
    window="since first seen, as known at each census",
    denominator="servers seen to come",
    sql=series(
        growth.SURVIVAL,
        where="m.dimension LIKE 'all, alive after %'",
        line="replace(m.dimension, 'all, alive after ', '')",
    ),
    columns=COLUMNS,
    drawing=Lines(
        fixed(
            **{
                "30 d": Line("after 30 days", 0),
                "90 d": Line("after 90 days", 1, "dash"),
                "365 d": Line("after 1 year", 2, "dot"),
            }
        ),
        share=True,
    ),
    metrics=(growth.SURVIVAL,),
    absent="No server was seen to come yet: those of the first census are older by an unknown time.",
)

WHAT = Choice("what", "Cohorts of", (("servers", "servers"), ("rooms", "rooms")))

COHORTS = Chart(
    name="cohort-retention",
    title="What is left of those that came together",
    unit="share in per cent, with Wilson intervals in the table",
    window="months in which they were first seen; looked at again at the last census of each month since",
    denominator="the cohort",
    sql="""
SELECT cohort, from_first_census, size, month, observed_in AS census, age_months, present, share AS value, lo, hi
FROM cohort_retention WHERE what = $what ORDER BY cohort, from_first_census DESC, month
""",
    columns=(
        Column("cohort", "month, by its first day, in which they were seen for the first time"),
        Column("from_first_census", "true of those of the series' first census, older by an unknown time"),
        Column("size", "how many there are in the cohort"),
        Column("month", "month, by its first day, at whose last census they were looked at again"),
        Column("census", "number of that census"),
        Column("age_months", "months from cohort to month"),
        Column("present", "how many of the cohort were online, or listed, then"),
        Column("value", "share that was: present divided by size"),
        Column("lo", "lower end of Wilson's 95 % interval"),
        Column("hi", "upper end"),
    ),
    drawing=Cohorts(),
    metrics=(growth.RETAINED,),
    choices=(WHAT,),
    absent="No room directory answered, or no server was online.",
    table="cohort_retention",
    newest_only=True,
)

SURVIVAL_CURVES = Chart(
    name="survival-curves",
    title="How long servers last, by family of software",
    unit="share still alive (Kaplan and Meier), with 95 % intervals",
    window="days since first seen, all time up to the newest census",
    denominator=f"servers seen to come, families of {growth.LINEAGE_MIN} or more",
    sql="""
SELECT lineage AS line, age_d AS x, alive AS value, lo, hi, servers AS n, at_risk, died
FROM survival_curve ORDER BY lineage <> 'all', servers DESC, lineage, age_d
""",
    columns=(
        Column("line", "family of software last said; all for all"),
        Column("x", "age in days since first seen, from which on the value holds"),
        Column("value", "share still alive from that age on, 0 to 1"),
        Column("lo", "lower end of the interval; empty while nobody has died and when nobody is left"),
        Column("hi", "upper end, likewise"),
        Column("n", "servers seen to come, on which the curve rests"),
        Column("at_risk", "servers observed just before that age"),
        Column("died", "servers that died at it"),
    ),
    drawing=Curves(
        coloured,
        "days since first seen",
        (30, 90, 180, 365, 730),
        steps=True,
        point_words="after {} days",
    ),
    metrics=(growth.SURVIVAL,),
    absent="No server was seen to come yet: those of the first census are older by an unknown time.",
    table="survival_curve",
    newest_only=True,
)

CHARTS = (CHURN, RETAINED, SURVIVAL, COHORTS, SURVIVAL_CURVES)
