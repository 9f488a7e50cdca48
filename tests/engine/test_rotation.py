"""Each server has its turn, once in a round."""

import pytest

from crawler.engine.rotation import is_turn

NAMES = [f"host{number}.test" for number in range(400)]


@pytest.mark.parametrize(("share", "crawls"), [(0.02, 50), (0.25, 4), (1.0, 1), (0.3, 3)])
def test_every_server_has_one_turn_in_each_round(share: float, crawls: int) -> None:
    for start in (1, 7):
        for name in NAMES[:50]:
            assert sum(is_turn(name, crawl, share) for crawl in range(start, start + crawls)) == 1


def test_a_crawl_has_about_its_share() -> None:
    # 400 servers in 4 turns: 100 expected, standard deviation below 9.
    assert all(60 < sum(is_turn(name, crawl, 0.25) for name in NAMES) < 140 for crawl in range(1, 5))


def test_no_share_is_no_turn() -> None:
    assert not any(is_turn(name, 1, 0.0) for name in NAMES)
