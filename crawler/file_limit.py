"""How many files and sockets this process may hold: a crawl of hundreds of servers at once passes the usual limit."""

import contextlib
import resource


def raise_file_limit() -> None:
    """Let this process hold as many sockets as the system allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
