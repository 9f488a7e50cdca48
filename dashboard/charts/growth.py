"""Growth: servers, rooms and memberships over time; who comes, goes and stays."""

from analytics import unseen
from analytics.funnel import SERVERS
from analytics.rooms import LARGEST_ROOM, MEMBERSHIPS, PEOPLE, ROOMS
from dashboard.charts.chart import Chart, Column
from dashboard.charts.series import COLUMNS, SAME_SERIES, over_time, series
from dashboard.choices import SCALE
from dashboard.figures.lines import Line, Lines, fixed

_ONE = "each census"


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
    sql=over_time(
        "((m.metric = 'servers' AND m.dimension = 'online') OR (m.metric = 'servers_estimated' "
        "AND m.dimension IN ('Chao2 over answers', 'log-linear over sources', 'Chapman, alias_servers and room_id')))",
        line="CASE m.metric WHEN 'servers' THEN 'seen online' ELSE m.dimension END",
        lo="CASE m.metric WHEN 'servers' THEN NULL ELSE m.lo END",
    ),
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


CHARTS = (
    SERVERS_ONLINE,
    SERVERS_KNOWN,
    SERVERS_ESTIMATED,
    SERVERS_DISTINCT,
    ROOMS_LISTED,
    MEMBERSHIPS_OVER_TIME,
    ACCOUNTS_SCENARIO,
    LARGEST,
)
