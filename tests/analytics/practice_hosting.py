"""Makes `data/reference/practice-hosting.mmdb`: hosting data for the addresses of the practice federation.

Networks have numbers that RFC 5398 keeps for documentation, names that say what they are, and countries drawn by hand:
nothing in it is true of any real address. Run as a module to write the file anew; a test holds it to these tables.
"""

import ipaddress
import sys
from pathlib import Path

from mmdb_writer import MMDBWriter
from netaddr import IPSet

NETWORKS: tuple[tuple[int, str, str], ...] = (
    (64496, "Practice Hosting One", "DE"),
    (64497, "Practice Hosting Two", "FR"),
    (64498, "Practice Cloud Three", "US"),
    (64499, "Practice Fibre Four", "FI"),
    (64500, "Practice Lines Five", "NL"),
    (64501, "Practice Campus Six", "CH"),
    (64502, "Practice Home Seven", "SE"),
    (64503, "Practice Island Eight", "JP"),
)

_OWN = ipaddress.IPv4Network("127.64.0.0/16")
_SHARED = ipaddress.IPv4Network("127.96.0.0/14")
_MANY = ipaddress.IPv4Network("127.104.0.0/13")
_IPV6 = ipaddress.IPv6Network("fd4d:6361:6c61:62::/64")


def plan() -> dict[str, tuple[int, str, str]]:
    """Address range -> (number, network, country). A skewed few hold most of what servers own; providers' ranges of
    shared addresses go to one network each; 127.104.0.0/13 is in a network whose country is not known."""
    ranges = {
        str(block): NETWORKS[min(len(NETWORKS) - 1, (number * 37 % 64) ** 2 // 512)]
        for number, block in enumerate(_OWN.subnets(new_prefix=26))
    }
    ranges |= {str(block): NETWORKS[number % 5] for number, block in enumerate(_SHARED.subnets(new_prefix=22))}
    ranges[str(_IPV6)] = NETWORKS[2]
    ranges[str(_MANY)] = (64504, "Practice Anycast Nine", "")
    return ranges


def write(path: Path) -> None:
    """Write the file."""
    writer = MMDBWriter(
        ip_version=6,
        ipv4_compatible=True,
        database_type="Practice-Hosting",
        description="Made up for the practice federation; true of no real address",
    )
    for addresses, (number, network, country) in plan().items():
        record: dict[str, object] = {"autonomous_system_number": number, "autonomous_system_organization": network}
        writer.insert_network(IPSet([addresses]), record | ({"country": {"iso_code": country}} if country else {}))
    writer.to_db_file(str(path))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
