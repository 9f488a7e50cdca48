"""Discovery: what is left on the way from an online server to a room that one can join, and in how many languages."""

from collections.abc import Mapping
from functools import cache

from analytics import discovery as counted
from analytics import signal
from analytics.reference import load_languages
from analytics.rooms import DIRECTORIES
from crawler.model.rooms import DirectoryState
from dashboard import wording
from dashboard.charts.chart import Chart
from dashboard.charts.series import COLUMNS, NOW_COLUMNS, SHARE, newest, reworded, series
from dashboard.choices import AS, SCALE
from dashboard.figures.count_bars import CountBars
from dashboard.figures.lines import DASHES, OTHER, Line, Lines, fixed

SERVERS_ON_THE_WAY = Chart(
    name="discovery-servers",
    title="From online server to directory",
    unit="servers",
    window="newest census",
    denominator="online servers",
    sql=newest(counted.SERVERS_ON_THE_WAY),
    columns=NOW_COLUMNS,
    drawing=CountBars("stage", of_whole=True, sums=False),
    metrics=(counted.SERVERS_ON_THE_WAY,),
)

ROOMS_ON_THE_WAY = Chart(
    name="discovery-rooms",
    title="From listing to joining",
    unit="rooms, spaces left out",
    window="newest census",
    denominator="listed rooms",
    sql=newest(counted.ROOMS_ON_THE_WAY),
    columns=NOW_COLUMNS,
    drawing=CountBars("what one can do", of_whole=True, sums=False),
    metrics=(counted.ROOMS_ON_THE_WAY,),
    absent="No room directory answered.",
)

_TONES = {
    DirectoryState.OPEN: Line("open", 1),
    DirectoryState.OPEN_EMPTY: Line("open, empty", 4, "dash"),
    DirectoryState.DENIED: Line("closed", 0, "dot"),
    DirectoryState.NOT_IMPLEMENTED: Line("has none", 5, "dashdot"),
    DirectoryState.AUTH_FAILED: Line("signature refused", 3, "longdash"),
    DirectoryState.TIMEOUT: Line("timed out", 2, "longdashdot"),
    DirectoryState.ERROR: Line("error", 6),
}

DIRECTORIES_OVER_TIME = Chart(
    name="directories",
    title="How room directories answer",
    unit="servers; closed, empty and failing are three things",
    window="each census",
    denominator="online servers",
    sql=series(DIRECTORIES, share=True),
    columns=(*COLUMNS, SHARE),
    drawing=Lines(
        lambda keys: {
            key: _TONES.get(DirectoryState(key), Line(wording.DIRECTORY[key].word, OTHER, DASHES[at % len(DASHES)]))
            for at, key in enumerate(keys)
        }
    ),
    metrics=(DIRECTORIES,),
    looks=(SCALE, AS),
)

WIDTHS = Chart(
    name="rooms-by-directories",
    title="In how many directories rooms are listed",
    unit="rooms",
    window="newest census",
    denominator="listed rooms",
    sql=newest(counted.LISTED_IN),
    columns=NOW_COLUMNS,
    drawing=CountBars("listed in", of_whole=True, sums=False),
    metrics=(counted.LISTED_IN,),
    absent="No room directory answered.",
)


@cache
def _languages() -> Mapping[str, str]:
    return dict(load_languages().iter_rows())


def language(code: str) -> str:
    """The English name of a language's code; a code that the table has not is shown as it is."""
    return _languages().get(code, wording.one_line(code, 12))


LANGUAGES = Chart(
    name="languages",
    title="Languages of names and topics",
    unit="rooms; not determined: too short to tell, or no language likely enough",
    window="newest census",
    denominator="listed rooms",
    sql=newest(signal.LANGUAGES),
    columns=reworded(NOW_COLUMNS, line="code of the language (ISO 639); und: not determined"),
    drawing=CountBars("language", label_of=language, of_whole=True),
    metrics=(signal.LANGUAGES,),
    absent="No rooms are listed.",
)

LANGUAGE_DIVERSITY = Chart(
    name="language-diversity",
    title="Effective number of languages",
    unit="languages, used equally, that would be as diverse",
    window="each census",
    denominator="rooms of a determined language",
    sql=series(signal.LANGUAGE_DIVERSITY),
    columns=COLUMNS,
    drawing=Lines(fixed(**{"effective number, order 1": Line("order 1", 0)})),
    metrics=(signal.LANGUAGE_DIVERSITY,),
    absent="No language could be told.",
)

CHARTS = (SERVERS_ON_THE_WAY, ROOMS_ON_THE_WAY, DIRECTORIES_OVER_TIME, WIDTHS, LANGUAGES, LANGUAGE_DIVERSITY)
