"""ARIA and data attributes of Dash's HTML components, which take them by their hyphenated names alone."""

from typing import Any


def aria(**attributes: str) -> dict[str, Any]:
    """`aria(label="Pages")` is `{"aria-label": "Pages"}`, to be passed on as keywords."""
    return {f"aria-{name}": value for name, value in attributes.items()}


HIDDEN = aria(hidden="true")
"""For icons beside a word that says the same."""


def attributes(**values: str) -> dict[str, Any]:
    """`attributes(of="funnel")` is `{"data-of": "funnel"}`, likewise."""
    return {f"data-{name}": value for name, value in values.items()}
