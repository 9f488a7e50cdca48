"""The reference tables that ship with the program, read and checked.

Apart from `analytics.load`, which reads what was counted: these say what things are called and when they happened, and
each row names its source.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

import polars as pl

from analytics.schemas import checked
from crawler.resources import shipped

Columns = Mapping[str, pl.DataType | type[pl.DataType]]

BRIDGE_COLUMNS: Columns = {
    "protocol": pl.String,
    "network": pl.String,
    "localpart": pl.String,
    "domain": pl.String,
    "confidence": pl.String,
    "ended_on": pl.String,
    "source": pl.String,
}

RELEASE_COLUMNS: Columns = {"version": pl.String, "release_date": pl.Date}

MSC_COLUMNS: Columns = {
    "msc": pl.Int64,
    "slug": pl.String,
    "merged_date": pl.Date,
    "first_spec_release": pl.String,
    "first_spec_release_date": pl.Date,
}

SOFTWARE_COLUMNS: Columns = {
    "software": pl.String,
    "display_name": pl.String,
    "lineage": pl.String,
    "kind": pl.String,
    "language": pl.String,
    "repository": pl.String,
}
"""The reference table of implementations, `data/reference/software.csv`; `repository`: where its code is developed;
null: none is known, or it is no homeserver."""

SOFTWARE_RELEASE_COLUMNS: Columns = {
    "software": pl.String,
    "version": pl.String,
    "released_on": pl.Date,
    "security": pl.Boolean,
    "advisories": pl.String,
    "source": pl.String,
}
"""The reference table of releases, `data/reference/releases.csv`; `security`: whether it mended a vulnerability;
null: not known."""

ANNOTATION_COLUMNS: Columns = {
    "happened_on": pl.Date,
    "precision": pl.String,
    "kind": pl.String,
    "title": pl.String,
    "value": pl.Float64,
    "unit": pl.String,
    "source": pl.String,
    "checked": pl.String,
}
"""The reference table of annotations, `data/reference/annotations.csv`."""

CORRECTION_COLUMNS: Columns = {
    "corrected_on": pl.String,
    "metric": pl.String,
    "what": pl.String,
}
"""The reference table of corrections, `data/reference/corrections.csv`."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What explains a snapshot: implementations and their releases, bridge fingerprints, releases of the specification,
    accepted MSCs; `spec_source` says where the last two are from. `annotations` are dated events and figures that
    others published, to stand beside series."""

    software: pl.DataFrame
    bridges: pl.DataFrame
    releases: pl.DataFrame
    mscs: pl.DataFrame
    software_releases: pl.DataFrame
    annotations: pl.DataFrame
    spec_source: str

    def with_spec(self, releases: pl.DataFrame, mscs: pl.DataFrame, source: str) -> "Reference":
        """The same, with the history of the specification as it was imported."""
        return replace(
            self,
            releases=checked(releases, RELEASE_COLUMNS, "spec_release"),
            mscs=checked(mscs, MSC_COLUMNS, "spec_proposal"),
            spec_source=source,
        )


@cache
def reference() -> Reference:
    """All of it; read once."""
    releases = load_releases()
    shipped_with = f"the tables that ship with the program, as of {releases['version'].to_list()[-1]}"
    return Reference(
        load_software(),
        load_bridges(),
        releases,
        load_mscs(),
        load_software_releases(),
        load_annotations(),
        shipped_with,
    )


def load_software() -> pl.DataFrame:
    """Implementations: display name, lineage, kind, language."""
    frame = pl.read_csv(shipped("reference", "software.csv"), schema_overrides=dict(SOFTWARE_COLUMNS))
    return checked(frame, SOFTWARE_COLUMNS, "software.csv")


def load_bridges() -> pl.DataFrame:
    """Fingerprints of portal aliases, in the order in which they are tried."""
    frame = pl.read_csv(shipped("reference", "bridges.csv"), schema_overrides=dict(BRIDGE_COLUMNS))
    return checked(frame, BRIDGE_COLUMNS, "bridges.csv")


def load_cdn_ranges() -> list[tuple[str, str]]:
    """(address range, content delivery network), as each network publishes them."""
    frame = pl.read_csv(shipped("reference", "cdn.csv"))
    return [(addresses, cdn) for addresses, cdn in frame.select("addresses", "cdn").iter_rows()]


def load_countries() -> pl.DataFrame:
    """Codes and names of countries (ISO 3166-1): `country` (alpha-2), `alpha_3`, `name`."""
    # NA is Namibia, and no absent value.
    return pl.read_csv(shipped("reference", "countries.csv"), schema_overrides=[pl.String] * 3, null_values=[])


def load_languages() -> pl.DataFrame:
    """Codes and English names of the languages that are told apart (ISO 639): `language`, `name`."""
    return pl.read_csv(shipped("reference", "languages.csv"), schema_overrides=[pl.String] * 2, null_values=[])


def load_releases() -> pl.DataFrame:
    """Releases of the specification, oldest first."""
    frame = pl.read_csv(shipped("reference", "spec_releases.csv"), schema_overrides={"version": pl.String})
    dated = frame.with_columns(pl.col("release_date").str.to_date())
    return checked(dated, RELEASE_COLUMNS, "spec_releases.csv").sort("release_date")


def load_mscs() -> pl.DataFrame:
    """Accepted proposals: when their text was merged, and in which release they first stand; either may be null."""
    frame = pl.read_csv(shipped("reference", "accepted_mscs.csv"), schema_overrides={"msc": pl.Int64})
    dated = frame.with_columns(
        pl.col("merged_date").str.to_datetime(time_zone="UTC").cast(pl.Date),
        pl.col("first_spec_release_date").str.to_date(),
    )
    return checked(dated, MSC_COLUMNS, "accepted_mscs.csv").unique("msc", keep="first", maintain_order=True)


def load_software_releases() -> pl.DataFrame:
    """Releases of implementations, and which of them mended a vulnerability; not all there are."""
    frame = pl.read_csv(shipped("reference", "releases.csv"), try_parse_dates=True)
    return checked(frame, SOFTWARE_RELEASE_COLUMNS, "releases.csv")


def load_annotations() -> pl.DataFrame:
    """Dated events and published figures, by day. Never to be joined to a series of ours: they count other things."""
    frame = pl.read_csv(
        shipped("reference", "annotations.csv"), try_parse_dates=True, schema_overrides={"value": pl.Float64}
    )
    return checked(frame, ANNOTATION_COLUMNS, "annotations.csv").sort("happened_on", maintain_order=True)


def load_corrections() -> pl.DataFrame:
    """What numbers published earlier are now known to be wrong, by day; every report repeats it."""
    frame = pl.read_csv(shipped("reference", "corrections.csv"), schema_overrides=dict(CORRECTION_COLUMNS))
    return checked(frame, CORRECTION_COLUMNS, "corrections.csv").sort("corrected_on", maintain_order=True)
