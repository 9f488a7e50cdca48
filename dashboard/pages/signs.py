"""Which signs of noise rooms show: a reason beside everything that is hidden."""

from collections.abc import Mapping, Sequence
from contextlib import closing

from analytics.signal import FEATURES
from dashboard.data import View


def are_known(view: View) -> bool:
    """Whether the signs of its rooms are kept: of the newest census alone, and not in files of older versions."""
    return view.past is None and view.reader.has_features


def signs_of(view: View, room_ids: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """The signs (`analytics.room_text.RULES`) of each of the rooms that shows any; of a file without them, none."""
    if not room_ids or not are_known(view):
        return {}
    columns = ", ".join(FEATURES)
    with closing(view.reader.cursor()) as cursor:
        rows = cursor.execute(
            f"SELECT room_id, {columns} FROM room_feature WHERE score > 0 AND room_id IN (SELECT unnest($rooms))",  # noqa: S608
            {"rooms": list(room_ids)},
        ).fetchall()
    return {
        str(room_id): tuple(name for name, shown in zip(FEATURES, flags, strict=True) if shown)
        for room_id, *flags in rows
    }
