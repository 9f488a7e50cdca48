"""Growth: servers, rooms and memberships over time; who comes, goes and stays."""

from analytics import growth, unseen
from analytics.funnel import SERVERS
from analytics.rooms import LARGEST_ROOM, MEMBERSHIPS, PEOPLE, ROOMS
from dashboard.charts.chart import Chart, Column
from dashboard.charts.series import COLUMNS, SAME_SERIES, series
from dashboard.charts.software import coloured
from dashboard.choices import SCALE, Choice
from dashboard.figures.cohorts import Cohorts
from dashboard.figures.curves import Curves
from dashboard.figures.lines import Line, Lines, fixed

_ONE = "each census"

DAYS = Choice("days", "Compared with", (("30", "30 days before"), ("7", "7 days before"), ("90", "90 days before")))

SERVERS_ONLINE = Chart(
    name="servers-online",
    title="Servers online",
    unit="servers",
    window=_ONE,
    denominator="all that anything named",
    # A limited crawl is no census: it is shown, in grey, and joined by no line.
    sql=f"""
SELECT * FROM (
    SELECT m.at, m.snapshot AS census, m.dimension AS line, m.value, m.lo, m.hi, m.interval_kind AS "interval", m.n,
        m.coverage, false AS limited
    FROM metric m JOIN crawl c ON c.crawl_id = m.snapshot
    WHERE m.metric = 'servers' AND m.dimension IN ('online', 'federating', 'listing') AND {SAME_SERIES}
    UNION ALL
    SELECT c.finished_at, c.crawl_id, 'limited crawl: online', c.online, NULL, NULL, 'none', c.servers, c.completeness,
        true
    FROM crawl c
    WHERE c.state = 'completed' AND c.scope = 'limited' AND {SAME_SERIES}
)
ORDER BY census, line
""",  # noqa: S608 - text of ours
    columns=(*COLUMNS, Column("limited", "true of a crawl that had a cap or looked at a subset: no census")),
    drawing=Lines(
        fixed(
            online=Line("online", 0),
            federating=Line("federating", 1, "dash"),
            listing=Line("listing rooms", 2, "dot"),
            **{"limited crawl: online": Line("limited crawls", is_loose=True)},
        )
    ),
    metrics=(SERVERS,),
    looks=(SCALE,),
)

SERVERS_KNOWN = Chart(
    name="servers-known",
    title="Servers from known to secure",
    unit="servers",
    window=_ONE,
    denominator="all that anything named",
    sql=series(SERVERS, ("known", "resolves", "reachable", "secure", "online")),
    columns=COLUMNS,
    drawing=Lines(
        fixed(
            known=Line("known", 5),
            resolves=Line("resolving", 4, "dash"),
            reachable=Line("reachable", 3, "dot"),
            secure=Line("secure", 6, "dashdot"),
            online=Line("online", 0),
        )
    ),
    metrics=(SERVERS,),
    looks=(SCALE,),
)

SERVERS_ESTIMATED = Chart(
    name="servers-estimated",
    title="Online servers, seen or not",
    unit="servers, as models have it, with 95 % intervals",
    window=_ONE,
    denominator="",
    sql=f"""
SELECT m.at, m.snapshot AS census, CASE m.metric WHEN 'servers' THEN 'seen online' ELSE m.dimension END AS line,
    m.value, CASE m.metric WHEN 'servers' THEN NULL ELSE m.lo END AS lo, m.hi, m.interval_kind AS "interval", m.n,
    m.coverage
FROM metric m JOIN crawl c ON c.crawl_id = m.snapshot
WHERE ((m.metric = 'servers' AND m.dimension = 'online')
    OR (m.metric = 'servers_estimated' AND m.dimension IN (
        'Chao2 over answers', 'log-linear over sources', 'Chapman, alias_servers and room_id'
    )))
    AND {SAME_SERIES}
ORDER BY m.snapshot, line
""",  # noqa: S608 - text of ours
    columns=COLUMNS,
    drawing=Lines(
        fixed(
            **{
                "log-linear over sources": Line("log-linear, sources", 3, "dash"),
                "Chao2 over answers": Line("Chao2, answers", 2, "dot"),
                "Chapman, alias_servers and room_id": Line("Chapman, look-ups and room IDs", 1, "dashdot"),
                "seen online": Line("seen online", 0),
            }
        )
    ),
    metrics=(unseen.ESTIMATED,),
    looks=(SCALE,),
)

SERVERS_DISTINCT = Chart(
    name="servers-distinct",
    title="Online servers, counted once by what they share",
    unit="servers, domains, keys, addresses or operators",
    window=_ONE,
    denominator="online servers",
    sql=series(unseen.DISTINCT),
    columns=COLUMNS,
    drawing=Lines(
        fixed(
            **{
                "names": Line("names", 0),
                "signing keys": Line("signing keys", 1, "dash"),
                "registrable domains": Line("domains", 2, "dot"),
                "operators": Line("operators", 3, "dashdot"),
                "addresses": Line("addresses", 5, "longdash"),
                "address blocks": Line("address blocks", 6, "longdashdot"),
            }
        )
    ),
    metrics=(unseen.DISTINCT,),
    looks=(SCALE,),
)

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

ROOMS_LISTED = Chart(
    name="rooms-listed",
    title="Public rooms",
    unit="unique room IDs",
    window=_ONE,
    denominator="rooms in the directories that answered",
    sql=series(ROOMS),
    columns=COLUMNS,
    drawing=Lines(fixed(room=Line("rooms", 0), space=Line("spaces", 1, "dash"))),
    metrics=(ROOMS,),
    looks=(SCALE,),
    absent="No room directory answered.",
)

MEMBERSHIPS_OVER_TIME = Chart(
    name="memberships",
    title="Memberships in public rooms",
    unit="memberships, not people; the band from the least to the largest report of each room",
    window=_ONE,
    denominator="rooms in the directories that answered",
    sql=series(MEMBERSHIPS),
    columns=COLUMNS,
    drawing=Lines(fixed(all=Line("memberships", 0))),
    metrics=(MEMBERSHIPS,),
    looks=(SCALE,),
    absent="No directory said how many members its rooms have.",
)

ACCOUNTS_SCENARIO = Chart(
    name="accounts-scenario",
    title="Accounts behind the memberships: a scenario",
    unit="accounts, if each were in 1.5, 3 or 5 public rooms; nothing here is measured",
    window=_ONE,
    denominator="rooms in the directories that answered",
    sql=series(PEOPLE),
    columns=COLUMNS,
    drawing=Lines(fixed(all=Line("at 3 rooms each", 3))),
    metrics=(PEOPLE,),
    looks=(SCALE,),
    absent="No directory said how many members its rooms have.",
)

LARGEST = Chart(
    name="largest-room",
    title="Members of the largest room",
    unit="members of one room, ghosts of bridges among them",
    window=_ONE,
    denominator="",
    sql=series(LARGEST_ROOM, line="'largest room'"),
    columns=COLUMNS,
    drawing=Lines(fixed(**{"largest room": Line("largest room", 0)})),
    metrics=(LARGEST_ROOM,),
    looks=(SCALE,),
    absent="No directory said how many members its rooms have.",
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

CHARTS = (
    SERVERS_ONLINE,
    SERVERS_KNOWN,
    SERVERS_ESTIMATED,
    SERVERS_DISTINCT,
    CHURN,
    RETAINED,
    SURVIVAL,
    COHORTS,
    SURVIVAL_CURVES,
    ROOMS_LISTED,
    MEMBERSHIPS_OVER_TIME,
    ACCOUNTS_SCENARIO,
    LARGEST,
)
