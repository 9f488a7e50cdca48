"""A server's last days as a row of bars, one a day: an SVG image inside the page, without any script.

Full: online whenever a crawl looked; short: sometimes; a stub at the foot: never; nothing: no crawl, or not known. So
height tells the same as colour.
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from analytics import wording
from crawler.store.histories import DAYS, Day
from dashboard.palette import PALETTES, Scheme

BAR, GAP, HEIGHT, STUB = 8, 2, 40, 10


@dataclass(frozen=True, slots=True)
class Uptime:
    """`picture` is a `data:` address; `words` say the same."""

    picture: str
    words: str


def uptime(days: Sequence[Day], scheme: Scheme) -> Uptime | None:
    """The bars of the 90 days that end with the last of `days`; None where nothing is known of any."""
    known = [day for day in days if day.known]
    if not known:
        return None
    palette = PALETTES[scheme]
    last = days[-1].day
    by_day = {day.day: day for day in days}
    bars = []
    for at in range(DAYS):
        day = by_day.get(last - timedelta(days=DAYS - 1 - at))
        if day is None or not day.known:
            continue
        share = day.online / day.known
        height, colour = (
            (HEIGHT, palette.good) if share == 1 else (STUB, palette.bad) if not share else (26, palette.warn)
        )
        x = at * (BAR + GAP)
        bars.append(f'<rect x="{x}" y="{HEIGHT - height}" width="{BAR}" height="{height}" rx="1" fill="{colour}"/>')
    width = DAYS * (BAR + GAP)
    picture = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" preserveAspectRatio="none">'
        f'<rect y="{HEIGHT - 1}" width="{width}" height="1" fill="{palette.line}"/>{"".join(bars)}</svg>'
    )
    return Uptime(f"data:image/svg+xml;base64,{b64encode(picture.encode()).decode()}", _words(known))


def _words(known: Sequence[Day]) -> str:
    looks = sum(day.known for day in known)
    online = sum(day.online for day in known)
    away = [day.day for day in known if day.online < day.known]
    times = wording.plural(looks, "census", "censuses")
    said = f"Online in {wording.number(online)} of {times} ({wording.percent(online / looks)})"
    if not away:
        return f"{said}."
    return f"{said}; not, or not always, on {wording.plural(len(away), 'day')}, last on {_day(away[-1])}."


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
