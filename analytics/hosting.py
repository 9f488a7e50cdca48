"""Where addresses are: hosting network, country, content delivery network.

Networks and countries come from the operator's own MaxMind DB files (`--geo-db`, in the layouts of GeoLite2 and of
IPinfo), else from geoip2fast where that is installed (it brings names of networks, no numbers, of a day that it says);
without either they are unknown, never guessed. How old that data is travels with every figure (`vintage`). A
content delivery network is told by the address ranges that it publishes (`data/reference/cdn.csv`); behind one, neither
network nor country of the server can be seen, so both are unknown there.
"""

import bisect
import importlib
import importlib.util
import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import maxminddb
import polars as pl

from analytics.schemas import PLACE_COLUMNS
from crawler.errors import UsageError

NO_DATA = "no hosting data given"


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of where an address is. None: not known. `asn` is the number of the autonomous system."""

    asn: int | None = None
    network: str | None = None
    country: str | None = None
    cdn: str | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """A place for each address (`schemas.PLACE_COLUMNS`) and, in words, how old the data behind it is."""

    frame: pl.DataFrame
    vintage: str

    @property
    def has_data(self) -> bool:
        """Whether there was anything to look networks and countries up in."""
        return self.vintage != NO_DATA


class CdnRanges:
    """The address ranges of content delivery networks, for look-up by address."""

    def __init__(self, ranges: Iterable[tuple[str, str]]) -> None:
        spans = sorted(
            (network.version, int(network.network_address), int(network.broadcast_address), cdn)
            for network, cdn in ((ipaddress.ip_network(text), cdn) for text, cdn in ranges)
        )
        self._starts = [(version, start) for version, start, _, _ in spans]
        self._spans = spans

    def cdn_of(self, address: str) -> str | None:
        """The network whose range holds the address; ranges do not overlap."""
        parsed = ipaddress.ip_address(address)
        at = bisect.bisect_right(self._starts, (parsed.version, int(parsed))) - 1
        if at < 0:
            return None
        version, _, end, cdn = self._spans[at]
        return cdn if version == parsed.version and int(parsed) <= end else None


class Bundled:
    """The data that comes with geoip2fast, if that is installed: no dependency, and asked only where no file is."""

    FILE = "geoip2fast-asn-ipv6.dat.gz"
    """Of the files it brings, the one with names of networks and both families."""

    def __init__(self, module: Any) -> None:
        self._data = module.GeoIP2Fast(geoip2fast_data_file=self.FILE)

    @property
    def vintage(self) -> str:
        """What it says of its own data."""
        return f"geoip2fast: {self._data.source_info}"

    def place(self, address: str) -> Place:
        """What it says of an address."""
        found = self._data.lookup(address)
        if found.is_private:
            return Place()
        country = str(found.country_code)
        is_country = len(country) == 2 and country.isalpha() and country.isascii()
        return Place(network=str(found.asn_name) or None, country=country if is_country else None)


@cache
def bundled() -> Bundled | None:
    """geoip2fast's data, read once; None where it is not installed."""
    return Bundled(importlib.import_module("geoip2fast")) if importlib.util.find_spec("geoip2fast") else None


class HostingData:
    """One or more MaxMind DB files, read into memory. The first that knows something of an address says it. Without
    files, what `bundled` gives."""

    def __init__(self, files: Sequence[Path] = ()) -> None:
        self._readers = [_open(file) for file in files]
        self._bundled = None if files else bundled()

    @property
    def vintage(self) -> str:
        """Name and day of each file's data."""
        if self._bundled is not None:
            return self._bundled.vintage
        said = []
        for reader in self._readers:
            metadata = reader.metadata()
            built = datetime.fromtimestamp(metadata.build_epoch, UTC)
            said.append(f"{metadata.database_type} of {built:%Y-%m-%d}")
        return "; ".join(said) or NO_DATA

    def place(self, address: str) -> Place:
        """What the files say of an address."""
        if self._bundled is not None:
            return self._bundled.place(address)
        found = Place()
        for reader in self._readers:
            record = reader.get(address)
            if isinstance(record, dict):
                said = _read(record)
                found = Place(found.asn or said.asn, found.network or said.network, found.country or said.country)
        return found

    def places(self, addresses: Iterable[str], ranges: CdnRanges) -> Places:
        """The places of these addresses."""
        rows = []
        for address in sorted(set(addresses)):
            cdn = ranges.cdn_of(address)
            where = self.place(address) if cdn is None else Place(cdn=cdn)
            rows.append((address, where.asn, where.network, where.country, cdn))
        return Places(pl.DataFrame(rows, schema=dict(PLACE_COLUMNS), orient="row"), self.vintage)


def _open(file: Path) -> maxminddb.Reader:
    try:
        return maxminddb.open_database(file, maxminddb.MODE_MEMORY)
    except OSError as error:
        raise UsageError(f"cannot read the hosting data {file}: {error.strerror}") from error
    except maxminddb.InvalidDatabaseError as error:
        raise UsageError(f"{file} is no MaxMind DB file; --geo-db wants one that ends in .mmdb") from error


def _read(record: dict[str, Any]) -> Place:
    """A record in the layout of GeoLite2 and DB-IP (nested country) or of IPinfo (flat)."""
    number = record.get("autonomous_system_number", record.get("asn"))
    name = record.get("autonomous_system_organization", record.get("as_name", record.get("name")))
    country = record.get("country", record.get("country_code"))
    if isinstance(country, dict):
        country = country.get("iso_code")
    asn = _number(number)
    return Place(
        asn=asn,
        network=str(name) if name else None if asn is None else f"AS{asn}",
        country=country if isinstance(country, str) and len(country) == 2 else None,
    )


def _number(said: object) -> int | None:
    digits = str(said).upper().removeprefix("AS") if said is not None else ""
    return int(digits) if digits.isdecimal() else None
