"""One sound homeserver, and around it everything that administrators get wrong, one thing at a time.

The homeserver is a real Synapse that is never touched. It sits behind a proxy that ends TLS, a web server that
delegates to that proxy, and DNS; `arranged` puts these up anew with one `Breakage` in them. Nothing of it needs a
restart. What only the homeserver's own configuration can break, such as a closed directory, is another homeserver with
that option.
"""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, assert_never

import signedjson.key
import signedjson.sign

from tests.synapse.certificates import Certificate
from tests.synapse.federation import (
    Network,
    free_places,
    json_reply,
    make_homeserver,
    running,
    web_server,
)
from tests.synapse.front import Front, Place, Reply
from tests.synapse.homeserver import Homeserver, Options, Process
from tests.synapse.probe import KEYS

PRIVATE_ADDRESS = "10.255.255.1"


class Breakage(StrEnum):
    """What is wrong. Everything else is right."""

    NONE = "none"

    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_WRONG_NAME = "certificate_wrong_name"
    CERTIFICATE_SELF_SIGNED = "certificate_self_signed"

    KEYS_OF_ANOTHER_NAME = "keys_of_another_name"
    """A whole and well-signed key document, of another server: the proxy leads to the wrong homeserver."""
    KEYS_EXPIRED = "keys_expired"
    """Signed by the homeserver's own key, and valid until an hour ago: something keeps an old answer."""
    KEYS_TAMPERED = "keys_tampered"
    """The signature is of another document."""

    WELL_KNOWN_HTML = "well_known_html"
    """The web server answers every path with its front page; there is no SRV record, and nobody on 8448."""
    WELL_KNOWN_PRIVATE_NAME = "well_known_private_name"
    """It delegates to a name whose address is private."""
    WELL_KNOWN_PRIVATE_ADDRESS = "well_known_private_address"
    """It delegates to a private address."""

    SRV_NO_ADDRESS = "srv_no_address"
    """The SRV record leads to a name that does not exist."""
    SRV_REFUSED = "srv_refused"
    """The SRV record leads to a port on which nobody listens."""
    SRV_UNAVAILABLE = "srv_unavailable"
    """The SRV record's target is the root: the service is decidedly not there (RFC 2782)."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A running homeserver and the network in which its surroundings are put up.

    `host` is the first of the ten addresses that are theirs. `proxy_at` stays the same from one arrangement to the
    next, so that a peer that keeps the delegation still comes by.
    """

    network: Network
    server: Homeserver
    process: Process
    host: int
    proxy_at: Place


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What stands around the homeserver now. `delegate` is the name that the proxy is reached by."""

    network: Network
    server_name: str
    delegate: str
    web: Front
    proxy: Front


@contextlib.contextmanager
def open_surroundings(
    network: Network, name: str, *, host: int = 40, options: Options | None = None
) -> Iterator[Surroundings]:
    """Start the homeserver `name`."""
    server = make_homeserver(network, name, host, [name])
    with running(network, server, options) as process:
        process.wait_ready()
        (proxy_at,) = free_places(network.address(host + 1), 1)
        yield Surroundings(network, server, process, host, proxy_at)


@contextlib.contextmanager
def arranged(around: Surroundings, breakage: Breakage = Breakage.NONE) -> Iterator[Arrangement]:
    """Put up DNS, web server and proxy with one thing broken, and take them down again."""
    network, name = around.network, around.server.name
    delegate = f"matrix.{name}"
    proxy = Front(
        [around.proxy_at],
        _certificate(network, delegate, breakage),
        routes=_key_routes(around.server, breakage),
        upstream=around.server.plain,
    )
    with proxy:
        network.dns.put(delegate, "A", around.proxy_at[0])
        routes = _web_routes(network, name, f"{delegate}:{around.proxy_at[1]}", breakage)
        with web_server(network, name, around.host + 2, routes) as web:
            srv = _srv(network, name, around.host + 3, breakage)
            network.dns.put(f"_matrix-fed._tcp.{name}", "SRV", *srv)
            yield Arrangement(network, name, delegate, web, proxy)


def _certificate(network: Network, delegate: str, breakage: Breakage) -> Certificate:
    stem = f"{delegate}-{breakage}"
    match breakage:
        case Breakage.CERTIFICATE_EXPIRED:
            return network.authority.issue(stem, [delegate], expired=True)
        case Breakage.CERTIFICATE_WRONG_NAME:
            return network.authority.issue(stem, ["elsewhere.test"])
        case Breakage.CERTIFICATE_SELF_SIGNED:
            return network.authority.issue(stem, [delegate], self_signed=True)
        case _:
            return network.authority.issue(stem, [delegate])


def _key_routes(server: Homeserver, breakage: Breakage) -> dict[str, Reply]:
    """What the proxy answers in the homeserver's place."""
    match breakage:
        case Breakage.KEYS_OF_ANOTHER_NAME:
            other = signedjson.key.generate_signing_key(f"o{time.time_ns()}")
            return {KEYS: json_reply(_key_document("elsewhere.test", other, valid_for_s=3600))}
        case Breakage.KEYS_EXPIRED:
            return {KEYS: json_reply(_key_document(server.name, _signing_key(server), valid_for_s=-3600))}
        case Breakage.KEYS_TAMPERED:
            document = _key_document(server.name, _signing_key(server), valid_for_s=3600)
            return {KEYS: json_reply(document | {"valid_until_ts": document["valid_until_ts"] + 1})}
        case _:
            return {}


def _signing_key(server: Homeserver) -> Any:
    with (server.directory / "signing.key").open() as stream:
        (key,) = signedjson.key.read_signing_keys(stream)
    return key


def _key_document(name: str, key: Any, *, valid_for_s: float) -> dict[str, Any]:
    verify_key = signedjson.key.encode_verify_key_base64(signedjson.key.get_verify_key(key))
    document = {
        "server_name": name,
        "valid_until_ts": int((time.time() + valid_for_s) * 1000),
        "verify_keys": {f"{key.alg}:{key.version}": {"key": verify_key}},
        "old_verify_keys": {},
    }
    signed: dict[str, Any] = signedjson.sign.sign_json(document, name, key)
    return signed


def _web_routes(network: Network, name: str, delegate_at: str, breakage: Breakage) -> dict[str, Reply]:
    """What the domain's web server answers."""
    client = json_reply({"m.homeserver": {"base_url": f"https://{delegate_at}"}})
    match breakage:
        case Breakage.WELL_KNOWN_HTML:
            page = Reply(200, b"<!DOCTYPE html><title>Welcome</title><p>It works!", "text/html; charset=utf-8")
            return {"/.well-known/matrix/server": page, "/.well-known/matrix/client": page}
        case Breakage.WELL_KNOWN_PRIVATE_NAME:
            network.dns.put(f"inside.{name}", "A", PRIVATE_ADDRESS)
            server = json_reply({"m.server": f"inside.{name}:8448"})
        case Breakage.WELL_KNOWN_PRIVATE_ADDRESS:
            server = json_reply({"m.server": f"{PRIVATE_ADDRESS}:8448"})
        case Breakage.SRV_NO_ADDRESS | Breakage.SRV_REFUSED | Breakage.SRV_UNAVAILABLE:
            return {"/.well-known/matrix/client": client}
        case (
            Breakage.NONE
            | Breakage.CERTIFICATE_EXPIRED
            | Breakage.CERTIFICATE_WRONG_NAME
            | Breakage.CERTIFICATE_SELF_SIGNED
            | Breakage.KEYS_OF_ANOTHER_NAME
            | Breakage.KEYS_EXPIRED
            | Breakage.KEYS_TAMPERED
        ):
            server = json_reply({"m.server": delegate_at})
        case _:
            assert_never(breakage)
    return {"/.well-known/matrix/server": server, "/.well-known/matrix/client": client}


def _srv(network: Network, name: str, host: int, breakage: Breakage) -> list[str]:
    """The SRV record, if there is to be one."""
    match breakage:
        case Breakage.SRV_NO_ADDRESS:
            return [f"10 5 8448 nowhere.{name}."]
        case Breakage.SRV_REFUSED:
            address = network.address(host)
            network.dns.put(f"silent.{name}", "A", address)
            ((_, port),) = free_places(address, 1)
            return [f"10 5 {port} silent.{name}."]
        case Breakage.SRV_UNAVAILABLE:
            return ["0 0 0 ."]
        case _:
            return []
