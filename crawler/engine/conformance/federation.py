"""The federation API beyond the keys, and the room directory (server-server API, "Server implementation", "Request
authentication", "Public room directory")."""

from typing import assert_never

from crawler.engine.conformance.judgement import NOT_APPLICABLE, PASS, Check, Judgement, fail, warn
from crawler.engine.conformance.remedies import place_of, remedy
from crawler.errors import FailureKind
from crawler.model.close_look import Inspection
from crawler.model.observation import Failed, Ok
from crawler.model.rooms import DirectoryState

VERSION = 'Server-server API, "Server implementation"'
DIRECTORY = 'Server-server API, "Public room directory"'


def _version(seen: Inspection) -> Judgement:
    match seen.observation.version:
        case Ok():
            return PASS
        case Failed(failure):
            return fail(remedy(failure, place_of(seen.observation)))
        case _:
            return NOT_APPLICABLE


def _version_says(seen: Inspection) -> Judgement:
    version = seen.observation.version
    if not isinstance(version, Ok):
        return NOT_APPLICABLE
    missing = [what for what in ("name", "version") if not getattr(version.value, what)]
    if not missing:
        return PASS
    return warn(
        f"Let /_matrix/federation/v1/version say server.{' and server.'.join(missing)}: other admins need it to tell "
        "whose fault a problem is."
    )


def _signed(seen: Inspection) -> Judgement:
    accepted = seen.observation.signed_accepted
    if accepted is None:
        return NOT_APPLICABLE
    if accepted:
        return PASS
    return warn(
        "Let the homeserver fetch other servers' keys over the network and set its clock: a correctly signed request "
        "of ours was refused as not authentic."
    )


def _directory(seen: Inspection) -> Judgement:
    directory = seen.observation.directory
    where = place_of(seen.observation).where
    match directory.state:
        case DirectoryState.OPEN | DirectoryState.OPEN_EMPTY:
            return PASS
        case DirectoryState.SKIPPED:
            return NOT_APPLICABLE
        case DirectoryState.DENIED:
            return warn(
                "If people elsewhere shall find your public rooms, open the directory to other servers: it is closed "
                "(Synapse: allow_public_rooms_over_federation; Conduit family: "
                "allow_public_room_directory_over_federation)."
            )
        case DirectoryState.AUTH_FAILED:
            if seen.observation.signed_accepted is None:
                return NOT_APPLICABLE
            return warn(f"See why {where} refuses the signature of a request for its directory as not authentic.")
        case DirectoryState.NOT_IMPLEMENTED:
            return warn(
                f"Pass /_matrix/federation/v1/publicRooms on to the homeserver at {where}: it is not found there."
            )
        case DirectoryState.RATE_LIMITED | DirectoryState.ERROR | DirectoryState.TIMEOUT | DirectoryState.MALFORMED:
            if directory.failure is None:
                return warn(f"See why the room directory at {where} does not answer properly.")
            return warn(f"Of the room directory: {remedy(directory.failure, place_of(seen.observation))}")
        case _:
            assert_never(directory.state)


def _unhurried(seen: Inspection) -> Judgement:
    limited = [what for what, failure in seen.observation.failures if failure.kind is FailureKind.HTTP_RATE_LIMITED]
    if not seen.observation.online:
        return NOT_APPLICABLE
    if not limited:
        return PASS
    asked = limited[0].replace("_", " ")
    return warn(f"Raise the rate limit for other servers: a handful of requests was too much (429 for {asked}).")


CHECKS = (
    Check("federation.version", "The version is answered in JSON", VERSION, _version),
    Check("federation.version_says", "The version says which software and which release", VERSION, _version_says),
    Check(
        "federation.signed",
        "A signed request is accepted",
        'Server-server API, "Request authentication"',
        _signed,
    ),
    Check("directory.answers", "The room directory answers other servers", DIRECTORY, _directory),
    Check("manners.rate_limit", "A handful of requests is not too many", "RFC 6585, 4", _unhurried),
)
