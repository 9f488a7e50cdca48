"""What lists of servers and of rooms can be narrowed by: the words of a person as conditions of a `Question`.

Apart from `question`, which knows no table, and from those who ask: what a crawl visited (`reader`) and what is known
after it (`federation`) are filtered by the same words, which must mean the same.
"""

from collections.abc import Mapping

from crawler.store.question import PREDICATES, SPACE, Question, search_text


def narrow_servers(
    question: Question, *, text: str, predicates: Mapping[str, bool] | None, exactly: Mapping[str, str | None]
) -> None:
    """Add conditions on servers.

    Args:
        question: Of a source with `server_key`, the predicates, and the columns of `exactly`.
        text: Part of the name, in any case; empty: every name.
        predicates: Predicate -> whether it must hold (`PREDICATES`).
        exactly: Column, a word of ours -> what it must say; "" for where it says nothing; None: anything, and nothing.

    Raises:
        UsageError: a predicate is not known.
    """
    if text:
        question.where("contains(server_key, lower($text))", text=search_text(text))
    for name, wanted in (predicates or {}).items():
        question.flag(PREDICATES, name, wanted)
    for column, value in exactly.items():
        if value is not None:
            question.where(f"coalesce({column}, '') = ${column}", **{column: search_text(value)})


def narrow_rooms(
    question: Question,
    crawl_id: int,
    *,
    text: str,
    spaces: bool | None,
    join_rule: str | None,
    min_members: int | None,
    listed_by: str | None,
    noise: bool | None,
    at_hand: bool,
) -> None:
    """Add conditions on rooms; the words are those of `SnapshotReader.rooms_page`.

    Args:
        question: Of the rooms as of a crawl: of the view `room`, or of the table that is at hand.
        crawl_id: That crawl.
        text: As there, and so are the rest.
        spaces: Likewise.
        join_rule: Likewise.
        min_members: Likewise.
        listed_by: Likewise.
        noise: Likewise; only where the file has the signs of rooms (`room_feature`).
        at_hand: The source is that table, which has the texts of a room in one (`said`) and says whether it shows a
            sign (`is_noise`).
    """
    if text and at_hand:
        question.where("contains(said, lower($text))", text=search_text(text))
    elif text:
        columns = ("name", "topic", "canonical_alias", "room_id")
        found = " OR ".join(f"contains(lower({column}), lower($text))" for column in columns)
        question.where(f"({found})", text=search_text(text))
    if spaces is not None:
        question.where(f"coalesce(room_type, '') {'=' if spaces else '<>'} $space", space=SPACE)
    if join_rule is not None:
        question.where("coalesce(join_rule, '') = $join_rule", join_rule=search_text(join_rule))
    if min_members is not None:
        question.where("members >= $min_members", min_members=min_members)
    if listed_by is not None:
        question.where(_LISTED_BY, listing_crawl=crawl_id, listed_by=search_text(listed_by))
    if noise is not None and at_hand:
        question.where(f"coalesce(is_noise, {noise}) = {noise}")
    elif noise is not None:
        question.where(f"room_id {'IN' if noise else 'NOT IN'} (SELECT room_id FROM room_feature WHERE score > 0)")  # noqa: S608 - our own words


_LISTED_BY = """room_id IN (
    SELECT room_id FROM listing JOIN server USING (server_id)
    WHERE crawl_id = $listing_crawl AND server_key = lower($listed_by)
)"""
