"""TLS and the certificate (server-server API, "TLS"; RFC 5280, RFC 9525)."""

from collections.abc import Callable, Iterator
from datetime import timedelta

from crawler.engine.conformance.judgement import (
    NOT_APPLICABLE,
    PASS,
    Check,
    Judgement,
    fail,
    place_text,
    warn,
)
from crawler.engine.conformance.remedies import Place, remedy
from crawler.errors import FailureKind
from crawler.model.close_look import Inspection, PresentedTls
from crawler.model.discovery import Endpoint
from crawler.model.observation import Attempt, Failed, Ok, Skipped, SkipReason, TlsFacts

TLS = 'Server-server API, "TLS"'
EXPIRY_WARNING = timedelta(days=14)

_Seen = tuple[Endpoint, Attempt[TlsFacts], Attempt[PresentedTls]]


def _handshakes(seen: Inspection) -> Iterator[_Seen]:
    """Of every address; of a visit that did not look at all of them, of the one it used."""
    for look in seen.addresses:
        yield look.endpoint, look.tls, look.presented
    endpoint = seen.observation.endpoint
    if not seen.addresses and endpoint is not None:
        yield endpoint, seen.observation.tls, Skipped(SkipReason.NOT_NEEDED)


def _unless(
    *kinds: FailureKind, also: Callable[[PresentedTls], str] = lambda _: ""
) -> Callable[[Inspection], Judgement]:
    """Fails for these kinds; passes where a handshake verified. `also` adds what was presented."""

    def judge(seen: Inspection) -> Judgement:
        verified = False
        for endpoint, tls, presented in _handshakes(seen):
            if isinstance(tls, Failed) and tls.failure.kind in kinds:
                place = Place(
                    seen.observation.server_name, endpoint.host_header, endpoint.tls_name, place_text(endpoint)
                )
                told = remedy(tls.failure, place).removesuffix(".")
                return fail(told + (also(presented.value) if isinstance(presented, Ok) else "") + ".")
            verified = verified or isinstance(tls, Ok)
        return PASS if verified else NOT_APPLICABLE

    return judge


def _names(presented: PresentedTls) -> str:
    names = presented.chain[0].names if presented.chain else ()
    if not names:
        return ""
    return f" (it names {', '.join(names[:5])}{' and more' if len(names) > 5 else ''})"


def _chain(presented: PresentedTls) -> str:
    if not presented.chain:
        return ""
    sent = "certificate is" if len(presented.chain) == 1 else "certificates are"
    return f" ({len(presented.chain)} {sent} sent, the last issued by {presented.chain[-1].issuer})"


def _validity(presented: PresentedTls) -> str:
    if not presented.chain:
        return ""
    leaf = presented.chain[0]
    return f" (valid from {leaf.not_before:%d %b %Y} to {leaf.not_after:%d %b %Y %H:%M} UTC)"


_expired = _unless(FailureKind.TLS_EXPIRED, FailureKind.TLS_NOT_YET_VALID, also=_validity)


def _expiry(seen: Inspection) -> Judgement:
    judged = _expired(seen)
    if judged is not PASS:
        return judged
    now = seen.observation.observed_at
    ends = [(tls.value.not_after, endpoint) for endpoint, tls, _ in _handshakes(seen) if isinstance(tls, Ok)]
    not_after, endpoint = min(ends, key=lambda end: end[0])
    left = not_after - now
    if left >= EXPIRY_WARNING:
        return PASS
    days = f"{left.days} day{'' if left.days == 1 else 's'}"
    return warn(
        f"Renew the certificate of {endpoint.tls_name} at {place_text(endpoint)}: it expires in {days}, on "
        f"{not_after:%d %b %Y %H:%M} UTC, which automatic renewal would not have let come so near."
    )


CHECKS = (
    Check(
        "tls.handshake",
        "TLS 1.2 or newer is agreed",
        TLS,
        _unless(FailureKind.TLS_HANDSHAKE, FailureKind.TLS_TIMEOUT),
    ),
    Check(
        "tls.name",
        "The certificate is for the name that the resolution prescribes",
        f"{TLS}; RFC 9525, 6",
        _unless(FailureKind.TLS_WRONG_NAME, also=_names),
    ),
    Check(
        "tls.chain",
        "The chain is complete and leads to an authority",
        f"{TLS}; RFC 5280, 6",
        _unless(FailureKind.TLS_SELF_SIGNED, FailureKind.TLS_UNTRUSTED, FailureKind.TLS_VERIFY, also=_chain),
    ),
    Check("tls.expiry", "The certificate is valid for two weeks more", "RFC 5280, 4.1.2.5", _expiry),
)
