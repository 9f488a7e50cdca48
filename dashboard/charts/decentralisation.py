"""Decentralisation: concentration over time, the largest holders, what is left when they go, where servers are."""

from collections.abc import Mapping
from functools import cache

from analytics.decentralisation import CONCENTRATION
from analytics.federation_graph import Holder
from analytics.graph_tables import RESILIENCE
from analytics.reference import load_countries
from dashboard.charts.chart import Chart, Column
from dashboard.charts.series import COLUMNS, NEWEST, NOW_COLUMNS, over_time, reworded, series
from dashboard.choices import Choice
from dashboard.figures.count_bars import CountBars
from dashboard.figures.curves import Curves
from dashboard.figures.lines import Line, Lines, fixed
from dashboard.figures.world_map import WorldMap
from dashboard.wording import one_line

AMOUNT = Choice(
    "amount",
    "Of what",
    (
        ("servers", "servers"),
        ("memberships", "memberships"),
        ("rooms", "rooms"),
        ("participation", "rooms, once for each server in them"),
    ),
)
STATISTIC = Choice(
    "statistic",
    "Measure",
    (
        ("share of the largest", "share of the largest"),
        ("share of the 3 largest", "share of the 3 largest"),
        ("share of the 10 largest", "share of the 10 largest"),
        ("HHI", "Herfindahl-Hirschman index"),
        ("effective number, order 1", "effective number, order 1"),
        ("effective number, order 2", "effective number, order 2"),
        ("Gini", "Gini coefficient"),
        ("Nakamoto, more than half", "holders of more than half"),
        ("Nakamoto, more than a third", "holders of more than a third"),
    ),
)
HOLDER = Choice(
    "holder",
    "Held by",
    (
        (Holder.OPERATOR, "operators"),
        (Holder.SERVER, "servers"),
        (Holder.BLOCK, "address blocks"),
        (Holder.NETWORK, "hosting networks"),
        (Holder.COUNTRY, "countries"),
        (Holder.CDN, "content delivery networks"),
        (Holder.ISSUER, "TLS issuers"),
        (Holder.LINEAGE, "families of software"),
    ),
)
REMOVED = Choice("removed", "What goes", (("server", "servers"), ("operator", "operators"), ("network", "networks")))
LEFT = Choice(
    "left",
    "What is told",
    (
        ("rooms_without_server", "rooms without a server"),
        ("servers_together", "servers still together"),
        ("memberships_together", "memberships still together"),
    ),
)

_HOLDER_LINES = {
    Holder.SERVER: Line("servers", 0),
    Holder.OPERATOR: Line("operators", 1, "dash"),
    Holder.BLOCK: Line("address blocks", 6, "longdashdot"),
    Holder.NETWORK: Line("networks", 2, "dot"),
    Holder.COUNTRY: Line("countries", 3, "dashdot"),
    Holder.ISSUER: Line("TLS issuers", 4, "longdash"),
    Holder.LINEAGE: Line("software", 5, "dash"),
}

CONCENTRATION_OVER_TIME = Chart(
    name="concentration",
    title="Concentration, by who holds",
    unit="as the measure says: a share or index from 0 to 1, or holders",
    window="each census",
    denominator="what is held by holders that are known",
    sql=over_time(
        "starts_with(m.metric, 'concentration_by_') AND m.dimension = $amount || ': ' || $statistic",
        line="replace(m.metric, 'concentration_by_', '')",
    ),
    columns=COLUMNS,
    drawing=Lines(fixed(**{holder.value: line for holder, line in _HOLDER_LINES.items()})),
    metrics=tuple(CONCENTRATION.values()),
    choices=(AMOUNT, STATISTIC),
    absent="Nobody's holder is known.",
)

LARGEST_HOLDERS = Chart(
    name="largest-holders",
    title="Who holds most",
    unit="what is held; rooms and memberships shared equally among their known servers, which is a model",
    window="newest census",
    denominator="what the 200 largest of each kind hold together",
    sql="""
WITH held AS (
    SELECT holder, CASE $amount WHEN 'servers' THEN servers WHEN 'rooms' THEN rooms
        WHEN 'memberships' THEN memberships ELSE participation END AS amount
    FROM holder WHERE kind = $holder AND NOT starts_with(holder, 'none: ')
)
SELECT holder AS line, amount AS value, NULL::DOUBLE AS lo, NULL::DOUBLE AS hi, 'none' AS "interval",
    round(sum(amount) OVER ())::BIGINT AS n, NULL::DOUBLE AS coverage
FROM held WHERE amount > 0 ORDER BY amount DESC, holder
""",
    columns=reworded(NOW_COLUMNS, n="what all these holders hold together, rounded"),
    drawing=CountBars("holder", label_of=lambda name: one_line(name, 30), of_whole=True, most=10),
    metrics=tuple(CONCENTRATION.values()),
    choices=(HOLDER, AMOUNT),
    absent="Nobody's holder of this kind is known. Networks and countries need hosting data: crawl or publish with "
    "--geo-db.",
    newest_only=True,
)

LORENZ = Chart(
    name="lorenz",
    title="How unequally it is held",
    unit="share; the further a curve hangs below the dotted line, the more unequal (Gini is twice the area between)",
    window="newest census",
    denominator="what is held by holders that are known, of whom there are two at least",
    sql="""
SELECT kind AS line, holders_share AS x, held_share AS value, NULL::DOUBLE AS lo, NULL::DOUBLE AS hi, holders AS n
FROM lorenz_curve WHERE amount = $amount AND holders > 1
ORDER BY list_position(['server', 'operator', 'address_block', 'network', 'country', 'cdn', 'tls_issuer', 'lineage'],
    kind), holders_share
""",
    columns=(
        Column("line", "kind of holder"),
        Column("x", "share, 0 to 1, of the holders, those that hold least first"),
        Column("value", "share, 0 to 1, of the amount that they hold together"),
        Column("lo", "empty: nothing is estimated"),
        Column("hi", "empty, likewise"),
        Column("n", "holders that hold any, on which the curve rests"),
    ),
    drawing=Curves(
        fixed(**{holder.value: line for holder, line in _HOLDER_LINES.items()}),
        "holders, those that hold least first",
        (0.5, 0.9, 0.99),
        diagonal=True,
        point_words="the lower {} hold",
    ),
    metrics=tuple(CONCENTRATION.values()),
    choices=(AMOUNT,),
    absent="No two holders are known.",
    table="lorenz_curve",
    newest_only=True,
)

RESILIENCE_CURVE = Chart(
    name="resilience",
    title="What is left as holders go",
    unit="share; the band is from the least to the largest of random orders",
    window="newest census",
    denominator="listed rooms with a known server; online servers; their memberships",
    sql="""
SELECT removal_order AS line, k AS x,
    CASE $left WHEN 'rooms_without_server' THEN rooms_without_server WHEN 'servers_together' THEN servers_together
        ELSE memberships_together END AS value,
    CASE $left WHEN 'rooms_without_server' THEN rooms_without_server_lo WHEN 'servers_together'
        THEN servers_together_lo ELSE memberships_together_lo END AS lo,
    CASE $left WHEN 'rooms_without_server' THEN rooms_without_server_hi WHEN 'servers_together'
        THEN servers_together_hi ELSE memberships_together_hi END AS hi,
    "of" AS n, draws
FROM resilience WHERE removed = $removed ORDER BY removal_order, k
""",
    columns=(
        Column("line", "largest: those in most rooms go first; random: the median of random orders"),
        Column("x", "how many are gone"),
        Column("value", "share, 0 to 1, as chosen: rooms without a server, servers or memberships still together"),
        Column("lo", "least of the random orders; the value itself where the order is not random"),
        Column("hi", "largest of them, likewise"),
        Column("n", "how many of them there are"),
        Column("draws", "random orders drawn; 0 where the order is not random"),
    ),
    drawing=Curves(
        fixed(largest=Line("largest first", 2), random=Line("at random", 0, "dash")),
        "how many are gone",
        (1, 3, 10, 30, 100, 300, 1000),
        point_words="{} gone",
    ),
    metrics=(RESILIENCE,),
    choices=(REMOVED, LEFT),
    absent="None of this kind is known.",
    newest_only=True,
)

RESILIENCE_OVER_TIME = Chart(
    name="resilience-over-time",
    title="Rooms lost if the largest go",
    unit="share of rooms left without a known server",
    window="each census",
    denominator="listed rooms with a known server",
    sql=series(
        RESILIENCE,
        where="ends_with(m.dimension, ' by ' || $removed)",
        line="regexp_extract(m.dimension, 'the ([0-9]+) largest', 1)",
    ),
    columns=COLUMNS,
    drawing=Lines(
        fixed(
            **{
                "1": Line("the largest", 0),
                "3": Line("the 3 largest", 1, "dash"),
                "10": Line("the 10 largest", 2, "dot"),
            }
        ),
        share=True,
    ),
    metrics=(RESILIENCE,),
    choices=(REMOVED,),
    absent="None of this kind is known.",
)


@cache
def _countries() -> Mapping[str, tuple[str, str]]:
    return {alpha_2: (alpha_3, name) for alpha_2, alpha_3, name in load_countries().iter_rows()}


MAP = Chart(
    name="countries",
    title="Online servers by country of their address",
    unit="servers",
    window="newest census",
    denominator="online servers whose country is known; behind a content delivery network it is not",
    sql=f"""
SELECT h.holder AS line, h.servers AS value, NULL::DOUBLE AS lo, NULL::DOUBLE AS hi, 'none' AS "interval",
    round(sum(h.servers) OVER ())::BIGINT AS n, (
        SELECT any_value(m.coverage) FROM metric m WHERE m.metric = 'concentration_by_country' AND {NEWEST}
    ) AS coverage
FROM holder h WHERE h.kind = 'country' ORDER BY h.servers DESC, h.holder
""",  # noqa: S608 - text of ours
    columns=NOW_COLUMNS,
    drawing=WorldMap(_countries),
    metrics=(CONCENTRATION[Holder.COUNTRY],),
    absent="No country is known: that needs hosting data of the operator (crawl or publish with --geo-db).",
    newest_only=True,
)

CHARTS = (CONCENTRATION_OVER_TIME, LARGEST_HOLDERS, LORENZ, RESILIENCE_CURVE, RESILIENCE_OVER_TIME, MAP)
