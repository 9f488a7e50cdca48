"""Signs in the text of a room: what shows each, and what is near it and does not."""

import random
from itertools import combinations, product

import polars as pl
import pytest

from analytics.language import UNDETERMINED, language_of
from analytics.near_duplicates import folded, group_sizes, similarity, sketch
from analytics.room_text import room_text, text_hash


@pytest.mark.parametrize(
    ("name", "topic", "alias", "signs"),
    [
        ("Gardens", "What grows and when", "#gardens:a.example", set()),
        ("Buy at https://x.example/shop", None, None, {"links"}),
        ("Shop", "https://x.example/1 and https://x.example/2", None, {"links"}),
        ("Shop", "One link https://x.example/1 in a topic", None, set()),
        ("Shop", "t.me/abc www.example.org/x", None, {"links"}),
        ("Call", "Ring +49 170 1234567 now", None, {"phone"}),
        ("Call", "Ring (0170) 123-45-67-89 now", None, {"phone"}),
        ("Numbers", "Since 2024-05-17, ticket 1234567890123", None, set()),
        ("Meeting", "On 17.05.2024 at 10.00", None, set()),
        ("Friends", "@first_one @second_one @third_one", None, {"mentions"}),
        ("Friends", "ask @alice:a.example, @bob:a.example or me@a.example and x@b.example", None, set()),
        ("Frее mоney", None, None, {"confusables"}),  # Cyrillic among the Latin letters
        ("Привет мир", "Обо всём", None, set()),
        ("Linux по-русски", "два алфавита, каждое слово в своём", None, set()),
        ("\U0001d5d9\U0001d5e5\U0001d5d8\U0001d5d8", None, None, {"confusables"}),
        ("hid\u200bden", None, None, {"confusables"}),
        ("日本語の部屋", "雑談", None, set()),
        ("x", None, "#qzkxrtplmvbnwq:a.example", {"random_alias"}),
        ("x", None, "#a1b2c3d4e5f6:a.example", {"random_alias"}),
        ("x", None, "#gardening-and-birds:a.example", set()),
        ("x", None, "#announcements2026:a.example", set()),
    ],
)
def test_signs(name: str, topic: str | None, alias: str | None, signs: set[str]) -> None:
    found = room_text(name, topic, alias)
    flags = ("links", "phone", "mentions", "confusables", "random_alias")
    assert {flag for flag in flags if getattr(found, flag)} == signs


def test_the_hash_tells_absent_from_empty_and_where_words_stand() -> None:
    texts = [(None, None, None), ("", None, None), ("a", "b", None), ("ab", None, None), (None, "ab", None)]
    assert len({text_hash(*text) for text in texts}) == len(texts)
    text_hash("\ud800", None, None)  # a lone surrogate is no reason to fail


def jaccard(one: str, other: str) -> float:
    """The definition, over lists of five-character runs."""
    first = [one[i : i + 5] for i in range(len(one) - 4)]
    second = [other[i : i + 5] for i in range(len(other) - 4)]
    both = len([run for run in set(first) if run in second])
    return both / (len(set(first)) + len(set(second)) - both)


def test_similarity_is_jaccards() -> None:
    one, other = "the quick brown fox jumps", "the quick brown cat jumps"
    assert similarity(one, other) == pytest.approx(jaccard(one, other))
    assert similarity("abc", "abc") == 0.0
    assert folded("Ｆull  WIDTH\t99") == "full width 00"


def sizes(texts: list[str]) -> list[int]:
    found: list[int] = group_sizes(pl.Series([sketch(text) for text in texts], dtype=pl.List(pl.UInt64))).tolist()
    return found


def test_near_duplicates_are_grouped_and_others_left_alone() -> None:
    spam = "Best prices for all the things you ever wanted, ask number {} for more of them today"
    others = [
        "A room about gardens and everything that grows in them",
        "Support for people who run their own homeserver",
        "Chess puzzles every evening, beginners are welcome",
        "abc",
        "abc",
    ]
    texts = [spam.format(n) for n in range(7)] + others
    assert sizes(texts) == [7] * 7 + [1] * 5
    assert jaccard(folded(others[0]), folded(others[1])) < 0.2
    assert sizes([]) == []


def test_a_long_wave_is_one_group() -> None:
    # Many more than are compared with each other, each a word away from the next.
    words = ["".join(pair) for pair in product(("ab", "cd", "ef", "gh", "ij"), ("kl", "mn", "op", "qr", "st", "uv"))]
    spam = "Best prices for all the things you ever wanted in all your life, ask {} for more of them today {}"
    texts = [spam.format(one, other) for one in words for other in words[:10]]
    assert sizes(texts) == [300] * 300


def test_groups_are_those_of_comparing_all_with_all() -> None:
    words = ["gardens", "birds", "chess", "radio", "matrix", "source", "linux", "news", "books", "films", "travel"]
    rng = random.Random(7)
    texts = [" ".join(rng.choices(words, k=24)) for _ in range(60)]
    texts += [f"{text} more" for text in texts[:20]]
    pairs = {pair: similarity(*(texts[number] for number in pair)) for pair in combinations(range(len(texts)), 2)}
    alike = [pair for pair, similar in pairs.items() if similar >= 0.92]
    near = {number for pair, similar in pairs.items() if similar >= 0.65 for number in pair}
    found = sizes(texts)
    # A pair well above the threshold is in a group, a text with nobody near it is in none.
    assert len(alike) >= 20
    assert all(found[one] > 1 and found[other] > 1 for one, other in alike)
    assert len(near) < len(texts)
    assert all(found[number] == 1 for number in range(len(texts)) if number not in near)


def test_language_is_undetermined_when_there_is_too_little() -> None:
    assert language_of("Lobby") == UNDETERMINED
    assert language_of("1234567890 !!! ???") == UNDETERMINED
    assert language_of("A place to talk about gardens and what grows in them") == "en"
    assert language_of("Ein Raum für alle, die gerne über Gärten und Pflanzen sprechen") == "de"
    assert language_of("Комната для тех, кто любит говорить о садах и растениях") == "ru"
