"""The colours, written once: the style sheet's variables and the figures' colours come from here.

Colour follows the thing, not its rank: a lineage has one colour on every page. Text is held to 4.5:1 against both
backgrounds, lines and bars to 3:1 (WCAG 2.2, 1.4.3 and 1.4.11); `tests/dashboard/test_palette.py` computes it.
"""

from dataclasses import dataclass
from enum import StrEnum


class Scheme(StrEnum):
    """Light or dark."""

    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Palette:
    """One scheme. `lineages` in the order of `LINEAGES`; `other` is for what has no colour of its own and for what is
    not known."""

    background: str
    surface: str
    text: str
    quiet: str
    line: str
    good: str
    warn: str
    bad: str
    other: str
    lineages: tuple[str, ...]

    @property
    def accent(self) -> str:
        """Links, focus, and bars that stand for no lineage."""
        return self.lineages[0]

    def hue(self, number: int) -> str:
        """The colour of a line by its number; below 0: of no thing of its own."""
        return self.other if number < 0 else self.lineages[number % len(self.lineages)]

    def lineage(self, name: str) -> str:
        """The colour of a lineage, by the name of `data/reference/software.csv`."""
        return self.lineages[LINEAGES.index(name)] if name in LINEAGES else self.other


LINEAGES = ("synapse", "conduit", "dendrite", "construct", "ejabberd", "rocket.chat", "telodendria")

PALETTES: dict[Scheme, Palette] = {
    Scheme.LIGHT: Palette(
        background="#FFFFFF",
        surface="#F6F7F9",
        text="#1B1F24",
        quiet="#59636E",
        line="#D9DEE3",
        good="#0B7A4B",
        warn="#9A6700",
        bad="#B42318",
        other="#8A939C",
        lineages=("#0072B2", "#00805E", "#C65102", "#A3518A", "#7A6A00", "#5B5BD6", "#8B5E3C"),
    ),
    Scheme.DARK: Palette(
        background="#0F1419",
        surface="#171D24",
        text="#E8ECF0",
        quiet="#9AA7B2",
        line="#2B343D",
        good="#4CC38A",
        warn="#E2B203",
        bad="#F97066",
        other="#7C8791",
        lineages=("#56B4E9", "#2BC79B", "#F0954D", "#E1A0CB", "#E6D64A", "#A5A5F5", "#D0A27E"),
    ),
}

ROLES = ("background", "surface", "text", "quiet", "line", "good", "warn", "bad", "other", "accent")
"""Of a palette, which the style sheet knows by these names."""

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Arial, sans-serif'
"""Fonts of the visitor's own machine: none is fetched."""


def style_sheet() -> str:
    """The palette as variables of the style sheet, for `<html data-mantine-color-scheme>`."""
    blocks = []
    for scheme, palette in PALETTES.items():
        variables = "".join(f"--{role}:{getattr(palette, role)};" for role in ROLES)
        worn = f':root[data-mantine-color-scheme="{scheme}"]'
        # Without a script nobody wears anything.
        of = f":root,{worn}" if scheme is Scheme.LIGHT else worn
        blocks.append(f"{of}{{color-scheme:{scheme};{variables}}}")
    return f":root{{--font:{FONT}}}" + "".join(blocks) + f"@media print{{{_on_paper()}}}"


def _on_paper() -> str:
    """Paper is white: a dark page takes the light variables, and so do the colours that its figures were drawn in."""
    light, dark = PALETTES[Scheme.LIGHT], PALETTES[Scheme.DARK]
    variables = "".join(f"--{role}:{getattr(light, role)};" for role in ROLES)
    pairs = {getattr(dark, role): getattr(light, role) for role in ROLES} | dict(
        zip(dark.lineages, light.lineages, strict=True)
    )
    drawn = "".join(
        f'[data-mantine-color-scheme="dark"] .main-svg [style*="{kind}: {_rgb(was)}"]{{{kind}:{becomes}!important}}'
        for was, becomes in pairs.items()
        for kind in ("fill", "stroke")
    )
    return f':root[data-mantine-color-scheme="dark"]{{color-scheme:light;{variables}}}{drawn}'


def _rgb(colour: str) -> str:
    """As a browser writes `#56B4E9` in a style."""
    return f"rgb({', '.join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))})"
