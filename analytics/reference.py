"""The reference tables that ship with the program, read and checked.

Apart from `analytics.load`, which reads what was counted: these say what things are called and when they happened, and
each row names its source.
"""

from dataclasses import dataclass, replace
from functools import cache

import polars as pl

from analytics.schemas import BRIDGE_COLUMNS, MSC_COLUMNS, RELEASE_COLUMNS, SOFTWARE_COLUMNS, checked
from crawler.resources import shipped


@dataclass(frozen=True, slots=True)
class Reference:
    """What explains a snapshot: implementations, bridge fingerprints, releases of the specification, accepted MSCs;
    `spec_source` says where the last two are from."""

    software: pl.DataFrame
    bridges: pl.DataFrame
    releases: pl.DataFrame
    mscs: pl.DataFrame
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
    return Reference(load_software(), load_bridges(), releases, load_mscs(), shipped_with)


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
