"""Looks into component trees: what a page says, without a browser."""

from collections.abc import Iterator
from typing import Any

from dash.development.base_component import Component


def parts(tree: Any) -> Iterator[Any]:
    """Every component and text of a tree, in the order of reading."""
    if isinstance(tree, list | tuple):
        for each in tree:
            yield from parts(each)
        return
    yield tree
    if isinstance(tree, Component):
        yield from parts(getattr(tree, "children", None))


def find(tree: Any, component_id: str) -> Any:
    """The component of an id."""
    return next(
        part for part in parts(tree) if isinstance(part, Component) and getattr(part, "id", None) == component_id
    )


def texts(tree: Any) -> list[str]:
    """Every text, one by one."""
    return [part for part in parts(tree) if isinstance(part, str)]


def text(tree: Any) -> str:
    """Everything that a tree says, in one line."""
    return " ".join(" ".join(texts(tree)).split())
