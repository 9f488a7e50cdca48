"""One server as a federating server would see it, every step shown: the same visit as a crawl's, told in full."""

from dataclasses import dataclass

from crawler.config import Settings
from crawler.engine.seeds import typed_server_name
from crawler.engine.task import Visit
from crawler.engine.visit import visit
from crawler.model.discovery import Step
from crawler.model.names import ServerName
from crawler.model.observation import Failed, Ok, ServerObservation
from crawler.model.rooms import DirectoryResult, Stopped
from crawler.net.transport import Network
from crawler.protocol.signing import Identity
from crawler.version import VERSION

SCHEMA = "matrix-census/check/1"
"""Name and version of the JSON that `check --json` prints. Keys are added, never renamed."""


async def check_server(network: Network, identity: Identity | None, name: ServerName) -> ServerObservation:
    """Look at one server, at the first page of its directory only."""
    async with network:
        visited = await visit(network, identity, Visit(name, hurried=False), directory_pages=1)
    return visited.observation


class Checker:
    """Checks servers one after the other or together, on one network, for a program that runs on.

    Raises:
        UsageError: settings that name what is not there.
    """

    def __init__(self, settings: Settings) -> None:
        self._network = Network(settings, version=VERSION)

    async def check(self, server_name: str) -> dict[str, object]:
        """Check the server of that name, unsigned, now.

        Returns:
            The shape of `check --json`.

        Raises:
            UsageError: it is no server name.
        """
        visited = await visit(
            self._network, None, Visit(typed_server_name(server_name), hurried=False), directory_pages=1
        )
        return as_json(visited.observation)

    def close(self) -> None:
        """End what is open."""
        self._network.close()


def as_json(seen: ServerObservation) -> dict[str, object]:
    """The observation in the shape of `check --json`."""
    version = seen.version.value if isinstance(seen.version, Ok) else None
    keys = seen.keys.value if isinstance(seen.keys, Ok) else None
    tls = seen.tls.value if isinstance(seen.tls, Ok) else None
    client = seen.client_well_known.value if isinstance(seen.client_well_known, Ok) else None
    support = seen.support.value if isinstance(seen.support, Ok) else None
    return {
        "schema": SCHEMA,
        "server_name": seen.server_name.raw,
        "observed_at": seen.observed_at.isoformat(),
        "federates": seen.federating,
        "resolution": {
            "branch": seen.resolution.branch,
            "delegated": seen.resolution.delegated.raw if seen.resolution.delegated else None,
            "steps": [_step(step) for step in seen.resolution.steps],
            "endpoints": [
                {
                    "address": endpoint.address,
                    "port": endpoint.port,
                    "host_header": endpoint.host_header,
                    "tls_name": endpoint.tls_name,
                    "via": endpoint.via,
                }
                for endpoint in seen.resolution.endpoints
            ],
        },
        "endpoint": {"address": seen.endpoint.address, "port": seen.endpoint.port} if seen.endpoint else None,
        "tls": None
        if tls is None
        else {
            "protocol": tls.protocol,
            "cipher": tls.cipher,
            "issuer": tls.issuer,
            "not_after": tls.not_after.isoformat(),
            "fingerprint_sha256": tls.fingerprint_sha256,
        },
        "version": None if version is None else {"name": version.name, "version": version.version},
        "keys": None
        if keys is None
        else {
            "verify_keys": keys.verify_keys,
            "old_verify_keys": [old.key_id for old in keys.old_verify_keys],
            "old_keys": {
                old.key_id: {"key": old.key, "expired_at": old.expired_at.isoformat() if old.expired_at else None}
                for old in keys.old_verify_keys
            },
            "algorithms": list(keys.algorithms),
            "signed_by": list(keys.signed_by),
            "broken_signatures": list(keys.broken_signatures),
            "trusted_until": keys.trusted_until(seen.observed_at).isoformat(),
            "valid_until": keys.valid_until.isoformat(),
        },
        "client_well_known": None
        if client is None
        else {
            "base_url": client.base_url,
            "identity_server": client.identity_server,
            "rtc_foci": list(client.rtc_foci),
            "sliding_sync_proxy": client.sliding_sync_proxy,
            "oauth_issuer": client.oauth_issuer,
        },
        "support": None
        if support is None
        else {"roles": [contact.role for contact in support.contacts], "support_page": support.support_page},
        "directory": {
            "state": seen.directory.state,
            "rooms": directory_rooms(seen.directory),
            "way": seen.directory.way,
            "skipped_because": seen.directory.skipped_because,
        },
        "signed_accepted": seen.signed_accepted,
        "failures": [
            {"what": what, "phase": failure.phase, "kind": failure.kind, "detail": failure.detail}
            for what, failure in seen.failures
        ],
        "timings_s": timings_s(seen),
    }


def directory_rooms(directory: DirectoryResult) -> int | None:
    """Rooms in the directory: as read when it was read whole, else as it estimates itself; None when not known."""
    if not directory.pages:
        return None
    if directory.stopped is Stopped.COMPLETE:
        return len(directory.rooms)
    return directory.total_estimate


def timings_s(seen: ServerObservation) -> dict[str, float | None]:
    """Wall seconds of each part; None for what was not attempted."""
    timings: dict[str, float | None] = {"resolution": sum(step.duration_s for step in seen.resolution.steps)}
    for part, attempt in seen.attempts:
        timings[part] = attempt.timings.total_s if isinstance(attempt, Ok | Failed) else None
    timings["total"] = seen.duration_s
    return timings


def _step(step: Step) -> dict[str, object]:
    failure = step.failure
    return {
        "question": step.question,
        "subject": step.subject,
        "answer": step.answer,
        "conclusion": step.conclusion,
        "failure": None
        if failure is None
        else {"phase": failure.phase, "kind": failure.kind, "detail": failure.detail},
        "duration_s": step.duration_s,
        "cache_s": step.cache_s,
        "cached_at": step.cached_at.isoformat() if step.cached_at else None,
    }


@dataclass(frozen=True, slots=True)
class IdentityCheck:
    """Whether a peer would find our key."""

    good: bool
    sentence: str
    observation: ServerObservation

    def as_dict(self) -> dict[str, object]:
        return {"good": self.good, "sentence": self.sentence, "check": as_json(self.observation)}


async def check_identity(network: Network, identity: Identity) -> IdentityCheck:
    """Fetch our own key document by our own name, as a peer would, and compare it with the key in hand."""
    seen = await check_server(network, None, identity.server_name)
    name = identity.server_name
    match seen.keys:
        case Ok(document):
            published = document.verify_keys.get(identity.key.key_id)
            if published == identity.key.public_key_base64:
                until = f"{document.valid_until:%d %b %Y %H:%M} UTC"
                return IdentityCheck(
                    True, f"A peer finds key {identity.key.key_id} of {name}, valid until {until}.", seen
                )
            if published is not None:
                return IdentityCheck(
                    False,
                    f"{name} publishes another key under the ID {identity.key.key_id}. Never reuse a key ID: make a "
                    "new identity and publish that.",
                    seen,
                )
            others = ", ".join(sorted(document.verify_keys))
            return IdentityCheck(
                False, f"{name} publishes {others}, not {identity.key.key_id}: publish this file's key document.", seen
            )
        case _:
            what, failure = next(iter(seen.failures), ("nothing", None))
            why = f"{what}: {failure.kind} {failure.detail}" if failure else "it was not reached"
            return IdentityCheck(False, f"A peer finds no key of {name}: {why}", seen)
