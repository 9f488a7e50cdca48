"""A small picture of a number over time, with its band: an SVG image inside the page, without any script.

Colours are of the scheme that the page is drawn in. The band is scaled with the line, so that a wide one looks wide.
"""

from base64 import b64encode
from collections.abc import Sequence

from analytics.trend import Point
from dashboard.palette import PALETTES, Scheme

WIDTH, HEIGHT, ROOM = 160, 40, 3
POINTS_MOST = 120
"""Points drawn; of more, every n-th and the last."""


def sparkline(points: Sequence[Point], scheme: Scheme) -> str | None:
    """A `data:` address of the picture; None where fewer than two points have a value."""
    step = -(-len(points) // POINTS_MOST)
    thinned = [*points[-1::-step][::-1]] if step > 1 else list(points)
    known = [point for point in thinned if point.value is not None]
    if len(known) < 2:
        return None
    ends = [end for p in known for end in (p.value, p.lo, p.hi if p.lo is not None else None) if end is not None]
    least, most = min(ends), max(ends)
    first, last = known[0].at, known[-1].at
    span_s = (last - first).total_seconds() or 1.0

    def place(point: Point, value: float) -> str:
        x = ROOM + (WIDTH - 2 * ROOM) * (point.at - first).total_seconds() / span_s
        height = (value - least) / (most - least) if most > least else 0.5
        return f"{x:.1f},{HEIGHT - ROOM - (HEIGHT - 2 * ROOM) * height:.1f}"

    colour = PALETTES[scheme].accent
    banded = [point for point in known if point.lo is not None and point.hi is not None and point.lo < point.hi]
    band = ""
    if banded:
        upper = [place(point, point.hi or 0.0) for point in banded]
        lower = [place(point, point.lo or 0.0) for point in reversed(banded)]
        band = f'<polygon points="{" ".join(upper + lower)}" fill="{colour}" fill-opacity=".18"/>'
    line = " ".join(place(point, point.value or 0.0) for point in known)
    end_x, end_y = place(known[-1], known[-1].value or 0.0).split(",")
    picture = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
        f'{band}<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.75" stroke-linejoin="round"/>'
        f'<circle cx="{end_x}" cy="{end_y}" r="2.5" fill="{colour}"/></svg>'
    )
    return f"data:image/svg+xml;base64,{b64encode(picture.encode()).decode()}"
