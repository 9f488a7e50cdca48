"""What a server says it runs, brought to one spelling: implementation name and version number.

Names are self-declared. They are lower-cased and their white space is collapsed, nothing more: which names are one
lineage is a reference table (`data/reference/software.csv`), so that tiny implementations stay visible under their own
name.
"""

import re

from crawler.errors import printable
from crawler.model.names import ServerName

MAX_TEXT = 256
ROCKET_CHAT = "rocket.chat"

# Each number short: longer ones are build hashes and dates in disguise, not versions to be compared.
_NUMBER = re.compile(r"\Av?([0-9]{1,9}(?:\.[0-9]{1,9}){0,9})(?![0-9.]*[0-9])", re.IGNORECASE)


def normalise(name: str | None, version: str | None, server_name: ServerName) -> tuple[str | None, str | None]:
    """(software, version number) of what `/_matrix/federation/v1/version` said.

    `software` is None when there was no name; the version is the leading number alone, without pre-release, build,
    branch and the brackets of builds from git; None when it does not begin with one.

    Rocket.Chat gives its own server name for a name, and is known by it.
    """
    return _software(name, server_name), _number(version)


def _software(name: str | None, server_name: ServerName) -> str | None:
    if name is None:
        return None
    spelled = printable(" ".join(name.split()).lower(), MAX_TEXT)
    # A name of one label, such as "synapse" on a private network, may also be what an implementation is called.
    if spelled == server_name.key and ("." in spelled or ":" in spelled):
        return ROCKET_CHAT
    return spelled or None


def _number(version: str | None) -> str | None:
    found = _NUMBER.match((version or "").strip())
    return found[1] if found else None
