"""ARIA attributes of Dash's HTML components, which take them by their hyphenated names alone."""

from typing import Any


def aria(**attributes: str) -> dict[str, Any]:
    """`aria(label="Pages")` is `{"aria-label": "Pages"}`, to be passed on as keywords."""
    return {f"aria-{name}": value for name, value in attributes.items()}


HIDDEN = aria(hidden="true")
"""For icons beside a word that says the same."""
