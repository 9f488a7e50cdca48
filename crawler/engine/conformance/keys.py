"""The key document (server-server API, "Publishing keys"; appendices, "Signing JSON")."""

from collections.abc import Callable
from datetime import timedelta

from crawler.engine.conformance.judgement import NOT_APPLICABLE, PASS, Check, Judgement, fail, warn
from crawler.engine.conformance.remedies import place_of, remedy
from crawler.errors import FailureKind, Phase
from crawler.model.close_look import Inspection
from crawler.model.observation import Failed, Ok

PUBLISHING = 'Server-server API, "Publishing keys"'
LONG_VALIDITY = timedelta(days=30)
"""Peers believe at most seven days; a homeserver that claims more than a month was not set up with that in mind."""
SHORT_VALIDITY = timedelta(hours=1)
"""Notaries keep a document for half its life; shorter than this they ask without end."""


def _unless(*kinds: FailureKind) -> Callable[[Inspection], Judgement]:
    def judge(seen: Inspection) -> Judgement:
        keys = seen.observation.keys
        if isinstance(keys, Failed) and keys.failure.kind in kinds:
            return fail(remedy(keys.failure, place_of(seen.observation)))
        return PASS if isinstance(keys, Ok) else NOT_APPLICABLE

    return judge


_signed = _unless(FailureKind.KEYS_NO_SIGNATURE, FailureKind.KEYS_BAD_SIGNATURE)


def _signature(seen: Inspection) -> Judgement:
    keys = seen.observation.keys
    if isinstance(keys, Ok) and keys.value.broken_signatures:
        key_id = keys.value.broken_signatures[0]
        return warn(f"Sign the key document anew by {key_id}: its signature there does not hold, though another does.")
    return _signed(seen)


def _published(seen: Inspection) -> Judgement:
    match seen.observation.keys:
        case Ok():
            return PASS
        case Failed(failure):
            if failure.kind.phase is Phase.KEYS:
                return PASS
            return fail(remedy(failure, place_of(seen.observation)))
        case _:
            return NOT_APPLICABLE


def _validity(seen: Inspection) -> Judgement:
    keys = seen.observation.keys
    if not isinstance(keys, Ok):
        return NOT_APPLICABLE
    until = keys.value.valid_until
    left = until - seen.observation.observed_at
    if left > LONG_VALIDITY:
        return warn(
            f"Let valid_until_ts be about a day ahead: it says {until:%d %b %Y}, while servers believe seven days at "
            "most, and a stolen key would be believed as long as it says."
        )
    if left < SHORT_VALIDITY:
        return warn(
            f"Let valid_until_ts be at least an hour ahead, better a day: this document ends at {until:%H:%M} UTC, so "
            "servers must ask for it again and again."
        )
    return PASS


def _retired(seen: Inspection) -> Judgement:
    keys = seen.observation.keys
    if not isinstance(keys, Ok) or not keys.value.old_verify_keys:
        return NOT_APPLICABLE
    silent = [old.key_id for old in keys.value.old_verify_keys if old.expired_at is None]
    if not silent:
        return PASS
    return warn(f"Give the old key {silent[0]} an expired_ts: without it no server can tell until when it was good.")


def _no_reuse(seen: Inspection) -> Judgement:
    keys = seen.observation.keys
    if not isinstance(keys, Ok) or not seen.past_keys:
        return NOT_APPLICABLE
    for key_id, key in keys.value.verify_keys.items():
        if seen.past_keys.get(key_id, {key}) - {key}:
            return fail(
                f"Make a new signing key with a new ID: {key_id} once stood for another key, which servers still hold, "
                f"so they refuse what {seen.observation.server_name.raw} signs now."
            )
    return PASS


CHECKS = (
    Check("keys.published", "The key document is there", PUBLISHING, _published),
    Check("keys.name", "It is of this server name", PUBLISHING, _unless(FailureKind.KEYS_WRONG_NAME)),
    Check("keys.ed25519", "It holds an ed25519 key", PUBLISHING, _unless(FailureKind.KEYS_NO_KEY)),
    Check(
        "keys.signature",
        "One of its own keys has signed it",
        'Appendices, "Checking for a signature"',
        _signature,
    ),
    Check("keys.in_date", "It is in date", PUBLISHING, _unless(FailureKind.KEYS_EXPIRED)),
    Check("keys.validity", "It is valid for a sensible time", PUBLISHING, _validity),
    Check("keys.retired", "Its old keys say until when they were good", PUBLISHING, _retired),
    Check("keys.no_reuse", "No key ID was given to a new key", PUBLISHING, _no_reuse),
)
