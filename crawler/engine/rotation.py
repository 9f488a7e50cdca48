"""Whose turn the close look is in a crawl. Pure.

A crawl looks closely at a share of the servers only, since each address asked is another machine bothered; in as many
crawls as the share has room for, every server has its turn once. Which turn is a server's own follows from its name, so
that nothing need be remembered and servers met later fall in.
"""

import hashlib


def is_turn(server_key: str, crawl_number: int, share: float) -> bool:
    """Whether the server's turn is in the crawl of that number.

    Args:
        server_key: of its name.
        crawl_number: from 1, in the order of crawls.
        share: of the servers in each crawl, 0 to 1. Turns come every 1/share crawls, rounded; 0: never.
    """
    if share <= 0:
        return False
    period = max(1, round(1 / share))
    digest = hashlib.sha256(server_key.encode()).digest()
    return (int.from_bytes(digest[:8]) - crawl_number) % period == 0
