"""Implementations and releases that the practice servers run, and the manners of each.

Each release says what its servers send and, beside it, what a reader must make of that: the expected normal form is
written down here by hand, not computed by the code under test.
"""

from dataclasses import dataclass
from enum import StrEnum


class Dialect(StrEnum):
    """How an implementation pages its directory and words its refusals (`lab.directory`)."""

    SYNAPSE = "synapse"
    """Keyset tokens, at most 100 rooms a page."""
    DENDRITE = "dendrite"
    """Decimal offsets, no order, no room types."""
    CONDUIT = "conduit"
    """Tokens n<offset>; a full last page promises one more, which is empty."""
    ROCKET_CHAT = "rocket_chat"
    """Everything on one page; insists on both query parameters."""
    NO_DIRECTORY = "no_directory"
    """Does not know publicRooms at all."""


class Door(StrEnum):
    """How a directory answers at one of its two doors, federation (signed) and client API (unsigned)."""

    OPEN = "open"
    EMPTY = "empty"
    DENIED = "denied"
    """403 M_FORBIDDEN, after the signature was accepted."""
    WANTS_TOKEN = "wants_token"  # noqa: S105 - the name of a refusal
    """401 M_MISSING_TOKEN."""
    ABSENT = "absent"
    """404 M_UNRECOGNIZED."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may read a directory."""

    federation: Door
    client: Door


CLOSED = Policy(Door.DENIED, Door.WANTS_TOKEN)
OPEN_SIGNED = Policy(Door.OPEN, Door.WANTS_TOKEN)
OPEN_BOTH = Policy(Door.OPEN, Door.OPEN)
OPEN_CLIENT = Policy(Door.DENIED, Door.OPEN)
EMPTY = Policy(Door.EMPTY, Door.WANTS_TOKEN)
NO_DIRECTORY = Policy(Door.ABSENT, Door.ABSENT)

POLICIES: dict[Dialect, tuple[tuple[Policy, float], ...]] = {
    Dialect.SYNAPSE: ((CLOSED, 70), (OPEN_SIGNED, 14), (OPEN_BOTH, 7), (OPEN_CLIENT, 3), (EMPTY, 6)),
    Dialect.DENDRITE: ((OPEN_BOTH, 1),),
    Dialect.CONDUIT: ((CLOSED, 60), (OPEN_CLIENT, 20), (OPEN_SIGNED, 15), (OPEN_BOTH, 5)),
    Dialect.ROCKET_CHAT: ((OPEN_SIGNED, 1),),
    Dialect.NO_DIRECTORY: ((NO_DIRECTORY, 1),),
}
"""What each implementation can be set to, with weights: Synapse and the Conduit family are closed unless opened,
Dendrite has no switch."""


@dataclass(frozen=True, slots=True)
class Release:
    """One release as its servers name it.

    `name_raw` and `version_raw` are what /_matrix/federation/v1/version sends (None: the member is absent; "{server}"
    in a name stands for the server's own name, which Rocket.Chat sends there). `software` and `version` are their
    normal form. `spec` is the newest specification version that /_matrix/client/versions lists.
    """

    name_raw: str | None
    version_raw: str | None
    software: str | None
    version: str | None
    dialect: Dialect
    weight: float
    spec: int = 11


RELEASES: tuple[Release, ...] = (
    Release("Synapse", "1.163.2", "synapse", "1.163.2", Dialect.SYNAPSE, 22, 15),
    Release("Synapse", "1.162.0", "synapse", "1.162.0", Dialect.SYNAPSE, 10, 15),
    Release("Synapse", "1.157.1", "synapse", "1.157.1", Dialect.SYNAPSE, 9, 12),
    Release("Synapse", "1.149.1", "synapse", "1.149.1", Dialect.SYNAPSE, 7, 12),
    Release("Synapse", "1.126.0", "synapse", "1.126.0", Dialect.SYNAPSE, 6, 12),
    Release("Synapse", "1.114.0", "synapse", "1.114.0", Dialect.SYNAPSE, 5, 11),
    Release("Synapse", "1.99.0 (b=develop,t=v1.99.0,4e8bf3a)", "synapse", "1.99.0", Dialect.SYNAPSE, 3, 7),
    Release("Synapse", "1.85.2", "synapse", "1.85.2", Dialect.SYNAPSE, 3, 6),
    Release("Synapse", "1.61.1", "synapse", "1.61.1", Dialect.SYNAPSE, 2, 2),
    Release("Dendrite", "0.15.2+9c1ab04", "dendrite", "0.15.2", Dialect.DENDRITE, 4, 2),
    Release("Dendrite", "0.13.8", "dendrite", "0.13.8", Dialect.DENDRITE, 2, 2),
    Release("Conduit", "0.10.9", "conduit", "0.10.9", Dialect.CONDUIT, 4, 12),
    Release("conduwuit", "0.4.6 (5b9d1f2)", "conduwuit", "0.4.6", Dialect.CONDUIT, 3, 11),
    Release("continuwuity", "26.7.3 (a17c0de)", "continuwuity", "26.7.3", Dialect.CONDUIT, 6, 14),
    Release("Tuwunel", "1.9.0", "tuwunel", "1.9.0", Dialect.CONDUIT, 6, 14),
    Release("Construct", "0.9.1", "construct", "0.9.1", Dialect.SYNAPSE, 0.5, 1),
    Release("{server}", "8.0.1", "rocket.chat", "8.0.1", Dialect.ROCKET_CHAT, 1, 11),
    Release("ejabberd/mod_matrix_gw", "0.1", "ejabberd/mod_matrix_gw", "0.1", Dialect.NO_DIRECTORY, 1, 9),
    Release("Larchwood", "2.0.4", "larchwood", "2.0.4", Dialect.CONDUIT, 0.5, 11),
    Release(None, None, None, None, Dialect.SYNAPSE, 1, 11),
)


def spec_versions(release: Release) -> list[str]:
    """What `versions` of /_matrix/client/versions lists."""
    old = ["r0.0.1", "r0.1.0", "r0.2.0", "r0.3.0", "r0.4.0", "r0.5.0", "r0.6.0", "r0.6.1"]
    return old + [f"v1.{minor}" for minor in range(1, release.spec + 1)]


def unstable_features(release: Release) -> dict[str, bool]:
    """What `unstable_features` of it says: more of them on newer releases."""
    return {
        "org.matrix.e2e_cross_signing": True,
        "org.matrix.msc3440.stable": release.spec >= 4,
        "org.matrix.msc3827.stable": release.spec >= 4,
        "org.matrix.simplified_msc3575": release.spec >= 12,
        "org.matrix.msc4140": release.dialect is Dialect.SYNAPSE and release.spec >= 15,
    }
