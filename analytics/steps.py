"""What analytics does after a crawl is sealed: it stores the metric rows with the snapshot.

Handed to the crawler as an `on_sealed` step by the composition root, so that readers show numbers without computing
them again for every visitor, and so that the crawler need not know of analytics.
"""

from crawler.store.publish import Draft

from analytics.load import load_frames
from analytics.mission import mission_rows
from analytics.schemas import METRIC_COLUMNS

METRIC_TABLE = "metric"


def store_metric_rows(draft: Draft) -> None:
    """Add the table `metric` with the rows of every census of the draft."""
    rows = [tuple(row.as_json().values()) for row in mission_rows(load_frames(draft.path))]
    draft.write_table(METRIC_TABLE, METRIC_COLUMNS, rows)
