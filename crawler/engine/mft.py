"""A check in the shape of matrix-federation-tester's `/api/report`, for programs that were written for it.

Field names are that program's. Where it has only a boolean and we do not know, it is false: after the first thing
wrong with a key document nothing else in it is believed. Over a certificate that does not verify nothing is asked, so
such an address has its certificates here and no keys. `Keys` is made anew from what was verified.
"""

import base64
from typing import Any

from cryptography import x509

from crawler.errors import Failure, FailureKind, Phase
from crawler.model.close_look import AddressLook, Certificate, Inspection, PresentedTls
from crawler.model.discovery import AddressFacts, Question, SrvFacts, Step
from crawler.model.observation import Failed, KeyDocument, Ok

_VERSIONS = {"TLSv1.3": "TLS 1.3", "TLSv1.2": "TLS 1.2", "TLSv1.1": "TLS 1.1", "TLSv1": "TLS 1.0"}
_SIGNATURE = frozenset({FailureKind.KEYS_NO_SIGNATURE, FailureKind.KEYS_BAD_SIGNATURE})


def invalid_name(text: str) -> dict[str, Any]:
    """What is answered for something that is no server name."""
    return {
        "Error": f"Invalid server name '{text}'",
        "WellKnownResult": {"m.server": "", "CacheExpiresAt": 0},
        "DNSResult": _dns(()),
        "ConnectionReports": {},
        "ConnectionErrors": {},
        "Version": {},
        "FederationOK": False,
    }


def report(seen: Inspection) -> dict[str, Any]:
    """The report of an inspection."""
    visit = seen.observation
    reports: dict[str, Any] = {}
    errors: dict[str, Any] = {}
    for look in seen.addresses:
        at = address_port(look.endpoint.address, look.endpoint.port)
        error = _no_connection(look)
        if error is not None:
            errors[at] = _error(error)
        elif isinstance(look.presented, Ok) or isinstance(look.tls, Ok):
            reports[at] = _connection(look)
    made: dict[str, Any] = {
        "WellKnownResult": _well_known(seen),
        "DNSResult": _dns(visit.resolution.steps),
        "ConnectionReports": reports,
        "ConnectionErrors": errors,
        "Version": _version(seen),
        "FederationOK": visit.federating,
    }
    failure = visit.resolution.failure
    return made if failure is None else {"Error": _message(failure), **made}


def address_port(address: str, port: int) -> str:
    """As Go's `net.JoinHostPort` spells it."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _message(failure: Failure) -> str:
    return f"{failure.kind}: {failure.detail}" if failure.detail else failure.kind.value


def _error(failure: Failure) -> dict[str, str]:
    return {"Message": _message(failure)}


def _well_known(seen: Inspection) -> dict[str, Any]:
    resolution = seen.observation.resolution
    step = next((step for step in resolution.steps if step.question is Question.WELL_KNOWN), None)
    made: dict[str, Any] = {"m.server": resolution.delegated.raw if resolution.delegated else ""}
    if step is None:
        made["result"] = "No .well-known is asked for: the name has a port or is an address"
    elif step.failure is not None:
        made["result"] = _message(step.failure)
    kept = step is not None and step.failure is None and step.cache_s
    made["CacheExpiresAt"] = int(seen.observation.observed_at.timestamp() + kept) if kept else 0
    return made


def _dns(steps: tuple[Step, ...]) -> dict[str, Any]:
    srv = [step for step in steps if step.question is Question.SRV]
    last = srv[-1] if srv else None
    facts = last.facts if last is not None else None
    records = None
    cname = ""
    if isinstance(facts, SrvFacts):
        records = [
            {"Target": f"{r.target}.", "Port": r.port, "Priority": r.priority, "Weight": r.weight}
            for r in (*facts.usable, *facts.unusable)
        ]
        cname = f"{facts.cname or (last.subject if last else '')}."
    hosts: dict[str, Any] = {}
    addresses: list[str] = []
    for step in steps:
        if isinstance(step.facts, AddressFacts):
            hosts[step.subject] = {
                "CName": f"{step.facts.cname or step.subject}.",
                "Addrs": list(step.facts.usable),
                "Error": None if step.failure is None else _error(step.failure),
            }
            addresses += [address_port(address, step.facts.port) for address in step.facts.usable]
    return {
        "SRVSkipped": not srv,
        "SRVCName": cname,
        "SRVRecords": records,
        "SRVError": None if last is None or last.failure is None else _error(last.failure),
        "Hosts": hosts,
        "Addrs": addresses,
    }


def _no_connection(look: AddressLook) -> Failure | None:
    """Why that program would have had no keys to check, and no certificate to show."""
    if isinstance(look.tcp, Failed):
        return look.tcp.failure
    if isinstance(look.tls, Failed) and not isinstance(look.presented, Ok):
        return look.tls.failure
    if isinstance(look.keys, Failed) and look.keys.failure.phase is not Phase.KEYS:
        return look.keys.failure
    return None


def _connection(look: AddressLook) -> dict[str, Any]:
    presented = look.presented.value if isinstance(look.presented, Ok) else None
    keys = look.keys.value if isinstance(look.keys, Ok) else None
    failures = [attempt.failure for attempt in (look.tls, look.keys) if isinstance(attempt, Failed)]
    return {
        "Certificates": [_certificate(certificate) for certificate in presented.chain] if presented else [],
        "Cipher": _cipher(look, presented),
        "Checks": _checks(look, keys),
        "Errors": [_error(failure) for failure in failures],
        "Ed25519VerifyKeys": dict(keys.verify_keys) if keys else {},
        "Info": {},
        "Keys": _keys(keys) if keys else None,
    }


def _cipher(look: AddressLook, presented: PresentedTls | None) -> dict[str, str]:
    spoken = look.tls.value if isinstance(look.tls, Ok) else presented
    if spoken is None:
        return {"Version": "", "CipherSuite": ""}
    return {"Version": _VERSIONS.get(spoken.protocol, spoken.protocol), "CipherSuite": spoken.cipher}


def _checks(look: AddressLook, keys: KeyDocument | None) -> dict[str, Any]:
    valid = isinstance(look.tls, Ok)
    kind = look.keys.failure.kind if isinstance(look.keys, Failed) else None
    read = keys is not None or (kind is not None and kind.phase is Phase.KEYS)
    name = read and kind is not FailureKind.KEYS_WRONG_NAME
    has_key = name and kind is not FailureKind.KEYS_NO_KEY
    signed = has_key and kind not in _SIGNATURE
    future = signed and kind is not FailureKind.KEYS_EXPIRED
    by_key = (
        {key_id: {"ValidEd25519": True, "MatchingSignature": key_id in keys.signed_by} for key_id in keys.verify_keys}
        if keys
        else {}
    )
    return {
        "AllChecksOK": valid and future,
        "MatchingServerName": name,
        "FutureValidUntilTS": future,
        "HasEd25519Key": has_key,
        "AllEd25519ChecksOK": signed,
        "Ed25519Checks": by_key,
        "ValidCertificates": valid,
    }


def _keys(keys: KeyDocument) -> dict[str, Any]:
    return {
        "server_name": keys.server_name,
        "valid_until_ts": int(keys.valid_until.timestamp() * 1000),
        "verify_keys": {key_id: {"key": key} for key_id, key in keys.verify_keys.items()},
        "old_verify_keys": {
            old.key_id: {
                **({"key": old.key} if old.key is not None else {}),
                **({"expired_ts": int(old.expired_at.timestamp() * 1000)} if old.expired_at is not None else {}),
            }
            for old in keys.old_verify_keys
        },
    }


def _certificate(certificate: Certificate) -> dict[str, Any]:
    fingerprint = base64.b64encode(bytes.fromhex(certificate.fingerprint_sha256)).rstrip(b"=").decode()
    return {
        "SubjectCommonName": _common_name(certificate.subject),
        "IssuerCommonName": _common_name(certificate.issuer),
        "SHA256Fingerprint": fingerprint,
        "DNSNames": list(certificate.names),
    }


def _common_name(text: str) -> str:
    try:
        found = x509.Name.from_rfc4514_string(text).get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    except ValueError:
        return ""  # it was cut, or is no such text
    return str(found[0].value) if found else ""


def _version(seen: Inspection) -> dict[str, str]:
    match seen.observation.version:
        case Ok(info):
            return {key: value for key, value in (("name", info.name), ("version", info.version)) if value}
        case Failed(failure):
            return {"error": _message(failure)}
        case _:
            why = seen.observation.fell_out
            return {"error": _message(why) if why is not None else "not reached"}
