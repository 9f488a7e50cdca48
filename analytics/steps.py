"""What analytics does after a crawl is sealed: it stores the metric rows with the snapshot.

Handed to the crawler as an `on_sealed` step by the composition root, so that readers show numbers without computing
them again for every visitor, and so that the crawler need not know of analytics.
"""

from analytics.load import METRIC_TABLE, load_frames
from analytics.mission import mission_rows
from analytics.schemas import METRIC_COLUMNS, METRIC_COMMENTS
from crawler.store.publish import Draft


def store_metric_rows(draft: Draft) -> None:
    """Add the table `metric` with the rows of every census of the draft."""
    rows = [row.as_tuple() for row in mission_rows(load_frames(draft.path))]
    draft.write_table(
        METRIC_TABLE, METRIC_COLUMNS, rows, METRIC_COMMENTS, comment="Numbers of every census; see metric rows."
    )
