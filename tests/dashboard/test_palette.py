"""Contrast by WCAG 2.2, and colours that people with deuteranopia can tell apart."""

import itertools

import pytest

from dashboard.palette import LINEAGES, PALETTES, Palette, Scheme, style_sheet


def linear(colour: str) -> tuple[float, float, float]:
    """Linear RGB of a hex colour (IEC 61966-2-1)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return red, green, blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, "contrast ratio"."""
    lights = sorted(sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear(x), strict=True)) for x in (one, other))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def deuteranope(colour: str) -> tuple[float, float, float]:
    """Machado, Oliveira, Fernandes 2009, deuteranomaly of severity 1.0, on linear RGB."""
    matrix = ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881))
    rgb = linear(colour)
    seen = [max(0.0, min(1.0, sum(m * c for m, c in zip(row, rgb, strict=True)))) for row in matrix]
    return seen[0], seen[1], seen[2]


def lab(rgb: tuple[float, float, float]) -> tuple[float, float, float]:
    """CIELAB, D65."""
    xyz_rows = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
    white = (0.95047, 1.0, 1.08883)
    scaled = [sum(m * c for m, c in zip(row, rgb, strict=True)) / w for row, w in zip(xyz_rows, white, strict=True)]
    x, y, z = (t ** (1 / 3) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116 for t in scaled)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES.keys())
@pytest.mark.parametrize("role", ["text", "quiet", "good", "warn", "bad", "accent"])
def test_text_stands_out_from_both_backgrounds(palette: Palette, role: str) -> None:
    for background in (palette.background, palette.surface):
        assert contrast(getattr(palette, role), background) >= 4.5


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES.keys())
def test_bars_and_lines_stand_out_from_the_background(palette: Palette) -> None:
    for colour in (*palette.lineages, palette.other):
        assert contrast(colour, palette.background) >= 3.0


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES.keys())
def test_the_three_large_lineages_differ_for_deuteranopes(palette: Palette) -> None:
    for one, other in itertools.combinations(palette.lineages[:3], 2):
        a, b = lab(deuteranope(one)), lab(deuteranope(other))
        assert sum((p - q) ** 2 for p, q in zip(a, b, strict=True)) ** 0.5 > 20


def test_contrast_meets_its_oracle() -> None:
    assert contrast("#FFFFFF", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.005)  # WCAG's well-known near miss


def test_a_lineage_has_one_colour_and_the_rest_is_other() -> None:
    palette = PALETTES[Scheme.LIGHT]
    assert palette.lineage("synapse") == "#0072B2"
    assert palette.lineage("conduit") == "#00805E"
    assert palette.lineage("never heard of") == palette.other
    assert len(set(palette.lineages)) == len(LINEAGES) == len(palette.lineages)


def test_the_style_sheet_says_every_role_for_both_schemes() -> None:
    sheet = style_sheet()
    for scheme, palette in PALETTES.items():
        assert f'[data-mantine-color-scheme="{scheme}"]' in sheet
        assert f"--quiet:{palette.quiet};" in sheet
