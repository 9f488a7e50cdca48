"""Who we say we are in every request: the product, and in a comment whom to write to (RFC 9110, 10.1.5 and 5.6.5).

In the model, because who sends it and who tells server admins about it must say the same.
"""

import re

PRODUCT = "matrix-census"
"""Also the name that robots.txt calls us by (RFC 9309, 2.2.1)."""


def user_agent(version: str, contact: str) -> str:
    """The header's value; `contact` in characters of a URL, an address or a Matrix ID, or empty."""
    product = f"{PRODUCT}/{version}"
    if not contact:
        return product
    escaped = re.sub(r"([()\\])", r"\\\1", contact)
    return f"{product} (+{escaped})"
